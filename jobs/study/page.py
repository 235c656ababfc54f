"""The page of a study: what it found, in pictures first."""

from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jobs.profile.load import load_profile
from jobs.study import paper, pictures
from jobs.study.config import DataSet, StudyConfig
from jobs.study.evidence import Evidence
from jobs.study.methods import CONTROLS, METHODS, RERANKED, STUDENTS
from jobs.study.points import PLAIN, points
from jobs.study.tables import LABELS, Fidelity, Row, columns, fidelities, table
from jobs.study.trainings import DCN, TRAININGS
from jobs.study.verdicts import Verdict, method_of, verdict

RIVALS = (("lambda_0", "fused"), (DCN, "one_pass"), (DCN, "category_decay"), (DCN, "mmr_item"))
"""Whom every student is held against: the control, and the closed forms on the same f."""


class Section(NamedTuple):
    """One data set."""

    name: str
    title: str
    told: str
    fronts: list[Markup]
    tables: list[tuple[int, list[Row], list[str]]]
    valued: tuple[list[Row], list[str]] | None
    ablation: tuple[list[Row], list[str]] | None
    fidelity: list[Fidelity]
    likeness: Markup
    verdicts: list[Verdict]


def section(data: DataSet, found: Evidence, config: StudyConfig) -> Section:
    """Gather what is shown of one data set."""
    profile = load_profile(data.profile)
    k = profile.depth
    chosen = points(found, k, config.kept_recall)
    tables = []
    for one in profile.k:
        rows = table(found, chosen, one)
        tables.append((one, rows, columns(rows)))
    valued = None
    if found.validation(DCN, "f", k)[PLAIN].get("value_ratio") is not None:
        rows = table(found, points(found, k, config.kept_recall, most_value=True), k)
        valued = rows, columns(rows)
    cdm = [p for p in chosen if p.method.training == "cdm"]
    ablated = [p for p in chosen if p.method.group == CONTROLS]
    ablation = None
    if cdm and ablated:
        rows = table(found, [*cdm, *ablated], k, cdm[0], paper.OVER_CDM)
        ablation = rows, columns(rows)
    labels = {name: one.label for name, one in TRAININGS.items()}
    return Section(
        data.name,
        data.title or data.name,
        f"{profile.description}. Trained on {data.train_days} days, tuned on "
        f"{data.validation_day}, judged on {data.test_day}; {len(found.seeds)} seeds.",
        [pictures.fronts(found, one) for one in profile.k],
        tables,
        valued,
        ablation,
        fidelities(found, labels),
        pictures.likeness(found),
        list(_verdicts(found, k, config.kept_recall)),
    )


def _verdicts(found: Evidence, k: int, kept_recall: float) -> list[Verdict]:
    students = [m for m in METHODS if m.group == STUDENTS]
    decay = method_of(DCN, "category_decay")
    asked = [(one, method_of(*rival)) for one in students for rival in RIVALS]
    asked += [(decay, m) for m in METHODS if m.group == RERANKED and m != decay]
    return [
        verdict(found, one, rival, k, kept_recall)
        for one, rival in asked
        if all(found.weights(m.training, m.ranking) for m in (one, rival))
    ]


def page(sections: list[Section], findings: list[str], config: StudyConfig) -> str:
    """Return the HTML."""

    def load(name: str) -> str:
        package = "jobs.report" if name == "page.css" else "jobs.study"
        return files(package).joinpath(name).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    context: dict[str, Any] = {
        "style": Markup(load("page.css")),
        "sets": sections,
        "findings": findings,
        "methods": len(METHODS),
        "seeds": len(config.seeds),
        "kept_recall": config.kept_recall,
        "heads": LABELS,
    }
    return environment.get_template("page.html.j2").render(**context)
