"""Draft a profile from samples of raw files: valid TOML, with a reason for every guess."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from jobs.profile.content import Content
from jobs.profile.draft_files import file_entries
from jobs.profile.entry import Entry, comment
from jobs.profile.file_pattern import file_pattern, start_of
from jobs.profile.guess_joined import JoinedGuess, guess_joined
from jobs.profile.guess_lists import ListGuess, item_list
from jobs.profile.guess_logs import LogGuess
from jobs.profile.guess_rows import POOL, RowGuess
from jobs.profile.sample import Sample

K = 10
"""Length of the longest list that is judged."""
ROUND = 32
"""max_candidates is rounded up to a multiple of this."""
BY_ROWS = {
    "candidates": (),
    "requests": (),
    "events": (
        Entry(
            "session_minutes",
            30,
            "a request is what a user did without a pause of that long; "
            "where users come once only, user_days and first_day instead",
        ),
        Entry(
            "candidates",
            "window",
            "events say nothing of what was passed over: candidates are "
            'what others met before; "sample" adds some of these to what was met',
        ),
        Entry("window_minutes", 1440, "what others met in that long before"),
        Entry("pool_size", POOL, "the most popular that many of it"),
    ),
}
"""What [source] has to say beside its files."""


def draft(samples: list[Sample], name: str = "") -> str:
    """Return the profile of a log, the first sample, and of files about its items and users."""
    first, *others = samples
    log = guess_log(first)
    joined, used = [], {log.category}
    for sample in others:
        joined.append(guess_joined(sample, log, used))
        used.update(joined[-1].fields)
    folder, paths = _folder(samples), [sample.path for sample in samples]
    name = name or re.sub(r"\W+", "_", first.path.name.partition(".")[0])
    return "\n".join(
        [
            *_head(samples, name),
            *_fields(log, joined),
            *_source(folder, log, paths[1:]),
            *_joined(folder, joined, paths),
            *_settings(log, has_categories=bool(_by_category(log, joined).category)),
            "",
        ]
    )


def guess_log(sample: Sample) -> LogGuess:
    """Return what is guessed of the log."""
    columns = [Content(name, values) for name, values in sample.columns.items()]
    items = item_list(columns, sample.header)
    return RowGuess(sample) if items is None else ListGuess(sample, items.name)


def _lines(*entries: Entry) -> Iterator[str]:
    for entry in entries:
        yield from entry.lines()


def _folder(samples: list[Sample]) -> Path:
    """Return the folder that all files are below."""
    parents = [start_of(sample.path) for sample in samples]
    if len({parent.is_absolute() for parent in parents}) > 1:
        parents = [parent.absolute() for parent in parents]
    return Path(os.path.commonpath(parents))


def _head(samples: list[Sample], name: str) -> Iterator[str]:
    read = " and ".join(f"{s.path.name} ({s.rows:,} rows read)" for s in samples)
    yield from comment(
        f"Drafted from {read}. Above each line stands why it is so; what is marked TODO "
        "could not be told and is yours to write. Then: python -m jobs.profile --check <this file>"
    )
    yield from _lines(
        Entry("name", name),
        Entry("description", f"drafted from {samples[0].path.name}"),
        Entry("k", [K // 2, K], "lengths of the lists that are judged"),
        Entry("day_start", "00:00", "when a day begins, by the clock of day_zone"),
        Entry("day_zone", "UTC", "or Europe/Oslo, if your days turn at its midnight"),
    )


def _fields(log: LogGuess, joined: list[JoinedGuess]) -> Iterator[str]:
    """Yield [fields]: the types of the ids, and which columns the model is told."""
    yield from ("", "[fields]")
    for key, (kind, why) in log.kinds.items():
        yield from Entry(key, kind, why).lines()
    item = [name for guess in joined if guess.key == "item_id" for name in guess.fields]
    context = [name for guess in joined if guess.key == "user_id" for name in guess.fields]
    if log.category:
        item.append(log.category)
    by = _by_category(log, joined)
    yield from _lines(
        Entry("item", item, "what is known of an item"),
        Entry("context", context, "what is known of a request when it is made, users included"),
        Entry("dense", ["score"], "numbers that the model is told as numbers"),
    )
    if not by.category:
        why = "no column looks like one; ILAD is then measured by reference vectors alone"
        yield from Entry("category", why=why, is_used=False).lines()
        return
    yield from Entry("category", by.category, "the field of item by which items are alike").lines()
    if by.separator:
        why = "some items have several, with this between them"
        yield from Entry("category_separator", by.separator, why).lines()


def _by_category(log: LogGuess, joined: list[JoinedGuess]) -> LogGuess | JoinedGuess:
    """Return whose category says which items are alike; where nothing does, it is empty."""
    return next((guess for guess in joined if guess.category), log)


def _source(folder: Path, log: LogGuess, others: list[Path]) -> Iterator[str]:
    yield from ("", "[source]")
    yield from _lines(
        Entry("kind", "files"),
        Entry("path", str(folder), "from the folder on that the command is called in"),
        *BY_ROWS[log.rows],
    )
    yield from ("", "[source.logs]")
    pattern = file_pattern(folder, log.sample.path, others, by_day=log.rows != "events")
    yield from _lines(*file_entries(pattern, log.sample))
    yield from Entry("rows", log.rows, log.why).lines()
    yield from ("", "[source.logs.columns]")
    yield from _lines(*(entry for entry in log.entries if entry.is_used or entry.value is None))
    if unused := [e for e in log.entries if not e.is_used and e.value is not None]:
        yield from comment(
            "Not used. To use one, uncomment it and name it in [fields]: in context if it was "
            "known when the request was made, in item if it is a fact of the item, in dense if it "
            "is a number."
        )
        yield from _lines(*unused)


def _joined(folder: Path, joined: list[JoinedGuess], every: list[Path]) -> Iterator[str]:
    for guess in joined:
        yield ""
        file = guess.sample.path.name
        if not guess.key:
            choices = "put it below [[source.items]] or [[source.users]], or leave it out"
            why = f"no column has ids of the log's items or users; {choices}"
            yield from Entry(file, why=why).lines()
        elif not guess.fields:
            why = f"it has {guess.key}, but no column that is fit for a field, and is left out"
            yield from Entry(file, why=why, is_used=False).lines()
        else:
            section = "items" if guess.key == "item_id" else "users"
            yield f"[[source.{section}]]"
            path = guess.sample.path
            others = [other for other in every if other != path]
            pattern = file_pattern(folder, path, others, by_day=True)
            yield from _lines(*file_entries(pattern, guess.sample))
            yield from ("", f"[source.{section}.columns]")
            yield from _lines(*guess.entries)


def _settings(log: LogGuess, *, has_categories: bool) -> Iterator[str]:
    """Yield what is no fact of the files: a beginning that is to be tried out."""
    yield from ("", "[teacher]")
    yield from _lines(
        Entry("name", "mmr"),
        Entry("k", K, "how many items the teacher picks"),
        Entry("diversity_weight", 0.25, "weight of diversity against f; to be tried out"),
    )
    most = -(-log.most_candidates // ROUND) * ROUND
    yield from ("", "[training]")
    why = f"the longest request of the sample has {log.most_candidates:,}; longer ones are cut"
    if log.rows == "events":
        why = "source.pool_size, rounded up"
    yield from Entry("max_candidates", max(most, ROUND), why).lines()
    if has_categories:
        yield from ("", "[ranking]")
        why = 'category decay gave more than any student that was tried; the paper\'s is "student"'
        yield from _lines(
            Entry("ranker", "category_decay", why),
            Entry("decay", 0.9, "for each better item of a category; to be tried out"),
        )
    yield from ("", "[promotion]")
    yield from Entry("k", K, "list length at which a new model is judged").lines()
