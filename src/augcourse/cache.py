"""The cache: a folder for what a class computes once. Whoever reads an entry checks it, and without it computes anew.

The grader fills it before a class is graded, since submissions are graded where it is read-only, and the kernels of
students do not see it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from augcourse import folders
from augcourse.errors import DataError

__all__ = ["Digits", "folder", "keep_digits", "kept_digits", "require"]

Digits = tuple[NDArray[np.uint8], NDArray[np.int64]]


def folder() -> Path:
    """The cache, found from the course folder; `AUGCOURSE_CACHE_DIR` overrides it."""
    return folders.cache_folder()


def require() -> None:
    """Make sure that the cache can be written. Raises `DataError` with what to do."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder()) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as error:
        raise DataError(
            f"the cache {folder()} cannot be written ({error.strerror}): free some space, or name another folder in "
            "AUGCOURSE_CACHE_DIR"
        ) from error


def kept_digits(key: str) -> Digits | None:
    """Decoded digits, images (n, 28, 28, 1) and labels (n,), as `keep_digits` wrote them; None where there are none.

    A damaged entry, or one of another key, is none: NumPy's files hold a checksum, and these their key.
    """
    try:
        with _digits_path(key).open("rb") as file, np.load(file, allow_pickle=False) as entry:
            if str(entry["key"]) != key:
                return None
            images, labels = entry["images"], entry["labels"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    sound = images.dtype == np.uint8 and labels.dtype == np.int64 and images.shape == (*labels.shape, 28, 28, 1)
    return (images, labels) if sound else None


def keep_digits(key: str, digits: Digits, mode: int) -> None:
    """Write decoded digits under their key, as open to others as `mode`; as a whole or not at all. Raises `OSError`."""
    path = _digits_path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        try:
            np.savez(part, key=np.array(key), images=digits[0], labels=digits[1])
            part.flush()
            os.fchmod(part.fileno(), mode)
            os.replace(part.name, path)
        except BaseException:
            os.unlink(part.name)
            raise


def _digits_path(key: str) -> Path:
    return folder() / "digits" / f"{key}.npz"
