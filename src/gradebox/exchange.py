"""Handing in where students share a machine.

nbgrader leaves a submission readable and writable for everybody who knows its path, and hides the path: nobody but the
instructor can list the inbound folder, and the name ends in random letters. `ClosedSubmit` closes the folder as well.
"""

from __future__ import annotations

import os

from nbgrader.exchange.default import ExchangeSubmit

__all__ = ["ClosedSubmit"]


class ClosedSubmit(ExchangeSubmit):
    """Hand in for the course's group alone: `c.ExchangeFactory.submit`, in a student's `nbgrader_config.py`.

    The inbound folder hands its group on (`nbgrader release_assignment` makes it so), which is the instructor's. The
    group may read and remove what is handed in; other students may not enter.
    """

    def copy_files(self) -> None:
        """Called by `nbgrader submit` and the list of assignments, once source and destination are known."""
        super().copy_files()
        os.chmod(os.path.join(self.inbound_path, self.assignment_filename), 0o770)
