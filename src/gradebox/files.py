"""Text → a file that is there whole or not at all."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["FULL_DISK", "write_whole"]

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
"""Numbers of errors after which nothing more can be written."""


def write_whole(path: Path, text: str, errors: str = "strict") -> None:
    """Write a UTF-8 file beside its place, then put it there: what stood there stays if that fails.

    A device or a pipe, which holds nothing to lose, is written to as it is.

    Raises:
        OSError: it cannot be written: a full disk, a missing folder, no permission.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8", errors=errors, newline="")
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", errors=errors, newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a full disk may say so only here
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
