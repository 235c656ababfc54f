"""What the teachers and the policy of a profile contradict: each other, themselves, the fields."""

import re
from collections.abc import Iterator

from model.config import READS_CATEGORIES, PolicyConfig, TeacherConfig
from schemas.table import Fields

INT64 = 2**63
NO_CATEGORY = "needs categories; name one of fields.item as fields.category"


def labelling_problems(
    fields: Fields, policy: PolicyConfig, teachers: tuple[TeacherConfig, ...]
) -> Iterator[str]:
    """Yield all of it; the first teacher is `teacher`, the others are `further_teachers`."""
    yield from _teacher_problems(fields, teachers)
    yield from _item_problems(fields, policy)
    longest = max(teacher.k for teacher in teachers)
    for item, place in policy.pinned.items():
        if place > longest:
            yield f"policy.pinned.{item} = {place} is not allowed; it must be up to K = {longest}"
    yield from _category_problems(fields, policy)
    for number, teacher in enumerate(teachers):
        yield from _room_problems(fields, policy, f"{_path(number)}.k", teacher.k)


def _path(number: int) -> str:
    return f"further_teachers[{number - 1}]" if number else "teacher"


def _teacher_problems(fields: Fields, teachers: tuple[TeacherConfig, ...]) -> Iterator[str]:
    for number, teacher in enumerate(teachers):
        first = teachers.index(teacher)
        if first < number:
            yield f"{_path(number)} is the same as {_path(first)}; take it out, or change it"
        if teacher.name in READS_CATEGORIES and not fields.category:
            yield f"{_path(number)}.name = {teacher.name!r} {NO_CATEGORY}, or name another teacher"


def _item_problems(fields: Fields, policy: PolicyConfig) -> Iterator[str]:
    """Yield pinned and blocked items that are no ids, or that want two things at once."""
    kind = fields.item_id
    for item in policy.pinned:
        # Keys are text in TOML, so "007" would be one more way to write 7.
        if kind == "int64" and not _is_int64(item):
            yield f"policy.pinned.{item} is no integer, and fields.item_id = {kind!r} are integers"
    for place, item in enumerate(policy.blocked):
        if kind == "int64" and not (type(item) is int and _is_int64(str(item))):
            wanted = "an integer without quotes"
        elif kind == "string" and type(item) is not str:
            wanted = "text in quotes"
        else:
            wanted = ""
        if wanted:
            yield (
                f"policy.blocked[{place}] = {item!r} is not allowed; "
                f"it must be {wanted}, as fields.item_id = {kind!r}"
            )
        if str(item) in policy.pinned:
            pin = f"policy.pinned to place {policy.pinned[str(item)]}"
            yield f"policy.blocked[{place}] = {item!r} is {pin} too; keep one of the two"
    holders: dict[int, str] = {}
    for item, place in policy.pinned.items():
        if place in holders:
            taken = f"policy.pinned.{item} = {place} is the place of {holders[place]} already"
            yield f"{taken}; give it another"
        holders.setdefault(place, item)


def _is_int64(text: str) -> bool:
    return bool(re.fullmatch(r"0|-?[1-9]\d*", text)) and -INT64 <= int(text) < INT64


def _category_problems(fields: Fields, policy: PolicyConfig) -> Iterator[str]:
    """Yield rules about categories that there are not."""
    for name in ("max_per_category", "quotas"):
        if (value := getattr(policy, name)) and not fields.category:
            yield f"policy.{name} = {value!r} {NO_CATEGORY}, or take it out"
    mark = fields.category_separator
    for name in policy.quotas:
        if not name:
            yield "policy.quotas has '', which is no category but none; take it out"
        elif mark and mark in name:
            parts = " and ".join(map(repr, filter(None, name.split(mark))))
            several = f"is several categories, by fields.category_separator = {mark!r}"
            yield f"policy.quotas.{name} {several}; give {parts} a quota each"


def _room_problems(fields: Fields, policy: PolicyConfig, key: str, k: int) -> Iterator[str]:
    """Yield quotas that a list of k places has no room for."""
    whole, rest = divmod(k, policy.window or k)
    most = policy.max_per_category * whole + min(policy.max_per_category, rest)
    for name, quota in policy.quotas.items():
        if quota > k:
            yield f"policy.quotas.{name} = {quota} is more than {key} = {k}; lower it"
        elif policy.max_per_category and quota > most:
            room = f"the {most} that policy.max_per_category leaves of {key} = {k}"
            yield f"policy.quotas.{name} = {quota} is more than {room}; change one of the two"
    total = sum(policy.quotas.values())
    if total > k >= max(policy.quotas.values()) and not fields.category_separator:
        why = "and no item has two categories (fields.category_separator is not set)"
        yield f"policy.quotas ask for {total} picks, {key} = {k} are made, {why}; lower them"
