"""A data set's profile: its fields, its source and every setting, as dataclasses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from jobs.measures.config import ValidationConfig, validation_problems
from jobs.profile.field_names import bad_names
from jobs.profile.labelling import labelling_problems
from jobs.profile.mapping import mapping_problems
from jobs.sources.config import SourceConfig
from jobs.world.config import WorldConfig
from model.config import (
    PolicyConfig,
    PromotionConfig,
    RankingConfig,
    TeacherConfig,
    require_all,
)
from model.learning_config import ModelConfig, TrainingConfig
from schemas.table import ID_KINDS, Fields, Table
from schemas.tables import declare

LARGEST_RATE = 1e30
"""Far beyond use; Adam's first step is ten times as large, and float32 ends at 3.4e38."""


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Everything that the steps need to know of a data set."""

    name: str
    """What the data set is called."""
    description: str = ""
    """What it is, for the report."""
    k: tuple[int, ...] = (5,)
    """Lengths of the lists that are judged."""
    day_start: str = "00:00"
    """Time at which a day begins, by the clock of day_zone."""
    day_zone: str = "UTC"
    """Whose clock that is, such as "Europe/Oslo", where a day may have 23 or 25 hours."""
    unexposed_as_negative: bool = False
    """Whether candidates that nobody saw are learned as not clicked, rather than left out."""
    fields: Fields = field(default_factory=Fields)
    source: SourceConfig = field(default_factory=SourceConfig)
    world: WorldConfig = field(default_factory=WorldConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    further_teachers: tuple[TeacherConfig, ...] = ()
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    ranking: RankingConfig = field(default_factory=RankingConfig)
    promotion: PromotionConfig = field(default_factory=PromotionConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    def __post_init__(self) -> None:
        """Check what spans several sections; the ValueError has a line for each problem."""
        problems = []
        try:
            require_all(self._conditions())
        except ValueError as error:
            problems.append(str(error))
        problems += bad_names(self.fields).values()
        problems += labelling_problems(self.fields, self.policy, self.teachers)
        problems += validation_problems(self.fields, self.validation)
        if self.source.kind == "files":
            problems += mapping_problems(self.fields, self.source)
        if problems:
            raise ValueError("\n".join(problems))

    def _conditions(self) -> Iterator[tuple[bool, str, object, str]]:
        """Yield what must hold, with the key that it is about, its value and what is allowed."""
        increasing = all(a < b for a, b in zip(self.k, self.k[1:], strict=False))
        yield bool(self.k) and min(self.k) >= 1 and increasing, "k", self.k, "growing, from 1"
        judged = self.promotion.k
        yield judged in self.k, "promotion.k", judged, f"one of k = {self.k}"
        for name in ("request_id", "user_id", "item_id"):
            kind = getattr(self.fields, name)
            yield kind in ID_KINDS, f"fields.{name}", kind, f"one of {', '.join(ID_KINDS)}"
        category, known = self.fields.category, ", ".join(self.fields.item) or "left out"
        yield not category or category in self.fields.item, "fields.category", category, known
        by_category, ranker = self.ranking.ranker == "category_decay", self.ranking.ranker
        allowed = "one without categories, for fields.category names none"
        yield bool(category) or not by_category, "ranking.ranker", ranker, allowed
        targets, allowed = self.training.targets, f"0 or above teacher.k = {self.teacher.k}"
        every_winner = targets == 0 or targets > self.teacher.k
        yield every_winner, "training.targets", targets, allowed
        yield _is_time(self.day_start), "day_start", self.day_start, "a time of day such as 07:00"
        rate, allowed = self.training.learning_rate, f"above 0, at most {LARGEST_RATE:g}"
        yield rate <= LARGEST_RATE, "training.learning_rate", rate, allowed
        zones, allowed = available_timezones(), "a zone such as UTC or Europe/Oslo"
        yield self.day_zone in zones, "day_zone", self.day_zone, allowed

    @property
    def teachers(self) -> tuple[TeacherConfig, ...]:
        """All that label a day, the one that training uses first."""
        return (self.teacher, *self.further_teachers)

    @property
    def tables(self) -> dict[str, Table]:
        """The tables of this data set."""
        return declare(self.fields, self.training.max_candidates)

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return the UTC moments at which a day begins and at which the next one does."""
        start, zone = time.fromisoformat(self.day_start), ZoneInfo(self.day_zone)
        moments = (datetime.combine(d, start, zone) for d in (day, day + timedelta(days=1)))
        begin, end = (moment.astimezone(UTC) for moment in moments)
        return begin, end

    @property
    def day_clock(self) -> str:
        """When a day begins, as a person reads it."""
        return f"{self.day_start} {self.day_zone}"

    @property
    def depth(self) -> int:
        """How many places of each ranking are kept."""
        return max(self.k)
