"""Great Expectations' own pages of a day's validation results: its Data Docs.

They load their styles from elsewhere and are bare without a network, which is why the report of
validation stands beside them, and they name the moment at which they were made.
"""

import html
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.core.expectation_validation_result import (
    expectationSuiteValidationResultSchema,
)
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)

from jobs.gx_results import FILE
from jobs.lake import Lake, verified
from jobs.measures.catalogue import MEASURED

SITE = "lake"


def build(lake: Lake, day: date, days: Iterable[date], folder: Path) -> dict[str, str]:
    """Build the pages of a day; return the one of each table, below the folder.

    Pages that were built of other `days` stay in the index; of days that are not named they are
    removed.
    """
    context, of_day, pages = _context(folder), [], {}
    for then in {*days, day}:
        for name, found in _results(lake, then):
            suite, run = ExpectationSuiteIdentifier(name), found["meta"]["run_id"]
            moment = datetime.fromisoformat(run["run_time"])
            key = ValidationResultIdentifier(suite, RunIdentifier(run["run_name"], moment), name)
            results = expectationSuiteValidationResultSchema.load(found)
            context.validation_results_store.set(key, results)
            if then == day:
                configs = [result["expectation_config"] for result in found["results"]]
                context.suites.add(gx.ExpectationSuite(name=name, expectations=configs))
                of_day += [suite, key]
                pages[name] = "/".join(("validations", *key.to_tuple())) + ".html"
    context.build_data_docs(site_names=[SITE], resource_identifiers=of_day)
    return pages


def _results(lake: Lake, day: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what was found of each table that was validated on a day."""
    for name in MEASURED:
        partition = lake.partition("validations", day, of=name)
        live = partition.manifest()
        if live is not None:
            verified(partition.folder(), live)
            found = json.loads((partition.folder() / FILE).read_text(encoding="utf-8"))
            for one in found["results"]:
                one["result"] = as_text(one["result"])
                config = one["expectation_config"]
                config["description"] = as_text(config["description"])
            yield name, found


def as_text(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value whose texts are no markup: the pages show them as they stand."""
    match value:
        case str():
            return html.escape(value)
        case list():
            return [as_text(one) for one in value]
        case dict():
            return {as_text(key): as_text(one) for key, one in value.items()}
    return value


def _context(folder: Path) -> EphemeralDataContext:
    """Return a context in memory whose only site is a folder."""
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
            data_docs_sites={SITE: site},
        ),
    )
