"""What Great Expectations said of a table's day, as the JSON that its own pages are made of."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import great_expectations as gx

from jobs.gx_judge import GX_SEVERITY, Tally

FILE = "_great_expectations.json"
"""Beside the rows of validations."""
NO_EXCEPTION = {
    "raised_exception": False,
    "exception_message": None,
    "exception_traceback": None,
}


def suite_results(table: str, day: date, tallies: Iterable[Tally]) -> str:
    """Return the results of a suite, those of several pieces of the table added up."""
    results = [_result(tally) for tally in tallies]
    held = sum(one["success"] for one in results)
    found = {
        "success": held == len(results),
        "suite_name": table,
        "suite_parameters": {},
        "results": results,
        "statistics": {
            "evaluated_expectations": len(results),
            "successful_expectations": held,
            "unsuccessful_expectations": len(results) - held,
            "success_percent": 100 * held / len(results) if results else None,
        },
        "meta": {
            "great_expectations_version": gx.__version__,
            "run_id": {"run_name": f"{day}", "run_time": f"{day}T00:00:00+00:00"},
        },
    }
    return json.dumps(found, default=str, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _result(tally: Tally) -> dict[str, Any]:
    config = tally.config | {
        "severity": GX_SEVERITY[tally.severity],
        "description": f"{tally.column or 'table'}: {tally.expected}",
    }
    config["kwargs"] = {k: v for k, v in config["kwargs"].items() if k != "batch_id"}
    found: dict[str, Any] = {
        "element_count": tally.rows,
        "unexpected_count": tally.unexpected,
        "unexpected_percent": 100 * tally.unexpected / tally.rows if tally.rows else None,
        "partial_unexpected_list": tally.examples,
    }
    if tally.observed:
        found["observed_value"] = tally.observed
    return {
        "success": tally.success,
        "expectation_config": config,
        "result": found,
        "meta": {},
        "exception_info": NO_EXCEPTION,
    }
