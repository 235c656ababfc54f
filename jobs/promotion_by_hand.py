"""A decision by a person: promote a model, hold the newest one back, or roll back to an earlier."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from jobs.decision import GATE, HELD, PROMOTED, ROLLED_BACK, Decision
from jobs.errors import Refused
from jobs.promotion_gate import Contest
from jobs.registry import NAMED, SEARCHED_DAYS, Registry

CHOICES = {"promote": PROMOTED, "hold": HELD, "rollback": ROLLED_BACK}
"""What a person asks for, and what is then decided."""
LONGEST_WHO, LONGEST_WHY = 80, 500


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person decided, apart from the models that it meets."""

    decision: str
    model: str
    """The version to promote; empty where the newest one is held back."""
    who: str
    why: str
    when: datetime

    def __post_init__(self) -> None:
        """Refuse what nobody could be asked about later."""
        texts = (("--who", self.who, LONGEST_WHO), ("--why", self.why, LONGEST_WHY))
        for flag, value, most in texts:
            if not value.strip() or not value.isprintable() or len(value) > most:
                raise Refused(
                    f"{flag} {value!r} must be printable text of 1 to {most} characters: "
                    "who decides by hand, and why, is kept"
                )
        if self.who == GATE:
            raise Refused(f"--who {GATE!r} is what decides where nobody does; give your own name")
        if bool(self.model) == (self.decision == HELD):
            raise Refused(
                "--model is needed with --decision promote and rollback, and has no meaning with "
                "hold, which keeps the model that is promoted"
            )

    @classmethod
    def again(cls, word: Decision) -> "ByHand":
        """Return what a recorded decision asked for."""
        model = "" if word.decision == HELD else word.promoted_version
        return cls(word.decision, model, word.decided_by, word.reason, word.decided_at)

    @property
    def parameters(self) -> dict[str, str]:
        """Return what was decided, as a manifest keeps it.

        Without when: the same decision, given again, changes nothing.
        """
        return {"decision": self.decision, "model": self.model, "by": self.who, "why": self.why}

    def is_that_of(self, word: Decision) -> bool:
        """Whether a recorded decision is this one, whenever it was made."""
        return word.is_by_hand and ByHand.again(word).parameters == self.parameters

    def decide(self, contest: Contest) -> Decision:
        """Return the decision about a day's two models."""
        promoted = self.model or contest.previous
        if promoted is None:
            raise Refused("no model was promoted before that day, so there is none to hold on to")
        by = {"decided_by": self.who, "decided_at": self.when}
        return contest.decided(self.decision, promoted, self.why, **by)

    def check(self, registry: Registry, day: date) -> None:
        """Refuse a model that is not there, has seen the day, or never served."""
        if not self.model:
            return
        trained = registry.trained_on(self.model)
        if trained > day or (trained == day and not registry.is_base(self.model)):
            raise Refused(
                f"model {self.model} was trained on {trained}, so it has seen {day}; a model may "
                f"be promoted from the day after its own: --date {trained + timedelta(days=1)}"
            )
        if self.decision != ROLLED_BACK:
            return
        served = served_before(registry, day)
        # Of the day itself the last decision is in force, before it that of an earlier day.
        in_force = registry.promoted(day) or next(iter(served), None)
        if self.model == in_force:
            raise Refused(
                f"model {self.model} is the promoted one already; to keep it, --decision hold"
            )
        if self.model not in served:
            known = ", ".join(list(served)[:NAMED]) or "none"
            raise Refused(
                f"model {self.model} was not promoted on any day before {day}, so nothing can be "
                f"rolled back to it; the last that were: {known}. To promote another, "
                "--decision promote"
            )


def served_before(registry: Registry, day: date) -> dict[str, date]:
    """Return every version that was promoted before a day with its last day, newest first."""
    found: dict[str, date] = {}
    for back in range(1, SEARCHED_DAYS + 1):
        earlier = day - timedelta(days=back)
        version = registry.promoted(earlier)
        if version is not None:
            found.setdefault(version, earlier)
    return found
