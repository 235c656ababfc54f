"""Raw logs of a shop, with every kind of broken row, worked by hand in test_import_logs."""

import gzip
from pathlib import Path

from importing import Import

SHOP = """
name = "shop"
k = [2]
[fields]
user_id = "string"
item_id = "string"
item = ["colour"]
context = ["page"]
category = "colour"
[source]
kind = "files"
most_candidates = 3
max_quarantined = 0.9
[source.logs]
files = ["log-*.csv", "log-*.csv.gz"]
[source.logs.columns]
request_id = "req"
user_id = "visitor"
page = "page"
ts = { column = "at", zone = "UTC" }
item_id = "sku"
score = "rank_score"
exposed = "shown"
label = "bought"
[[source.items]]
files = "items.tsv"
missing = "MISSING"
[source.items.columns]
item_id = "sku"
colour = "colour"
[teacher]
k = 2
[promotion]
k = 2
"""
HEADER = "req,visitor,page,at,sku,rank_score,shown,bought\n"
FIRST = """r1,ann,home,2026-01-31 10:00,a,0.9,1,1
r1,ann,home,2026-01-31 10:00,b,0.8,1,0
r1,ann,home,2026-01-31 10:00,"c ""x"", d",0.7,0,
r1,ann,home,2026-01-31 10:00,a,0.6,1,0
r2,bob,home,2026-01-31 11:00,a,nan,1,0
r2,bob,home,2026-01-31 11:00,b,0.5,1,0
r2,bob,home,2026-01-31 11:00,c,0.4,1,0
r3,ann,home,2026-01-31 12:00,a,0.5,0,
r3,eve,home,2026-01-31 12:00,b,0.4,0,
r4,ann,home,2026-01-31 13:00,a,0.5,1,1
r5,ann,home,2026-02-01 00:20,a,0.5,1,1
"""
SECOND = """r6,ann,list,2026-01-31 23:59:59,e,0.1,0,
r6,ann,list,2026-01-31 23:59:59,d,0.2,0,
r6,ann,list,2026-01-31 23:59:59,c,0.3,0,
r6,ann,list,2026-01-31 23:59:59,b,0.4,0,
r7,ann
"""
ITEMS = 'sku\tcolour\na\tred\nb\tblue\nc\t\nd\tred\ne\tred\na\tgreen\n"c ""x"", d"\tred\n'


def shop(folder: Path, missing: str = "unknown") -> Import:
    (folder / "shop.toml").write_text(SHOP.replace("MISSING", missing), encoding="utf-8")
    made = Import(folder, str(folder / "shop.toml"))
    (made.source / "log-1.csv").write_text(HEADER + FIRST, encoding="utf-8")
    (made.source / "log-2.csv.gz").write_bytes(gzip.compress((HEADER + SECOND).encode()))
    (made.source / "items.tsv").write_text(ITEMS, encoding="utf-8")
    return made
