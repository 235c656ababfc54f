"""Item vectors e as a model gives them, from the items' fields."""

import numpy as np
import pyarrow as pa
import torch

from jobs.features import lists
from model.cdm import CDM
from model.vocabulary import Vocabulary
from schemas.table import Fields


def vectors_of(items: pa.Table, fields: Fields, model: CDM, vocabulary: Vocabulary) -> pa.Table:
    """Return item_id and e of items given by their fields."""
    tokens = np.stack(
        [vocabulary.encode(n, items[n].combine_chunks()) for n in fields.item_tokens], axis=1
    )
    e = model.item_vectors(torch.as_tensor(tokens, dtype=torch.int64)).numpy()
    vectors = lists(pa.array(e.ravel()), np.full(len(e), e.shape[1]))
    return pa.table({"item_id": items["item_id"].combine_chunks(), "e": vectors})
