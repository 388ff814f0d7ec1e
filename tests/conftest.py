"""What every test shares: data sets prepared once, and nothing written to a person's home."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

SHARED_MNIST = Path(__file__).parents[1].parent / "shared" / "mnist"
FOLDER = "AUGCOURSE_TEST_FOLDER"
DEFAULT = "mnist_sample"
"""What tests run on that do not name their data set, as the course does (`augcourse.data.DEFAULT`)."""
GRADED = {"boxed", "damaged_class", "failing", "graded", "graded_class", "pages", "returned"}
"""Fixtures that take a while to make, a whole class graded in most of them, and that many tests look at."""


def pytest_configure(config: pytest.Config) -> None:
    """Name one folder for all workers of a run, before TFDS is imported and reads where its data is."""
    if FOLDER not in os.environ:
        keep = tempfile.TemporaryDirectory(prefix="augcourse-tests-", ignore_cleanup_errors=True)
        config.add_cleanup(keep.cleanup)
        os.environ[FOLDER] = keep.name
    os.environ["TFDS_DATA_DIR"] = str(Path(os.environ[FOLDER]) / "tfds")
    os.environ["AUGCOURSE_CACHE_DIR"] = str(Path(os.environ[FOLDER]) / "cache")
    os.environ["AUGCOURSE_DATASET"] = DEFAULT


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests that look at one graded class run in one worker, which grades it once."""
    for item in items:
        used = GRADED & set(getattr(item, "fixturenames", ()))
        if used and not item.get_closest_marker("xdist_group"):
            name = "graded_class" if "graded_class" in used else f"{item.path.parent.name}-{item.path.stem}"
            item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def data_sets():
    """Name of a data set, or the default one → the environment in which it is prepared.

    Each is built once for all workers of a run.
    """
    from augcourse import data

    def get(name: str = DEFAULT) -> dict[str, str]:
        folder = Path(os.environ[FOLDER])
        if name == "mnist":
            if not SHARED_MNIST.is_dir():
                pytest.skip("the MNIST files are not beside this repository (../shared/mnist)")
            with FileLock(folder / "mnist.lock"):
                if not (folder / "tfds" / "mnist").is_dir():
                    data.import_idx(SHARED_MNIST, folder / "tfds")
        else:
            data.prepare(name)
        return {
            "TFDS_DATA_DIR": str(folder / "tfds"),
            "AUGCOURSE_DATASET": name,
            "AUGCOURSE_CACHE_DIR": str(folder / "cache"),
        }

    return get
