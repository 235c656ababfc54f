"""What a study runs over: data sets, seeds and how much of each."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from model.config import require


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSet:
    """Consecutive days of one profile: some to train on, then one to tune on, then one to judge."""

    name: str
    """What results are filed under."""
    title: str = ""
    """What the page calls it."""
    profile: str
    """A shipped profile or a TOML file."""
    first_day: date
    """The first training day."""
    train_days: int = 3
    """Training days; validation and test day follow."""
    changes: dict[str, int | float | str | bool | tuple[float, ...]] = field(default_factory=dict)
    """What differs from the profile here, such as { "world.wear" = 0.0 }."""
    unworn: str = ""
    """The data set of the same pages whose clicks nothing wore, where there is one."""
    leave_out: tuple[str, ...] = ()
    """Trainings that are not run here."""
    only: tuple[str, ...] = ()
    """The only trainings that are run here; all without it."""
    seeds: int = 0
    """How many of the study's seeds are run here; 0 is all."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require(self.train_days >= 1, "data.train_days", self.train_days, "at least 1")
        require(self.seeds >= 0, "data.seeds", self.seeds, "at least 0")

    @property
    def training_days(self) -> list[date]:
        """The days that models learn from."""
        return [self.first_day + timedelta(days=n) for n in range(self.train_days)]

    @property
    def validation_day(self) -> date:
        """The day of early stopping and of every choice."""
        return self.first_day + timedelta(days=self.train_days)

    @property
    def test_day(self) -> date:
        """The day that is judged."""
        return self.first_day + timedelta(days=self.train_days + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyConfig:
    """A whole study."""

    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    """A seed draws the world (where it is simulated), the weights, the batches and the noise."""
    kept_recall: float = 0.98
    """Share of DCN's recall that "at equal recall" means."""
    data: tuple[DataSet, ...] = ()

    def __post_init__(self) -> None:
        """Check the ranges."""
        require(bool(self.seeds), "seeds", self.seeds, "at least one")
        require(0 < self.kept_recall <= 1, "kept_recall", self.kept_recall, "above 0, at most 1")
        names = [one.name for one in self.data]
        require(len(set(names)) == len(names), "data.name", names, "another one each")
