"""The gate: whether the newest model is promoted, by the numbers of a day that it never saw."""

import dataclasses
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow.compute as pc

from jobs.cli import Task
from jobs.decision import HELD, PROMOTED, Decision
from jobs.errors import Refused
from jobs.registry import Registry
from model.config import PromotionConfig


def judge(
    rows: list[dict], config: PromotionConfig, *, against_base: bool = False
) -> tuple[bool, str]:
    """Return whether the candidate holds, and the numbers that say so.

    `rows` are the metrics of the candidate's own ranking as paired differences from the promoted
    model's. Against the base DCN of the first day accuracy alone is asked: one day teaches it so
    little that its lists are as diverse as chance, and no better model would ever replace it.
    """
    found = {row["metric"]: row for row in rows if row["k"] == config.k}
    diversity = "ilad_category" if "ilad_category" in found else "ilad_reference"
    limits = {"recall": config.recall_margin}
    if not against_base:
        limits[diversity] = config.diversity_margin
    missing = [name for name in limits if name not in found]
    if missing:
        raise Refused(f"metrics hold no {' and no '.join(missing)} at k = {config.k} to judge by")
    reasons = []
    for name, margin in limits.items():
        row = found[name]
        reasons.append(
            f"{name}@{config.k} {row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}], "
            f"margin -{margin:g}"
        )
    if against_base:
        reasons.append("no diversity is asked against a base DCN")
    holds = all(found[name]["low"] >= -margin for name, margin in limits.items())
    return holds, "; ".join(reasons)


@dataclass(frozen=True, slots=True)
class Contest:
    """A day's candidate and the model that it would replace."""

    candidate: str
    previous: str | None

    @classmethod
    def of(cls, registry: Registry, day: date) -> "Contest":
        """Return a day's; refuse one before any model was trained."""
        candidate = registry.trained_before(day)
        if candidate is None:
            base = registry.trained(day, bootstrap=True)
            if base is None:
                raise Refused(
                    f"no model was trained before {day} and no base DCN on it; run "
                    "build_examples --bootstrap and train --bootstrap for that day first"
                )
            candidate = str(base.parameters["version"])
        return cls(candidate, registry.promoted_before(day))

    @property
    def inputs(self) -> dict[str, str]:
        """Return the two models as inputs of the decision."""
        return {"promoted": self.previous or "", "candidate": self.candidate}

    def decided(self, decision: str, promoted: str, reason: str, **by: object) -> Decision:
        """Return a decision about them."""
        return Decision(
            candidate_version=self.candidate,
            previous_version=self.previous or "",
            promoted_version=promoted,
            decision=decision,
            reason=reason,
            **by,
        )


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate decides by on a day: two models, and their metrics or a person's word."""

    contest: Contest
    task: Task
    barred: tuple[date, Decision] | None
    """The decision by hand that the candidate is no answer to, and its day."""

    @classmethod
    def of(cls, task: Task, contest: Contest) -> "Gate":
        """Return the gate of the task's day."""
        found = by_hand_since(Registry(task.lake), contest.candidate, task.day)
        return cls(contest, task, found)

    @property
    def has_rival(self) -> bool:
        """Whether another model is promoted, so that one of them has to be chosen."""
        return self.contest.previous not in (None, self.contest.candidate)

    @property
    def inputs(self) -> dict[str, str]:
        """Return what the decision is a function of."""
        if not self.has_rival:
            return self.contest.inputs
        if self.barred is not None:
            word = self.task.lake.partition("promotions", self.barred[0])
            return self.contest.inputs | {word.name: word.require("promote").digest}
        metrics = self.task.lake.partition("metrics", self.task.day)
        return self.contest.inputs | {metrics.name: metrics.require("evaluate").digest}

    @property
    def parameters(self) -> dict[str, object]:
        """Return the margins."""
        return dataclasses.asdict(self.task.profile.promotion)

    def decide(self) -> Decision:
        """Return the decision."""
        contest = self.contest
        if contest.previous is None:
            return contest.decided(PROMOTED, contest.candidate, "the first model, without a rival")
        if not self.has_rival:
            same = "promoted already, and no newer model"
            return contest.decided(PROMOTED, contest.candidate, same)
        if self.barred is not None:
            day, word = self.barred
            reason = (
                f"{word.decided_by} decided by hand for {day} ({word.decision}: {word.reason}); "
                "only a model trained on that day or later is judged again"
            )
            return contest.decided(HELD, contest.previous, reason)
        holds, reason = judge(
            self._measured(contest.previous),
            self.task.profile.promotion,
            against_base=Registry(self.task.lake).is_base(contest.previous),
        )
        if holds:
            return contest.decided(PROMOTED, contest.candidate, reason)
        return contest.decided(HELD, contest.previous, reason)

    def _measured(self, rival: str) -> list[dict]:
        """Return the candidate's differences from its rival; refuse those from another model."""
        day, lake = self.task.day, self.task.lake
        metrics = lake.partition("metrics", day).read()
        against = metrics.filter(pc.field("method") == "promoted")["model_version"].unique()
        if others := [version for version in against.to_pylist() if version != rival]:
            raise Refused(
                f"metrics/dt={day} compare with model {others[0]}, and {rival} is promoted before "
                f"that day now; run score and evaluate for it again: "
                f"python -m jobs.score --lake {lake.root} --date {day} --profile ..."
            )
        served = (pc.field("baseline") == "promoted") & (pc.field("method") == "cdm")
        return metrics.filter(served).to_pylist()


def by_hand_since(registry: Registry, candidate: str, day: date) -> tuple[date, Decision] | None:
    """Return the newest decision by hand after a model was trained and before a day, if any.

    Whoever made it knew of that model, so the gate has no business to promote it after all.
    """
    newest, trained = day - timedelta(days=1), registry.trained_on(candidate)
    for back in range((newest - trained).days):
        decided = newest - timedelta(days=back)
        decisions = registry.decisions(decided)
        if decisions and decisions[-1].is_by_hand:
            return decided, decisions[-1]
    return None
