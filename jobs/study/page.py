"""The page of a study: what was found on all data sets, in a picture, then each in its part."""

from jobs.study import forest
from jobs.study.config import StudyConfig
from jobs.study.methods import METHODS
from jobs.study.questions import QUESTIONS
from jobs.study.section import Section
from jobs.study.template import render


def page(sections: list[Section], told: list[str], config: StudyConfig) -> str:
    """Return the HTML; `told` are the findings."""
    return render(
        "page.html.j2",
        sets=sections,
        findings=told,
        questions=[q for q in QUESTIONS if any(q.name in one.verdicts for one in sections)],
        forest=forest.picture(sections),
        methods=len(METHODS),
        seeds=max(one.seeds for one in sections),
        kept_recall=config.kept_recall,
    )
