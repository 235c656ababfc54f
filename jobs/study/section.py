"""What is found on one data set: its answers, and its part of the page.

Both lie in sections/<data>.json, a text that outlives the lake and the figures by request, so that
data sets can be run at different times and places and still make one page.
"""

import json
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from jobs.errors import Refused
from jobs.profile.load import load_profile
from jobs.study import paper, pictures
from jobs.study.config import DataSet, StudyConfig
from jobs.study.evidence import Evidence, Figure
from jobs.study.methods import CONTROLS, VARIED
from jobs.study.points import PLAIN, points
from jobs.study.tables import LABELS, Row, columns, fidelities, table
from jobs.study.template import render
from jobs.study.trainings import DCN, TRAININGS
from jobs.study.verdicts import Verdict, verdicts


class Section(NamedTuple):
    """One data set."""

    name: str
    title: str
    seeds: int
    is_control: bool
    """Whether nothing wears in it."""
    verdicts: dict[str, Verdict]
    """By question."""
    html: Markup


def section(data: DataSet, found: Evidence, config: StudyConfig) -> Section:
    """Judge one data set and draw its part of the page."""
    profile = load_profile(data.profile)
    k = profile.depth

    def rows_of(chosen: list, k: int, *against: object) -> tuple[int, list[Row], list[str]]:
        rows = table(found, chosen, k, *against)
        return k, rows, columns(rows)

    chosen = points(found, k, config.kept_recall)
    valued = ablation = None
    if found.validation(DCN, "f", k)[PLAIN].get("value_ratio") is not None:
        valued = rows_of(points(found, k, config.kept_recall, most_value=True), k)
    cdm = [p for p in chosen if p.method.training == "cdm"]
    ablated = [p for p in chosen if p.method.group in (CONTROLS, VARIED)]
    if cdm and ablated:
        ablation = rows_of([*cdm[:1], *ablated], k, cdm[0], paper.OVER_CDM)
    html = render(
        "section.html.j2",
        name=data.name,
        title=data.title or data.name,
        description=profile.description,
        data=data,
        seeds=len(found.seeds),
        fronts=[pictures.fronts(found, one) for one in profile.k],
        tables=[rows_of(chosen, one) for one in profile.k],
        valued=valued,
        ablation=ablation,
        fidelity=fidelities(found, {name: one.label for name, one in TRAININGS.items()}),
        likeness=pictures.likeness(found),
        heads=LABELS,
        kept_recall=config.kept_recall,
    )
    told = {one.question: one for one in verdicts(found, k, config.kept_recall)}
    is_control = data.changes.get("world.wear") == 0
    title = data.title or data.name
    return Section(data.name, title, len(found.seeds), is_control, told, html)


def path_of(folder: Path, name: str) -> Path:
    """Return where a section lies."""
    return folder / "sections" / f"{name}.json"


def save(one: Section, folder: Path) -> None:
    """Write a section."""
    path = path_of(folder, one.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(one._asdict(), indent=1) + "\n", encoding="utf-8")


def load(folder: Path, name: str) -> Section | None:
    """Read a section; None where there is none. Raises Refused for a text that is not one."""
    path = path_of(folder, name)
    if not path.exists():
        return None
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        told = {
            question: Verdict(question, *(x if x is None else Figure(*x) for x in (d, v)))
            for question, (_, d, v) in read.pop("verdicts").items()
        }
        return Section(**read | {"verdicts": told, "html": Markup(read["html"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"{path} is no section of a study ({error}); remove it and run again"
        ) from error
