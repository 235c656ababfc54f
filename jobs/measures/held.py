"""Hold the measures of a day to their limits with Great Expectations: one row, a column each."""

from collections.abc import Iterable

import great_expectations.expectations as gxe
import pandas as pd

from jobs.gx_judge import Judge, Tally
from jobs.measures.judgement import Judgement
from jobs.measures.units import written
from schemas.expectations import Subject

MEASURES = "measures"
"""The view that has a column a measure."""


def hold_measures(judge: Judge, judgements: Iterable[Judgement]) -> dict[str, Tally]:
    """Return by name how each measure fared that has a limit."""
    judged = [one for one in judgements if one.is_judged]
    if not judged:
        return {}
    frame = pd.DataFrame({one.name: [one.value] for one in judged})
    expectations = [
        Subject(MEASURES, one.name).expect(
            gxe.ExpectColumnValuesToBeBetween,
            one.expected,
            column=one.name,
            min_value=one.low,
            max_value=one.high,
        )
        for one in judged
    ]
    return {
        one.name: Tally(
            one.name,
            one.expected,
            one.kind.severity,
            success=bool(result.success),
            unexpected=int(not result.success),
            rows=1,
            observed=written(one.value, one.kind.unit),
            config=result.expectation_config.to_json_dict(),
        )
        for one, result in zip(judged, judge(frame, expectations), strict=True)
    }
