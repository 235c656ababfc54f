"""What the student is to cost at most, and whether it does: bold is not reached."""

from dataclasses import dataclass

import numpy as np

from benchmarks.student_field import BESIDE_DCN, DCN, LANDMARKS, TARGETS
from benchmarks.student_learned import FULL, Learned

STEP_MS, GROWTH, SHARE, LINEAR, LOSS = 2.0, 1.2, 0.5, 1.25, 0.01
SMALL, LARGE = 500, 20_000
"""N at which cost is judged, and up to which it is to grow in proportion."""
NARROW = ("CDM, 128 landmarks", "CDM, 32 landmarks")
MMR = "MMR, kernel"
Times = dict[str, list[float]]
"""Microseconds of CPU per request by contestant, one of each round."""


@dataclass(frozen=True, slots=True)
class Found:
    """All that was measured; what was left out is empty."""

    scoring: dict[int, Times]
    """By N, many requests a call; the students' models with the DCN that they stand beside."""
    alone: Times
    """At N = 500, a request a call."""
    step: Times
    """At N = 500."""
    mib: dict[int, float]
    """Of a training step, by N."""
    learned: Learned | None


def beside(times: Times, name: str) -> np.ndarray:
    """Return what a contestant costs more than DCN, round by round; others whatever they cost."""
    own = np.array(times[name])
    return own - np.array(times[DCN]) if name in BESIDE_DCN else own


def table(found: Found) -> str:
    """Return the bars as Markdown."""
    lines = [["bar", "found", "wanted"], ["---", "---:", "---:"]]
    lines += [*_step(found.step), *_memory(found.mib)]
    lines += _share(found.scoring.get(SMALL, {}), "many requests a call")
    lines += [*_share(found.alone, "a request a call"), *_growth(found.scoring)]
    lines += _fidelity(found.learned)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _step(times: Times) -> list[list[str]]:
    if not times:
        return []
    name = NARROW[0]
    ms = float(np.median(beside(times, name))) / 1000
    told = f"a training step of {name}, {TARGETS} targets, without DCN's own"
    dcn = float(np.median(times[DCN])) / 1000
    return [
        [f"{told}, ms a request", _at_most(ms, STEP_MS, f"{ms:.2f}"), f"at most {STEP_MS:g}"],
        ["DCN's own training step, ms a request", f"{dcn:.2f}", ""],
    ]


def _memory(mib: dict[int, float]) -> list[list[str]]:
    if not mib:
        return []
    sizes = ", ".join(f"{n:,}" for n in mib)
    grown = max(mib.values()) / min(mib.values())
    told = " / ".join(f"{value:.0f}" for value in mib.values())
    return [
        [
            f"MiB that a step of 64 requests takes at N = {sizes}, {LANDMARKS} landmarks",
            _at_most(grown, GROWTH, told),
            f"flat: at most {GROWTH:g}x apart",
        ]
    ]


def _share(times: Times, how: str) -> list[list[str]]:
    lines = []
    for name in NARROW if times else ():
        share = float(np.median(beside(times, name) / np.array(times[DCN])))
        told = f"scoring by {name}, of DCN's own cost, N {SMALL}, {how}"
        lines.append([told, _at_most(share, SHARE, f"{share:.2f}x"), f"at most {SHARE:g}x"])
    return lines


def _growth(scoring: dict[int, Times]) -> list[list[str]]:
    """Say how cost grows with N, and how far it is from MMR's."""
    lines = []
    if SMALL in scoring and LARGE in scoring:
        for name in NARROW:
            per = {n: np.median(beside(scoring[n], name)) / n for n in (SMALL, LARGE)}
            grown = float(per[LARGE] / per[SMALL])
            told = f"{name}: cost a candidate at N {LARGE:,} over that at {SMALL}"
            shown = _at_most(grown, LINEAR, f"{grown:.2f}x")
            lines.append([told, shown, f"linear: at most {LINEAR:g}x"])
    if SMALL in scoring:
        times = scoring[SMALL]
        for name in NARROW:
            ratio = float(np.median(beside(times, name) / np.array(times[MMR])))
            told = f"{name}, of MMR's cost, N {SMALL}, K 50"
            lines.append([told, _at_most(ratio, 1.0, f"{ratio:.1f}x"), "1x, in the long run"])
    return lines


def _fidelity(learned: Learned | None) -> list[list[str]]:
    lines = []
    for name, by_landmarks in (learned or {}).items():
        full = np.array(by_landmarks[str(FULL)])
        for landmarks, each in by_landmarks.items():
            if landmarks == str(FULL):
                continue
            lost = float(np.mean(full - np.array(each)))
            seeds = f"{len(each)} seed{'s' if len(each) > 1 else ''}"
            told = f"swap-AUC of {name}, {landmarks} landmarks ({np.mean(each):.3f}, {seeds})"
            shown = _at_most(lost, LOSS, f"{-lost:+.3f}")
            lines.append([f"{told}, against full context's", shown, f"at least -{LOSS:g}"])
    return lines


def _at_most(value: float, most: float, shown: str) -> str:
    return shown if value <= most else f"**{shown}**"
