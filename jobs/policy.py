"""The policy of a profile as the rules of a batch, and as a sentence."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.config import PolicyConfig
from model.teachers.rules import Rules


def rules_of(policy: PolicyConfig, items: pa.Array, names: list[str]) -> Rules | None:
    """Return the rules for candidates by their item ids and the names of the categories' codes.

    Raises ValueError for a quota of a category that has no code.
    """
    if not policy.has_rules:
        return None
    blocked = pinned = None
    if policy.blocked:
        ids = pa.array(list(policy.blocked), items.type)
        blocked = pc.is_in(items, value_set=ids).to_numpy(zero_copy_only=False)
    if policy.pinned:
        # In TOML keys are text; an integer that is none was refused when the profile was loaded.
        ids = pa.array(list(policy.pinned)).cast(items.type)
        found = pc.fill_null(pc.index_in(items, value_set=ids), len(ids))
        pinned = np.array([*policy.pinned.values(), 0], np.int64)[found.to_numpy()]
    return Rules(
        max_per_category=policy.max_per_category,
        window=policy.window,
        quotas={names.index(name): quota for name, quota in policy.quotas.items()},
        pinned=pinned,
        blocked=blocked,
        relax=policy.relax,
    )


def policy_told(policy: PolicyConfig) -> str:
    """Return what is asked of every list as half a sentence; empty where nothing is."""
    parts = []
    if policy.max_per_category:
        where = f"any {policy.window} in a row" if policy.window else "a list"
        parts.append(f"at most {policy.max_per_category} of a category in {where}")
    parts += [f"at least {quota} of {name}" for name, quota in policy.quotas.items()]
    parts += [f"item {item} at place {place}" for item, place in policy.pinned.items()]
    if policy.blocked:
        parts.append(f"never {_few(policy.blocked)}")
    if parts:
        order = ", then ".join(policy.relax)
        parts.append(f"giving way in the order {order}" if order else "nothing gives way")
    return "; ".join(parts)


def _few(items: tuple[int | str, ...], most: int = 5) -> str:
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return f"{', '.join(map(str, items[:most]))}{more}"
