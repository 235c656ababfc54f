"""Expected columns against those that are there, in words."""

from collections.abc import Mapping

from jobs.profile.problems import nearest

NOTHING = "nothing"


def column_diff(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Return each column that differs: what was expected and what is there, by their types.

    A column that is gone, and a new one of its type and of almost its name, may be one renamed.
    """
    gone = [name for name in expected if name not in found]
    new = [name for name in found if name not in expected]
    parts = [
        f"{name!r}: expected {kind}, found {found.get(name, NOTHING)}"
        + (_renamed(name, [n for n in new if found[n] == kind]) if name in gone else "")
        for name, kind in expected.items()
        if found.get(name) != kind
    ]
    return "; ".join([*parts, *(f"{n!r}: expected {NOTHING}, found {found[n]}" for n in new)])


def _renamed(name: str, new: list[str]) -> str:
    near = nearest(name, new)
    return f" (is it {near!r} now?)" if near else ""
