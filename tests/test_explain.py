"""jobs.explain: a request as it is read, labels that do not hold, and what is refused."""

import pyarrow.parquet as pq
import pytest
from conftest import DAYS as TOY_DAYS
from explained_lake import DAY, IDS, ExplainedLake
from shop_lake import HOSTILE

from jobs import explain, explanation
from model.config import USES, PolicyConfig, TeacherConfig


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    return ExplainedLake(tmp_path)


@pytest.fixture
def page(shop, capsys):
    """What the command prints of a request."""

    def show(*flags: str) -> str:
        assert shop.explain("--request", "r1", *flags) == 0
        return capsys.readouterr().out

    return show


@pytest.fixture
def refusal(shop, capsys):
    """What the command says of what it refuses."""

    def show(*flags: str) -> str:
        assert shop.explain(*flags) == 2
        said = capsys.readouterr()
        assert not said.out
        return said.err.removeprefix("explain: refused: ").strip()

    return show


def test_the_page_is_as_it_was_read(shop, page, golden):
    text = page() if (name := shop.label()) else ""
    for long, short in ((name, "mmr-TEACHER"), (shop.newest, "NEWEST"), (shop.base, "PROMOTED")):
        text = text.replace(long, short)
    golden("explained.txt", text)


@pytest.mark.parametrize("name", USES)
def test_every_teacher_is_told_and_agrees(name, shop, page):
    config = TeacherConfig(name=name, k=3)
    words = page("--teacher", shop.label(config))
    assert "does not agree" not in words
    heads = next(line for line in words.splitlines() if line.startswith("pick  "))
    assert {"category_decay": "n  delta^n", "dpp": "lambda*log r", "ssd": "|rho|"}.get(
        name, ""
    ) in heads


# --- labels that do not hold


def test_a_stored_gain_that_its_teacher_would_not_give_is_told_with_both(shop, page):
    shop.label()
    assert "does not agree" not in page()
    shop.label(gain=[0.75, None, None, 0.57, 0.3, None])
    assert "\ndoes not agree: pick 1, item a: gain 0.750000 is stored, 0.500000 due\n" in page()


def test_a_pick_that_was_not_the_best_is_told_with_the_better_one(shop, page):
    other = {
        "pick_order": [2, 1, None, 3, None, None],
        "win": [1, 1, 0, 1, 0, 0],
        "gain": [0.504497, 0.45, None, 0.519795, None, None],
    }
    shop.label(**other)
    words = page()
    assert "\ndoes not agree: pick 1, item b: its gain is 0.450000, but item a had 0.5" in words
    assert "\ndoes not agree: pick 2, item a: its gain is 0.504497, but item d had 0.5" in words
    # A policy may have wanted it so.
    name = shop.label(**other, policy=PolicyConfig(pinned={IDS[1]: 1}))
    words = page("--teacher", name)
    assert "\n  policy: item b at place 1; nothing gives way\n" in words
    assert "\npick 1, item b: item a had 0.500000, and a rule kept it out\n" in words
    assert "does not agree" not in words


# --- which request and which teacher


def test_without_a_request_those_most_changed_come_first(shop, capsys):
    shop.label()
    assert shop.explain() == 0
    assert capsys.readouterr().out == (
        f"Requests of {DAY} with the most picks that are not among the K of highest f:\n"
        "  r1  1 of 3 picks, 6 candidates\n"
        "  r2  0 of 3 picks, 6 candidates\n"
        "To explain one, add --request r1\n"
    )


def test_an_unknown_request_is_refused_with_the_nearest(shop, refusal):
    name = shop.label()
    assert refusal("--request", "r11") == (
        f"request 'r11' is not among the 2 of teacher_labels/dt={DAY}/teacher_id={name}; nearest "
        "are r1, r2; without --request some are listed"
    )


def test_a_request_that_could_not_be_labelled_is_refused_with_the_reason(shop, refusal):
    shop.label(unlabelled={"r3": "two items are pinned to one place"})
    shop.sets(DAY, ["r1", "r2", "r3"])
    assert refusal("--request", "r3") == (
        "request 'r3' has no labels: two items are pinned to one place"
    )


def test_a_request_of_candidate_sets_that_came_later_is_refused_as_one(shop, refusal):
    of = f"dt={DAY}/teacher_id={shop.label()}"
    shop.sets(DAY, ["r1", "r2", "r3"])
    assert refusal("--request", "r3") == (
        f"request 'r3' is a request of the day, but neither teacher_labels/{of} nor "
        f"unlabelled/{of} has it; label the day again with python -m jobs.label_candidates"
    )


@pytest.mark.parametrize(
    ("kind", "words"), [("int64", "r1"), ("int64", "1" * 30), ("string", "\udcff")]
)
def test_an_id_that_the_tables_could_not_hold_is_refused(kind, words, shop, refusal):
    shop.label()
    text = shop.toml.read_text().replace("[fields]", f'[fields]\nrequest_id = "{kind}"')
    shop.toml.write_text(text)
    assert refusal("--request", words) == (
        f"request {words!r} is no {kind}, as the request ids of this profile are; without "
        "--request some are listed"
    )


def test_a_teacher_is_chosen_and_an_unknown_one_is_refused_with_those_there(shop, page, refusal):
    assert refusal("--request", "r1").startswith(f"no labels of {DAY} are in {shop.root}; make ")
    other = shop.label(TeacherConfig(name="msd", k=2))
    assert refusal().endswith(f"has no labels of {DAY}; there are those of {other}: choose one by "
                              "--teacher")  # fmt: skip
    assert "teacher msd-" in page("--teacher", other)
    own = shop.label()
    assert "teacher mmr-" in page()
    assert refusal("--teacher", "mmr-1") == (
        f"teacher 'mmr-1' has no labels of {DAY}; there are those of {own}, {other}: choose one "
        "by --teacher"
    )


# --- what the explanation is made from


def test_candidates_that_have_changed_since_are_refused(shop, refusal):
    name = shop.label()
    shop.sets(DAY, ["r1", "r2"], {"a": "toys", "b": "toys", "c": "toys"})
    assert refusal("--request", "r1") == (
        f"request 'r1' has other candidates in candidate_sets than {name} labelled; label the day "
        "again with python -m jobs.label_candidates"
    )


def test_an_item_without_a_vector_is_refused_by_name(shop, refusal):
    shop.label()
    path = shop.lake.models / shop.base / "items.parquet" / "known.parquet"
    pq.write_table(pq.read_table(path).slice(0, 5), path)
    assert refusal("--request", "r1") == (
        f"item {HOSTILE!r} has no vector in items.parquet of model {shop.base}; label the day "
        "again with python -m jobs.label_candidates ... --force"
    )


def test_a_teacher_of_other_code_is_refused(shop, refusal):
    name = shop.label()
    row = shop.lake.partition("teacher_labels", DAY, teacher_id=name).read().to_pylist()
    made = {"teacher": {"name": "mmr", "temperature": 2.0}, "policy": {}}
    shop.put("teacher_labels", DAY, row, None, made, teacher_id=name)
    assert "by a teacher that is not known here (" in refusal("--request", "r1")


def test_all_candidates_may_have_been_picked(shop, page):
    name = shop.label(TeacherConfig(k=6), k=6)
    assert "Not picked" not in page("--teacher", name)
    assert "shares 6 with the 6 of highest f" in page("--teacher", name)


def test_what_a_models_list_has_and_the_teachers_not_is_told(shop, page, monkeypatch):
    monkeypatch.setattr(explanation, "RUNNERS_UP", 0)
    shop.label()
    below = page().partition("at pick 3:\n")[2].partition("\n\n")[0]
    assert [line.split()[1] for line in below.splitlines()] == ["<b"]


def test_rules_that_gave_way_are_told(shop, page):
    shop.label(relaxed=3, relaxed_pinned=2, relaxed_quotas=1)
    assert "\n  rules that gave way: pinned 2, quotas 1\n" in page()


def test_the_labels_under_the_profiles_policy_are_its_own(shop, page, refusal):
    without = shop.label()
    shop.toml.write_text(shop.toml.read_text() + "[policy]\nmax_per_category = 2\n")
    assert refusal("--request", "r1").endswith(f"there are those of {without}: choose one by "
                                               "--teacher")  # fmt: skip
    own = shop.label(policy=PolicyConfig(max_per_category=2))
    assert f"teacher {own}, " in page()
    assert "\n  policy: at most 2 of a category in a list; nothing gives way\n" in page()


def test_a_lake_of_the_line_agrees_and_its_list_is_the_served_one(toy, capsys):
    day, flags = TOY_DAYS[1], ("--lake", str(toy.root), "--profile", "toy", "--date")
    served = {}
    for row in toy.rows("rankings", day):
        if row["method"] == "cdm" and row["rank"] == 1:
            served[row["request_id"]] = row
    for request in list(served)[:10]:
        assert explain.main([*flags, str(day), "--request", request]) == 0
        words = capsys.readouterr().out
        assert "does not agree" not in words
        first = f"{served[request]['final_score']:.4f}     1"
        assert first in words
        assert str(served[request]["item_id"]) in next(
            line for line in words.splitlines() if first in line
        )
