"""The course's folder as JupyterLab finds it: every step released, so that students can fetch it by clicking.

Enters: the course's folder with `source/`. Leaves: the gradebook's record of each step, `release/` as it was, and the
exchange's outbound folder.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from traitlets.config import Config, PyFileConfigLoader

from augcourse.build import STEPS
from augcourse.errors import BuildError
from gradebox.border import last_words
from gradebox.classroom import Classroom

__all__ = ["missing", "release"]


def missing(root: Path) -> list[str]:
    """The steps that no student can fetch yet."""
    config = _config(root)
    outbound = Path(config.Exchange.root) / config.CourseDirectory.course_id / "outbound"
    return [step for step in STEPS if not (outbound / step).is_dir()]


def release(root: Path, step: str) -> None:
    """Generate a step from `source/`, and put it into the exchange, which is made if it is not there.

    Raises:
        BuildError: the exchange cannot be written to, or nbgrader refuses; the message says what to do.
        GradeboxError: the gradebook cannot be used.
    """
    config = _config(root)
    with Classroom(root).gradebook():
        pass
    exchange = Path(config.Exchange.root)
    if not exchange.is_dir():
        try:
            exchange.mkdir(parents=True)
            exchange.chmod(0o777)  # nbgrader asks for that: students put their work here
        except OSError as error:
            raise BuildError(
                f"the exchange {exchange} cannot be made ({error.strerror}): make it a folder that everybody can write "
                "to, or name another in NBGRADER_EXCHANGE"
            ) from error
    with warnings.catch_warnings(), _unheard(logging.getLogger("traitlets")):
        warnings.simplefilter("ignore")
        api = NbGraderAPI(config=config)
        for do in (api.generate_assignment, api.release_assignment):
            done = do(step)
            if not done["success"]:
                raise BuildError(f"{step} cannot be released: nbgrader said: {last_words(done)}")


@contextmanager
def _unheard(logger: logging.Logger) -> Iterator[None]:
    """Keep a log from the terminal: nbgrader returns what it logs, and other libraries set up a log for everybody."""
    silence, propagated = logging.NullHandler(), logger.propagate
    logger.addHandler(silence)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(silence)
        logger.propagate = propagated


def _config(root: Path) -> Config:
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.root = str(root)
    return config
