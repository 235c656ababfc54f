"""The shop's second day with models that can score, and labels of any teacher, for test_explain."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from shop_lake import DAYS, ITEMS, NOT_RELAXED, ShopLake

from jobs.explain import main
from jobs.registry import Registry
from jobs.teacher import teacher_id
from model import checkpoint
from model.cdm import CDM, Shape
from model.config import PolicyConfig, TeacherConfig
from model.layout import ITEMS as MODEL_ITEMS
from model.learning_config import ModelConfig
from model.teachers import dpp, ssd
from model.teachers.choice import TEACHERS
from model.teachers.requests import Requests
from model.vocabulary import Vocabulary

DAY = DAYS[1]
PICK = {"dpp": dpp.pick, "ssd": ssd.pick} | TEACHERS
IDS = list(ITEMS)
CODES = {"toys": 0, "books": 1, "games": 2}
CATEGORIES = [[CODES.get(c, 3) for c in value.split("|")] for value in ITEMS.values()]
F = [0.5, 0.45, 0.4, 0.35, 0.1, 0.05]
U = [1.0, 0.5]
E = [[2.0, 0.0], [2.0, 0.5], [1.5, 0.5], [-0.5, 2.0], [-1.0, -1.0], [0.0, 0.0]]


def plain_weights(model: CDM) -> CDM:
    """Give a model weights that are the same on every machine: eighths, without any order."""
    with torch.no_grad():
        for parameter in model.parameters():
            number = torch.arange(parameter.numel()).reshape(parameter.shape)
            parameter.copy_((number * 7 % 11 - 5) / 8)
    return model


def scoring_model(shop: ShopLake, day: date, win_rate: float) -> str:
    """Publish a model that scores, a base DCN where its win rate is 0; return its version."""
    vocabulary = Vocabulary(
        {
            "user_id": pa.array([7]),
            "query": pa.array(["q"]),
            "item_id": pa.array(IDS),
            "category": pa.array(sorted(set(ITEMS.values()))),
        },
        np.zeros(0),
        np.ones(0),
    )
    config = ModelConfig(embedding_width=2, width=3, hidden=(4, 4), context_size=2)
    sizes = {name: vocabulary.size(name) for name in vocabulary.tokens}
    shape = Shape(
        user_sizes=(sizes["user_id"], sizes["query"]),
        item_sizes=(sizes["item_id"], sizes["category"]),
        dense=0,
        win_rate=win_rate,
    )
    kind = "cdm" if win_rate else "dcn"
    about = {"kind": kind, "user_tokens": ("user_id", "query"), "item_tokens": tuple(sizes)[2:]}
    registry = Registry(shop.lake)
    with registry.attempt() as attempt:
        model = plain_weights(CDM(shape, config))
        version = checkpoint.save(attempt, model, shape, config, vocabulary, about, [])
        (attempt / MODEL_ITEMS).mkdir()
        items = pa.table({"item_id": IDS, "e": pa.array(E, pa.list_(pa.float32()))})
        pq.write_table(items, attempt / MODEL_ITEMS / "known.parquet")
        flags = {"step": "train", "inputs": {}, "counts": {}, "parameters": {"kind": kind}}
        with registry.hold(day, "train", bootstrap=not win_rate) as lease:
            registry.publish(attempt, version, day, lease, bootstrap=not win_rate, **flags)
    return version


class ExplainedLake(ShopLake):
    """The newest model has a student and is not promoted; the promoted one is a base DCN."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.newest = scoring_model(self, DAYS[0], 0.5)
        self.base = scoring_model(self, DAYS[0], 0.0)
        self.sets(DAY, ["r1", "r2"])
        self.promotion(DAY, self.base)

    def label(
        self,
        teacher: TeacherConfig | None = None,
        policy: PolicyConfig | None = None,
        unlabelled: dict[str, str] | None = None,
        **changed: object,
    ) -> str:
        """Label r1 as the teacher does, and r2 by f alone; `changed` replaces columns of r1."""
        teacher, policy = teacher or self.profile.teacher, policy or self.profile.policy
        picks = PICK[teacher.name](_requests(), teacher)
        orders = [picks.order.tolist(), [n if n <= 3 else 0 for n in range(1, 7)]]
        both = zip(("r1", "r2"), orders, (picks.gain.tolist(), F), strict=True)
        rows = [
            {
                "request_id": request, "model_version": self.base, "k": 3, "u": U, "item_id": IDS,
                "win": [int(n > 0) for n in order], "pick_order": [n or None for n in order],
                "gain": [g if n else None for n, g in zip(order, gains, strict=True)], "f": F,
                **NOT_RELAXED,
            }
            for request, order, gains in both
        ]  # fmt: skip
        rows[0] |= changed
        name = teacher_id(teacher, policy, self.base)
        made = {"teacher": asdict(teacher), "policy": asdict(policy)}
        self.put("teacher_labels", DAY, rows, None, made, teacher_id=name)
        lost = [{"request_id": r, "reason": why} for r, why in (unlabelled or {}).items()]
        self.put("unlabelled", DAY, lost, None, made, teacher_id=name)
        return name

    def explain(self, *flags: str, day: date = DAY) -> int:
        where = ["--lake", str(self.root), "--profile", str(self.toml), "--date", str(day)]
        return main([*where, *flags])


def _requests() -> Requests:
    by_id = np.array(sorted(range(len(IDS)), key=IDS.__getitem__))
    row = np.empty(len(IDS), np.int64)
    row[by_id] = np.arange(len(IDS))
    return Requests(
        ends=np.array([len(IDS)]),
        row=row,
        f=np.array(F, np.float32).astype(np.float64),
        table=np.array(E, np.float32)[by_id],
        u=np.array([U], np.float32),
        category_ends=np.cumsum([len(c) for c in CATEGORIES]),
        category=np.array([c for own in CATEGORIES for c in own]),
    )
