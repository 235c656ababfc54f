"""Which cells are left, and running them side by side."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from jobs.errors import Refused
from jobs.study.cell import Cell, run_cell
from jobs.study.config import DataSet, StudyConfig
from jobs.study.prepare import prepare
from jobs.study.trainings import DCN, TRAININGS


def cells(config: StudyConfig, folder: Path) -> list[Cell]:
    """Return every cell of the study, a DCN before all that stand on it."""
    return [
        Cell(folder, data, seed, training)
        for data in config.data
        for seed in seeds_of(data, config)
        for training in trainings_of(data)
    ]


def seeds_of(data: DataSet, config: StudyConfig) -> tuple[int, ...]:
    """Return the seeds of a data set."""
    return config.seeds[: data.seeds or None]


def trainings_of(data: DataSet) -> list[str]:
    """Return the trainings of a data set, DCN first."""
    wanted = data.only or [
        name
        for name, training in TRAININGS.items()
        if name not in data.leave_out and (training.clicks != "unworn" or data.unworn)
    ]
    return [DCN, *(name for name in TRAININGS if name in wanted and name != DCN)]


def run_study(
    config: StudyConfig, folder: Path, processes: int, say: Callable[[str], None]
) -> None:
    """Prepare the days and run the cells that have no result yet."""
    everything = cells(config, folder)
    left = [cell for cell in everything if not cell.result.exists()]
    say(f"{len(everything) - len(left)} of {len(everything)} cells are done")
    bases = [cell.base for cell in left if not cell.base.weights.exists()]
    left = [cell for cell in everything if cell in left or cell in bases]
    worlds = dict.fromkeys((cell.data.name, cell.seed) for cell in left)
    by_name = {data.name: data for data in config.data}
    for number, (name, seed) in enumerate(worlds, start=1):
        say(f"days of {name} under seed {seed}, {number} of {len(worlds)}")
        prepare(by_name[name], seed, folder)
    try:
        _run(left, config, processes, say)
    except BrokenProcessPool as error:
        raise Refused(
            "a process that ran a cell was killed, as the system does where memory ends; run the "
            f"same again, which goes on with what is left, with fewer --processes than {processes} "
            "if there was too little"
        ) from error


def _run(left: list[Cell], config: StudyConfig, processes: int, say: Callable[[str], None]) -> None:
    started, done = time.monotonic(), 0
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        running: dict[Future, Cell] = {}
        while left or running:
            ready = [cell for cell in left if cell.training == DCN or _stands(cell.base)]
            for cell in ready[: processes - len(running)]:
                running[pool.submit(run_cell, cell, config)] = cell
                left.remove(cell)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                cell = running.pop(future)
                future.result()
                done += 1
                ahead = len(left) + len(running)
                minutes = (time.monotonic() - started) / done * ahead / 60
                where = f"{cell.data.name}, seed {cell.seed}, {cell.training}"
                cells_left = f"{ahead} cell{'' if ahead == 1 else 's'} left"
                say(f"{where}; {cells_left}, about {minutes:.0f} min")


def _stands(base: Cell) -> bool:
    return base.result.exists() and base.weights.exists()
