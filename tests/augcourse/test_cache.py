"""Decoded digits in the cache: the bits that TFDS reads, without TensorFlow, checked, and as closed as TFDS's files."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.gradebox.sandbox_support import kernel
from traitlets.config import PyFileConfigLoader

from augcourse import cache, data
from augcourse.errors import DataError

SPLITS = (data.POOL, data.VALIDATION, data.TEST)


@pytest.fixture
def empty_cache(data_sets, tmp_path, monkeypatch):
    for name, value in data_sets("uci_digits").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUGCOURSE_CACHE_DIR", str(tmp_path / "cache"))
    data._load.cache_clear()
    yield tmp_path / "cache"
    data._load.cache_clear()


@pytest.fixture
def filled(empty_cache):
    data.keep_decoded()
    data._load.cache_clear()
    return empty_cache / "digits"


def as_bytes(split: str) -> tuple[object, ...]:
    return tuple((array.dtype, array.shape, array.tobytes()) for array in data.load_arrays(split))


def test_kept_digits_are_those_that_tfds_reads(empty_cache):
    read = [as_bytes(split) for split in SPLITS]
    data.keep_decoded()
    data._load.cache_clear()
    assert [as_bytes(split) for split in SPLITS] == read
    assert not any(array.flags.writeable for array in data.load_arrays(data.TEST))


def test_kept_digits_need_no_tensorflow(filled):
    code = "import sys; from augcourse import data; data.load_arrays(data.TEST); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


def flipped(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]


def of_the_wrong_kind(content: bytes) -> bytes:
    with np.load(io.BytesIO(content)) as entry:
        parts = {name: entry[name] for name in entry.files}
    written = io.BytesIO()
    np.savez(written, **{**parts, "images": parts["images"].astype(np.float32)})
    return written.getvalue()


@pytest.mark.parametrize(
    "damage", [flipped, of_the_wrong_kind, lambda content: b"", lambda content: content[:-100], lambda content: b"junk"]
)
def test_a_damaged_entry_is_read_anew_and_mended(filled, damage):
    good = {path: cache.kept_digits(path.stem) for path in filled.iterdir()}
    for path in good:
        path.write_bytes(damage(path.read_bytes()))
        assert cache.kept_digits(path.stem) is None
    read = [as_bytes(split) for split in SPLITS]
    data._load.cache_clear()
    data.keep_decoded()
    assert all(cache.kept_digits(path.stem) is not None for path in good)
    data._load.cache_clear()
    assert [as_bytes(split) for split in SPLITS] == read


def test_an_entry_under_another_name_is_none(filled):
    one, other, *_ = sorted(filled.iterdir())
    shutil.copyfile(one, other)
    assert cache.kept_digits(other.stem) is None


def test_other_files_of_the_data_set_are_another_entry(filled, tmp_path, monkeypatch):
    keys = {data._decoded_key("uci_digits", split) for split in SPLITS}
    assert keys == {path.stem for path in filled.iterdir()}
    shutil.copytree(os.environ["TFDS_DATA_DIR"], tmp_path / "tfds")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    assert {data._decoded_key("uci_digits", split) for split in SPLITS} == keys
    shard = next((tmp_path / "tfds" / "uci_digits").rglob("*-test.*"))
    shard.write_bytes(shard.read_bytes() + b"more")
    assert not {data._decoded_key("uci_digits", split) for split in SPLITS} & keys


def test_no_entry_is_more_open_than_the_data_sets_own_files(empty_cache, tmp_path, monkeypatch):
    shutil.copytree(os.environ["TFDS_DATA_DIR"], tmp_path / "tfds")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    next((tmp_path / "tfds" / "uci_digits").rglob("*-test.*")).chmod(0o640)
    data.keep_decoded("uci_digits")
    assert {path.stat().st_mode & 0o777 for path in (empty_cache / "digits").iterdir()} == {0o640}


def test_a_cache_that_cannot_be_written_says_so_and_leaves_nothing(empty_cache, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DataError, match="cannot be kept in the cache"):
        data.keep_decoded()
    assert not list(Path(empty_cache, "digits").iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
@pytest.mark.parametrize(("provisioner", "count"), [("SandboxProvisioner", 0), ("TrustedProvisioner", 3)])
def test_the_grader_sees_the_cache_and_no_student_does(filled, tmp_path, provisioner, count):
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    config = PyFileConfigLoader("nbgrader_config.py", path=str(Path(__file__).parents[2])).load_config()
    settings = {**config["SandboxProvisioner"], **config[provisioner], "warm_modules": []}
    assert (str(filled.parent) in settings.get("read_only", [])) == (count > 0)
    with kernel(tmp_path, settings=settings, provisioner=provisioner) as running:
        look = f"from pathlib import Path\nprint(len(list(Path({str(filled.parent)!r}).rglob('*.npz'))))"
        assert running.run(look) == f"{count}\n"
