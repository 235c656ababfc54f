"""Decide which model labels and serves from this day on.

Reads metrics and models, writes promotions. The newest model is promoted only if on this day, which
it never saw, it is not worse than the promoted one beyond the profile's margins, by the paired
intervals over requests. On the first day the base DCN is promoted, having no rival.
"""

import argparse
import dataclasses
import sys

import pyarrow as pa
import pyarrow.compute as pc

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.publish import Publication
from jobs.registry import Registry
from model.config import PromotionConfig

STEP = "promote"
READS = ("metrics",)
WRITES = ("promotions",)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return step_parser(STEP, __doc__)


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


def promote(task: Task, args: argparse.Namespace) -> None:
    """Decide and publish the decision."""
    registry = Registry(task.lake)
    previous = registry.promoted_before(task.day)
    candidate = registry.trained_before(task.day)
    inputs, config = {"promoted": previous or ""}, task.profile.promotion
    if candidate is None:
        base = registry.trained(task.day, bootstrap=True)
        if base is None:
            raise Refused(
                f"no model was trained before {task.day} and no base DCN on it; run "
                "build_examples --bootstrap and train --bootstrap for that day first"
            )
        candidate = str(base.parameters["version"])
    inputs["candidate"] = candidate
    metrics = task.lake.partition("metrics", task.day)
    rival = previous not in (None, candidate)
    if rival:
        inputs[metrics.name] = metrics.require("evaluate").digest
    output = Publication(
        task.lake.partition("promotions", task.day),
        step=STEP,
        inputs=inputs,
        parameters=dataclasses.asdict(config),
    )
    if task.is_done(output):
        return
    holds, reason = True, "the first model, without a rival"
    if rival:
        served = (pc.field("baseline") == "promoted") & (pc.field("method") == "cdm")
        holds, reason = judge(
            metrics.read().filter(served).to_pylist(),
            config,
            against_base=registry.is_base(previous),
        )
    elif previous == candidate:
        reason = "promoted already, and no newer model"
    row = {
        "candidate_version": candidate,
        "previous_version": previous or "",
        "promoted_version": candidate if holds else previous,
        "decision": "promoted" if holds else "held",
        "reason": reason,
    }
    output.publish_rows([pa.Table.from_pylist([row])], {})
    task.made(output, f"{candidate} {row['decision']}: {reason}", "label_candidates")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, promote)


if __name__ == "__main__":
    sys.exit(main())
