"""Either feed delivers exactly the rows that Spark wrote, to one process or shared by several."""

import pickle
import warnings
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import DAYS
from hypothesis import given
from hypothesis import strategies as st

from jobs import petastorm_feed
from jobs.build_examples import TRAINING, VALIDATION
from jobs.errors import Refused
from jobs.feed import FEEDS, Feed, open_feed
from jobs.petastorm_feed import PetastormFeed, regrouped
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


def feed_of(files: list[Path], examples, batch_size: int = 16, seed: int = 5) -> PetastormFeed:
    return PetastormFeed(files, examples.table, batch_size=batch_size, seed=seed)


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


# --- without Petastorm


def same(one: CandidateBatch, other: CandidateBatch) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in one.__slots__]
    return all(a is b is None or (a.dtype == b.dtype and torch.equal(a, b)) for a, b in pairs)


def copies(files: list[Path], folder: Path, sizes: list[int]) -> list[Path]:
    """Files of so many rows each, twelve of them so that file 10 sorts before file 2."""
    rows = pa.concat_tables([pq.read_table(path) for path in files])
    starts, made = np.cumsum([0, *sizes]), []
    for number, (start, size) in enumerate(zip(starts[:-1], sizes, strict=True)):
        made.append(folder / f"training-{number}.parquet")
        picked = np.arange(start, start + size) % len(rows)
        pq.write_table(rows.take(pa.array(picked)), made[-1])
    return made


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
@pytest.mark.parametrize("batch_size", [7, 64])
def test_both_feeds_give_the_same_batches_to_the_bit(files, examples, tmp_path, batch_size):
    made = copies(files, tmp_path, [5, 1, 9, 3, 2, 8, 4, 6, 7, 11, 3, 1])
    one, other = (
        open_feed(name, made, examples.table, batch_size=batch_size, seed=5) for name in FEEDS
    )
    assert (one.rows, one.steps) == (other.rows, other.steps) == (60, -(-60 // batch_size))
    pairs = zip(one.epoch(1, shuffle=False), other.epoch(1, shuffle=False), strict=True)
    assert sum(same(a, b) for a, b in pairs) == one.steps


def test_arrow_shuffles_all_rows_by_seed_and_epoch(files, examples):
    def feed(seed: int) -> Feed:
        return open_feed("arrow", files, examples.table, batch_size=16, seed=seed)

    rows, source = written(files), feed(5)
    epochs = [delivered(source.epoch(number, shuffle=True)) for number in range(EPOCHS)]
    assert all(Counter(found) == Counter(rows) for found in epochs)
    assert len({tuple(found) for found in [rows, *epochs]}) == EPOCHS + 1
    assert delivered(feed(5).epoch(2, shuffle=True)) == epochs[2]
    assert delivered(feed(6).epoch(2, shuffle=True)) != epochs[2]


# --- shared by several processes

UNEVEN = [1, 30, 7, 2, 40]


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("world", [2, 3, 5])
@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
def test_shards_take_equal_steps_and_share_every_row(
    files, examples, tmp_path, name, world, shuffle
):
    made = copies(files, tmp_path, UNEVEN)
    shards = [
        open_feed(name, made, examples.table, batch_size=16, seed=5, rank=rank, world=world)
        for rank in range(world)
    ]
    assert {(shard.rows, shard.steps) for shard in shards} == {(80, 5)}
    parts = [list(shard.epoch(1, shuffle=shuffle)) for shard in shards]
    assert {len(batches) for batches in parts} == {5}
    every = [row for batches in parts for row in delivered(batches)]
    assert Counter(every) == Counter(written(made))
    sizes = [sum(len(batch) for batch in step) for step in zip(*parts, strict=True)]
    assert max(sizes) <= 16 + world
    assert min(sizes) >= 16 - world


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
def test_shards_of_arrow_have_together_the_batches_of_one(files, examples):
    def epoch(rank: int, world: int) -> list[CandidateBatch]:
        feed = open_feed(
            "arrow", files, examples.table, batch_size=16, seed=5, rank=rank, world=world
        )
        return list(feed.epoch(2, shuffle=True))

    for whole, *parts in zip(epoch(0, 1), epoch(0, 2), epoch(1, 2), strict=True):
        assert Counter(delivered([whole])) == Counter(delivered(parts))


@pytest.mark.parametrize("files", [TRAINING], indirect=True)
def test_more_processes_than_row_groups_are_refused(files, examples, tmp_path):
    made = copies(files, tmp_path, UNEVEN)
    with pytest.raises(Refused) as refusal:
        open_feed("petastorm", made, examples.table, batch_size=16, seed=5, rank=0, world=6)
    assert str(refusal.value) == (
        f"--processes 6 need a row group each, and {tmp_path} has 5 of training; "
        "give --processes 5 or fewer, or --feed arrow"
    )


@given(st.lists(st.integers(1, 9), max_size=8), st.data())
def test_regrouping_moves_no_row(parts, data):
    total = sum(parts)
    rows = {"a": torch.arange(total), "b": torch.arange(total)[:, None] * 2}
    cuts = sorted(data.draw(st.lists(st.integers(0, total), max_size=8)))
    sizes = [end - start for start, end in pairwise([0, *cuts, total])]
    stream = (
        {name: values[start:end] for name, values in rows.items()}
        for start, end in pairwise(np.cumsum([0, *parts]))
    )
    found = [part for part in regrouped(stream, sizes) if part]
    assert next(stream, None) is None
    if total:
        assert [len(part["a"]) for part in found] == sizes
        assert all(torch.equal(torch.cat([p[n] for p in found]), rows[n]) for n in rows)


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
        petastorm_feed.make_batch_reader(f"file://{crafted[0].parent}", reader_pool_type="dummy")
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
    source, reader = feed_of(files, examples), petastorm_feed.make_batch_reader
    monkeypatch.setattr(
        petastorm_feed, "make_batch_reader", lambda urls, **options: reader(lose(urls), **options)
    )
    epoch = source.epoch(4, shuffle=False)
    with pytest.raises(RuntimeError, match=rf"delivered \d+ of {source.rows} rows in epoch 4"):
        list(epoch)
