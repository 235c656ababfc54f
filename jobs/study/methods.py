"""What the study compares: each method is a training's scores under a ranking."""

from typing import NamedTuple

from jobs.study.trainings import DCN, TRAININGS


class Method(NamedTuple):
    """One method, under the name that tables give it."""

    label: str
    training: str
    ranking: str
    group: str


BASELINES, RERANKED, STUDENTS, CONTROLS, VARIED, SELF_DISTILLED, TAUGHT, KNOWING = (
    "Baselines",
    "DCN, re-ranked",
    "Students",
    "Controls",
    "CDM varied",
    "Closed forms on the f that distillation left",
    "Other teachers distilled",
    "DCN, re-ranked by who knows the truth that simulated users have",
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
    *_trained(("ipw", "unseen", "hidden", "unworn"), BASELINES),
    *(Method(label, DCN, name, RERANKED) for name, label in RERANKINGS.items()),
    *_trained(("cdm", "better_context", "better_decay", "wear"), STUDENTS),
    *_trained(("lambda_0", "shuffled", "no_kd", "no_context", "better_context_0"), CONTROLS),
    *_trained(("no_infonce", "no_cce", "lambda_10", "lambda_25"), VARIED),
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
    Method("DCN + likeness known, the mean wear", DCN, "mean_wear", KNOWING),
    Method("DCN + likeness and each user's wear known", DCN, "true_wear", KNOWING),
)
