"""Kill every step of the line, over and over, and hold the lake to what an undisturbed run leaves.

Each kill is a SIGKILL of a step with all that it started, on a copy of a tiny lake: at a named
point (before or after a rename, a flush, a file written, an audit, ...) or at a moment drawn over
the step's duration. After it whatever is live must verify and be the old version or the new one,
whole. Then the step is run again, and then gc; the lake must be what it is without a kill: digests,
rows, files. Every kill is a line of kills.jsonl; a soak that is stopped goes on when run again.
"""

import argparse
import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.kill_points import Points, run_step
from benchmarks.kill_scenarios import Maker, Scenario
from benchmarks.kill_verdict import NEW, NONE, STILL, broken, differences, files, shown, visible

GC = ["--delete", "--older-than", "1d", "--now", "2100-01-01T00:00Z"]
KINDS = ("before replace", "after replace", "audit", "close", "rename", "fsync", "mkdir", "")
"""Points are drawn from these in turn, each by a word of its name; the last takes any."""
LATE, EARLIER = 0.98, 0.7
MIXED = "mixed"
HERE = Path(__file__).with_name("kill_soak")
Log = list[dict[str, Any]]


class Known:
    """What an undisturbed run of a scenario shows: its points, its seconds, and its lake."""

    def __init__(self, scenario: Scenario, out: Path) -> None:
        """Run it, unless an earlier soak has."""
        self.scenario, self.out = scenario, out / "known" / scenario.name
        path = self.out / "known.json"
        if not path.exists():
            self._run(path)
        found = json.loads(path.read_text(encoding="utf-8"))
        self.points, self.seconds, self.code = found["points"], found["seconds"], found["code"]
        self.before, self.after, self.no_op = found["before"], found["after"], found["no_op"]
        self.files = Counter(found["files"])

    def _run(self, path: Path) -> None:
        scenario, log = self.scenario, self.out / "undisturbed.log"
        self.out.mkdir(parents=True, exist_ok=True)
        lake = fresh_copy(scenario, self.out / "lake")
        met = self.out / "points.txt"
        met.unlink(missing_ok=True)
        before = shown(lake)
        ended = run_step(scenario.step, scenario.argv(lake), log, Points(lake, met))
        after = shown(lake)
        again = run_step(scenario.step, scenario.argv(lake), log)
        if wrong := broken(lake, before) + differences(shown(lake), after):
            sys.exit(f"{scenario.name}, undisturbed: {'; '.join(wrong)}")
        collect(scenario, lake, log)
        found = {
            "points": met.read_text(encoding="utf-8").splitlines(),
            "seconds": ended.seconds,
            "code": ended.code,
            "before": before,
            "after": after,
            "no_op": again.seconds,
            "files": files(lake),
        }
        path.write_text(json.dumps(found), encoding="utf-8")
        shutil.rmtree(self.out / "lake")


def fresh_copy(scenario: Scenario, folder: Path) -> Path:
    """Return the lake of a copy of the scenario's beginning."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(scenario.folder / "lake", folder)
    return folder


def collect(scenario: Scenario, lake: Path, log: Path) -> None:
    """Remove what a killed step left, and old versions."""
    profile = scenario.flags[scenario.flags.index("--profile") + 1]
    argv = ["--lake", str(lake), "--profile", profile, *GC]
    if run_step("gc", argv, log).code:
        sys.exit(f"gc failed after {scenario.name}; see {log}")


def drawn(known: Known, number: int, draw: random.Random) -> tuple[int | None, float]:
    """Return the n-th kill of a scenario: its point, or None and the share of its duration."""
    if number % 4 == 3:
        return None, draw.random() * LATE
    word = KINDS[(number - number // 4 + hash_of(known.scenario.name)) % len(KINDS)]
    fitting = [at for at, point in enumerate(known.points, start=1) if word in point]
    return draw.choice(fitting or range(1, len(known.points) + 1)), 0.0


def hash_of(name: str) -> int:
    """Return a number of a name, the same in every process."""
    return sum(name.encode())


def kill(known: Known, number: int, seed: int, out: Path) -> dict[str, Any]:
    """Kill a live step once, run it again, and return the line of the log."""
    scenario, draw = known.scenario, random.Random(f"{seed} {known.scenario.name} {number}")
    at, share = drawn(known, number, draw)
    log = out / "steps.log"
    while True:
        lake = fresh_copy(scenario, out / "lake")
        mark = out / "killed-at.txt"
        mark.unlink(missing_ok=True)
        points = None if at is None else Points(lake, mark, at)
        after = share * known.seconds if at is None else None
        ended = run_step(scenario.step, scenario.argv(lake), log, points, after)
        if ended.code == -9:
            break
        # It was over before: not a live step, so it does not count.
        at, share = (at and max(1, int(at * EARLIER))), share * EARLIER
    where = f"{share:.2f} of its time" if at is None else mark.read_text(encoding="utf-8")
    wrong = broken(lake, known.before)
    seen, neither = visible(shown(lake), known.before, known.after)
    again = run_step(scenario.step, scenario.argv(lake), log)
    if again.code != known.code:
        wrong.append(f"the rerun ended with {again.code} instead of {known.code}")
    wrong += neither + broken(lake, known.before)
    wrong += [f"after the rerun {one}" for one in differences(shown(lake), known.after)]
    collect(scenario, lake, log)
    found = files(lake)
    wrong += [f"file too many: {name}" for name in found - known.files]
    wrong += [f"file too few: {name}" for name in known.files - found]
    return {
        "scenario": scenario.name,
        "number": number,
        "at": where,
        "seconds": round(ended.seconds, 2),
        "visible": seen,
        "verdict": "; ".join(wrong) or "ok",
    }


def soak(scenarios: list[Known], kills: int, seed: int, out: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of so many kills, those of an earlier soak first."""
    path = out / "kills.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    done: Log = [json.loads(line) for line in text.splitlines()]
    yield from done[:kills]
    counts = Counter(line["scenario"] for line in done)
    # Spark's steps take ten times as long, so each is killed half as often.
    turn = [one for n in range(2) for one in scenarios if not (n and one.scenario.has_spark)]
    for place in range(len(done), kills):
        known = turn[place % len(turn)]
        line = kill(known, counts[known.scenario.name], seed, out)
        counts[known.scenario.name] += 1
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        yield line


def seen(versions: set[str]) -> str:
    """Return what readers saw of all that a step makes."""
    if NEW not in versions:
        return STILL if STILL in versions else NONE
    return NEW if versions == {NEW} else MIXED


def summary(lines: Log, scenarios: list[Known]) -> str:
    """Return a table of the kills by step, and of how long a rerun that changes nothing takes."""
    wrong = [line for line in lines if line["verdict"] != "ok"]
    rows = [("step", "kills", "named", NONE, STILL, NEW, MIXED, "wrong", "rerun s")]
    for known in sorted(scenarios, key=lambda one: one.scenario.name):
        mine = [line for line in lines if line["scenario"] == known.scenario.name]
        kinds = Counter(seen(set(line["visible"].values())) for line in mine)
        named = sum("of its time" not in line["at"] for line in mine)
        bad = sum(line["verdict"] != "ok" for line in mine)
        numbers = (len(mine), named, *(kinds[kind] for kind in (NONE, STILL, NEW, MIXED)), bad)
        rows.append((known.scenario.name, *map(str, numbers), f"{known.no_op:.1f}"))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    table = "\n".join(
        "  ".join(
            cell.ljust(width) if not n else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return (
        f"{len(lines)} kills of live steps, {len(wrong)} left anything wrong, lost, doubled or "
        f"half visible.\n\n{table}\n\nnone, old, new: the version that readers found after the "
        "kill; mixed: of a step's several tables some\nwere new already, each of them whole. rerun "
        "s: seconds of a run that finds its work done, its process\nforked from one that has the "
        "engines imported.\n"
    )


def warm(out: Path) -> None:
    """Import what steps import, so that each forked process need not."""
    for name in {"jobs.line", "jobs.gc", "jobs.gx_judge", "jobs.load_model", "jobs.ranker"}:
        import_module(name)
    out.mkdir(parents=True, exist_ok=True)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kill_soak",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.kill_soak --out /tmp/soak --kills 200",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of lakes and of the log")
    parser.add_argument("--kills", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the draws (default: %(default)s)")
    parser.add_argument(
        "--keep", action="store_true", help="put log and summary beside this command when it ends"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    out = args.out.resolve()
    warm(out)
    plan = out / "scenarios.json"
    if not plan.exists():
        for folder in ("begin", "work", "imports", "known"):
            shutil.rmtree(out / folder, ignore_errors=True)
        made = []
        for one in Maker(out).every():
            print(f"kill_soak: {one.name} is set up", flush=True)
            made.append([one.name, one.step, one.flags, str(one.folder)])
        plan.write_text(json.dumps(made), encoding="utf-8")
    scenarios = []
    for name, step, flags, folder in json.loads(plan.read_text(encoding="utf-8")):
        known = Known(Scenario(name, step, tuple(flags), Path(folder)), out)
        print(f"kill_soak: {name}: {len(known.points)} points, {known.seconds:.1f} s", flush=True)
        scenarios.append(known)
    lines, began = [], time.monotonic()
    for line in soak(scenarios, args.kills, args.seed, out):
        lines.append(line)
        print(f"{len(lines)}/{args.kills} {line['scenario']}: {line['at']}: {line['verdict']}")
        sys.stdout.flush()
    text = summary(lines, scenarios)
    print(f"{text}\n{len(lines)} kills, {time.monotonic() - began:.0f} s; log: {out}/kills.jsonl")
    if args.keep:
        HERE.mkdir(exist_ok=True)
        shutil.copy(out / "kills.jsonl", HERE / "kills.jsonl")
        (HERE / "summary.txt").write_text(text, encoding="utf-8")
    return int(any(line["verdict"] != "ok" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
