"""What the tests of the DAGs share: the line in the DAG's own words, its stand-in, and a run."""

import json
import sys
from datetime import datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DAY_ONE, DAY_TWO = "2026-01-01", "2026-01-02"

COMMANDS = {
    "ingest": "ingest",
    "build_candidates": "build_candidates",
    "validate_candidates": "validate --table request_logs candidate_sets",
    "score": "score",
    "evaluate": "evaluate",
    "validate_rankings": "validate --table rankings metrics",
    "bootstrap_examples": "build_examples --bootstrap",
    "validate_bootstrap": "validate --table examples",
    "bootstrap_train": "train --bootstrap",
    "promote": "promote",
    "label_candidates": "label_candidates",
    "build_examples": "build_examples",
    "validate_examples": "validate --table teacher_labels unlabelled examples",
    "train": "train",
    "report": "report",
}
JUDGE = ["score", "evaluate", "validate_rankings"]
BOOTSTRAP = ["bootstrap_examples", "validate_bootstrap", "bootstrap_train"]
BEFORE = ["ingest", "build_candidates", "validate_candidates"]
AFTER = list(COMMANDS)[list(COMMANDS).index("promote") :]
# Plans: no model can be judged on the first day, and none is bootstrapped on a later one.
FIRST_DAY = [(["jobs.score"], 99)]
LATER_DAY = [(["--bootstrap"], 99)]

STAND_IN = """\
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "calls"), "a") as calls:
    calls.write(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "pid": os.getpid()}) + "\\n")
for words, code in json.load(open(os.path.join(here, "plan"))):
    if set(words) <= set(sys.argv):
        if isinstance(code, list): print(*code, sep="\\n"); sys.exit()
        print("before the refusal"); print("stand-in: refused: column ts of x.parquet is text")
        if code == "hang": import time; time.sleep(600)
        sys.exit(code)
print("stand-in: done")
"""


class StandIn:
    """An interpreter that runs nothing: `plan` says which calls exit with what, or print what."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "stand_in.py").write_text(STAND_IN)
        self.path = folder / "python"
        script = f'exec "{sys.executable}" -S -E "{folder}/stand_in.py" "$@"'
        self.path.write_text(f"#!/bin/sh\n{script}\n")
        self.path.chmod(0o755)
        self.plan([])

    def plan(self, rules):
        (self.folder / "plan").write_text(json.dumps(rules))
        (self.folder / "calls").write_text("")

    def calls(self):
        return [json.loads(text) for text in (self.folder / "calls").read_text().splitlines()]


def are(tasks: list[str], state: str) -> dict[str, str]:
    return dict.fromkeys(tasks, state)


def loaded():
    """The DAGs as Airflow loads them; a run leaves its configuration in the ones that it had."""
    from airflow.dag_processing.dagbag import DagBag

    dags = ROOT / "dags"
    return DagBag(dag_folder=dags, bundle_path=dags, bundle_name="dags-folder")


def states(dag, day: str | None, conf: dict | None = None) -> dict[str, str]:
    """Run a DAG through Airflow; return what became of each task, mapped ones as task[place]."""
    with pytest.MonkeyPatch.context() as patch:
        # Airflow pauses a second before it marks each task that will not run.
        patch.setattr("time.sleep", lambda seconds: None)
        at = day and datetime.fromisoformat(f"{day}T00:00Z")
        run = loaded().dags[dag.dag_id].test(logical_date=at, run_conf=conf)
    return {
        f"{task.task_id}[{task.map_index}]" if task.map_index >= 0 else task.task_id: str(
            task.state
        )
        for task in run.get_task_instances()
    }
