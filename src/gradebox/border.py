"""The border of a command line: what stands in the way is told once, in one line, with what to do about it.

Exit codes: 1 for what the course or the machine refuses, 2 for wrong arguments, 130 for an interrupt. An error that
nobody expected is a fault of ours, and keeps its traceback.
"""

import errno
import os
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from traitlets import TraitError
from typer.core import TyperGroup

from gradebox.files import FULL_DISK

__all__ = ["WRONG_ARGUMENTS", "OneLineGroup", "complaint", "last_words", "one_line", "remembered_interrupts"]

WRONG_ARGUMENTS, INTERRUPTED = 2, 130
CONFIG = "nbgrader_config.py"
NO_SPACE = (*FULL_DISK, errno.EFBIG)
FREE_SPACE = "free some space and run the same command again; what was finished is kept"


class OneLineGroup(TyperGroup):
    """Commands that say in one line what is wrong with their arguments. For `typer.Typer(cls=…)`."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command. Called by typer, for the program and for its tests."""
        try:
            done = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
            if not standalone_mode:
                return done
            sys.exit(done or 0)
        except typer.Abort:
            sys.exit(INTERRUPTED)
        except Exception as error:
            if not standalone_mode or not hasattr(error, "format_message"):
                raise  # typer brings a click of its own, and does not export its errors
            if said := " ".join(error.format_message().split()) if _is_complaint(error) else "":
                where = getattr(getattr(error, "ctx", None), "command_path", prog_name or "")
                typer.echo(f"{where}: {said.rstrip('.')}; see `{where} --help`", err=True)
            sys.exit(WRONG_ARGUMENTS)


def _is_complaint(error: Exception) -> bool:
    """Whether a usage error is more than the help that a program without arguments has shown already."""
    return type(error).__name__ != "NoArgsIsHelpError"


def complaint(error: BaseException, own: str = "") -> str:
    """One line about what stands in the way; empty if the error is of no kind that the border knows.

    What led to an error is looked at, too: a full disk may arrive as an error of the gradebook.

    Args:
        error: what was raised.
        own: what the error says of itself, if somebody expected it. Only a gradebook that is whole, but cannot be
            written, goes before it: whoever raised the error could not tell that from a damaged one.
    """
    chain = list(_chain(error))
    kinds = (_of_the_gradebook,) if own else (_full_disk, _of_the_gradebook, _of_the_configuration, _refused)
    return next((said for kind in kinds for each in chain if (said := kind(each))), own)


def _full_disk(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return f"{_place(error)} cannot be written: the disk is full ({error.strerror}); {FREE_SPACE}"
    if isinstance(error, shutil.Error):  # of a copied tree: no error number, but a list of (from, to, what was said)
        told = error.args[0] if error.args and isinstance(error.args[0], list) else []
        for _, place, said in (each for each in told if len(each) == 3):
            for why in map(os.strerror, NO_SPACE):
                if why in str(said):
                    return f"{place} cannot be written: the disk is full ({why}); {FREE_SPACE}"
    return ""


def _refused(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"{_place(error)} cannot be used ({error.strerror}): mend that, or choose another place"
    return ""


def _place(error: OSError) -> str:
    name = error.filename
    return "a file" if name is None else name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _of_the_gradebook(error: BaseException) -> str:
    text = str(getattr(error, "orig", "") or "").lower()  # SQLAlchemy's name for what the data base itself said
    if "disk is full" in text or "disk i/o error" in text:
        return f"the gradebook cannot be written: the disk is full, or fails ({text}); {FREE_SPACE}"
    if "database is locked" in text:
        return "another program is writing to the gradebook: let it end, and run the same command again"
    if "connection" in text and ("refused" in text or "failed" in text or "timeout" in text):
        return f"the gradebook's server does not answer ({text.splitlines()[0]}): start it, or mend {CONFIG}"
    if "readonly database" in text:
        return "the gradebook cannot be written: it belongs to somebody else, or its folder does"
    return ""


def _of_the_configuration(error: BaseException) -> str:
    if isinstance(error, TraitError):
        return f"{CONFIG}: {' '.join(str(error).split())}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == CONFIG]
    if isinstance(error, SyntaxError) and Path(error.filename or "").name == CONFIG:
        lines.append(error.lineno)
    if not lines:
        return ""
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{CONFIG}, line {lines[-1]}: {type(error).__name__}: {' '.join(said.split())}"


def last_words(done: Mapping[str, Any]) -> str:
    """The line that says why, of what a call of `nbgrader.apps.NbGraderAPI` returned when it failed.

    nbgrader ends with a pointer to a log; the reason is the last error in it.
    """
    lines = [
        line.strip() for line in f"{done.get('log') or ''}\n{done.get('error') or ''}".splitlines() if line.strip()
    ]
    errors = [line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception|Entry|Interrupt)\b: ", line)]
    reasons = [line for line in errors if "NbGraderException" not in line]
    if any("disk is full" in line or "No space left on device" in line for line in errors):
        return f"the disk is full; {FREE_SPACE}"
    return (reasons or errors or lines or ["no reason given"])[-1]


@contextmanager
def one_line(program: str, *expected: type[Exception]) -> Iterator[None]:
    """Tell expected errors, and what the machine refuses, in one line on stderr.

    Args:
        program: whose line it is.
        expected: errors whose text is that line.
    """
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"{program}: interrupted; run the same command again to go on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except typer.Exit:
        raise
    except Exception as error:
        said = complaint(error, str(error) if isinstance(error, expected) else "")
        if not said:
            raise
        typer.echo(f"{program}: {' '.join(said.split())}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def remembered_interrupts() -> Iterator[Callable[[], None]]:
    """While this runs, Ctrl-C interrupts as ever, and is remembered: yield what raises it once more.

    Python drops what a signal's handler raises while a destructor runs, and Dask's futures have destructors. A long
    loop therefore asks once a turn. Only for the main thread; an interrupt that is ignored stays ignored.
    """
    heard = False

    def hear(number: int, frame: Any) -> None:
        nonlocal heard
        heard = True
        signal.default_int_handler(number, frame)

    def ask() -> None:
        if heard:
            raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield ask
        return
    signal.signal(signal.SIGINT, hear)
    try:
        yield ask
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
