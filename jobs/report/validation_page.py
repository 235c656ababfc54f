"""The page about a day's validation: what failed, since when, and every measure over days."""

from datetime import date, timedelta

from jobs.measures.units import written
from jobs.profile.config import Profile
from jobs.report.template import render
from jobs.report.validated_days import SHOWN_DAYS, ValidatedTable
from jobs.validation_rows import STOP, WARN, about, failure

FILTERS = {
    "count": lambda value: f"{value:,}",
    "about": about,
    "written": written,
    "short_day": lambda day: f"{day:%m-%d}",
}


def page(profile: Profile, day: date, tables: list[ValidatedTable], docs: dict[str, str]) -> str:
    """Return the HTML; `docs` is the page of each table among the Data Docs."""
    stops = [one for table in tables for one in table.findings(STOP)]
    warns = [one for table in tables for one in table.findings(WARN)]
    days = [day - timedelta(days=back) for back in reversed(range(SHOWN_DAYS))]
    return render(
        "validated.html.j2",
        FILTERS,
        profile=profile,
        day=day,
        days=[then for then in days if any(then in table.rows for table in tables)],
        tables=tables,
        verdict=verdict(tables, day),
        stops=stops,
        warns=warns,
        docs=docs,
    )


def verdict(tables: list[ValidatedTable], day: date) -> str:
    """Return how the day stands in one sentence."""
    states = {table.name: table.state(day) for table in tables if table.today}
    stopped = [name for name, (stops, _) in states.items() if stops]
    warned = sum(warns for _, warns in states.values())
    judged = sum(row["success"] is not None for table in tables for row in table.today)
    if stopped:
        which = ", ".join(stopped)
        text = f"{day} is stopped: {which} {'is' if len(stopped) == 1 else 'are'} not to be read"
    else:
        text = f"Nothing stops {day}"
    text += f"; {warned} of {judged:,} expectations warn" if warned else ""
    return f"{text}." if stopped or warned else f"{text}: all {judged:,} expectations hold."


def summary(tables: list[ValidatedTable], day: date) -> str:
    """Return the page in plain text: the sentence, and what failed since when."""
    lines = [verdict(tables, day)]
    for severity, word in ((STOP, "STOPS"), (WARN, "warns")):
        for table in tables:
            lines += [
                f"{word} since {one.since}: {failure(one.row)}" for one in table.findings(severity)
            ]
    return "\n".join(lines) + "\n"
