"""What a drafted profile says of files: where they are, and how text is laid out in them."""

from collections.abc import Iterator
from pathlib import Path

from jobs.profile.entry import Entry
from jobs.profile.file_pattern import FilePattern
from jobs.profile.sample import Sample
from jobs.sources.raw_batch import OPEN


def file_entries(pattern: FilePattern, sample: Sample) -> Iterator[Entry]:
    """Yield where the files of a sample are and how they are laid out."""
    yield Entry("files", pattern.files, pattern.why)
    if pattern.date_format not in ("", "%Y-%m-%d"):
        yield Entry("date_format", pattern.date_format, "how {date} is written")
    if sample.delimiter:
        yield from _text_entries(sample)


def _text_entries(sample: Sample) -> Iterator[Entry]:
    if _ending(sample.path) != sample.format:
        yield Entry("format", sample.format)
    if sample.delimiter not in (",", "\t"):
        yield Entry("delimiter", sample.delimiter)
    if not sample.quote:
        yield Entry("quote", "", "quotes are text here: read as quotes they tear rows")
    if sample.encoding != "utf-8":
        why = "its bytes are no UTF-8; if some letters look wrong, try another, such as cp1252"
        yield Entry("encoding", sample.encoding, why if sample.encoding == "latin-1" else "")
    if not sample.header:
        yield Entry("header", False, "the first line looks like the ones below it")
        yield Entry("names", list(sample.columns), "yours to choose; change them below too")
    if sample.nulls:
        yield Entry("nulls", list(sample.nulls), "words that stand for a missing value here")


def _ending(path: Path) -> str:
    """Return what a file's name says of its format, packed or not."""
    name = path.name.lower()
    for packed in OPEN:
        name = name.removesuffix(packed)
    return Path(name).suffix.removeprefix(".")
