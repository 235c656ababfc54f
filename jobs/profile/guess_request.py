"""Find by their values what no name tells: which rows are one request, and whose it is."""

from collections import defaultdict

from jobs.profile.content import Content
from jobs.profile.names import (
    CATEGORY,
    CODE,
    EXPOSED,
    ITEM,
    LABEL,
    NO_REQUEST,
    SCORE,
    SHOWN_RANK,
    TIME,
    USER,
    is_called,
)

REPEATED = 0.8
"""Below this share of different values an id stands in several rows."""
LONGEST = 600
"""Seconds that the rows of a request may be apart."""
DAY = 86_400
STRAY = 0.01
"""Share of the requests in which something may be wrong."""
FEWEST = 3
"""Requests, or users, that must be there to tell."""
USERS = 0.05
"""Fewest users a request: what has fewer values is rather a device or a country."""
OTHERWISE = (*ITEM, *LABEL, *EXPOSED, *SCORE, *SHOWN_RANK, *CATEGORY, *TIME, NO_REQUEST)
"""Names that say that a column is something else."""
NO_EPOCH = (CODE, *USER, *OTHERWISE)
EARLIEST, LATEST = 1_104_537_600, 2_082_758_400
"""Seconds of 2005 and of 2036."""
LONGEST_SAMPLE = 400 * DAY


def request_by_values(
    columns: list[Content], time: Content | None, user: Content | None
) -> Content | None:
    """Return the column whose values stand in several rows, each of one time and one user."""
    if time is None or all(moment is None or moment % DAY == 0 for moment in time.seconds):
        # Days alone do not tell a request from a user.
        return None
    found = []
    ids = [column for column in columns if _could_be_id(column) and not is_called(column, USER)]
    for column in filter(is_in_several_rows, ids):
        most = STRAY * column.distinct
        strays = _with_several(column, user) if user else 0
        times = _spreads(column, time)
        several = sum(spread > 0 for spread in times)
        strays += sum(spread > LONGEST for spread in times)
        if column.distinct < FEWEST or strays > most:
            continue
        if several > most and not _is_part_of_visits(column, time, user, ids):
            continue
        found.append((several > most, strays, column.distinct, column))
    # What is finer than a request has one time and one user too.
    return min(found, key=lambda each: each[:3], default=(None,))[-1]


def user_by_values(columns: list[Content], request: Content) -> Content | None:
    """Return the column of which a request has one value and several requests have the same."""
    fewest = max(FEWEST, USERS * request.distinct)
    found = [
        column
        for column in columns
        if column is not request
        and _could_be_id(column)
        and fewest <= column.distinct < request.distinct
        and _with_several(request, column) <= STRAY * request.distinct
    ]
    return max(found, key=lambda column: column.distinct, default=None)


def is_epoch(column: Content) -> bool:
    """Whether numbers that no name calls a time could be times of one log."""
    if column.time is None or "unit" not in column.time[0] or is_called(column, NO_EPOCH):
        return False
    moments = [moment for moment in column.seconds if moment is not None]
    low, high = min(moments), max(moments)
    is_near = EARLIEST <= low and high < LATEST and high - low <= LONGEST_SAMPLE
    return is_near and len(set(moments)) >= FEWEST


def is_in_several_rows(column: Content) -> bool:
    """Whether it has the same value in several rows."""
    return bool(column.filled) and column.distinct < REPEATED * len(column.filled)


def _could_be_id(column: Content) -> bool:
    """Whether its values are one word or whole number each, in all rows but a few."""
    if column.lists or column.is_binary or len(column.filled) < (1 - STRAY) * len(column.values):
        return False
    if is_called(column, OTHERWISE) or is_epoch(column):
        return False
    if column.numbers:
        return all(number.is_integer() for number in column.numbers)
    is_word = not any(" " in str(value) for value in column.filled)
    return is_word and column.time is None


def _is_part_of_visits(
    column: Content, time: Content, user: Content | None, ids: list[Content]
) -> bool:
    """Whether the values are parts of what users did, rather than the users themselves."""
    user = user or user_by_values(ids, column)
    moments = [moment for moment in time.seconds if moment is not None]
    is_long = max(moments) - min(moments) > LONGEST
    return user is not None and is_long and user.distinct < column.distinct


def _spreads(column: Content, time: Content) -> list[float]:
    """Return the seconds between the first and the last row of each value."""
    moments = defaultdict(list)
    for value, moment in zip(column.values, time.seconds, strict=True):
        if value is not None and moment is not None:
            moments[value].append(moment)
    return [max(found) - min(found) for found in moments.values()]


def _with_several(column: Content, other: Content) -> int:
    """Return how many values of a column have several of another."""
    beside = defaultdict(set)
    for value, found in zip(column.values, other.values, strict=True):
        if value is not None and found is not None:
            beside[value].add(found)
    return sum(len(found) > 1 for found in beside.values())
