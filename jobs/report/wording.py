"""Numbers and results in words; every sentence of the report that depends on numbers."""

from dataclasses import dataclass
from datetime import date

from jobs.report.metric_table import BASELINE, Number, Numbers

MINUS, FIXED_SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
VERDICTS = {1: "higher", 0: "no difference can be told", -1: "lower"}


def number(value: float, digits: int = 3) -> str:
    """Return 0.412."""
    return f"{value:,.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 3) -> str:
    """Return +0.412; what rounds to nothing has no sign."""
    text = f"{value:+,.{digits}f}"
    return (text[1:] if float(text.replace(",", "")) == 0 else text).replace("-", MINUS)


def interval(found: Number, digits: int = 3, *, paired: bool = False) -> str:
    """Return [0.399, 0.425], or nothing where the number has no interval."""
    if found.low is None or found.high is None:
        return ""
    write = signed if paired else number
    return f"[{write(found.low, digits)},{FIXED_SPACE}{write(found.high, digits)}]"


def percent(share: float, digits: int = 1) -> str:
    """Return 41.2 %."""
    return f"{number(100 * share, digits)}{FIXED_SPACE}%"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a paired difference from DCN says about one metric."""

    label: str
    change: str
    span: str
    words: str
    levels: str
    direction: int

    def __str__(self) -> str:
        """Return the verdict as a clause of the headline."""
        return f"{self.label} {self.change}{' ' + self.span if self.span else ''}, {self.words}"


def verdict(numbers: Numbers, metric: str, k: int, method: str = "cdm") -> Verdict | None:
    """Return what can be told of a metric, in percent of DCN's mean; None where it is missing."""
    base, difference = numbers.get(BASELINE, metric, k), numbers.get(method, metric, k, BASELINE)
    level = numbers.get(method, metric, k)
    if base is None or difference is None or level is None:
        return None
    factor, unit = (100 / abs(base.value), f"{FIXED_SPACE}%") if base.value else (1.0, "")
    digits = 1 if base.value else 3
    called = numbers.names.methods.get(method, method)
    span = ""
    if difference.low is not None and difference.high is not None:
        ends = [signed(factor * end, digits) for end in (difference.low, difference.high)]
        span = f"[{ends[0]},{FIXED_SPACE}{ends[1]}]"
    return Verdict(
        label=numbers.at_k(metric, k),
        change=signed(factor * difference.value, digits) + unit,
        span=span,
        words=VERDICTS[difference.direction] if span else "without an interval",
        levels=f"DCN {number(base.value)}, {called} {number(level.value)}",
        direction=difference.direction,
    )


def verdicts(numbers: Numbers) -> list[Verdict]:
    """Return what the headline tells: accuracy, diversity and, where it is known, true value."""
    k = numbers.ks[-1]
    found = [verdict(numbers, name, k) for name in ("recall", numbers.diversity, "value_ratio")]
    return [one for one in found if one is not None]


def headline(day: date, numbers: Numbers) -> str:
    """Return the result in one sentence."""
    found, called = verdicts(numbers), numbers.names.served
    requests = max((n.n for n in numbers.all()), default=0)
    clicked = numbers.get(BASELINE, "recall", numbers.ks[-1])
    where = f"on {day}, over {requests:,} requests"
    if clicked is not None and clicked.n < requests:
        where += f" ({clicked.n:,} with a click)"
    if not any(method.name == "cdm" for method in numbers.methods):
        return f"No {called.label} was compared {where}: the model of that day has no student."
    if not found:
        unknown = "no paired difference from DCN is there to judge it by"
        return f"{called.label} was ranked {where}, but {unknown}."
    return f"{called.title} against DCN {where}: {'; '.join(map(str, found))}."


def scale(numbers: Numbers) -> str:
    """Return between which levels DCN stands: chance, and the order that the candidates had."""
    k = numbers.ks[-1]
    chance, before = numbers.get("random", "recall", k), numbers.get("pre_ranker", "recall", k)
    base = numbers.get(BASELINE, "recall", k)
    if chance is None or before is None or base is None:
        return ""
    text = (
        f"For scale: {numbers.at_k('recall', k)} is {number(chance.value)} by chance, "
        f"{number(before.value)} {numbers.names.first_order.in_words} "
        f"and {number(base.value)} by DCN"
    )
    paired = numbers.get("pre_ranker", "recall", k, BASELINE)
    if paired is not None and paired.direction > 0:
        text += ", so DCN is behind the order that it was given"
    return text + "."


def derived(found: tuple[date, int, int] | None, of_what: str) -> str:
    """Return how many of the candidates nobody logged, and what stands in; nothing where none is.

    `found` is (day, derived candidates, candidates).
    """
    if found is None or not found[1]:
        return ""
    day, made, total = found
    return (
        f"{percent(made / total)} of the candidates of {day} were reconstructed, not logged: "
        f"{of_what}."
    )


CAUTION = (
    "Percentages are of DCN's mean. A bracket is a 95 % interval over the requests of this one "
    "day: it says nothing about other days or about training once more with another seed."
)


def without_metrics(day: date, trained_before: str | None) -> str:
    """Return why there is nothing to compare on any day up to this one."""
    if trained_before is None:
        return (
            f"Nothing can be compared on {day} yet: a model is judged only on a day that it never "
            "saw, and no model was trained before this one. The first comparison comes with the "
            "next day."
        )
    return (
        f"Nothing was compared up to {day}, although model {trained_before} was trained before "
        "it: run score and evaluate for this day."
    )
