"""Fixtures for every test: data sets prepared once per session, and nothing written to a person's home."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_MNIST = Path(__file__).parents[1].parent / "shared" / "mnist"


@pytest.fixture(scope="session")
def data_sets(tmp_path_factory):
    """Name of a data set → environment in which it is prepared; shared by the workers of one test run."""
    import os

    from augcourse import data

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "tfds"

    def get(name: str) -> dict[str, str]:
        environment = {
            "TFDS_DATA_DIR": str(folder),
            "AUGCOURSE_DATASET": name,
            "AUGCOURSE_CACHE_DIR": str(shared / "cache"),
        }
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in environment.items():
                patch.setenv(variable, value)
            if name == "mnist":
                if not SHARED_MNIST.is_dir():
                    pytest.skip("the MNIST files are not beside this repository (../shared/mnist)")
                _import_mnist(folder)
            else:
                data.prepare(name)
        return environment

    return get


def _import_mnist(folder: Path) -> None:
    from filelock import FileLock

    from augcourse import data

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "mnist.lock"):
        if not (folder / "mnist").is_dir():
            data.import_idx(SHARED_MNIST, folder)
