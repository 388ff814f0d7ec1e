"""IDX files → checked arrays → the TFDS data set `mnist`, or one of another name for other pictures.

The format (LeCun, Cortes and Burges, 1998): a big-endian magic number, one big-endian size per axis, then the
bytes. In: a folder of plain or gzip files. Out: images (n, 28, 28) uint8 in 0..255 and labels (n,) uint8 in
0..9, and a builder that writes them: MNIST, known by its content, under the name, version and features of tfds's own
`mnist`; anything else under a name that no data set of TFDS has.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from augcourse.digits.mnist_sample import MnistSample
from augcourse.errors import DataError
from augcourse.settings import CLASSES, IMAGE_SHAPE

__all__ = ["IMPORTED_VERSION", "find_parts", "imported", "imported_mnist", "is_mnist", "name_of", "read_idx"]

HALVING_SEED = 1998
IMPORTED_VERSION = "1.0.0"
"""The version of a data set that was imported under a name of its own."""

_GZIP_MAGIC = b"\x1f\x8b"
_AXES = {2049: 1, 2051: 3}  # magic number → axes: labels, images
_FILE_NAME = re.compile(r"(?P<part>train|t10k)-(?P<kind>images|labels)[-.]idx[13]-ubyte(\.gz)?")

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]

# SHA-256 over the sorted `_digests` of MNIST's 10,000 test digits, in any order.
_MNIST_TEST = "603396c5c9cf5f26480aa475238609fd5dbe954d5e6f94090a309a999bdc4ee1"


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of one IDX file, plain or gzip: images (n, rows, columns) or labels (n,), uint8.

    Raises:
        DataError: not readable, neither images (magic 2051) nor labels (magic 2049), or not as long as its
            header says.
    """
    content = _read_bytes(Path(path))
    _require_bytes(path, content, 4)
    (magic,) = struct.unpack(">I", content[:4])
    if magic not in _AXES:
        raise DataError(f"{path} has the magic number {magic}, expected 2051 (images) or 2049 (labels).")
    header = 4 + 4 * _AXES[magic]
    _require_bytes(path, content, header)
    shape = struct.unpack(f">{_AXES[magic]}I", content[4:header])
    expected = header + math.prod(shape)
    _require_bytes(path, content, expected)
    if len(content) > expected:
        raise DataError(f"{path} is too long: {len(content)} bytes, expected {expected}; copy it again.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _require_bytes(path: Path, content: bytes, expected: int) -> None:
    if len(content) < expected:
        raise DataError(f"{path} is truncated: {len(content)} bytes, expected {expected}; copy it again.")


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content
    except EOFError as error:
        raise DataError(f"{path} is truncated: its gzip stream ends too early; copy it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged: no valid gzip stream ({error}); copy it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def find_parts(source: Path) -> tuple[dict[str, Pair], bool]:
    """The digits of `train` and `test` in a folder of IDX files, and whether one pair was halved for them.

    File names are those of MNIST: `train-` or `t10k-`, then `images-idx3-ubyte` or `labels-idx1-ubyte` (also
    spelled `images.idx3-ubyte`), with or without `.gz`.

    Raises:
        DataError: a missing folder or file, or any file that does not fit.
    """
    files = _find_files(source)
    pairs = {part: _read_pair(source, part, files) for part in {part for part, _ in files}}
    if len(pairs) == 2:
        return {"train": pairs["train"], "test": pairs["t10k"]}, False
    images, labels = next(iter(pairs.values()))
    if len(labels) < 2:
        raise DataError(f"{source} holds one digit, expected two or more to halve into train and test.")
    order = np.random.default_rng(HALVING_SEED).permutation(len(labels))
    train, test = np.array_split(order, 2)
    return {"train": (images[train], labels[train]), "test": (images[test], labels[test])}, True


def _find_files(source: Path) -> dict[tuple[str, str], Path]:
    """Files by (part, kind). Of several spellings the plain file wins, because it sorts first."""
    if not source.is_dir():
        raise DataError(f"{source} is not a folder: expected one with the IDX files of MNIST.")
    files: dict[tuple[str, str], Path] = {}
    for path in sorted(source.iterdir()):
        if match := _FILE_NAME.fullmatch(path.name):
            files.setdefault((match["part"], match["kind"]), path)
    if not files:
        raise DataError(f"{source} holds no IDX files: expected names such as train-images-idx3-ubyte.gz.")
    return files


def _read_pair(source: Path, part: str, files: dict[tuple[str, str], Path]) -> Pair:
    for kind, axes in (("images", 3), ("labels", 1)):
        if (part, kind) not in files:
            name = f"{part}-{kind}-idx{axes}-ubyte"
            raise DataError(f"{source / name} is missing: put it there, plain or as {name}.gz.")
    images_path, labels_path = files[part, "images"], files[part, "labels"]
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3:
        raise DataError(f"{images_path} has the magic number 2049 (labels), expected 2051 (images).")
    if labels.ndim != 1:
        raise DataError(f"{labels_path} has the magic number 2051 (images), expected 2049 (labels).")
    if images.shape[1:] != IMAGE_SHAPE[:2]:
        size = " x ".join(map(str, images.shape[1:]))
        raise DataError(f"{images_path} has images of {size}, expected 28 x 28.")
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} has {len(images)} images, but {labels_path} has {len(labels)} labels: "
            "expected one label for every image."
        )
    if len(labels) == 0:
        raise DataError(f"{labels_path} holds no labels, expected at least one.")
    if labels.max() >= CLASSES:
        raise DataError(f"{labels_path} has the label {labels.max()}, expected 0 to 9.")
    return images, labels


def is_mnist(parts: dict[str, Pair], halved: bool) -> bool:
    """Whether these are MNIST's digits with their labels, in any order.

    The 10,000 test digits are known by a checksum; the training digits, by the 5,000 of them that `mnist_sample` has,
    all of which must be there.
    """
    found = {name: _digests(*pair) for name, pair in parts.items()}
    if halved:
        everything = np.concatenate(list(found.values()))
        return _are_test(everything) or _are_training(everything)
    return _are_test(found["test"]) and _are_training(found["train"])


def _are_test(digests: NDArray[np.bytes_]) -> bool:
    return hashlib.sha256(np.sort(digests).tobytes()).hexdigest() == _MNIST_TEST


def _are_training(digests: NDArray[np.bytes_]) -> bool:
    return len(digests) == 60_000 and bool(np.isin(_digests(*MnistSample.digits()), digests).all())


def _digests(images: NDArray[np.integer], labels: NDArray[np.integer]) -> NDArray[np.bytes_]:
    """Hexadecimal SHA-256 (n,) of every picture with its label."""
    pixels = np.ascontiguousarray(images, np.uint8)
    return np.array(
        [
            hashlib.sha256(image.tobytes() + bytes([label])).hexdigest().encode()
            for image, label in zip(pixels, labels, strict=True)
        ]
    )


def name_of(text: str) -> str:
    """The name of a data set that is not MNIST: `idx_` and lower-case letters, digits and underscores of a text.

    The beginning keeps it apart from the data sets of TFDS, of which one is called `fashion_mnist`.
    """
    words = re.findall("[a-z0-9]+", text.lower().removeprefix("idx_"))
    if not words:
        raise DataError(f"{text!r} gives the data set no name: name it with --name, in letters and digits.")
    return "_".join(["idx", *words])


def imported(name: str, parts: dict[str, Pair], halved: bool) -> type[Any]:
    """A builder class that writes `parts` with the features of MNIST under a name of their own.

    Once written, TFDS reads the data set from its files alone, so this class is never registered.
    """

    class Imported(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
        VERSION = tfds.core.Version(IMPORTED_VERSION)

        def _info(self) -> tfds.core.DatasetInfo:
            return tfds.core.DatasetInfo(
                builder=self,
                description=f"Pictures of ten classes that are not MNIST, imported from {_origin(halved)}.",
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=IMAGE_SHAPE),
                        "label": tfds.features.ClassLabel(num_classes=CLASSES),
                    }
                ),
                supervised_keys=("image", "label"),
            )

        def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
            return {split: self._generate_examples(*pair) for split, pair in parts.items()}

        def _generate_examples(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Iterator:
            return _examples(images, labels)

    Imported.name = name
    return Imported


def _origin(halved: bool) -> str:
    return "one pair of IDX files, shuffled with a fixed seed and halved" if halved else "four IDX files"


def _examples(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Iterator[tuple[int, dict[str, Any]]]:
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        yield index, {"image": image.reshape(IMAGE_SHAPE), "label": int(label)}


def imported_mnist(parts: dict[str, Pair], halved: bool) -> type[Any]:
    """A builder class that writes `parts` exactly as tfds's own builder writes MNIST.

    Once written, tfds's own builder reads the data set, so this class is never registered. TFDS shuffles by
    the hashed index of a digit, which is the same in every import.
    """
    # Here, because the module of MNIST brings dozens of other builders with it.
    from tensorflow_datasets.image_classification import MNIST

    class ImportedMnist(MNIST, skip_registration=True):  # type: ignore[call-arg]
        name = "mnist"
        url_infos = None  # nothing is downloaded, so there are no checksums to look for

        def _info(self) -> tfds.core.DatasetInfo:
            info = super()._info()
            info.as_proto.description += f" Imported from {_origin(halved)}."
            return info

        def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
            return {split: self._generate_examples(*pair) for split, pair in parts.items()}

        def _generate_examples(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Iterator:
            return _examples(images, labels)

    return ImportedMnist
