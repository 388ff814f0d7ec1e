"""Files that anyone may have left are copied as plain data: known names, regular files, counted bytes.

Enters: a folder that nobody trusts, as an open descriptor or a path, when nothing that could change it is
alive. Leaves: fresh files of the grader's own in another folder, and one `Refusal` for each file that stayed
behind. No link is followed, no device or pipe is opened, and no more is read than the caps allow.

    copy_handins   what the graded cells may see, by the names that the course expects
    copy_files     what was handed in beside the notebooks, for the student's own cells
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gradebox.errors import HandinRefused

__all__ = ["Caps", "Refusal", "check_pattern", "copy_files", "copy_handins"]

MAX_ENTRIES = 10_000  # names looked at in one folder
CHUNK_BYTES = 1 << 20
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
CODE = (".py", ".pyc", ".pyd", ".pyi", ".so", ".dll", ".pth", ".ipynb")  # what Python imports
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Caps:
    """How much may be copied: bytes of one file, bytes of all together, and how many files."""

    file_bytes: int
    total_bytes: int
    files: int


@dataclass(frozen=True)
class Refusal:
    """A file, or a folder of them, that was not copied; the name is relative, as it was found."""

    name: str
    reason: str

    @property
    def fault(self) -> HandinRefused:
        """The ending under which student and instructor read it; the name is made harmless to print."""
        return HandinRefused(f"{_printable(self.name)} was not taken: {self.reason}")


def _printable(name: str) -> str:
    return re.sub(r"[^\w./+-]", "?", name, flags=re.ASCII)[:120]


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """Why one file is not copied."""


@dataclass
class _Copies:
    """What was copied to `target` so far, and what was not."""

    target: Path
    caps: Caps
    names: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    total_bytes: int = 0

    def refuse(self, name: str, reason: str) -> None:
        self.refusals.append(Refusal(name, reason))

    def take(self, name: str, folder_fd: int) -> None:
        """Copy the file at the end of the relative path `name`, which lies directly in `folder_fd`."""
        try:
            if len(self.names) >= self.caps.files:
                raise _Refused(f"at most {self.caps.files} files are")
            with _open_regular(PurePosixPath(name).name, folder_fd, self.caps.file_bytes) as file:
                self._write(name, file)
        except _Refused as refused:
            self.refuse(name, str(refused))
        except OSError as error:
            self.refuse(name, f"it cannot be read ({os.strerror(error.errno or 0)})")
        else:
            self.names.append(name)

    def _write(self, name: str, source: BinaryIO) -> None:
        path = self.target / name
        if os.path.lexists(path):
            raise _Refused("a file of the course has this name")
        path.parent.mkdir(parents=True, exist_ok=True)
        allowed = min(self.caps.file_bytes, self.caps.total_bytes - self.total_bytes)
        copied = 0
        try:
            with path.open("xb") as target:
                while chunk := source.read(min(CHUNK_BYTES, allowed - copied + 1)):
                    copied += len(chunk)
                    if copied > allowed:
                        raise _Refused(f"the files together have more than {self.caps.total_bytes:,} bytes")
                    target.write(chunk)
                os.fchmod(target.fileno(), 0o444)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self.total_bytes += copied


@contextmanager
def _open_regular(name: str, folder_fd: int, max_bytes: int) -> Iterator[BinaryIO]:
    """Open a regular file with one name and at most `max_bytes`. Raises `_Refused` or OSError."""
    _check(os.stat(name, dir_fd=folder_fd, follow_symlinks=False), max_bytes)  # opening a device can do things
    with open(os.open(name, OPEN_FILE, dir_fd=folder_fd), "rb") as file:
        _check(os.fstat(file.fileno()), max_bytes)
        yield file


def _check(status: os.stat_result, max_bytes: int) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _Refused("it is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise _Refused("it is not a regular file")
    if status.st_nlink != 1:
        raise _Refused("it is a hard link: the same file under a second name")
    if status.st_size > max_bytes:
        raise _Refused(f"it has {status.st_size:,} bytes, and at most {max_bytes:,} are")


def check_pattern(pattern: str) -> None:
    """Raise ValueError unless `pattern` is a relative path with wildcards in its last part alone."""
    parts = pattern.split("/")
    wild = any(sign in part for part in parts[:-1] for sign in "*?[")
    if wild or any(part in ("", ".", "..") or part.startswith(".") for part in parts):
        raise ValueError(f"{pattern!r} must be a relative path with wildcards in its last part alone")


def copy_handins(folder_fd: int, patterns: Sequence[str], target: Path, caps: Caps) -> tuple[list[str], list[Refusal]]:
    """Copy the files of an open folder whose path matches a pattern; return the copied names and the refusals.

    Copies are read-only and carry nothing over but their bytes. Files are taken in the order of the patterns'
    folders, then of their names. `folder_fd` stays open.
    """
    copies = _Copies(target, caps)
    folders: dict[str, list[str]] = {}
    for pattern in patterns:
        check_pattern(pattern)
        folder, _, name = pattern.rpartition("/")
        folders.setdefault(folder, []).append(name)
    for folder, wanted in folders.items():
        with _open_below(folder_fd, folder, copies) as descriptor:
            for name in _matching(descriptor, folder, wanted, copies):
                copies.take(name, descriptor)
    return copies.names, copies.refusals


@contextmanager
def _open_below(folder_fd: int, folder: str, copies: _Copies) -> Iterator[int]:
    """Open a folder part by part, so that no part can be a link; -1 where there is none to open."""
    descriptor = os.dup(folder_fd)
    try:
        for part in folder.split("/") if folder else ():
            above, descriptor = descriptor, -1
            try:
                descriptor = os.open(part, OPEN_FOLDER, dir_fd=above)
            except FileNotFoundError:
                break
            except OSError as error:
                copies.refuse(folder, f"it is not a folder that can be read ({os.strerror(error.errno or 0)})")
                break
            finally:
                os.close(above)
        yield descriptor
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _matching(descriptor: int, folder: str, wanted: Sequence[str], copies: _Copies) -> list[str]:
    """The relative paths in the folder that match and may be names of hand-ins, sorted."""
    if descriptor < 0:
        return []
    with os.scandir(descriptor) as entries:
        found = [entry.name for entry in islice(entries, MAX_ENTRIES + 1)]
    if len(found) > MAX_ENTRIES:
        copies.refuse(folder or ".", f"it holds more than {MAX_ENTRIES:,} files")
        return []
    matching = sorted(name for name in found if any(fnmatchcase(name, pattern) for pattern in wanted))
    plain = [name for name in matching if PLAIN_NAME.fullmatch(name) and not name.lower().endswith(CODE)]
    for name in sorted(set(matching) - set(plain)):
        copies.refuse(f"{folder}/{name}".lstrip("/"), "it is not a name for plain data")
    return [f"{folder}/{name}".lstrip("/") for name in plain]


def copy_files(source: Path, target: Path, ignored: Sequence[str], caps: Caps) -> list[Refusal]:
    """Copy the regular files below `source`; return the refusals, which include all links.

    What has a name on its way that matches one of `ignored` is passed over in silence.
    """
    copies = _Copies(target, caps)

    def kept(names: list[str]) -> list[str]:
        return sorted(name for name in names if not any(fnmatchcase(name, pattern) for pattern in ignored))

    for folder, subfolders, files, descriptor in os.fwalk(source, follow_symlinks=False):
        below = PurePosixPath(os.path.relpath(folder, source))
        subfolders[:] = kept(subfolders)
        for name in kept(files):
            copies.take(str(below / name), descriptor)
    return copies.refusals
