"""How long a trainer waits for its feed: the share of an epoch that goes by before batches come.

Simulates a day of shop search with N = 500 candidates a request, makes its examples by the jobs,
and trains on them in one process with one thread, by either feed: CDM, as on every day, and the
base DCN of the first day, which takes much shorter steps. The share is the median over the epochs
but the first, which also reads files that no cache holds.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from benchmarks.readme_block import renew
from jobs import build_candidates, build_examples, simulate_logs
from jobs.build_examples import TRAINING, VALIDATION, VOCABULARY
from jobs.feed import FEEDS, Feed, open_feed
from jobs.lake import Lake, Partition, parse_day
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.teacher import WITHOUT_TEACHER
from model.batch import CandidateBatch
from model.cdm import CDM, Shape
from model.learning_config import TrainingConfig
from model.training import fit
from model.vocabulary import Vocabulary

BLOCK = "feed_wait"
TARGET = 0.05
"""Share of its time that a trainer may wait."""
CANDIDATES = 500
DAY = "2026-01-01"
MODELS = {"DCN": 0.0, "CDM": 0.05}
"""Models by K/N; a step of CDM costs the same whichever candidates won."""
PROFILE = f"""
name = "wait"
k = [20]
[fields]
item = ["category", "brand", "vendor", "price"]
context = ["query"]
dense = ["score"]
category = "category"
[source]
kind = "simulated"
[world]
users = 600
items = 6000
categories = 333
context_values = 333
candidates = {CANDIDATES}
exposed_share = 0.05
base_logit = -2.0
wear = 0.0
[training]
max_candidates = {CANDIDATES}
[teacher]
k = 20
[promotion]
k = 20
"""


@dataclass(slots=True)
class Stopwatch:
    """Seconds of each epoch, and those of them before a batch came."""

    waited: list[float] = field(default_factory=list)
    lasted: list[float] = field(default_factory=list)

    def over(self, batches: Iterator[CandidateBatch]) -> Iterator[CandidateBatch]:
        """Pass an epoch's batches on; the next one is asked for when a step is done."""
        began, waited = time.perf_counter(), 0.0
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            waited += time.perf_counter() - asked
            if batch is None:
                break
            yield batch
        self.waited.append(waited)
        self.lasted.append(time.perf_counter() - began)

    def share(self) -> float:
        """Return the median share over the epochs but the first."""
        return float(np.median(np.divide(self.waited[1:], self.lasted[1:])))

    def seconds(self) -> float:
        """Return the median length of the epochs but the first."""
        return float(np.median(self.lasted[1:]))


def make_examples(folder: Path, requests: int) -> tuple[Profile, Partition]:
    """Simulate a day and make its examples; a folder that has them is left as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "wait.toml"
    path.write_text(PROFILE, encoding="utf-8")
    flags = ["--lake", str(folder / "lake"), "--profile", str(path), "--date", DAY]
    own = ["--requests", str(requests)]
    for step, more in (
        (simulate_logs, own),
        (build_candidates, []),
        (build_examples, ["--bootstrap"]),
    ):
        if code := step.main([*flags, *more]):
            raise SystemExit(code)
    profile = load_profile(str(path))
    lake = Lake(folder / "lake", profile.tables)
    return profile, lake.partition("examples", parse_day(DAY), teacher_id=WITHOUT_TEACHER)


def measure(
    profile: Profile, examples: Partition, feed: str, rate: float, epochs: int
) -> Stopwatch:
    """Train with a feed; `rate` is the K/N of the model, 0 that of a base DCN."""
    fields = profile.fields
    vocabulary = Vocabulary.load(
        examples.folder() / VOCABULARY, fields.user_tokens + fields.item_tokens
    )
    shape = Shape(
        user_sizes=tuple(vocabulary.size(name) for name in fields.user_tokens),
        item_sizes=tuple(vocabulary.size(name) for name in fields.item_tokens),
        dense=len(fields.dense),
        win_rate=rate,
    )
    config = TrainingConfig(epochs=epochs, patience=epochs)
    torch.manual_seed(config.seed)

    def of(split: str) -> Feed:
        files = [path for path in examples.files() if path.name.startswith(split)]
        return open_feed(
            feed, files, examples.table, batch_size=config.batch_size, seed=config.seed
        )

    learn, judge, watch = of(TRAINING), of(VALIDATION), Stopwatch()
    fit(
        CDM(shape, profile.model),
        lambda number: watch.over(learn.epoch(number, shuffle=True)),
        lambda: judge.epoch(0, shuffle=False),
        config,
        lambda epoch: None,
        learn.steps,
    )
    return watch


def table(found: dict[tuple[str, str], Stopwatch]) -> str:
    """Return the measurements, by feed and model, as Markdown."""
    lines = [
        ["feed", "model", "an epoch lasts, s", "the trainer waits"],
        ["---", "---", "---:", "---:"],
    ]
    for (feed, model), watch in found.items():
        lines.append([feed, model, f"{watch.seconds():.2f}", f"{watch.share():.1%}"])
    wanted = f"Wanted is less than {TARGET:.0%} for CDM; a DCN is trained on the first day alone."
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{wanted}\n"


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.feed_wait",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.feed_wait --folder /tmp/wait",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the lake is, or is made")
    parser.add_argument("--requests", type=int, default=1000, help="of the day")
    parser.add_argument("--epochs", type=int, default=4, help="of each, the first not counted")
    parser.add_argument("--readme", type=Path, help="file whose block feed_wait to renew")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.epochs < 2:
        parser.error(f"argument --epochs: {args.epochs} is not 2 or more")
    torch.set_num_threads(1)
    profile, examples = make_examples(args.folder, args.requests)
    found = {}
    for model, rate in MODELS.items():
        for feed in FEEDS:
            found[feed, model] = measure(profile, examples, feed, rate, args.epochs)
            print(f"measured {feed}, {model}", flush=True)
    shown = table(found)
    if args.readme is not None:
        renew(args.readme, BLOCK, shown)
    print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
