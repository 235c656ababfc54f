"""Which failures are worth a second try."""

import re

from airflow.sdk import Context, RetryDecision, RetryPolicy

# The operator reports the exit code in its message alone. Should Airflow ever reword it, a refusal
# is retried like any other failure, which costs time and nothing else.
_REFUSED = re.compile(r"non-zero exit code 2\.")


class RetryCrashes(RetryPolicy):
    """Retry what may pass the next time: no refusal, and nothing that a person is waiting for."""

    def __init__(self, *, started_by_hand: bool = False) -> None:
        """Say whether a run that was started by hand is retried too."""
        self.started_by_hand = started_by_hand

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Fail at once on a refusal and a wrong parameter, and mostly in a run started by hand."""
        if _REFUSED.search(str(exception)) or isinstance(exception, ValueError):
            return RetryDecision.fail("refused: the same input would be refused again")
        by_hand = context is not None and context["dag_run"].run_type == "manual"
        if by_hand and not self.started_by_hand:
            return RetryDecision.fail("started by hand: whoever did it is told at once")
        return RetryDecision.default()
