"""Begin where another model ended: its weights, and each token's row wherever it stands now."""

from collections.abc import Sequence

import numpy as np
import torch

from model.cdm import CDM
from model.vocabulary import PADDING, UNKNOWN, Vocabulary


class OtherWeights(ValueError):
    """A base model whose weights do not fit; the message names one, and what it is in either."""


@torch.no_grad()
def warm_start(
    model: CDM, vocabulary: Vocabulary, base: CDM, known: Vocabulary, fields: Sequence[str]
) -> None:
    """Give the model the weights of `base`, whose tokens are `known`.

    `fields` are the token inputs, those of users first. The row of a token that the base does not
    know becomes the base's row of the unknown. A base DCN has no student to give: the model's own
    starts as it is. Raises OtherWeights where fields or widths differ.
    """
    ours, theirs = model.state_dict(), base.state_dict()
    embeddings = model.embeddings
    tables = [f"embeddings.user.{i}.weight" for i in range(len(embeddings.user))]
    tables += [f"embeddings.item.{i}.weight" for i in range(len(embeddings.item))]
    for table, field in zip(tables, fields, strict=True):
        rows = [[PADDING, UNKNOWN], known.encode(field, vocabulary.tokens[field])]
        theirs[table] = theirs[table][torch.from_numpy(np.concatenate(rows))]
    if not base.has_student:
        theirs = {name: theirs.get(name, value) for name, value in ours.items()}
    for name in sorted(ours.keys() | theirs.keys()):
        found = [list(w[name].shape) if name in w else "absent" for w in (theirs, ours)]
        if found[0] != found[1]:
            raise OtherWeights(f"{name} is {found[0]} there and {found[1]} here")
    model.load_state_dict(theirs)
