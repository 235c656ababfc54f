"""Decide which model labels and serves from this day on.

Reads metrics and models, writes promotions and models/HISTORY.txt. The newest model is promoted
only if on this day, which it never saw, it is not worse than the promoted one beyond the profile's
margins, by the paired intervals over requests. On the first day the base DCN is promoted, having no
rival.

With --decision a person decides instead, and says who and why: promote (a model of theirs), hold
(keep the promoted one) or rollback (to one that was promoted before). Such a decision stands on
every rerun, until --decision gate gives the day back; and on the days after it the gate promotes
only a model that was trained on that day or later. With --history nothing is decided; all that was
is printed.
"""

import argparse
import dataclasses
import sys
from datetime import UTC, datetime
from functools import partial

from jobs.cli import Task, as_argument, parse_moment, run, step_parser
from jobs.decision import Decision, as_rows
from jobs.errors import Refused
from jobs.lake import Partition
from jobs.lease import Lease, held
from jobs.promotion_by_hand import CHOICES, ByHand
from jobs.promotion_gate import Contest, Gate
from jobs.promotion_history import decided_days, history, write_history
from jobs.publish import Publication
from jobs.registry import Registry

STEP = "promote"
READS = ("metrics",)
WRITES = ("promotions",)
THE_GATE = "gate"
BY_HAND = "--decision rollback --model 0a1b2c3d4e5f --who ann --why 'fewer clicks since Monday'"


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__)
    heading, usual = parser.epilog.split("\n")
    parser.epilog = f"{heading}\n{usual} {BY_HAND}\n{usual}"
    parser.add_argument(
        "--decision", choices=(*CHOICES, THE_GATE), help="decide by hand, or let the gate again"
    )
    parser.add_argument("--model", default="", help="the version to promote or to roll back to")
    parser.add_argument("--who", default="", help="who decides by hand")
    parser.add_argument("--why", default="", help="why")
    parser.add_argument(
        "--when",
        type=as_argument(parse_moment),
        help="when, such as 2026-01-31T09:30Z (by hand: now, if it is left out)",
    )
    parser.add_argument(
        "--history", action="store_true", help="print every decision up to the day, and decide none"
    )
    return parser


def asked(args: argparse.Namespace) -> ByHand | None:
    """Return what a person asks for; None where nobody does."""
    if args.decision in CHOICES:
        when = args.when or args.now
        return ByHand(CHOICES[args.decision], args.model, args.who, args.why, when)
    given = [name for name in ("model", "who", "why") if getattr(args, name)]
    if given:
        raise Refused(
            f"--{given[0]} belongs to a decision by hand: give --decision promote, hold or "
            "rollback with it"
        )
    return None


def whose_turn(
    task: Task, registry: Registry, args: argparse.Namespace
) -> tuple[ByHand | None, list[Decision]]:
    """Return who decides, a person or (None) the gate, and the day's decisions that stay before."""
    word, standing = asked(args), registry.decisions(task.day)
    last = standing[-1] if standing else None
    if last is not None and last.is_by_hand:
        unasked = word is None and args.decision != THE_GATE
        if unasked or (word is not None and word.is_that_of(last)):
            told = f"{last.decided_by} decided by hand ({last.decision}: {last.reason})"
            task.say(f"{told}; it stands until --decision {THE_GATE}")
            return ByHand.again(last), standing[:-1]
    if word is not None:
        word.check(registry, task.day)
        return word, standing
    # A decision of the gate takes the place of its own last one, never of a person's.
    by_people = [place for place, one in enumerate(standing, start=1) if one.is_by_hand]
    return None, standing[: by_people[-1]] if by_people else []


def promote(task: Task, args: argparse.Namespace) -> None:
    """Decide and publish the decision, or print what was decided."""
    if args.history:
        sys.stdout.write(history(task.lake, task.day))
        return
    partition = task.lake.partition("promotions", task.day)
    # What was decided before is read, and written again: nobody may decide in between.
    with held(partition.path, partition.name, STEP) as lease:
        decide_day(task, args, partition, lease)


def decide_day(task: Task, args: argparse.Namespace, partition: Partition, lease: Lease) -> None:
    """Decide and publish the decision on the day that is held."""
    registry = Registry(task.lake)
    word, earlier = whose_turn(task, registry, args)
    contest = Contest.of(registry, task.day)
    if word is None:
        gate = Gate.of(task, contest)
        inputs, parameters, decide = gate.inputs, gate.parameters, gate.decide
    else:
        inputs, parameters = contest.inputs, word.parameters
        decide = partial(word.decide, contest)
    if earlier:
        parameters = parameters | {"earlier": [one.to_json() for one in earlier]}
    output = Publication(partition, step=STEP, inputs=inputs, parameters=parameters, lease=lease)
    if task.is_done(output):
        # A run that was killed after it had published left the history as it was.
        write_history(task.lake)
        return
    decision = decide()
    if word is None:
        decision = dataclasses.replace(decision, decided_at=args.when)
    output.publish_rows([as_rows([*earlier, decision])], {})
    write_history(task.lake)
    later = [day for day in decided_days(task.lake) if day > task.day]
    if later and word is not None:
        task.say(
            f"later days, up to {later[-1]}, are decided already and do not follow by themselves; "
            "python -m jobs.status says what to run again"
        )
    about = decision.promoted_version if word is not None else contest.candidate
    task.made(output, f"{about} {decision.decision}: {decision.reason}", "label_candidates")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = build_parser()
    # Only here is a clock read: what the step publishes is a function of its arguments.
    parser.set_defaults(now=datetime.now(UTC).replace(microsecond=0))
    return run(STEP, parser, argv, promote)


if __name__ == "__main__":
    sys.exit(main())
