"""What the names of a profile's fields may be: each is a column of tables and a file of a model."""

import re
from collections import Counter
from functools import cache

from schemas.table import Fields
from schemas.tables import declare

NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
TABLES = ("request_logs", "candidate_sets", "reference_items")
"""Their columns stand beside the fields."""
FILES = ("dense_inputs",)
"""What a vocabulary keeps beside a file for each field."""


@cache
def taken_names() -> frozenset[str]:
    """Return what no field may be called."""
    tables = [declare(Fields(), 1)[name] for name in TABLES]
    return frozenset({*FILES}.union(*(table.names + table.partition for table in tables)))


def bad_names(fields: Fields) -> dict[str, str]:
    """Return by name what is wrong with it: it is none, or there already, whatever its case."""
    named = {"item": fields.item, "context": fields.context, "dense": fields.dense_columns}
    # Spark knows names whatever their case is.
    every = Counter(name.lower() for names in named.values() for name in names)
    every.update(taken_names())
    found = {}
    for kind, names in named.items():
        for name in names:
            if not NAME.fullmatch(name):
                why = "; a name is letters, digits and _, a letter first"
            elif every[name.lower()] > 1:
                why = ", which the logs have already, or another field; give it another name"
            else:
                continue
            found[name] = f"fields.{kind} has {name!r}{why}"
    return found
