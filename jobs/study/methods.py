"""What the study compares: each method is a training's scores under a ranking."""

from typing import NamedTuple

from jobs.study.trainings import DCN, TRAININGS


class Method(NamedTuple):
    """One method, under the name that tables give it."""

    label: str
    training: str
    ranking: str
    group: str


BASELINES, RERANKED, STUDENTS, CONTROLS, SELF_DISTILLED, TAUGHT = (
    "Baselines",
    "DCN, re-ranked",
    "Students",
    "Controls and ablations",
    "Closed forms on the f that distillation left",
    "Other teachers distilled",
)
RERANKINGS = {
    "mmr_item": "DCN + MMR by items",
    "mmr": "DCN + MMR by interest",
    "one_pass": "DCN + one-pass MMR",
    "category_decay": "DCN + category decay",
    "dpp": "DCN + DPP",
    "ssd": "DCN + SSD",
    "msd": "DCN + MSD",
    "calibrated": "DCN + calibration",
}


def _trained(names: tuple[str, ...], group: str) -> list[Method]:
    return [
        Method(TRAININGS[name].label, name, TRAININGS[name].rankings[0], group) for name in names
    ]


METHODS = (
    Method("Random", DCN, "random", BASELINES),
    Method("Pre-ranker", DCN, "pre_ranker", BASELINES),
    Method("DCN", DCN, "f", BASELINES),
    *_trained(("ipw", "unworn"), BASELINES),
    *(Method(label, DCN, name, RERANKED) for name, label in RERANKINGS.items()),
    *_trained(("cdm", "better_context", "wear"), STUDENTS),
    *_trained(("no_infonce", "no_cce", "lambda_0", "shuffled", "no_kd", "no_context"), CONTROLS),
    *_trained(("better_context_0",), CONTROLS),
    *(
        Method(f"{told} f, {label}", training, name, SELF_DISTILLED)
        for training, told in (("cdm", "CDM's"), ("lambda_0", "lambda 0's"))
        for name, label in (
            ("f", "alone"),
            ("mmr_item", "MMR by items"),
            ("one_pass", "one-pass MMR"),
            ("category_decay", "category decay"),
        )
    ),
    *_trained(("from_decay", "from_dpp", "from_ssd", "from_calibrated"), TAUGHT),
)
