"""The short table in plain text that a terminal shows last."""

import textwrap
from datetime import date

from jobs.report.evidence import JudgedDay
from jobs.report.metric_table import BASELINE, Number, Numbers
from jobs.report.served import DELTA, GAMMA, LAMBDA
from jobs.report.wording import CAUTION, FIXED_SPACE, MINUS, interval, number, scale, signed

COLUMN = 25
LETTERS = {GAMMA: "gamma", LAMBDA: "lambda", DELTA: "delta"}
PLAIN = str.maketrans({MINUS: "-", FIXED_SPACE: " "} | LETTERS)
LEAST_LABEL = 12
"""Characters of the first column."""


def summary(
    name: str,
    day: date,
    result: str,
    derived: str,
    judged: JudgedDay | None,
    failed: tuple[int, int],
) -> str:
    """Return the text: the result, the main metrics by method at the largest K, validation.

    `derived` says how many candidates nobody logged;
    `failed` is how many expectations failed on this day, of how many.
    """
    blocks = [f"{name}, {day}", _wrap(result), _wrap(derived)]
    if judged is not None:
        blocks += [_wrap(scale(judged.numbers)), _table(judged.numbers, judged.version)]
        blocks.append(_wrap(CAUTION))
    broken, of = failed
    blocks.append(
        f"validation of {day}: {broken:,} of {of:,} expectations failed"
        if of
        else f"validation of {day}: nothing was validated"
    )
    return "\n\n".join(filter(None, blocks)).translate(PLAIN) + "\n"


def _wrap(text: str) -> str:
    return "\n".join(textwrap.wrap(text, LEAST_LABEL + 3 * COLUMN))


def _table(numbers: Numbers, version: str) -> str:
    k = numbers.ks[-1]
    metrics = [
        name for name in ("recall", numbers.diversity, "value_ratio", "mrr") if numbers.has(name)
    ][:3]
    head = "".join(numbers.at_k(name, k).ljust(COLUMN) for name in metrics)
    rows = [("", head)]
    for method in numbers.methods:
        if not method.swept:
            cells = [_cell(numbers.get(method.name, name, k)) for name in metrics]
            rows.append((method.label, "".join(cells)))
    paired = [_cell(numbers.get("cdm", name, k, BASELINE), paired=True) for name in metrics]
    if any(cell.strip() != "n/a" for cell in paired):
        rows.append((f"{numbers.names.served.label} - DCN", "".join(paired)))
    width = max(LEAST_LABEL, *(len(label) + 2 for label, _ in rows))
    lines = [f"{label:<{width}}{cells}".rstrip() for label, cells in rows]
    lines.append(f"model {version}; 95 % intervals over requests")
    return "\n".join(lines)


def _cell(found: Number | None, *, paired: bool = False) -> str:
    if found is None:
        return "n/a".ljust(COLUMN)
    value = signed(found.value) if paired else number(found.value)
    return f"{value} {interval(found, paired=paired)}".ljust(COLUMN)
