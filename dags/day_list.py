"""What a step hands to those that are mapped over its days: its command's last line."""

import json


def day_list(output: str) -> list[str]:
    """Return a list of days; ValueError for anything else."""
    return _list_of(str, output)


def environments(output: str) -> list[dict[str, str]]:
    """Return a list of environments, one for each day; ValueError for anything else."""
    return _list_of(dict, output)


def _list_of(kind: type, output: str) -> list:
    found = json.loads(output)
    if not isinstance(found, list) or not all(isinstance(one, kind) for one in found):
        raise ValueError(f"the command's last line is no list of days: {output!r}")
    return found
