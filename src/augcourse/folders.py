"""One place says where things are: the data and the cache, found from the course folder.

A terminal, a notebook, a kernel and a command of `make` all ask here, so that nobody works on one data set and is
graded on another. An environment variable overrides; TensorFlow is not needed.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "course_folder", "data_folder"]


def course_folder() -> Path | None:
    """The folder with `nbgrader_config.py` and `lessons/`: the current one or one above it, else the package's own.

    None where the package is installed without its course, such as on a hosted notebook service.
    """
    here, package = Path.cwd(), Path(__file__).resolve().parent
    for folder in (here, *here.parents, *package.parents):
        if (folder / "nbgrader_config.py").is_file() and (folder / "lessons").is_dir():
            return folder
    return None


def data_folder() -> Path:
    """The TFDS data folder: `TFDS_DATA_DIR`, else `data/` in the course folder, else TFDS's own default."""
    return _folder("TFDS_DATA_DIR", "data", "~/tensorflow_datasets")


def cache_folder() -> Path:
    """The cache: `AUGCOURSE_CACHE_DIR`, else `data/cache/` in the course folder, else a folder in the home."""
    return _folder("AUGCOURSE_CACHE_DIR", "data/cache", "~/.cache/augcourse")


def _folder(variable: str, in_course: str, elsewhere: str) -> Path:
    if named := os.environ.get(variable):
        return Path(named).expanduser().absolute()
    course = course_folder()
    return course / in_course if course else Path(elsewhere).expanduser()
