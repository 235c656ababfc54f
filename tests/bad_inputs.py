"""Kinds of bad input to the steps: what is wrong and what is said, for the test of every step."""

import shutil
from collections.abc import Callable

import pyarrow as pa
from conftest import DAYS, World
from planted_lake import plant as publish_unaudited

from jobs.manifest import FILE_NAME

DAY = DAYS[2]
EARLIER = DAYS[1]


class Bad:
    """One kind of bad input: a step, parts of what it says, its flags, and what is planted before.

    LAKE, MODEL and PROFILE stand for what each is called. `toml` is a text of toy.toml and what is
    written in its place.
    """

    def __init__(
        self,
        kind: str,
        step: str,
        *says: str,
        flags: str = "",
        day: str = str(DAY),
        toml: tuple[str, str] = ("", ""),
        plant: Callable[[World], object] = lambda world: None,
    ) -> None:
        self.kind, self.step, self.says = kind, step, says
        self.flags, self.day, self.toml, self.plant = flags, day, toml, plant

    def __str__(self) -> str:
        return f"{self.step}: {self.kind}"


# --- what is planted


def without(table: str, day=DAY) -> Callable[[World], None]:
    return lambda world: shutil.rmtree(world.root / table / f"dt={day}")


def damaged(table: str) -> Callable[[World], object]:
    """Change one byte of a live file, as a bad disk does."""

    def plant(world: World) -> None:
        path = world.partition(table, DAY).files()[0]
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    return plant


def torn_manifest(table: str) -> Callable[[World], object]:
    def plant(world: World) -> None:
        path = world.partition(table, DAY).path / FILE_NAME
        path.write_text(path.read_text()[:40])

    return plant


def changed(table: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[World], object]:
    """Publish the day's rows again, changed."""

    def plant(world: World) -> None:
        partition = world.partition(table, DAY)
        world.publish(partition, change(partition.read()))

    return plant


def with_column(name: str, values: Callable[[pa.Table], list]) -> Callable[[pa.Table], pa.Table]:
    def change(rows: pa.Table) -> pa.Table:
        at = rows.schema.get_field_index(name)
        return rows.set_column(at, rows.schema.field(at), pa.array(values(rows), rows[name].type))

    return change


def of_two_users(rows: pa.Table) -> list:
    first = rows["request_id"][0].as_py()
    users = rows["user_id"].to_pylist()
    users[rows["request_id"].to_pylist().index(first)] += 1
    return users


def other_weights(world: World) -> None:
    """Put the newest model's weights aside for those of the first day's base DCN."""
    newest = world.registry.folder(world.trained(EARLIER))
    base = world.registry.trained(DAYS[0], bootstrap=True).parameters["version"]
    shutil.copy(world.registry.folder(base) / "weights.safetensors", newest)


def broken_rule(world: World) -> None:
    """Ranks below 1, as another writer than ours leaves them."""
    partition = world.partition("rankings", DAY)
    publish_unaudited(
        partition, with_column("rank", lambda rows: [-1] * len(rows))(partition.read())
    )


def torn_curve(world: World) -> None:
    (world.registry.folder(world.trained(DAY)) / "history.json").write_text("[")


# --- the table

CASES = [
    Bad("no day", "ingest", "date '../../x' is no day of the calendar; write it as 2026-01-31",
        day="../../x"),
    Bad("a shell's text as the day", "train", "date '$(touch x)' is no day of the calendar",
        day="$(touch x)"),
    Bad("a lake that is an address", "evaluate",
        "lake 's3://bucket/x' is an address and no folder; mount what is there",
        flags="--lake s3://key:hunter2@bucket/x"),
    Bad("a lake that Spark reads as a pattern", "ingest",
        "lake 'a*' is no folder that every engine can read; name one without any of",
        flags="--lake a*"),
    Bad("a profile that is not shipped", "score",
        "profile '../toy' is not shipped (candictr, ebnerd, ", "give the path of a .toml file",
        flags="--profile ../toy"),
    Bad("TOML that is none", "evaluate", "profile PROFILE: Invalid value (at line 3, column 8)",
        toml=('name = "toy"', "name = ")),
    Bad("an unknown key", "ingest",
        "profile PROFILE, line 28: unknown key world.waer; did you mean world.wear?",
        toml=("wear =", "waer =")),
    Bad("a value of another type", "ingest", "line 21: world.users = 'x' must be of type int",
        toml=("users = 40", 'users = "x"')),
    Bad("a learning rate that is none", "train",
        "line 51: training.learning_rate = inf must be a finite number",
        toml=("epochs = 3", "learning_rate = inf")),
    Bad("a learning rate beyond float32", "train",
        "line 51: training.learning_rate = 1e+38 is not allowed; it must be above 0, at most 1e+30",
        toml=("epochs = 3", "learning_rate = 1e38")),
    Bad("a field that is a path", "ingest",
        "line 10: fields.item has '../../x'; a name is letters, digits and _, a letter first",
        toml=('"brand"]', '"../../x"]')),
    Bad("a field that is a column", "ingest",
        "line 10: fields.item has 'label', which the logs have already", "give it another name",
        toml=('"brand"]', '"label"]')),
    Bad("no requests", "simulate_logs", "world.requests = 0 is not allowed; it must be at least 1",
        flags="--requests 0"),
    Bad("a number that is none", "simulate_logs",
        "argument --requests: invalid int value: 'many'; see python -m jobs.simulate_logs --help",
        flags="--requests many"),
    Bad("a day before the world", "simulate_logs",
        "2019-12-31 is before the world's first day, 2026-01-01; give a later --date",
        day="2019-12-31"),
    Bad("ids that a world does not make", "simulate_logs",
        "fields.item_id = 'string', where it makes 'int64'. Change them, or name a real source",
        toml=('item_id = "int64"', 'item_id = "string"')),
    Bad("a profile without files", "import_logs",
        "source.kind = 'simulated'; run python -m jobs.simulate_logs, or describe your files"),
    Bad("no logs", "build_candidates",
        "request_logs/dt=2026-01-03 is not in LAKE; make it first: python -m jobs.ingest",
        plant=without("request_logs")),
    Bad("a damaged file", "build_candidates",
        "/part-0.parquet is damaged: its checksum is not the one that simulate_logs published",
        "; make it again with python -m jobs.simulate_logs ... --force",
        flags="--force", plant=damaged("request_logs")),
    Bad("a damaged pointer", "build_candidates",
        "LAKE/request_logs/dt=2026-01-03/_manifest.json is damaged (",
        "; rerun the step that makes it with --force", plant=torn_manifest("request_logs")),
    Bad("a request of two users", "build_candidates",
        "request_logs/dt=2026-01-03: request_id '20260103-0000000' has rows of different users",
        "Mend the source and ingest it again",
        plant=changed("request_logs", with_column("user_id", of_two_users))),
    Bad("columns of another profile", "build_candidates",
        "'tab': expected string, found nothing; 'query': expected nothing, found string; make it",
        flags="--force", toml=('context = ["query"]', 'context = ["tab"]')),
    Bad("an unknown table", "validate",
        "argument --table: invalid choice: 'items' (choose from 'request_logs', ",
        flags="--table items"),
    Bad("a table that breaks its rules", "validate",
        "rankings/dt=2026-01-03: ", " expectations do not hold. ",
        " not so: request_id '20260103-0000000'", "Let no step read this table",
        flags="--table rankings", plant=broken_rule),
    Bad("no candidate sets", "score",
        "candidate_sets/dt=2026-01-03 is not in LAKE; make it first: python -m jobs.build_can",
        plant=without("candidate_sets")),
    Bad("weights of another model", "score",
        "/models/MODEL is damaged: its files are not those of its version; train that day again",
        flags="--force", plant=other_weights),
    Bad("a master without its engine", "score",
        "--master local[2] says where Spark runs, and --engine torch uses none; add --engine spark",
        flags="--master local[2]"),
    Bad("no rankings", "evaluate",
        "rankings/dt=2026-01-03 is not in LAKE; make it first: python -m jobs.score",
        plant=without("rankings")),
    Bad("no metrics", "promote",
        "metrics/dt=2026-01-03 is not in LAKE; make it first: python -m jobs.evaluate",
        plant=without("metrics")),
    Bad("an unknown model", "promote",
        "model version '0123456789ab' is not in LAKE/models; there are ",
        flags="--decision promote --model 0123456789ab --who ann --why trust"),
    Bad("a model that is a path", "promote",
        "model version '../../x' is not in LAKE/models; there are ",
        flags="--decision promote --model ../../x --who ann --why trust"),
    Bad("nobody's decision", "promote",
        "--who ' ' must be printable text of 1 to 80 characters: who decides by hand, and why",
        flags="--decision hold --who ' ' --why trust"),
    Bad("no promoted model", "label_candidates",
        "no model is promoted on 2026-01-03; decide it first: python -m jobs.promote --lake LAKE",
        plant=without("promotions")),
    Bad("a policy that requests cannot keep", "label_candidates",
        "of 80 requests cannot keep the rules of the policy",
        "Weaken the rule, let it give way (policy.relax), or allow more",
        toml=("[promotion]", "[policy]\nquotas = { category1 = 5 }\n[promotion]")),
    Bad("no labels", "build_examples", "teacher_labels/dt=2026-01-03/teacher_id=mmr-",
        "is not in LAKE; make it first: python -m jobs.label_candidates",
        plant=without("teacher_labels")),
    Bad("labels of fewer requests", "build_examples",
        " has 79 requests and unlabelled/dt=2026-01-03/",
        "candidate_sets/dt=2026-01-03 has 80; label the day again",
        plant=changed("teacher_labels", lambda rows: rows.slice(1))),
    Bad("no examples", "train", "examples/dt=2026-01-03/teacher_id=mmr-",
        "is not in LAKE; make it first: python -m jobs.build_examples", plant=without("examples")),
    Bad("no process", "train", "--processes 0 is not from 1 to 16, which is training.batch_size",
        "Give fewer or raise that", flags="--processes 0"),
    Bad("a day before all", "report",
        "LAKE holds no day up to 2025-01-01; make one first: python -m jobs.ingest",
        day="2025-01-01"),
    Bad("a damaged learning curve", "report", "/history.json cannot be read (Expecting value: ",
        "train that day again: python -m jobs.train", plant=torn_curve),
    Bad("an unknown request", "explain",
        "request '20260103-9999999' is not among the 80 of teacher_labels/dt=2026-01-03/",
        "nearest are 20260103-0000077, 20260103-0000078, 20260103-0000079; without --request some",
        flags="--request 20260103-9999999"),
    Bad("an unknown teacher", "explain",
        "teacher '../x' has no labels of 2026-01-03; there are those of mmr-",
        ": choose one by --teacher", flags="--teacher ../x"),
    Bad("too young an age", "gc", "age '1h' must be 1d or more, written as 14d, 36h or 2w",
        flags="--older-than 1h", day=""),
    Bad("a moment without a zone", "gc",
        "moment '2026-01-31' is no time with its zone; write it as 2026-01-31T09:30Z",
        flags="--older-than 2d --now 2026-01-31", day=""),
    Bad("no day to count from", "status", "--days 3 must be 1 or more, and goes with --date",
        flags="--days 3", day=""),
    Bad("no day at all", "line",
        "argument --days: 0 is not 1 or more; see python -m jobs.line --help", flags="--days 0"),
    Bad("an unknown step", "line",
        "argument --from: invalid choice: 'start' (choose from 'ingest', ", flags="--from start"),
]  # fmt: skip
