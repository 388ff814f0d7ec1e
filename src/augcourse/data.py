"""tfds → pool, validation, test; few labels per class; IDX import.

In: a TFDS data folder with `mnist_sample`, `uci_digits`, `mnist` or imported IDX files. Out: images (n, 28, 28, 1)
uint8 in 0..255 and labels (n,) int64 in 0..9, read-only, in the stored order. Importing this module registers the
course's own builders and its data folder, so that plain `tfds.load("mnist_sample", split=..., as_supervised=True)`
works once the data set is prepared.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import os
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray
from tensorflow_datasets.core import constants

from augcourse import cache, folders
from augcourse.digits import MnistSample, UciDigits
from augcourse.digits.balanced import BalancedDigits
from augcourse.digits.idx import IMPORTED_VERSION, find_parts, imported, imported_mnist, is_mnist, name_of, read_idx
from augcourse.errors import DataError
from augcourse.settings import CLASSES

__all__ = [
    "DEFAULT",
    "OFFLINE",
    "POOL",
    "TEST",
    "VALIDATION",
    "DatasetChoice",
    "ImportSummary",
    "choose_dataset",
    "data_dir",
    "few_shot",
    "fingerprint",
    "import_idx",
    "is_prepared",
    "keep_decoded",
    "load_arrays",
    "prepare",
    "read_idx",
    "stored_digest",
    "strangers_of",
]

POOL = "train[20%:]"
VALIDATION = "train[:20%]"
TEST = "test"

DEFAULT = "mnist_sample"
"""What the course runs on, unless `mnist` itself is prepared."""

OFFLINE: dict[str, type[BalancedDigits]] = {"mnist_sample": MnistSample, "uci_digits": UciDigits}
"""The data sets that need no network."""

_ABOUT = {
    "mnist_sample": "5,000 real digits of MNIST's training set",
    "uci_digits": "1,797 digits of other people's handwriting, drawn as MNIST draws its own",
    "mnist": "MNIST itself",
}

# The folder in which TFDS keeps a data set is named after its version; `mnist` follows tfds's own builder.
_VERSIONS = {"mnist": "3.0.1", **{name: str(builder.VERSION) for name, builder in OFFLINE.items()}}
_TWO_WAYS = "run `augcourse data prepare mnist` where there is a network, or `augcourse data import-idx DIR`"
_LOCK_TIMEOUT_S = 600
_NETWORK_TIMEOUT_S = 5

Arrays = cache.Digits

# Plain `tfds.load(NAME)` looks there, and nowhere else: between two folders it would refuse a data set that is in both,
# such as an mnist in the course and another in the home.
constants.DATA_DIR = str(folders.data_folder())


@dataclass(frozen=True, slots=True)
class DatasetChoice:
    """A data set of the course, and one sentence that says why it was chosen."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What `import_idx` wrote: `train` and `test` count digits; `halved` if one pair of files served both."""

    name: str
    folder: Path
    train: int
    test: int
    halved: bool

    def __str__(self) -> str:
        how = "one pair of files, shuffled with a fixed seed and halved" if self.halved else "the four files"
        return f"{self.name}: {self.train:,} train and {self.test:,} test digits from {how}, in {self.folder}"


def data_dir() -> Path:
    """The TFDS data folder, found from the course folder; `TFDS_DATA_DIR` overrides it."""
    return folders.data_folder()


def choose_dataset() -> DatasetChoice:
    """The data set that `AUGCOURSE_DATASET` asks for: auto (the default) or the name of one.

    auto is mnist where it is prepared, and `DEFAULT` elsewhere.

    Raises:
        DataError: an unknown name, or mnist without a prepared mnist.
    """
    asked = os.environ.get("AUGCOURSE_DATASET") or "auto"
    if asked == DEFAULT and not is_prepared("mnist"):  # what is used anyhow needs no reason
        return DatasetChoice(DEFAULT, f"{DEFAULT} ({_about(DEFAULT)}).")
    if asked in OFFLINE or (asked != "auto" and is_prepared(asked)):
        return DatasetChoice(asked, f"{asked} ({_about(asked)}), because AUGCOURSE_DATASET asks for it.")
    if asked == "mnist":
        raise DataError(f"AUGCOURSE_DATASET=mnist, but {data_dir()} has no prepared mnist: {_TWO_WAYS}.")
    if asked != "auto":
        raise DataError(
            f"AUGCOURSE_DATASET={asked} is unknown: set it to auto, mnist, {', '.join(OFFLINE)} or a data set that "
            "`augcourse data import-idx` has made."
        )
    if is_prepared("mnist"):
        return DatasetChoice("mnist", f"mnist ({_about('mnist')}), because it is prepared here.")
    return DatasetChoice(DEFAULT, f"{DEFAULT} ({_about(DEFAULT)}).")


def _about(name: str) -> str:
    return _ABOUT.get(name, "imported from IDX files")


def is_prepared(name: str, directory: Path | None = None) -> bool:
    """Whether a data set is there, in `directory` or in `data_dir()`; looking changes nothing."""
    # TFDS's own test, without its warning on stderr for every data set that is merely absent.
    if name not in _VERSIONS and not name.startswith("idx_"):
        return False
    return (_dataset_folder(name, directory) / "dataset_info.json").is_file()


def prepare(name: str | None = None) -> DatasetChoice:
    """Build the data set unless it is there already; several processes may call this at once.

    Args:
        name: mnist (downloaded by TFDS) or one of `OFFLINE`; None for `choose_dataset()`.

    Raises:
        DataError: an unknown name, a folder that cannot be written, or mnist without a network.
    """
    if name is None:
        choice = choose_dataset()
        _prepare(choice.name)
        return choice
    _prepare(name)
    return DatasetChoice(name, f"{name}, because it was asked for.")


def strangers_of(name: str) -> str:
    """The data set of other people's handwriting, for a model that was trained on this one."""
    return "uci_digits" if name != "uci_digits" else DEFAULT


def _prepare(name: str) -> None:
    _require_known(name)
    if is_prepared(name):
        return
    if name == "mnist":
        # Here, because the module of MNIST brings dozens of other builders with it.
        from tensorflow_datasets.image_classification import MNIST

        _require_network(f"{MNIST.URL}t10k-labels-idx1-ubyte.gz")
        _write("mnist", MNIST, remedy=_TWO_WAYS)
    else:
        # Read before TFDS is asked to write, so that a damaged wheel is told in its own words.
        OFFLINE[name].digits()
        _write(name, OFFLINE[name])


def load_arrays(split: str, name: str | None = None) -> Arrays:
    """Images (n, 28, 28, 1) uint8 and labels (n,) int64 of a split, both read-only, cached.

    Args:
        split: any TFDS split, such as `POOL`, `VALIDATION` or `TEST`.
        name: of a prepared data set; None for `choose_dataset()`.

    Raises:
        DataError: the data set is not prepared, or the split is unknown or cannot be read.
    """
    name = choose_dataset().name if name is None else name
    _require_prepared(name)
    return _load(name, split, data_dir())


def keep_decoded(name: str | None = None) -> None:
    """Put the course's splits into the cache, decoded: each kernel that sees it is spared TensorFlow's reading.

    Args:
        name: of a prepared data set; None for `choose_dataset()`.

    Raises:
        DataError: as `load_arrays`, or the cache cannot be written.
    """
    name = choose_dataset().name if name is None else name
    # As open to others as the files that they come from: the test split may be closed to students.
    mode = reduce(and_, (path.stat().st_mode for path in _shards(name)), 0o644)
    for split in (POOL, VALIDATION, TEST):
        key = _decoded_key(name, split)
        if cache.kept_digits(key) is None:
            try:
                cache.keep_digits(key, load_arrays(split, name), mode)
            except OSError as error:
                cache.require()
                raise DataError(f"{name} cannot be kept in the cache {cache.folder()} ({error.strerror})") from error


def _decoded_key(name: str, split: str) -> str:
    return hashlib.sha256(f"{stored_digest(name)} {split}".encode()).hexdigest()


@lru_cache(maxsize=12)
def _load(name: str, split: str, folder: Path) -> Arrays:
    digits = None
    if (cache.folder() / "digits").is_dir():
        with contextlib.suppress(DataError):  # a split that cannot be read is of no matter for another
            digits = cache.kept_digits(_decoded_key(name, split))
    images, labels = digits or _read(name, split, folder)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def _read(name: str, split: str, folder: Path) -> Arrays:
    try:
        # batch_size=-1 is TFDS's way to say "the whole split as one tensor".
        builder = tfds.builder(name, data_dir=folder)
        images, labels = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1, as_supervised=True))
    # TFDS and TensorFlow raise many unrelated kinds for a missing file, a bad record and an unknown split.
    except Exception as error:
        raise DataError(
            f"{name}: the split {split} cannot be read in {folder} ({_first_line(error)}): "
            f"check its name, or remove {_dataset_folder(name, folder)} and prepare it again."
        ) from error
    return np.array(images, np.uint8), np.array(labels, np.int64)


def few_shot(
    images: NDArray[Any], labels: NDArray[np.integer], per_class: int, seed: int
) -> tuple[NDArray[Any], NDArray[np.integer]]:
    """Draw exactly `per_class` digits of each of the ten classes, in random order.

    Args:
        images: (n, ...), any dtype.
        labels: (n,) in 0..9.
        per_class: digits of each class.
        seed: of `np.random.default_rng`; the same seed draws the same digits in the same order.

    Raises:
        DataError: a class has fewer than `per_class` digits.
    """
    rng = np.random.default_rng(seed)
    by_class = [np.flatnonzero(labels == digit) for digit in range(CLASSES)]
    for digit, indices in enumerate(by_class):
        if len(indices) < per_class:
            raise DataError(f"class {digit} has {len(indices)} digits, fewer than the {per_class} asked for.")
    drawn = np.concatenate([rng.choice(indices, per_class, replace=False) for indices in by_class])
    drawn = rng.permutation(drawn)
    return images[drawn], labels[drawn]


def fingerprint(name: str | None = None) -> str:
    """SHA-256 (hex) of the pixels and labels of pool, validation and test, in their stored order."""
    digest = hashlib.sha256()
    for split in (POOL, VALIDATION, TEST):
        images, labels = load_arrays(split, name)
        digest.update(f"{split} {images.shape}".encode())
        digest.update(images.tobytes())
        digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()


def stored_digest(name: str | None = None) -> str:
    """SHA-256 (hex) of the data set's files, which needs no TensorFlow: equal files hold equal digits.

    Raises:
        DataError: the data set is not prepared, or cannot be read.
    """
    name = choose_dataset().name if name is None else name
    _require_prepared(name)
    digest = hashlib.sha256()
    try:
        for path in _shards(name):
            digest.update(f"{path.name} {path.stat().st_size}".encode())
            digest.update(path.read_bytes())
    except OSError as error:
        folder = _dataset_folder(name)
        raise DataError(f"{name} cannot be read in {folder} ({error.strerror}): prepare it again.") from error
    return digest.hexdigest()


def _shards(name: str) -> list[Path]:
    return sorted(_dataset_folder(name).glob("*.tfrecord*"))


def import_idx(
    source: Path, data_dir: Path | None = None, overwrite: bool = False, name: str | None = None
) -> ImportSummary:
    """Import IDX files as a TFDS data set, for plain `tfds.load(NAME, download=False)`.

    The digits of MNIST are known by their content and become `mnist`; any other pictures get a name of their own,
    which begins with `idx_`. The four files keep their train and test split. A single pair of images and labels
    (such as the t10k files alone) is shuffled with a fixed seed and halved.

    Args:
        source: the folder of the files, plain or gzip; see `augcourse.digits.idx.find_parts` for their names.
        data_dir: the TFDS data folder; None for `augcourse.data.data_dir()`.
        overwrite: replace a data set of that name; without it that is an error.
        name: of pictures that are not MNIST's; made from the folder's name if left out.

    Raises:
        DataError: damaged, missing or mismatched files, an existing data set, a folder that cannot be written.
            Nothing half-written stays behind, and an existing data set stays as it was.
    """
    parts, halved = find_parts(Path(source))
    known = is_mnist(parts, halved)
    name = "mnist" if known else name_of(name or Path(source).resolve().name)
    folder = _dataset_folder(name, data_dir)
    if is_prepared(name, data_dir) and not overwrite:
        raise DataError(f"{folder} exists already: import with overwrite to replace it.")
    builder = imported_mnist(parts, halved) if known else imported(name, parts, halved)
    _write(name, builder, data_dir, overwrite=overwrite)
    _load.cache_clear()
    return ImportSummary(name, folder, len(parts["train"][1]), len(parts["test"][1]), halved)


def _require_known(name: str) -> None:
    if name not in _VERSIONS and not is_prepared(name):
        raise DataError(
            f"the data set {name} is unknown: the course has {', '.join(_VERSIONS)}, and what "
            "`augcourse data import-idx` has made."
        )


def _require_prepared(name: str) -> None:
    _require_known(name)
    if not is_prepared(name):
        raise DataError(f"{name} is not prepared in {data_dir()}: run `augcourse data prepare {name}`.")


def _require_network(url: str) -> None:
    """Ask once: TFDS itself retries every file ten times, several minutes in all, before it gives up."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_NETWORK_TIMEOUT_S):
            pass
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"mnist cannot be downloaded ({_first_line(error)}): {_TWO_WAYS}.") from error


def _dataset_folder(name: str, directory: Path | None = None) -> Path:
    return Path(directory or data_dir()).expanduser() / name / _VERSIONS.get(name, IMPORTED_VERSION)


def _write(
    name: str,
    builder: type[Any],
    directory: Path | None = None,
    overwrite: bool = False,
    remedy: str = "check the free space there",
) -> None:
    """Build beside the final place, then move there: a reader sees all of the data set, or nothing."""
    final = _dataset_folder(name, directory)
    root = final.parent.parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(root / f".{name}.lock", timeout=_LOCK_TIMEOUT_S)
        with lock, _staging(root, name) as staging:
            if is_prepared(name, directory) and not overwrite:
                return  # another process built it while this one waited
            _build(name, builder, staging, remedy)
            _replace(staging / name / final.name, final, staging / "replaced")
    except OSError as error:
        reason = error.strerror or _first_line(error)
        raise DataError(
            f"{name} cannot be written to {root} ({reason}): set TFDS_DATA_DIR to a folder you may write to."
        ) from error


@contextlib.contextmanager
def _staging(root: Path, name: str) -> Iterator[Path]:
    staging = root / f".{name}.staging"
    shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed: whoever holds the lock owns it
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _build(name: str, builder: type[Any], staging: Path, remedy: str) -> None:
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # TFDS announces a download even where there is none
            builder(data_dir=staging).download_and_prepare()
    # TFDS raises many unrelated kinds, from a missing name server to a wrong checksum to a full disk.
    except Exception as error:
        raise DataError(f"{name} could not be built in {staging.parent} ({_first_line(error)}): {remedy}.") from error


def _replace(built: Path, final: Path, aside: Path) -> None:
    final.parent.mkdir(exist_ok=True)
    if final.exists():
        final.rename(aside)
    built.rename(final)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
