"""A profile of raw files without a fault, to be changed, and the lines of it."""

HEAD = """\
name = "mine"

[fields]
item = ["brand"]
context = ["tab"]
dense = ["score", "price"]

[source]
kind = "files"
path = "raw"
"""
LOGS = """
[source.logs]
files = "logs-{date}.csv"

[source.logs.columns]
request_id = "request"
user_id = "user"
ts = { column = "time", unit = "s" }
item_id = "item"
label = "click"
score = "score"
price = "price"
"""
JOINED = """
[[source.items]]
files = ["items.csv", "more.csv"]
[source.items.columns]
item_id = "item"
brand = "brand"

[[source.users]]
files = "users.csv"
[source.users.columns]
user_id = "user"
tab = "tab"
"""
GOOD = HEAD + LOGS + JOINED


def line_of(start: str, nth: int = 0) -> int:
    """The line of the good profile that begins so."""
    at = [n for n, line in enumerate(GOOD.split("\n"), 1) if line.startswith(start)]
    return at[nth]
