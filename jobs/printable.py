"""Text of the data as a terminal may be given it: what would move the cursor stands escaped."""

import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of control and format characters, lone surrogates and line separators."""


def printable(text: str, keep: str = "") -> str:
    r"""Return the text in one line, such as 'a\x1b[2Jb'; of what is hidden only `keep` stays.

    Ids and file names are other people's text. An escape sequence in one could clear the screen,
    a line break forge a message, and a mark of direction turn what follows around.
    """
    return "".join(
        c if c in keep or unicodedata.category(c) not in HIDDEN else repr(c)[1:-1] for c in text
    )
