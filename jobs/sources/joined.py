"""Item and user files: the facts that are joined to the logs by an id."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.sources.checks import POSITION, first_reason, rejects_of
from jobs.sources.config import JoinedFiles
from jobs.sources.joined_rows import facts_of, key_of
from jobs.sources.raw_values import UNKNOWN
from jobs.sources.staging import REJECT, ROW

AGAIN = "an earlier row describes the id already"


@dataclass(frozen=True, slots=True)
class Facts:
    """Staged rows of item or user files, an id's first row being what is known of it."""

    part: str
    """The section of the profile, such as items[0]."""
    files: JoinedFiles
    staged: DataFrame

    @property
    def key(self) -> str:
        """The id that they are joined by."""
        return key_of(self.files)

    @property
    def numbered(self) -> DataFrame:
        """The usable rows, with a reason against all but the first of an id."""
        rows = self.staged.where(F.col("_kind") == ROW)
        again = F.row_number().over(Window.partitionBy(self.key).orderBy(*POSITION)) > 1
        return first_reason(rows, [(again, AGAIN, self.key)])

    @property
    def known(self) -> DataFrame:
        """What is known of each id."""
        known = self.numbered.where(F.col("_reason").isNull())
        return known.select(self.key, *facts_of(self.files), F.lit(True).alias("_is_known"))

    def missing(self, rows: DataFrame) -> tuple[int, int]:
        """Return how many ids rows have, and of how many nothing is known."""
        ids = rows.select(self.key).distinct().join(self.known, self.key, "left")
        counted = ids.agg(F.count("*"), F.count_if(F.col("_is_known").isNull())).first()
        return counted[0], counted[1]

    @property
    def rejects(self) -> DataFrame:
        """The rows that cannot be used."""
        again = self.numbered.where(F.col("_reason").isNotNull())
        staged = self.staged.where(F.col("_kind") == REJECT)
        return rejects_of(staged, self.part).union(rejects_of(again, self.part))


def join(rows: DataFrame, facts: Facts) -> DataFrame:
    """Return candidate rows with the facts of their item or user; what is not there is unknown."""
    names, key = facts_of(facts.files), facts.key
    found = rows.drop(*names).join(facts.known, key, "left")
    found = found.withColumns({name: F.coalesce(name, F.lit(UNKNOWN)) for name in names})
    if facts.files.missing == "quarantine":
        lost = F.col("_is_known").isNull() & F.col("_reason").isNull()
        words = F.lit(f"{key} is not in the {key.removesuffix('_id')} files")
        reason = F.when(lost, words).otherwise(F.col("_reason"))
        value = F.when(lost, F.col(key).cast("string")).otherwise(F.col("_value"))
        found = found.withColumns({"_reason": reason, "_value": value})
    return found.drop("_is_known")
