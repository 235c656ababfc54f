"""What the counts of an import are called, in the manifest and in words."""

from jobs.sources.config import SourceConfig

LOGS = "logs"
ROWS_OF, USED_OF = "rows_of_", "rows_used_of_"
"""Before a section of joined files, how many rows it has, and how many of these are used."""
NOT_IN = "_not_in_"
"""Between users or items and the section of files that have none of their ids."""


def quarantined(part: str, reason: str = "") -> str:
    """Return the name of the count of source rows that a reason took."""
    return f"quarantined: {reason}" if part == LOGS else f"quarantined in {part}: {reason}"


def unknown(part: str, reason: str) -> str:
    """Return the name of the count of field values that could not be read for a reason."""
    return f"unknown in {part}: {reason}"


def became(source: SourceConfig) -> dict[str, str]:
    """Return the counts that add up to the source rows, and what they are called."""
    outside = "outside the window or the pool" if source.pool_size else "outside the window"
    return {
        "source_rows_used": "used",
        "source_rows_of_other_days": "of other days",
        "source_rows_quarantined": "quarantined",
        "source_rows_outside_window": f"{outside}, or met by the user before"
        if source.skip_seen
        else outside,
        "source_rows_cut": f"cut beyond {source.most_candidates:,} a request",
    }
