"""The commands that bring stale tables up to date, as few as there can be.

First what the line runs; then labels that only a backfill asks for, under other teachers than the
profile's or a model that no day promoted; last the validation of what the line does not validate.
"""

import shlex
from collections.abc import Iterable
from datetime import date, timedelta

from jobs.commands import COMMANDS, SOURCES
from jobs.label_choice import flags_of
from jobs.lineage import Lineage
from jobs.profile.config import Profile
from jobs.published import Published
from jobs.teacher import WITHOUT_TEACHER

LABELLING = "label_candidates"
FEW = 3
"""So many steps are named one by one; of more the line runs what has changed."""


def command_of(one: Published) -> str:
    """Return the command that makes a table, as the line calls it; empty where it is unknown."""
    if one.manifest is None:
        return ""
    step = "ingest" if one.manifest.step in SOURCES else one.manifest.step
    if step == "validate":
        # The last, which is that of every day; a first day validates its bootstrap's before.
        return next((c for c in reversed(COMMANDS) if one.keys.get("of") in c.split()), "")
    if one.is_bootstrap or one.keys.get("teacher_id") == WITHOUT_TEACHER:
        step += " --bootstrap"
    return step if step in COMMANDS else ""


def catch_up(
    stale: Iterable[Published], lineage: Lineage, profile: Profile, written: str
) -> list[str]:
    """Return command lines, in the order in which they have to be run.

    `written` is the profile as a person names it. Labels that no command makes under this profile
    have a sentence in the place of one.
    """
    where = shlex.join(["--lake", str(lineage.lake.root), "--profile", written])
    labels, lost, rest = _labels_of_others(stale, lineage, profile)
    relabelled = {(one.day, one.table) for one, _ in labels}
    of_line, checks = [], {}
    for one in rest:
        of = one.keys.get("of")
        # What the line validates of such a day, it validates before these labels are there.
        if one.manifest and of and (not command_of(one) or (one.day, of) in relabelled):
            checks.setdefault(one.day, set()).add(of)
        else:
            of_line.append(one)
    others = sorted({(one.day, command) for one, command in labels})
    for day, of in sorted(checks.items()):
        tables = " ".join(name for name in lineage.lake.tables if name in of)
        others.append((day, f"validate --table {tables}"))
    return [
        *_line(of_line, where),
        *(f"python -m jobs.{command} {where} --date {day}" for day, command in others),
        *(
            f"{one.name}: this profile names no such teacher; "
            "label the day again with the profile of then"
            for one in lost
        ),
    ]


def _labels_of_others(
    stale: Iterable[Published], lineage: Lineage, profile: Profile
) -> tuple[list[tuple[Published, str]], list[Published], list[Published]]:
    """Return labels that the line does not make, with their commands; those without; the rest."""
    labels, lost, rest = [], [], []
    for one in stale:
        if one.manifest is None or one.manifest.step != LABELLING:
            rest.append(one)
            continue
        flags = flags_of(one.manifest, profile)
        if flags is not None and lineage.promoted_on(one.day) is None:
            flags += ["--model", one.manifest.parameters["model_version"]]
        if flags is None:
            lost.append(one)
        elif flags:
            labels.append((one, shlex.join([LABELLING, *flags])))
        else:
            rest.append(one)
    return labels, lost, rest


def _line(stale: list[Published], where: str) -> list[str]:
    """Return the commands of tables that the line makes."""
    found = sorted({(one.day, _place(command_of(one))) for one in stale})
    if len(found) <= FEW and all(place >= 0 for _, place in found):
        return [f"python -m jobs.{COMMANDS[place]} {where} --date {day}" for day, place in found]
    first = min(place for _, place in found)
    # Bringing raw files in again is left out where none has changed: they may be gone by now.
    begin = f" --from {COMMANDS[1]}" if first >= 1 else ""
    return [
        f"python -m jobs.line {where} --date {begun} --days {(last - begun).days + 1}{begin}"
        for begun, last in spans({day for day, _ in found})
    ]


def _place(command: str) -> int:
    return COMMANDS.index(command) if command else -1


def spans(days: set[date]) -> list[tuple[date, date]]:
    """Return the first and the last day of each run of days without a gap."""
    begins = sorted(day for day in days if day - timedelta(days=1) not in days)
    ends = sorted(day for day in days if day + timedelta(days=1) not in days)
    return list(zip(begins, ends, strict=True))
