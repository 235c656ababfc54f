"""A tiny folder like EB-NeRD's, worked by hand in test_shipped_profiles."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# Day one is 2023-05-18 07:00 to 2023-05-19 07:00. (id, user, time, shown, clicked)
IMPRESSIONS = [
    (105, 2, "2023-05-18 08:10:00", [9, 4], [4]),
    (100, 1, "2023-05-18 07:00:00", [1, 2], [1]),
    (101, 2, "2023-05-18 07:10:00", [3, 2], [3]),
    (102, 1, "2023-05-18 07:10:00", [1, 4], [4]),
    (103, 1, "2023-05-18 08:00:00", [2, 3, 5], [5, 3, 3]),
    (104, 3, "2023-05-18 08:05:00", [9], []),
    (106, 5, "2023-05-19 06:30:00", [7], [7]),
    (107, 4, "2023-05-19 06:59:59", [7, 8], [8]),
    (108, 6, "2023-05-19 07:00:00", [7, 8], [7]),
]
BEHAVIORS = pa.schema(
    [
        ("impression_id", pa.uint32()),
        ("article_id", pa.int32()),
        ("impression_time", pa.timestamp("us")),
        ("read_time", pa.float32()),
        ("device_type", pa.int8()),
        ("article_ids_inview", pa.large_list(pa.int32())),
        ("article_ids_clicked", pa.large_list(pa.int32())),
        ("user_id", pa.uint32()),
        ("is_sso_user", pa.bool_()),
        ("is_subscriber", pa.bool_()),
        ("next_read_time", pa.float32()),
    ]
)


def behaviors(impressions: list[tuple] = IMPRESSIONS) -> pa.Table:
    """Return behaviors.parquet of these impressions."""
    rows = [
        {
            "impression_id": number,
            "article_id": shown[0] if number == 103 else None,
            "impression_time": datetime.fromisoformat(time),
            "read_time": float("nan"),
            "device_type": None if number == 104 else 2,
            "article_ids_inview": shown,
            "article_ids_clicked": clicked,
            "user_id": user,
            "is_sso_user": False,
            "is_subscriber": user == 2,
            "next_read_time": float("inf"),
        }
        for number, user, time, shown, clicked in impressions
    ]
    return pa.Table.from_pylist(rows, BEHAVIORS)


def tables() -> dict[str, pa.Table]:
    """Return the four files by name."""
    return {
        "behaviors.parquet": behaviors(),
        "history.parquet": pa.table(
            {
                "user_id": pa.array([1, 2, 3], pa.uint32()),
                "article_id_fixed": pa.array(
                    [[1, 2, 2, 50], [2, 50], [1]], pa.large_list(pa.int32())
                ),
            }
        ),
        "premium_articles.from_x.parquet": pa.table(
            {
                "article_id": pa.array([1, 2, 3, 4, 77], pa.int32()),
                "premium": pa.array([1.0, 0.0, 0.0, None, 1.0], pa.float64()),
            }
        ),
        "article_length.from_x.parquet": pa.table(
            {
                "article_id": pa.array([1, 2, 3, 4, 5], pa.int32()),
                "article_length": pa.array([0, 1, 499, 500, 47_355], pa.uint32()),
            }
        ),
    }


def write_folder(folder: Path, **changed: pa.Table) -> Path:
    """Write the folder; `changed` replaces files by the first word of their name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables().items():
        first_word = name.split(".")[0].split("_")[0]
        pq.write_table(changed.get(first_word, table), folder / name)
    return folder
