"""Whether a day that was read may be published, and what is said of it."""

from collections.abc import Iterator
from datetime import date

from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.sources.account import Account
from jobs.sources.counts import LOGS, NOT_IN, ROWS_OF, USED_OF, became, quarantined
from jobs.sources.day import FEW
from jobs.sources.joined import AGAIN
from jobs.sources.log_rows import NO_CANDIDATES

LEAST_IDS = 5
"""Fewer ids, none of them known, say nothing of the column that they are joined by."""
EXCUSED = (FEW, NO_CANDIDATES)
"""No fault of the rows: a first hour has requests of no or one candidate, and a bad search."""


def check(profile: Profile, day: date, found: Account) -> None:
    """Refuse a day without requests or clicks, with too many bad rows, or joined by no id."""
    counts = found.counts
    if not counts["requests"]:
        reasons = "; ".join(_reasons(found, quarantined(LOGS))) or "nothing"
        raise Refused(
            f"of {counts['source_rows']:,} source rows none is on {day} (from "
            f"{profile.day_clock} on) and usable; of other days are "
            f"{counts['source_rows_of_other_days']:,}. Give another --date, or mend the profile. "
            f"Quarantined: {reasons}"
        )
    _check_quarantine(profile.source.max_quarantined, found)
    for kind, part, lost in _not_in(counts):
        if lost == counts[kind] >= LEAST_IDS:
            raise Refused(
                f"none of the day's {lost:,} {kind} is in source.{part}: is its "
                f"{kind.removesuffix('s')}_id the right column, written as in the logs? Change "
                "it in the profile, or take the section out"
            )
    if not counts["clicks"] + counts["clicks_missed"]:
        shown = counts["shown"] + counts["shown_missed"]
        raise Refused(
            f"none of the day's {shown:,} shown candidates was clicked, so there is nothing to "
            "learn: does label take the right column, with at_least or equals as the logs write "
            "it? Correct it in the profile, or give another --date"
        )


def _check_quarantine(allowed: float, found: Account) -> None:
    """Refuse too large a share of bad rows, of the logs or of joined files."""
    for part, lost, rows, what in _shares(found.counts):
        if lost > allowed * rows:
            reasons = "; ".join(_reasons(found, quarantined(part)))
            raise Refused(
                f"{lost:,} of {rows:,} {what} cannot be used: {lost / rows:.1%}, more than "
                f"source.max_quarantined = {allowed:g} allows. Mend the source or the profile, or "
                f"allow more. Quarantined: {reasons}"
            )


def _shares(counts: dict[str, int]) -> Iterator[tuple[str, int, int, str]]:
    """Yield by part bad rows, the rows that they are held against, and what these are."""
    lost, rows = counts["source_rows_quarantined"], counts["source_rows"]
    dayless = counts["source_rows_quarantined_of_any_day"]
    excused = sum(counts.get(quarantined(LOGS, reason), 0) for reason in EXCUSED)
    # Rows that tell no day are in the way of every day, so all rows are what they are a share of.
    yield LOGS, dayless, rows, "source rows, which tell no day,"
    of_day = rows - counts["source_rows_of_other_days"] - dayless
    besides = f" (besides {excused:,} of requests with too few candidates)" if excused else ""
    yield LOGS, lost - excused - dayless, of_day, f"source rows of the day{besides}"
    for part, rows in _joined(counts):
        used, again = counts[f"{USED_OF}{part}"], counts.get(quarantined(part, AGAIN), 0)
        yield part, rows - used - again, rows, f"rows of source.{part}"


def told(profile: Profile, found: Account) -> Iterator[str]:
    """Yield in lines that what came in is what was used and what was not, by reason."""
    counts = found.counts
    words = became(profile.source)
    parts = " + ".join(f"{counts[n]:,} {text}" for n, text in words.items() if counts.get(n))
    yield f"{counts['source_rows']:,} source rows = {parts}"
    for part, rows in _joined(counts):
        if lost := rows - counts[f"{USED_OF}{part}"]:
            yield f"{rows:,} rows of {part} = {rows - lost:,} used + {lost:,} quarantined"
    for line in _reasons(found):
        yield f"  {line}"
    for name in ("shown", "clicks"):
        kept, missed = counts[name], counts[f"{name}_missed"]
        parts = f" = {kept:,} among the candidates + {missed:,} not" if missed else ""
        yield f"{kept + missed:,} {name}{parts}"
    for kind, part, lost in _not_in(counts):
        if lost:
            yield f"{lost:,} of {counts[kind]:,} {kind} are not in {part}: 'unknown'"
    for name in profile.fields.item:
        if count := counts[f"items_of_unknown_{name}"]:
            yield f"{count:,} of {counts['items']:,} items have no {name}: 'unknown'"


def _reasons(found: Account, begins: str = "") -> Iterator[str]:
    """Yield what could not be used, with its count and where the first of it stands."""
    for name, count in found.counts.items():
        if name in found.examples and name.startswith(begins):
            yield f"{count:,} {name} ({found.examples[name]})"


def _joined(counts: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Yield the sections of joined files and how many rows these have."""
    for name, rows in counts.items():
        if name.startswith(ROWS_OF):
            yield name.removeprefix(ROWS_OF), rows


def _not_in(counts: dict[str, int]) -> Iterator[tuple[str, str, int]]:
    """Yield users or items, a section of files, and how many of them it does not have."""
    for name, lost in counts.items():
        kind, is_found, part = name.partition(NOT_IN)
        if is_found:
            yield kind, part, lost
