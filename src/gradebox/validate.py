"""nbgrader's *Validate*, opening on the reason: a failed check is named by its exercise, not shown as a page of code.

Called by the Jupyter server: `jupyter_server_config.py` calls `open_on_the_reason` once, when the server starts.
"""

from typing import Any

from nbgrader.validator import Validator

__all__ = ["ReasonFirst", "open_on_the_reason"]


class ReasonFirst(Validator):
    """A validator whose answer names a failed check by its `grade_id` where nbgrader's shows the check's code."""

    def validate(self, filename: str) -> dict[str, list[dict[str, str]]]:
        """nbgrader's answer for a notebook; of a failed check that is locked, `source` is one line."""
        self._checks: dict[str, str] = {}
        return self._named(super().validate(filename))

    def _get_failed_cells(self, nb: Any) -> list[Any]:
        # Called by `validate` with the executed notebook; what is locked is ours, what is not is a student's own code.
        failed = super()._get_failed_cells(nb)
        for cell in failed:
            label = cell.metadata.get("nbgrader", {})
            if label.get("locked"):
                self._checks[cell.source.strip()] = f"# the check of {str(label['grade_id']).removesuffix('_test')}"
        return failed

    def _named(self, answer: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
        for failed in answer.get("failed", []):
            failed["source"] = self._checks.get(failed["source"], failed["source"])
        return answer


def open_on_the_reason() -> None:
    """Let the server's *Validate* button use `ReasonFirst`."""
    from nbgrader.server_extensions.validate_assignment import handlers

    handlers.Validator = ReasonFirst
