"""Petastorm, behind its one module, delivers exactly the rows that Spark wrote, or nothing."""

import pickle
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import DAYS

from jobs import feed
from jobs.build_examples import TRAINING, VALIDATION
from jobs.errors import Refused
from jobs.feed import Feed
from model.batch import CandidateBatch

Row = tuple[bytes, ...]
EPOCHS = 3
CANARY = "canary"


@pytest.fixture(scope="module")
def examples(toy):
    return toy.partition("examples", DAYS[2])


@pytest.fixture(params=[TRAINING, VALIDATION])
def files(examples, request) -> list[Path]:
    found = [path for path in examples.files() if path.name.startswith(request.param)]
    assert len(found) > 1, "one file alone would have no order to shuffle"
    return found


def feed_of(files: list[Path], examples, batch_size: int = 16, seed: int = 5) -> Feed:
    return Feed(files, examples.table, batch_size=batch_size, seed=seed)


def delivered(batches: Iterable[CandidateBatch]) -> list[Row]:
    """Every value of every row that Petastorm brought, in the order of delivery."""
    rows = []
    for batch in batches:
        columns = (
            batch.user_tokens.numpy().astype(np.int32),
            batch.item_tokens.numpy().astype(np.int32),
            batch.dense.numpy(),
            batch.valid.sum(1).numpy().astype(np.int32),
            batch.exposed.numpy().astype(np.float32),
            batch.label.numpy(),
            batch.win.numpy(),
            batch.shown_rank.numpy().astype(np.int32),
        )
        rows += [tuple(column[i].tobytes() for column in columns) for i in range(len(batch))]
    return rows


def written(files: list[Path]) -> list[Row]:
    """The same of the files, by pyarrow."""
    names = ("user_tokens", "item_tokens", "dense", "n_candidates", "exposed", "label", "win")
    names += ("shown_rank",)
    rows = []
    for path in files:
        table = pq.read_table(path)
        columns = []
        for name in names:
            column = table[name].combine_chunks()
            values = column.flatten() if pa.types.is_list(column.type) else column
            columns.append(values.to_numpy().reshape(table.num_rows, -1))
        rows += [tuple(column[i].tobytes() for column in columns) for i in range(table.num_rows)]
    return rows


@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
@pytest.mark.parametrize("batch_size", [7, 64])
def test_every_epoch_is_every_row_once(files, examples, shuffle, batch_size):
    source = feed_of(files, examples, batch_size)
    rows = written(files)
    assert source.rows == len(rows)
    for number in range(EPOCHS):
        batches = list(source.epoch(number, shuffle=shuffle))
        assert max(len(batch) for batch in batches) == min(batch_size, len(rows))
        found = delivered(batches)
        assert Counter(found) == Counter(rows)
        assert (found == rows) == (not shuffle)


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
def test_the_order_is_a_function_of_seed_and_epoch(files, examples):
    one, same = feed_of(files, examples), feed_of(files, examples)
    first = [delivered(one.epoch(number, shuffle=True)) for number in range(EPOCHS)]
    again = [delivered(same.epoch(number, shuffle=True)) for number in range(EPOCHS)]
    assert first == again
    assert len({tuple(rows) for rows in first}) == EPOCHS
    other = feed_of(files, examples, seed=500)
    assert delivered(other.epoch(0, shuffle=True)) != first[0]


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
def test_the_order_is_not_the_models_business_nor_the_other_way(files, examples):
    """Both would draw from torch's one generator, and dropout would decide who comes next."""
    source = feed_of(files, examples)
    torch.manual_seed(1)
    first = delivered(source.epoch(1, shuffle=True))
    untouched = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), untouched)
    drawing = (batch for batch in source.epoch(1, shuffle=True) if torch.rand(5).sum() >= 0)
    assert delivered(drawing) == first


# --- what must not happen


class Planted:
    """A pickle that leaves a file behind wherever somebody opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        # Of the modules that Petastorm's "restricted" unpickler lets through.
        return (exec, (f"open({str(self.path)!r}, 'w').close()",))


@pytest.fixture
def crafted(files, tmp_path) -> list[Path]:
    """Copies of the files beside metadata that carry a pickle where Petastorm looks for its own."""
    copies = []
    for path in files:
        copies.append(tmp_path / "v=1" / path.name)
        copies[-1].parent.mkdir(exist_ok=True)
        copies[-1].write_bytes(path.read_bytes())
    canary = pickle.dumps(Planted(tmp_path / CANARY))
    keys = (b"dataset-toolkit.unischema.v1", b"dataset-toolkit.num_row_groups_per_file.v1")
    schema = pq.read_schema(files[0]).with_metadata(dict.fromkeys(keys, canary))
    pq.write_metadata(schema, copies[0].parent / "_common_metadata")
    return copies


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
def test_the_canary_runs_where_nobody_looks(crafted, tmp_path):
    """Or the next test would prove nothing."""
    warnings.simplefilter("ignore")
    with pytest.raises(AttributeError):
        feed.make_batch_reader(f"file://{crafted[0].parent}", reader_pool_type="dummy")
    assert (tmp_path / CANARY).exists()


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
@pytest.mark.parametrize("name", ["_common_metadata", "_metadata"])
def test_metadata_that_may_hold_code_are_refused_unopened(crafted, examples, tmp_path, name):
    folder = crafted[0].parent
    (folder / "_common_metadata").rename(folder / name)
    with pytest.raises(Refused) as refusal:
        feed_of(crafted, examples)
    assert str(refusal.value) == (
        f"{folder / name} may hold code that reading it would run; this pipeline never writes that "
        "file. Remove it and find out who did"
    )
    assert not (tmp_path / CANARY).exists()
    (folder / name).unlink()
    assert Counter(delivered(feed_of(crafted, examples).epoch(0, shuffle=True))) == Counter(
        written(crafted)
    )


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
@pytest.mark.parametrize(
    "lose",
    [lambda urls: urls[1:], lambda urls: [*urls, urls[0]]],
    ids=["a file lost", "a file twice"],
)
def test_an_epoch_that_is_not_every_row_once_is_an_error(files, examples, monkeypatch, lose):
    source, reader = feed_of(files, examples), feed.make_batch_reader
    monkeypatch.setattr(
        feed, "make_batch_reader", lambda urls, **options: reader(lose(urls), **options)
    )
    epoch = source.epoch(4, shuffle=False)
    with pytest.raises(RuntimeError, match=rf"delivered \d+ of {source.rows} rows in epoch 4"):
        list(epoch)
