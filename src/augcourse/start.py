"""The first cell of every notebook: import quietly, prepare the data, say which data set this is and why."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from augcourse.errors import CourseError

__all__ = ["begin", "import_tensorflow", "native_stderr_hidden"]


def begin(step: str) -> str:
    """Prepare a notebook and return the name of its data set for `tfds.load`.

    Prints the data set with the reason for its choice. A problem with the set-up is explained in one
    sentence, without a traceback, and stops the cell.

    Args:
        step: the name of the step, such as `"step1_explore"`.
    """
    try:
        with native_stderr_hidden():
            import_tensorflow()
            from augcourse import data

            choice = data.prepare()
    except (CourseError, ImportError) as error:
        raise SystemExit(f"{step} cannot start: {error}") from None
    # Keras warns of its own default whenever `model.fit` is given a data set, as this course does.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed")
    print(f"{step} runs on {choice.reason}")
    return choice.name


def import_tensorflow() -> None:
    """Import TensorFlow without its greeting: its native code writes to stderr, whatever its log level."""
    with native_stderr_hidden():
        import tensorflow  # noqa: F401


@contextmanager
def native_stderr_hidden() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: C++ libraries write there past Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
