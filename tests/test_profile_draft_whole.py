"""Drafts of messy files of strangers load, and pass --check, as they are."""

import gzip
import random
from datetime import UTC, datetime, timedelta

from drafting import drafted, is_good

START = datetime(2026, 1, 31, 6, tzinfo=UTC)


def test_german_candidates_with_items_and_another_encoding(folder, capsys):
    chance = random.Random(6)
    rows = ["sitzung;kunde;zeit;artikel;punkte;gezeigt;geklickt;gerät"]
    for visit in range(60):
        at = (START + timedelta(minutes=7 * visit)).strftime("%d.%m.%Y %H:%M:%S")
        for item in chance.sample(range(30), 5):
            score = round(chance.random() * 9, 2)
            clicked = int(chance.random() < 0.2)
            device = "Händy" if visit % 3 else "PC"
            rows.append(f"S{visit:03x};k{visit % 17};{at};A{item};{score};1;{clicked};{device}")
    rows[20] = "S003;k3;gestern;A3;1.5;1;0;PC"
    rows[30] = "abgerissen;7"
    items = ["artikel;kategorie;marke"]
    items += [
        f"A{n};{'Schuhe' if n % 2 else 'Hosen'};{['x', 'y', 'NULL'][n % 3]}" for n in range(30)
    ]
    (folder / "suche_20260131.csv").write_bytes("\n".join(rows).encode("latin-1"))
    (folder / "artikel.csv").write_text("\n".join(items))
    text, values = drafted("suche_20260131.csv", "artikel.csv")
    assert "TODO" not in text.replace("marked TODO", "")
    logs, joined = values["source"]["logs"], values["source"]["items"][0]
    assert logs == {
        "files": "suche_{date}.csv",
        "date_format": "%Y%m%d",
        "delimiter": ";",
        "encoding": "latin-1",
        "rows": "candidates",
        "columns": {
            "request_id": "sitzung",
            "user_id": "kunde",
            "ts": {"column": "zeit", "format": "%d.%m.%Y %H:%M:%S", "zone": "UTC"},
            "item_id": "artikel",
            "label": "geklickt",
            "exposed": "gezeigt",
            "score": "punkte",
        },
    }
    assert joined["nulls"] == ["NULL"]
    assert values["fields"]["item"] == ["kategorie", "marke"]
    assert is_good(), capsys.readouterr().err


def test_events_in_a_folder_a_day_packed_with_words_for_clicks(folder, capsys):
    chance = random.Random(7)
    for day in (29, 30, 31):
        for part in range(2):
            rows = ["visitorId\toccurred\tsku\teventType\tamount"]
            for n in range(80):
                at = START.replace(day=day) + timedelta(minutes=3 * n, seconds=part)
                word = chance.choice(["view", "view", "addToCart", "purchase"])
                amount = chance.choice(["\\N", "38,21", "7"])
                rows.append(f"v-{n % 9}\t{at:%Y-%m-%dT%H:%M:%SZ}\t{n % 13}\t{word}\t{amount}")
            path = folder / f"dt=2026-01-{day}" / f"part-{part:05d}.tsv.gz"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress("\n".join(rows).encode()))
    text, values = drafted("dt=2026-01-30/part-00001.tsv.gz")
    assert "TODO" not in text.replace("marked TODO", "")
    logs = values["source"]["logs"]
    assert (values["source"]["path"], logs["files"]) == ("raw", "dt=*/part-*.tsv.gz")
    assert (logs["rows"], logs["nulls"]) == ("events", ["\\N"])
    assert logs["columns"] == {
        "user_id": "visitorId",
        "ts": "occurred",
        "item_id": "sku",
        "label": {"column": "eventType", "equals": ["purchase"]},
    }
    assert '# amount = { column = "amount", decimal = "," }' in text
    assert values["fields"]["user_id"] == "string"
    assert values["fields"]["item_id"] == "int64"
    assert is_good(), capsys.readouterr().err


def test_numbers_with_decimal_commas_are_told_in_every_file(folder):
    log = ["user_id;item_id;request_id;time;clicked;score;price"]
    log += [
        f"{n % 5};{n % 7};{n // 4};{1767225600 + n // 4};{n % 2};{n},5;{n},99" for n in range(40)
    ]
    (folder / "log.csv").write_text("\n".join(log))
    items = "item_id;weight\n" + "".join(f"{n};{n},25\n" for n in range(60))
    (folder / "items.csv").write_text(items)
    text, values = drafted("log.csv", "items.csv")
    score = {"column": "score", "decimal": ","}
    assert values["source"]["logs"]["columns"]["score"] == score
    assert '# price = { column = "price", decimal = "," }' in text
    weight = values["source"]["items"][0]["columns"]["weight"]
    assert (weight["decimal"], len(weight["edges"])) == (",", 4)


def test_an_id_is_of_the_type_that_all_files_allow(folder):
    log = ["user_id,item_id,time,clicked"]
    log += [f"{n % 5},{n % 7},{1767225600 + n},{n % 2}" for n in range(40)]
    (folder / "log.csv").write_text("\n".join(log))
    (folder / "users.csv").write_text("user_id,plan\n" + "".join(f"{n},a\n" for n in range(9)))
    fields = drafted("log.csv", "users.csv")[1]["fields"]
    assert (fields["user_id"], fields["item_id"]) == ("int64", "int64")
    (folder / "users.csv").write_text("user_id,plan\n" + "".join(f"{n},a\n" for n in "01234x"))
    assert drafted("log.csv", "users.csv")[1]["fields"]["user_id"] == "string"
    log[33] = "guest,3,1767225699,0"
    (folder / "log.csv").write_text("\n".join(log))
    assert drafted("log.csv")[1]["fields"]["user_id"] == "string"
