"""What one data set's metrics and methods are called, and how its candidates came to be."""

from dataclasses import replace

from jobs.profile.config import Profile
from jobs.report.metric_table import METRICS, PRE_RANKER, FirstOrder, Metric, Names
from jobs.report.served import PLAIN_CDM, Served

NO_SCORE = "no pre-ranking score was logged"
_UNITS = (("day", 24 * 60), ("hour", 60), ("minute", 1))


def names_of(profile: Profile, what_serves: Served = PLAIN_CDM) -> Names:
    """Return the names of a profile's data set, where its lists are by what serves."""
    metrics = tuple(_metric(metric, profile) for metric in METRICS)
    return Names(metrics, _first_order(profile), what_serves)


def _metric(metric: Metric, profile: Profile) -> Metric:
    if metric.name == "value_ratio" and profile.world.wear_by == "likeness":
        return replace(
            metric,
            label="V/V(greedy)",
            reads="true value of the list as a share of the greedy list's, which need not be best",
        )
    if not profile.fields.category_separator:
        return metric
    if metric.name == "distinct_categories":
        several = "; an item may have several, so there can be more of them than items"
        return replace(metric, reads=metric.reads + several)
    if metric.name == "ilad_category":
        return replace(
            metric,
            reads="1 minus the mean likeness of the list's pairs, which is 1 where two items "
            "have the same categories and 0 where they share none",
        )
    return metric


def _first_order(profile: Profile) -> FirstOrder:
    """Say by what the candidates were ordered before any model: a logged score need not be it."""
    source = profile.source
    if source.kind != "files":
        return PRE_RANKER
    score = source.logs.columns.get("score")
    if source.candidates != "logged" or (score and score.derive == "popularity"):
        clicks = f"by others' clicks in the {span(source.window_minutes)} before"
        return FirstOrder("Popularity", f"{clicks}; {NO_SCORE}", clicks)
    if score and score.derive == "position":
        logged = "in the order in which they were logged"
        return FirstOrder("As logged", f"{logged}; {NO_SCORE}", logged)
    return PRE_RANKER


def span(minutes: int) -> str:
    """Return 60 minutes, 24 hours, 30 days: the largest unit of which there are two or more."""
    unit, size = next(
        (u for u in _UNITS if minutes % u[1] == 0 and minutes // u[1] > 1), _UNITS[-1]
    )
    count = minutes // size
    return f"{count:,} {unit}{'s' if count > 1 else ''}"


def derived_from(profile: Profile) -> str:
    """Return of what the candidates that nobody logged were made."""
    source = profile.source
    shown = f"what others were shown in the {span(source.window_minutes)} before"
    if source.candidates == "sample":
        return f"{source.pool_size:,} at random of {shown}"
    if source.pool_size:
        return f"the {source.pool_size:,} most clicked of {shown}"
    return shown
