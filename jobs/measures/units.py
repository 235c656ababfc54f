"""Measures as a person reads them, by their unit."""

from jobs.measures.catalogue import Unit


def written(value: float, unit: Unit) -> str:
    """Return a value with its unit."""
    match unit:
        case "count":
            return f"{value:,.0f}"
        case "share":
            return f"{100 * value:.4g} %"
        case "hours":
            return f"{value:.1f} h"
        case "drift":
            return f"{value:.3f}"
        case "number":
            return f"{value:,.4g}"
