"""A policy and several teachers through the line: labels, what has none, and examples of the rest.

On the toy world, whose categories make the rules bite.
"""

from collections import Counter

import pytest
from conftest import DAYS, World

from jobs.cli import REFUSED
from jobs.registry import Registry
from jobs.teacher import teacher_id

DAY = DAYS[0]
POLICY = """
[policy]
max_per_category = 3
quotas = {{ {scarce} = {quota} }}
pinned = {{ {pinned} = 2 }}
blocked = [{blocked}]
relax = ["max_per_category"]
max_unlabelled = {max_unlabelled}
[[further_teachers]]
name = "category_decay"
decay = 0.5
[[further_teachers]]
diversity_weight = 2.0
"""


class Ruled(World):
    """A copy of the toy lake under a policy that some of its requests cannot keep."""

    def __init__(self, toy: World, folder, quota: int, max_unlabelled: float) -> None:
        sets = toy.rows("candidate_sets", DAY)
        there = Counter(name for row in sets for name in set(row["category"]))
        often = Counter(item for row in sets for item in row["item_id"]).most_common(2)
        self.quota = quota
        self.scarce = there.most_common()[-1][0]
        (self.pinned, _), (self.blocked, _) = often
        text = (folder / "toy.toml").read_text(encoding="utf-8") + POLICY.format(
            scarce=self.scarce,
            quota=quota,
            pinned=self.pinned,
            blocked=self.blocked,
            max_unlabelled=max_unlabelled,
        )
        (folder / "ruled.toml").write_text(text, encoding="utf-8")
        toy.copy(folder / "lake")
        super().__init__(folder / "lake", folder / "ruled.toml")

    def could(self, row: dict) -> bool:
        """Whether a request has enough candidates for the quota."""
        pairs = zip(row["item_id"], row["category"], strict=True)
        return sum(c == self.scarce and i != self.blocked for i, c in pairs) >= self.quota


@pytest.fixture
def ruled(toy, tmp_path, profile_with):
    (tmp_path / "toy.toml").write_bytes(profile_with().read_bytes())
    return lambda quota, most: Ruled(toy, tmp_path, quota, most)


def test_rules_hold_for_every_teacher_and_no_request_is_lost(ruled, capsys):
    world = ruled(1, 1.0)
    version = Registry(world.lake).promoted(DAY)
    sets = {row["request_id"]: row for row in world.rows("candidate_sets", DAY)}
    feasible = {name for name, row in sets.items() if world.could(row)}
    assert 0 < len(feasible) < len(sets)
    assert world.run("label_candidates", DAY) == 0
    said = capsys.readouterr().out
    pinned = 0
    for teacher in world.profile.teachers:
        name = teacher_id(teacher, world.profile.policy, version)
        labels, lost = (
            world.lake.partition(table, DAY, teacher_id=name)
            for table in ("teacher_labels", "unlabelled")
        )
        rows = {row["request_id"]: row for row in labels.read().to_pylist()}
        assert rows.keys() == feasible
        reasons = {row["request_id"]: row["reason"] for row in lost.read().to_pylist()}
        assert reasons.keys() == sets.keys() - feasible
        assert all(f"a quota of 1 of category '{world.scarce}'" in r for r in reasons.values())
        for name_of, row in rows.items():
            candidates = zip(
                row["item_id"], sets[name_of]["category"], row["pick_order"], strict=True
            )
            picks = {item: (category, place) for item, category, place in candidates if place}
            assert world.blocked not in picks
            if world.pinned in row["item_id"]:
                assert picks[world.pinned][1] == 2
                pinned += 1
            count = Counter(category for category, _ in picks.values())
            assert count[world.scarce] >= 1
            assert row["relaxed"] == row["relaxed_max_per_category"]
            assert row["relaxed"] == sum(max(0, n - 3) for n in count.values())
        counts = labels.manifest().counts
        relaxed = sum(row["relaxed"] for row in rows.values())
        assert counts == {
            "requests": len(sets),
            "unlabelled": len(reasons),
            "relaxed": relaxed,
            "relaxed_max_per_category": relaxed,
        }
        account = f"{len(sets)} requests in = {len(rows)} labelled + {len(reasons)} unlabelled; "
        assert f"{account}{relaxed:,} relaxations; {teacher.name}, K 5, " in said
    assert pinned > 0
    assert said.count(f"; at most 3 of a category in a list; at least 1 of {world.scarce}; ") == 3

    assert world.run("label_candidates", DAY) == 0
    assert capsys.readouterr().out.count("unchanged: ") == 6
    assert world.run("build_examples", DAY) == 0
    assert (
        f"{len(sets)} requests in, {len(sets) - len(feasible)} without labels, {len(feasible)} out"
        in capsys.readouterr().out
    )
    assert {row["request_id"] for row in world.rows("examples", DAY)} == feasible
    counts = world.partition("examples", DAY).manifest().counts
    assert counts["unlabelled"] == len(sets) - len(feasible)
    assert world.run("validate", DAY, "--table", "teacher_labels", "unlabelled") == 0


def test_too_many_requests_without_labels_are_refused_and_nothing_is_published(ruled, capsys):
    world = ruled(2, 0.01)
    before = world.files()
    assert world.run("label_candidates", DAY) == REFUSED
    said = capsys.readouterr().err
    version = Registry(world.lake).promoted(DAY)
    name = teacher_id(world.profile.teacher, world.profile.policy, version)
    lost = [row["request_id"] for row in world.rows("candidate_sets", DAY) if not world.could(row)]
    assert said.startswith(
        f"label_candidates: refused: {len(lost)} of 80 requests cannot keep the rules of the "
        f"policy under teacher {name}, more than policy.max_unlabelled = 0.01 allows: "
        f"request {min(lost)!r}: a quota of 2 of category '{world.scarce}' cannot be kept with "
    )
    assert said.count("; request ") == 2
    assert said.endswith(
        f"(and {len(lost) - 3} more). Weaken the rule, let it give way (policy.relax), or allow "
        "more\n"
    )
    assert world.files() == before
