"""The operator of a job: where the command fails, its last line says why, to whoever is told."""

from functools import cached_property
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook, SubprocessResult
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException


class LastLineHook(SubprocessHook):
    """Keeps the last line that its command wrote, a refusal or the end of a traceback."""

    last_line = ""

    def run_command(self, *args: Any, **kwargs: Any) -> SubprocessResult:  # noqa: ANN401
        """Run the command as ever."""
        result = super().run_command(*args, **kwargs)
        self.last_line = result.output
        return result


class JobOperator(BashOperator):
    """Bash's, whose failure names the exit code and then what the command said last."""

    @cached_property
    def subprocess_hook(self) -> LastLineHook:
        """Return the hook that runs the command."""
        return LastLineHook()

    def execute(self, context: Context) -> Any:  # noqa: ANN401
        """Run the command; AirflowException where it fails."""
        try:
            return super().execute(context)
        except AirflowSkipException:
            raise
        except AirflowException as error:
            raise AirflowException(f"{error} {self.subprocess_hook.last_line}".strip()) from error
