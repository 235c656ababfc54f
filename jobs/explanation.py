"""One request explained: the teacher's gains computed again and compared, and what models say.

Letters: N candidates of the request, K picks.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.categories import categories_of, no_categories
from jobs.errors import Refused
from jobs.features import flat
from jobs.lake import Partition
from jobs.registry import Registry
from model.config import PolicyConfig, TeacherConfig
from model.ordering import best_first
from model.teachers.explain import Terms, terms
from model.teachers.requests import Requests
from schemas.label_tables import RELAXED, relaxed_column
from schemas.table import Fields

RUNNERS_UP = 3
"""Candidates that are told beside the picks: those with the next gains."""
TOLERANCE = 1e-6
"""Up to here two gains are the same; the kernels promise no more."""


@dataclass(frozen=True, slots=True)
class Label:
    """One request's row of teacher_labels, and the teacher and the policy that made it."""

    day: date
    teacher_id: str
    config: TeacherConfig
    policy: PolicyConfig
    model_version: str
    item_id: np.ndarray  # [N]
    f: np.ndarray  # [N] float64
    u: np.ndarray  # [d] float32
    gain: np.ndarray  # [N] float64, nan for losers
    picks: list[int]  # [K], in the order of picking
    relaxed: dict[str, int]
    """By rule, how often it gave way."""

    @property
    def k(self) -> int:
        """How many were picked, which may be fewer than the teacher's K."""
        return len(self.picks)


def read_label(partition: Partition, request_id: object) -> Label | None:
    """Return a request's label; None where the teacher has not labelled it."""
    row = partition.row("request_id", request_id)
    if row is None:
        return None
    made = partition.manifest().parameters
    try:
        config, policy = TeacherConfig(**made["teacher"]), PolicyConfig(**made["policy"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(
            f"{partition.name} was labelled by a teacher that is not known here ({error}); "
            "label the day again with python -m jobs.label_candidates ... --force"
        ) from error
    order = pc.fill_null(flat(row["pick_order"]), 0).to_numpy()
    keys = dict(partition.keys)
    return Label(
        day=date.fromisoformat(keys["dt"]),
        teacher_id=keys["teacher_id"],
        config=config,
        policy=policy,
        model_version=row["model_version"][0].as_py(),
        item_id=flat(row["item_id"]).to_numpy(zero_copy_only=False),
        f=flat(row["f"]).to_numpy().astype(np.float64),
        u=flat(row["u"]).to_numpy(),
        gain=flat(row["gain"]).to_numpy(zero_copy_only=False),
        picks=np.argsort(order, kind="stable")[np.count_nonzero(order == 0) :].tolist(),
        relaxed={rule: row[relaxed_column(rule)][0].as_py() for rule in RELAXED},
    )


def as_requests(label: Label, sets: pa.Table, registry: Registry, fields: Fields) -> Requests:
    """Return what the teacher was given; `sets` is the request's row of candidate_sets."""
    ids = flat(sets["item_id"])
    if ids.to_pylist() != label.item_id.tolist():
        raise Refused(
            f"request {sets['request_id'][0].as_py()!r} has other candidates in candidate_sets "
            f"than {label.teacher_id} labelled; label the day again with "
            "python -m jobs.label_candidates"
        )
    e = registry.vectors(label.model_version, label.day, ids)
    if e.null_count:
        lost = ids.filter(pc.is_null(e))[0].as_py()
        raise Refused(
            f"item {lost!r} has no vector in items.parquet of model {label.model_version}; label "
            "the day again with python -m jobs.label_candidates ... --force"
        )
    n = len(ids)
    categories = no_categories(n)
    if fields.category:
        categories = categories_of(flat(sets[fields.category]), fields.category_separator)
    by_id = best_first(np.zeros(n), label.item_id)
    row = np.empty(n, np.int64)
    row[by_id] = np.arange(n)
    return Requests(
        ends=np.array([n]),
        row=row,
        f=label.f,
        table=e.flatten().to_numpy().reshape(n, -1)[by_id].astype(np.float32),
        u=label.u[None],
        category_ends=categories.ends,
        category=categories.code,
    )


@dataclass(frozen=True, slots=True)
class View:
    """What one model says of the candidates."""

    title: str
    version: str
    is_promoted: bool
    formula: str
    """What `final` is, in symbols."""
    win: np.ndarray | None
    """[N], y_stu; None of a base DCN, which has no student."""
    final: np.ndarray
    """[N], what the model's list is sorted by."""


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate at the step at which it was picked, or at the last one."""

    candidate: int
    gain: float
    parts: dict[str, float]
    nearest: int | None
    """The candidate that is nearest among those it was compared with."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the teacher picked, pick by pick."""

    picks: list[Line]
    others: list[Line]
    """The next best at the last step, and what a model's list has and the teacher's not."""
    disagreements: list[str]
    """What the label says and its teacher would not."""
    notes: list[str]
    """Which larger gains rules kept out."""


def explain(label: Label, requests: Requests, views: list[View]) -> Explanation:
    """Compute the gains again, step by step, and compare them with the label's."""
    lines, disagreements, notes = [], [], []
    left = np.ones(len(label.f), np.bool_)
    found = None
    for step, pick in enumerate(label.picks):
        found = terms(requests, label.config, label.picks[:step])
        lines.append(_line(found, pick))
        name, stored = f"pick {step + 1}, item {label.item_id[pick]}", label.gain[pick]
        if not abs(stored - found.gain[pick]) <= TOLERANCE:
            disagreements.append(f"{name}: gain {stored:.6f} is stored, {found.gain[pick]:.6f} due")
        best = int(np.where(left, found.gain, -np.inf).argmax())
        if found.gain[best] > found.gain[pick] + TOLERANCE:
            more = f"item {label.item_id[best]} had {found.gain[best]:.6f}"
            if label.policy.has_rules:
                notes.append(f"{name}: {more}, and a rule kept it out")
            else:
                disagreements.append(f"{name}: its gain is {found.gain[pick]:.6f}, but {more}")
        left[pick] = False
    others = []
    if found is not None and left.any():
        by_gain = [i for i in best_first(found.gain, label.item_id) if left[i]]
        told = set(by_gain[:RUNNERS_UP])
        for view in views:
            told |= {i for i in best_first(view.final, label.item_id)[: label.k] if left[i]}
        others = [_line(found, i) for i in by_gain if i in told]
    return Explanation(lines, others, disagreements, notes)


def _line(found: Terms, i: int) -> Line:
    parts = {name: values[i].item() for name, values in found.parts.items()}
    nearest = None if found.nearest is None or found.nearest[i] < 0 else int(found.nearest[i])
    return Line(int(i), float(found.gain[i]), parts, nearest)
