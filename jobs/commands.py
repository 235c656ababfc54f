"""What a day runs, in order; the line, the DAG and whoever says what to run again agree on it."""

COMMANDS = (
    "ingest",
    "build_candidates",
    "validate --table request_logs candidate_sets",
    "score",
    "evaluate",
    "validate --table rankings metrics",
    "build_examples --bootstrap",
    "validate --table examples",
    "train --bootstrap",
    "promote",
    "label_candidates",
    "build_examples",
    "validate --table teacher_labels unlabelled examples",
    "train",
    "report",
)
SOURCES = ("simulate_logs", "import_logs")
"""What `ingest` chooses from."""
