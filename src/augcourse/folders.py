"""One place says where things are: the data and the cache, found from the course folder.

A terminal, a notebook, a kernel and a command of `make` all ask here, so that nobody works on one data set and is
graded on another. An environment variable overrides; TensorFlow is not needed.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "course_folder", "data_folder", "settle"]


def course_folder(start: Path | None = None) -> Path | None:
    """The folder with `nbgrader_config.py` and `lessons/`: the first one found upwards from three places.

    These are `start`, the current folder, and the package's own folder. None where the package is installed without
    its course, such as on a hosted notebook service.
    """
    for place in (start, _current(), Path(__file__).resolve().parent):
        for folder in (place, *place.parents) if place else ():
            # Not Path.is_file, which raises where a folder above is closed.
            if os.path.isfile(folder / "nbgrader_config.py") and os.path.isdir(folder / "lessons"):
                return folder
    return None


def _current() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed while this process was in it
        return None


def data_folder(start: Path | None = None) -> Path:
    """The TFDS data folder: `TFDS_DATA_DIR`, else `data/` in the course folder, else TFDS's own default."""
    return _folder("TFDS_DATA_DIR", "data", "~/tensorflow_datasets", start)


def cache_folder(start: Path | None = None) -> Path:
    """The cache: `AUGCOURSE_CACHE_DIR`, else `data/cache/` in the course folder, else a folder in the home."""
    return _folder("AUGCOURSE_CACHE_DIR", "data/cache", "~/.cache/augcourse", start)


def settle(start: Path) -> tuple[Path, Path]:
    """The data folder and the cache as seen from `start`, named in the environment from now on.

    `nbgrader_config.py` calls this. Grading starts workers, commands and kernels, which read that file in folders of
    their own; they inherit the two variables, so that all of them agree with the course that is graded.
    """
    found = data_folder(start), cache_folder(start)
    os.environ["TFDS_DATA_DIR"], os.environ["AUGCOURSE_CACHE_DIR"] = map(str, found)
    return found


def _folder(variable: str, in_course: str, elsewhere: str, start: Path | None) -> Path:
    if named := os.environ.get(variable):
        return Path(named).expanduser().absolute()
    course = course_folder(start)
    return course / in_course if course else Path(elsewhere).expanduser()
