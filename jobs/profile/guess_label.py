"""Find which word of a column of events, such as view, click or purchase, counts as a click."""

import re
from collections import Counter

from jobs.profile.content import Content
from jobs.profile.names import WORTH

MOST_WORDS = 50
"""Different words of a column that says what an event was."""
MOST_NAMED = 8


def equal_values(column: Content) -> tuple[str, str]:
    """Return the word that counts as a click, and why; two empty texts where none is one."""
    words = Counter(str(value) for value in column.filled)
    if column.lists or len(words) > MOST_WORDS:
        return "", ""
    for pattern in WORTH:
        found = [word for word in words if re.fullmatch(pattern, word.strip().lower())]
        if not found:
            continue
        best = max(found, key=lambda word: words[word])
        others = [f"{word!r} ({count:,})" for word, count in words.most_common() if word != best]
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        listed = f"; not {', '.join(others[:MOST_NAMED])}{more}" if others else ""
        return best, f"{best!r} ({words[best]:,} rows) counts as a click: a guess{listed}"
    return "", ""
