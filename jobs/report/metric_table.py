"""What the metrics mean, in which order they and the methods are shown, and one day's numbers."""

from dataclasses import dataclass

from jobs.report.served import GAMMA, LAMBDA, PLAIN_CDM, Served

BASELINE = "dcn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One column of the comparison."""

    name: str
    label: str
    reads: str
    """What a value says, for the page."""
    digits: int = 3
    needs: str = ""
    """What a data set must have for this metric to exist: truth, categories or nothing."""


METRICS = (
    Metric(
        name="recall",
        label="Recall",
        reads="share of a request's clicked items that are in the list",
    ),
    Metric(name="mrr", label="MRR", reads="1 / rank of the first clicked item, 0 without one"),
    Metric(
        name="ndcg", label="NDCG", reads="clicked items in the list, those further up counting more"
    ),
    Metric(
        name="ilad_reference",
        label="ILAD by vectors",
        reads="1 minus mean likeness of the list's items by frozen reference vectors",
    ),
    Metric(
        name="ilad_category",
        label="ILAD by category",
        reads="1 minus share of the list's pairs that have one category",
        needs="categories",
    ),
    Metric(
        name="category_coverage",
        label="Category coverage",
        reads="share of the day's categories that any list shows; one number, so no interval",
        needs="categories",
    ),
    Metric(
        name="distinct_categories",
        label="Distinct categories",
        reads="different categories in one list",
        digits=2,
        needs="categories",
    ),
    Metric(
        name="value_ratio",
        label="V/V*",
        reads="true value of the list as a share of the best list's",
        needs="truth",
    ),
    Metric(
        name="value_over_top_p",
        label="V/V(top\N{NO-BREAK SPACE}p)",
        reads="true value against that of the K items with the highest true click propensity",
        needs="truth",
    ),
)

LEFT_OUT = ("value",)
"""V itself: what a list is worth says little beside what the best one is."""

METHODS = {
    "random": "Random",
    "pre_ranker": "Pre-ranker",
    "dcn": "DCN",
    "mmr": "MMR",
    "cdm": "CDM",
    "promoted": "Promoted",
}
WEIGHTS = {"mmr": LAMBDA, "cdm": GAMMA}


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """By what the candidates are ordered before any model of ours."""

    label: str
    reads: str
    """What it is, for the page."""
    in_words: str
    """The same in a sentence: recall is so much ..."""


PRE_RANKER = FirstOrder(
    METHODS["pre_ranker"],
    "the order in which the candidates came",
    "in the pre-ranker's own order",
)


@dataclass(frozen=True, slots=True)
class Names:
    """What one data set's metrics and methods are called."""

    metrics: tuple[Metric, ...] = METRICS
    first_order: FirstOrder = PRE_RANKER
    served: Served = PLAIN_CDM

    @property
    def methods(self) -> dict[str, str]:
        """Labels of the methods, in the order in which they are shown."""
        return METHODS | {"pre_ranker": self.first_order.label, "cdm": self.served.label}

    @property
    def swept(self) -> dict[str, str]:
        """Labels of the methods at other weights: it is the student that is tried at several."""
        return self.methods | {"cdm": self.served.student.label}


PLAIN_NAMES = Names()


@dataclass(frozen=True, slots=True, order=True)
class Method:
    """A method's name taken apart: 'cdm@0.05' is the student at another weight than served."""

    swept: bool
    place: int
    weight: float
    name: str
    base: str
    called: str

    @classmethod
    def of(cls, name: str, names: Names = PLAIN_NAMES) -> "Method":
        """Take a name apart; what is not known stands last, under its own name."""
        base, _, text = name.partition("@")
        try:
            weight = float(text) if text else 0.0
        except ValueError:
            base, text, weight = name, "", 0.0
        labels = names.swept if text else names.methods
        order = list(labels)
        place = order.index(base) if base in labels else len(order)
        return cls(bool(text), place, weight, name, base, labels.get(base, base))

    @property
    def label(self) -> str:
        """What the page calls it."""
        return f"{self.called} {self.weight_label}" if self.swept else self.called

    @property
    def weight_label(self) -> str:
        """The weight with its letter, such as gamma 0.05."""
        return f"{WEIGHTS.get(self.base, 'weight')} {self.weight:g}"


@dataclass(frozen=True, slots=True)
class Number:
    """A mean over requests and its 95 % interval, where it has one."""

    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def direction(self) -> int:
        """1 or -1 where the whole interval lies above or below 0, else 0: it cannot be told."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


class Numbers:
    """The metrics of one model version on one day."""

    def __init__(self, rows: list[dict], names: Names = PLAIN_NAMES) -> None:
        """Index rows of the metrics table."""
        self.names = names
        self._found = {
            (r["method"], r["metric"], r["k"], r["baseline"]): Number(
                r["value"], r["low"], r["high"], r["n"]
            )
            for r in rows
        }
        known = {metric.name for metric in METRICS} | set(LEFT_OUT)
        others = sorted({metric for _, metric, _, _ in self._found} - known)
        self.metrics = [*names.metrics, *(Metric(name=n, label=n, reads="") for n in others)]
        methods = {method for method, _, _, _ in self._found}
        self.methods = sorted(Method.of(name, names) for name in methods)
        self.ks = sorted({k for _, _, k, _ in self._found})

    def get(self, method: str, metric: str, k: int, baseline: str = "") -> Number | None:
        """Return a number, or the paired difference from `baseline`; None where there is none."""
        return self._found.get((method, metric, k, baseline))

    def of(self, method: Method, metric: str, k: int, baseline: str = "") -> Number | None:
        """Return the same of a method; None too where its name stands for another one here."""
        return self.get(method.name, metric, k, baseline) if method in self.methods else None

    def all(self) -> list[Number]:
        """Return every number, differences among them."""
        return list(self._found.values())

    def has(self, metric: str) -> bool:
        """Whether any method has this metric."""
        return any(metric == found for _, found, _, _ in self._found)

    def at_k(self, metric: str, k: int) -> str:
        """Return what the page calls a metric at a list length, such as ILAD@5 by category."""
        label = next((m.label for m in self.metrics if m.name == metric), metric)
        return label.replace(" by ", f"@{k} by ") if " by " in label else f"{label}@{k}"

    @property
    def baselines(self) -> list[str]:
        """Return the methods from which there are paired differences, DCN first."""
        found = {baseline for _, _, _, baseline in self._found if baseline}
        return sorted(found, key=lambda name: (name != BASELINE, name))

    @property
    def diversity(self) -> str:
        """The metric that stands for diversity: by category where there are categories."""
        return "ilad_category" if self.has("ilad_category") else "ilad_reference"
