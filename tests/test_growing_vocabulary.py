"""A vocabulary that grows day by day, and a model that starts from yesterday's: the toy world."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DAYS, World

from jobs import line
from jobs.build_examples import VOCABULARY
from jobs.cli import REFUSED
from jobs.errors import Refused
from jobs.load_model import load_model
from jobs.window_vocabulary import known_tokens
from model.layout import CONFIG, HISTORY
from model.vocabulary import FIRST, Vocabulary
from schemas.table import Fields

TOY = Path(line.__file__).with_name("profiles") / "toy.toml"


def profile(folder: Path, *lines: str, **replaced: str) -> Path:
    text = TOY.read_text().replace("[training]", "\n".join(["[training]", *lines]))
    for before, after in replaced.items():
        text = text.replace(f"\n{before} = ", f"\n{before} = {after} # ")
    path = folder / "changed.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def grown(toy, spark, tmp_path_factory) -> World:
    """The last day again, of a window of one day, from the model promoted on it."""
    folder = tmp_path_factory.mktemp("grown")
    path = profile(
        folder,
        "grow_vocabulary = true",
        "warm_start = true",
        "unknown_share = 0.05",
        train_days="1",
    )
    world = toy.copy(folder / "lake", path)
    for step in ("build_examples", "train"):
        assert world.run(step, DAYS[2]) == 0
    return world


def tokens_of(folder: Path, fields: Fields) -> dict[str, list]:
    names = fields.user_tokens + fields.item_tokens
    return {n: a.to_pylist() for n, a in Vocabulary.load(folder, names).tokens.items()}


def base_tokens(world: World) -> dict[str, list]:
    version = world.registry.promoted(DAYS[2])
    return tokens_of(world.registry.folder(version) / "vocabulary", world.profile.fields)


def test_known_tokens_keep_their_index_and_frequent_new_ones_follow(grown):
    """By hand from the candidate sets: every token exposed at least twice that was not known."""
    found = tokens_of(
        grown.partition("examples", DAYS[2]).folder() / VOCABULARY, grown.profile.fields
    )
    shown: dict[str, dict] = {name: {} for name in found}
    for row in grown.rows("candidate_sets", DAYS[2]):
        for at, exposed in enumerate(row["exposed"]):
            for name, counts in shown.items():
                value = row[name][at] if isinstance(row[name], list) else row[name]
                counts[value] = counts.get(value, 0) + exposed
    appended = 0
    for name, known in base_tokens(grown).items():
        new = sorted(t for t, count in shown[name].items() if count >= 2 and t not in known)
        assert found[name] == known + new
        appended += len(new)
        unseen = [token for token in known if not shown[name].get(token)]
        assert set(unseen) <= set(found[name]), "what is not seen for a day is not forgotten"
    assert appended > 0


def test_rows_are_written_under_the_grown_indices(grown):
    examples = grown.partition("examples", DAYS[2])
    known = tokens_of(examples.folder() / VOCABULARY, grown.profile.fields)["item_id"]
    sets = {row["request_id"]: row["item_id"] for row in grown.rows("candidate_sets", DAYS[2])}
    width = len(grown.profile.fields.item_tokens)
    for row in examples.read().to_pylist():
        found = row["item_tokens"][: row["n_candidates"] * width : width]
        items = sets[row["request_id"]][: row["n_candidates"]]
        expected = [FIRST + known.index(i) if i in known else 1 for i in items]
        assert found == expected


def test_the_model_starts_where_the_promoted_one_ended(grown, toy):
    """Its first held-out loss is below that of a model that starts from chance."""
    version = grown.trained(DAYS[2])
    folder = grown.registry.folder(version)
    about = json.loads((folder / CONFIG).read_text())["about"]
    assert about["base"] == grown.registry.promoted(DAYS[2])
    assert grown.registry.trained(DAYS[2]).inputs["model"] == about["base"]
    assert about["training"]["warm_start"] is True
    cold = toy.registry.folder(toy.trained(DAYS[2]))
    warm_loss, cold_loss = (
        json.loads((place / HISTORY).read_text())[0]["validation"]["click"]
        for place in (folder, cold)
    )
    assert warm_loss < cold_loss - 0.01
    model, vocabulary = load_model(grown.registry, version, grown.profile.fields)
    assert model.embeddings.item[0].num_embeddings == vocabulary.size("item_id")


def test_the_same_day_again_is_the_same_model(grown, capsys):
    before = grown.trained(DAYS[2])
    for step in ("build_examples", "train"):
        assert grown.run(step, DAYS[2]) == 0
    assert capsys.readouterr().out.count("unchanged") == 2
    assert grown.run("train", DAYS[2], "--force") == 0
    assert grown.trained(DAYS[2]) == before


def test_a_start_from_other_widths_is_refused(grown, tmp_path, capsys):
    path = profile(
        tmp_path, "grow_vocabulary = true", "warm_start = true", width="9", train_days="1"
    )
    world = World(grown.root, path)
    assert world.run("train", DAYS[2]) == REFUSED
    base = grown.registry.promoted(DAYS[2])
    assert capsys.readouterr().err == (
        f"train: refused: training.warm_start begins from model {base}: embeddings.item_map.weight "
        "is [8, 12] there and [9, 12] here; set it to false until a model of this [fields] and "
        "[model] is promoted\n"
    )


def test_a_vocabulary_of_other_fields_is_refused(toy, tmp_path):
    version = toy.registry.promoted(DAYS[2])
    known = toy.registry.folder(version) / "vocabulary"
    assert known_tokens(toy.registry, version, toy.profile.fields).size("item_id") > FIRST
    other = Fields(
        user_id="string", item=("category", "shop"), context=("query",), category="category"
    )
    world = toy.copy(tmp_path / "lake")
    with pytest.raises(Refused, match="has no shop as") as refusal:
        known_tokens(world.registry, version, other)
    assert str(refusal.value) == (
        f"training.grow_vocabulary grows that of model {version}, which has no shop as [fields] "
        "asks; set it to false until a model of these fields is promoted"
    )
    shops = pa.table({"token": ["s"]})
    pq.write_table(shops, world.registry.folder(version) / "vocabulary" / "shop.parquet")
    with pytest.raises(Refused, match="has user_id of int64 and not string as"):
        known_tokens(world.registry, version, other)
    assert not (known / "shop.parquet").exists()
