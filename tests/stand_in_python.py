"""What test_dag and test_run_days share: the line in the DAG's own words, and its stand-in."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DAY_ONE, DAY_TWO = "2026-01-01", "2026-01-02"

COMMANDS = {
    "ingest": "ingest",
    "validate_request_logs": "validate --table request_logs",
    "build_candidates": "build_candidates",
    "validate_candidate_sets": "validate --table candidate_sets",
    "score": "score",
    "validate_rankings": "validate --table rankings",
    "evaluate": "evaluate",
    "validate_metrics": "validate --table metrics",
    "bootstrap_examples": "build_examples --bootstrap",
    "bootstrap_train": "train --bootstrap",
    "promote": "promote",
    "label_candidates": "label_candidates",
    "validate_teacher_labels": "validate --table teacher_labels",
    "build_examples": "build_examples",
    "validate_examples": "validate --table examples",
    "train": "train",
    "report": "report",
}
JUDGE = ["score", "validate_rankings", "evaluate", "validate_metrics"]
BOOTSTRAP = ["bootstrap_examples", "bootstrap_train"]
BEFORE = ["ingest", "validate_request_logs", "build_candidates", "validate_candidate_sets"]
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
        print("before the refusal"); print("stand-in: refused: column ts of x.parquet is text")
        if code == "hang": import time; time.sleep(600)
        sys.exit(code)
print("stand-in: done")
"""


class StandIn:
    """An interpreter that runs nothing: `plan` says which calls exit with what."""

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
