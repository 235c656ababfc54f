"""The page: what was gathered, drawn and worded, put into its template."""

from datetime import date
from typing import Any

from jobs.policy import policy_told
from jobs.profile.config import Profile
from jobs.report import ledger, wording
from jobs.report.comparison import comparison, left_out, sweep
from jobs.report.evidence import SHOWN_DAYS, Evidence, JudgedDay, TrainedModel
from jobs.report.front import front
from jobs.report.imported import account, is_told, quarantine
from jobs.report.learning_curves import LOSSES, QUALITY, learning_curves
from jobs.report.names import derived_from
from jobs.report.one_request import SIDE_BY_SIDE, OneRequest
from jobs.report.over_days import over_days, shown_methods, shown_metrics
from jobs.report.teacher_picks import TeacherPicks
from jobs.report.template import render
from jobs.teacher import teacher_told
from jobs.validation_rows import STOP, WARN

LEDGER_DAYS = 7
"""Days side by side in a table of counts."""


FILTERS = {
    "number": wording.number,
    "interval": wording.interval,
    "percent": wording.percent,
    "count": lambda value: f"{value:,}",
    "teacher_told": teacher_told,
    "policy_told": policy_told,
}


def page(
    profile: Profile,
    evidence: Evidence,
    weights: dict[str, float],
    judged: list[JudgedDay],
    result: str,
    checks: list[dict[str, Any]],
    teacher: TeacherPicks | None,
    request: OneRequest | None,
    derived: tuple[date, int, int] | None,
) -> str:
    """Return the page of a day; `derived` is (day, derived candidates, candidates)."""
    newest = judged[-1] if judged else None
    models = evidence.models()
    recent = evidence.days[-LEDGER_DAYS:]
    live = [one for day in recent for one in evidence.published(day)]
    recent_models = [model for model in models if model.day in recent]
    lines = ledger.lines(evidence.lake.tables, live, recent_models, recent)
    return render(
        "page.html.j2",
        FILTERS,
        profile=profile,
        day=evidence.day,
        days=evidence.days,
        older_days=len(evidence.all_days) - len(evidence.days),
        most_days=SHOWN_DAYS,
        result=result,
        scale=wording.scale(newest.numbers) if newest else "",
        caution=wording.CAUTION,
        newest=newest,
        weights=weights,
        verdicts=wording.verdicts(newest.numbers) if newest else [],
        comparisons=[comparison(newest.numbers, k) for k in newest.numbers.ks] if newest else [],
        left_out=left_out(newest.numbers, profile) if newest else [],
        front=front(newest.numbers, weights) if newest else None,
        sweep=sweep(newest.numbers, shown_metrics(judged), weights) if newest else [],
        judged=judged,
        followed=shown_metrics(judged) if judged else [],
        over_days=over_days(judged) if judged else None,
        methods_over_days=shown_methods(judged),
        models=models,
        losses=LOSSES,
        quality=QUALITY,
        curves=learning_curves(models),
        request=request,
        side_by_side=SIDE_BY_SIDE,
        teacher=teacher,
        recent=recent,
        lines=lines,
        lost=[n for n in lines if n.is_lost and not n.is_zero and not is_told(n.name)],
        account=account(profile, live, recent),
        quarantine=quarantine(evidence.lake, recent),
        checked=ledger.checked(checks, evidence.lake.tables, evidence.days),
        failures=ledger.failures(checks, STOP),
        warnings=ledger.failures(checks, WARN),
        manifests=[one for one in live if one.day == evidence.day],
        day_models=[m for m in models if m.day == evidence.day],
        codes=_codes(evidence, models),
        promotions=evidence.rows("promotions"),
        derived=derived,
        reconstructed=wording.derived(derived, derived_from(profile)),
    )


def _codes(evidence: Evidence, models: list[TrainedModel]) -> list[str]:
    """Return the code versions that made the day's tables and models."""
    made = [one.manifest.code for one in evidence.published(evidence.day)]
    made += [model.manifest.code for model in models if model.day == evidence.day]
    return sorted(set(made))
