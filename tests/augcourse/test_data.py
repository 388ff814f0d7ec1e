"""The data of the course: the choice of a data set, splits, few labels per class, and the import of IDX files."""

from __future__ import annotations

import gzip
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

from augcourse import data
from augcourse.digits import MnistSample, idx
from augcourse.digits.balanced import split_indices
from augcourse.digits.uci_digits import UciDigits, draw
from augcourse.errors import DataError

SHARED_MNIST = Path(__file__).parents[2].parent / "shared" / "mnist"


@pytest.fixture(scope="session")
def prepared_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(folder))
        data.prepare("mnist_sample")
        data.prepare("uci_digits")
    return folder


@pytest.fixture
def prepared(prepared_dir, monkeypatch):
    """A data folder with mnist_sample and uci_digits; tests only read it."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared_dir))
    monkeypatch.delenv("AUGCOURSE_DATASET", raising=False)
    return prepared_dir


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A data folder that does not exist yet."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.delenv("AUGCOURSE_DATASET", raising=False)
    return tmp_path / "tfds"


@pytest.fixture
def taken_for_mnist(monkeypatch):
    """Some digits stand for MNIST's; how these are known is tested with real ones."""
    monkeypatch.setattr(data, "is_mnist", lambda parts, halved: True)


def idx_bytes(array, magic=None):
    magic = {1: 2049, 3: 2051}[array.ndim] if magic is None else magic
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.astype(np.uint8).tobytes()


def some_digits(count, seed=0, size=28):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size), np.uint8), np.arange(count, dtype=np.uint8) % 10


def write_pair(folder, part="t10k", images=None, labels=None, spelling="-", compress=True):
    folder.mkdir(exist_ok=True)
    default_images, default_labels = some_digits(20)
    images = default_images if images is None else images
    labels = default_labels if labels is None else labels
    for kind, array in (("images", images), ("labels", labels)):
        path = folder / f"{part}-{kind}{spelling}idx{array.ndim}-ubyte"
        if compress:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(idx_bytes(array)))
        else:
            path.write_bytes(idx_bytes(array))
    return folder


def run_python(code, folder=None, **options):
    """Run code in a fresh process whose data folder is `folder`, if given; its standard output."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | options.pop("env", {})
    environment.pop("TFDS_DATA_DIR", None)
    if folder is not None:
        environment["TFDS_DATA_DIR"] = str(folder)
    command = [sys.executable, "-c", code]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False, **options
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def as_bytes(images):
    return sorted(image.tobytes() for image in images)


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def dataset_files(folder):
    """Everything in a data directory but the lock, which stays between builds."""
    return [path for path in folder.rglob("*") if path.suffix != ".lock"] if folder.exists() else []


# uci_digits


def test_two_builds_of_uci_digits_are_identical(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    data.prepare("uci_digits")
    assert content(tmp_path / "uci_digits") == content(prepared / "uci_digits")


def test_uci_digits_has_the_features_of_mnist(prepared):
    ours, mnist = tfds.builder("uci_digits", data_dir=prepared).info, tfds.builder("mnist").info
    assert repr(ours.features) == repr(mnist.features)
    assert ours.supervised_keys == mnist.supervised_keys


def test_uci_digits_names_its_source_and_its_shared_writers():
    info = UciDigits().info
    assert "not MNIST" in info.description
    assert "same 13 writers" in " ".join(info.description.split())
    assert "Alpaydin" in info.citation


def test_the_pool_of_uci_digits_has_a_hundred_of_every_class(prepared):
    _, labels = data.load_arrays(data.POOL, "uci_digits")
    assert np.bincount(labels, minlength=10).min() >= 100


def test_the_validation_digits_of_uci_digits_are_balanced(prepared):
    _, labels = data.load_arrays(data.VALIDATION, "uci_digits")
    counts = np.bincount(labels, minlength=10)
    assert len(labels) >= 260
    assert counts.max() - counts.min() <= 1


def test_the_test_split_of_uci_digits_has_46_of_every_class(prepared):
    _, labels = data.load_arrays(data.TEST, "uci_digits")
    assert np.bincount(labels).tolist() == [46] * 10


def test_every_round_of_ten_test_digits_has_each_class_once(prepared):
    _, labels = data.load_arrays(data.TEST, "uci_digits")
    assert (np.sort(labels.reshape(-1, 10), axis=1) == np.arange(10)).all()


def test_train_and_test_share_no_digit_and_lose_none():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 180))
    parts = split_indices(labels, 46)
    assert sorted(np.concatenate([parts["train"], parts["test"]])) == list(range(len(labels)))


def test_the_split_follows_its_seed():
    labels = np.repeat(np.arange(10), 180)
    assert (split_indices(labels, 46, 1)["test"] == split_indices(labels, 46, 1)["test"]).all()
    assert (split_indices(labels, 46, 1)["test"] != split_indices(labels, 46, 2)["test"]).any()


def test_a_drawn_edge_does_not_wrap_around():
    edge = np.zeros((8, 8))
    edge[:, :4] = 16
    inside = draw(edge)[4:24, 4:24, 0].astype(int)
    assert inside[:, 0].tolist() == [255] * 20
    assert inside[:, -1].tolist() == [0] * 20
    assert (np.diff(inside, axis=1) <= 0).all()


def test_a_drawn_digit_has_a_border_of_four_black_pixels(prepared):
    images, _ = data.load_arrays("train", "uci_digits")
    border = np.ones((28, 28), bool)
    border[4:24, 4:24] = False
    assert images.shape[1:] == (28, 28, 1)
    assert not images[:, border].any()


@pytest.mark.parametrize("row", [4, 23], ids=["top", "bottom"])
def test_most_drawn_digits_reach_from_the_top_of_the_inside_to_its_bottom(prepared, row):
    images, _ = data.load_arrays("train", "uci_digits")
    assert np.mean(images[:, row, :, 0].max(axis=1) > 64) > 0.9


def test_a_bitmap_is_drawn_in_the_middle_from_black_to_full_ink():
    assert draw(np.full((8, 8), 16.0))[4:24, 4:24].min() == 255
    assert draw(np.zeros((8, 8))).max() == 0


def test_digits_that_an_older_version_drew_are_drawn_anew(empty):
    (empty / "uci_digits" / "1.0.0").mkdir(parents=True)
    (empty / "uci_digits" / "1.0.0" / "dataset_info.json").touch()
    data.prepare("uci_digits")
    assert (empty / "uci_digits" / "2.0.0" / "dataset_info.json").is_file()


def test_without_the_digits_of_scikit_learn_one_line_says_what_to_do(empty, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r"uci_digits: .* scikit-learn .*`pip install") as caught:
        data.prepare("uci_digits")
    assert "\n" not in str(caught.value)
    assert dataset_files(empty) == []


@pytest.mark.slow
def test_importing_the_package_registers_uci_digits_for_plain_tfds_load(prepared):
    code = (
        "import tensorflow_datasets as tfds, augcourse.digits\n"
        "dataset = tfds.load('uci_digits', split='test', as_supervised=True)\n"
        "print(len(dataset), *dataset.element_spec[0].shape, dataset.element_spec[0].dtype.name)"
    )
    assert run_python(code, prepared).split() == ["460", "28", "28", "1", "uint8"]


# choose_dataset


def test_the_course_runs_on_the_sample_of_mnist_and_says_what_that_is(prepared):
    choice = data.choose_dataset()
    assert choice.name == data.DEFAULT == "mnist_sample"
    assert choice.reason == "mnist_sample (5,000 real digits of MNIST's training set)."


@pytest.mark.parametrize("setting", ["auto", ""])
def test_auto_is_what_is_chosen_without_a_setting(prepared, monkeypatch, setting):
    without = data.choose_dataset()
    monkeypatch.setenv("AUGCOURSE_DATASET", setting)
    assert data.choose_dataset() == without


def test_a_prepared_mnist_is_chosen(empty, tmp_path, taken_for_mnist):
    data.import_idx(write_pair(tmp_path / "files"))
    assert data.choose_dataset().name == "mnist"


@pytest.mark.parametrize("name", ["mnist", "mnist_sample", "uci_digits"])
def test_the_setting_outweighs_a_prepared_mnist(empty, tmp_path, monkeypatch, taken_for_mnist, name):
    data.import_idx(write_pair(tmp_path / "files"))
    monkeypatch.setenv("AUGCOURSE_DATASET", name)
    choice = data.choose_dataset()
    assert choice.name == name
    assert choice.reason.endswith("because AUGCOURSE_DATASET asks for it.")


def test_an_imported_data_set_is_chosen_if_it_is_asked_for(empty, tmp_path, monkeypatch):
    data.import_idx(write_pair(tmp_path / "letters"))
    assert data.choose_dataset().name == "mnist_sample"
    monkeypatch.setenv("AUGCOURSE_DATASET", "idx_letters")
    choice = data.choose_dataset()
    assert choice.name == "idx_letters"
    assert "imported from IDX files" in choice.reason


def test_asking_for_a_missing_mnist_names_both_ways_to_get_it(prepared, monkeypatch):
    monkeypatch.setenv("AUGCOURSE_DATASET", "mnist")
    with pytest.raises(DataError, match=r"data prepare mnist.*import-idx"):
        data.choose_dataset()


@pytest.mark.parametrize("name", ["cifar10", "idx_letters", "MNIST"])
def test_an_unknown_setting_names_the_known_ones(prepared, monkeypatch, name):
    monkeypatch.setenv("AUGCOURSE_DATASET", name)
    with pytest.raises(
        DataError, match=rf"{name} is unknown: set it to auto, mnist, mnist_sample, uci_digits or .*idx"
    ):
        data.choose_dataset()


# prepare


def test_preparing_again_changes_nothing(prepared):
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    assert data.prepare().name == "mnist_sample"
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*")} == before


def test_preparing_prints_nothing(empty, capfd):
    data.prepare("uci_digits")
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "examples" not in printed.err


def test_preparing_leaves_only_the_data_set(empty):
    data.prepare("uci_digits")
    assert {path.name for path in empty.iterdir()} - {".uci_digits.lock"} == {"uci_digits"}
    assert [path.name for path in (empty / "uci_digits").iterdir()] == ["2.0.0"]


def test_what_a_killed_build_left_is_replaced(empty):
    (empty / ".uci_digits.staging" / "uci_digits" / "2.0.0").mkdir(parents=True)
    (empty / "uci_digits" / "2.0.0").mkdir(parents=True)
    data.prepare("uci_digits")
    assert len(data.load_arrays(data.TEST, "uci_digits")[1]) == 460
    assert not (empty / ".uci_digits.staging").exists()


@pytest.mark.slow
def test_two_processes_may_prepare_at_once(tmp_path):
    code = "from augcourse import data; data.prepare('uci_digits'); print(data.fingerprint('uci_digits'))"
    environment = os.environ | {"TFDS_DATA_DIR": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    pair = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=180)[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert printed[0] == printed[1] != ""


def test_an_unknown_data_set_is_refused(empty):
    with pytest.raises(DataError, match="cifar10 is unknown: the course has mnist, mnist_sample, uci_digits, and"):
        data.prepare("cifar10")


def test_an_imported_data_set_is_prepared(empty, tmp_path):
    data.import_idx(write_pair(tmp_path / "letters"))
    assert data.prepare("idx_letters").name == "idx_letters"


def test_a_data_set_that_was_never_imported_is_refused(empty):
    with pytest.raises(DataError, match="idx_letters is unknown"):
        data.prepare("idx_letters")


def test_a_data_dir_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "file" / "inside"))
    with pytest.raises(DataError, match=r"file/inside.*TFDS_DATA_DIR"):
        data.prepare("uci_digits")


def test_mnist_without_a_network_names_the_import_and_leaves_nothing(empty, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # nothing listens there
    with pytest.raises(DataError, match="import-idx") as caught:
        data.prepare("mnist")
    assert "\n" not in str(caught.value)
    assert dataset_files(empty) == []


# load_arrays, fingerprint


def test_arrays_have_the_shape_and_type_of_the_contract(prepared):
    images, labels = data.load_arrays(data.POOL)
    assert images.shape == (len(labels), 28, 28, 1)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert (images.min(), images.max()) == (0, 255)


def test_arrays_equal_what_plain_tfds_load_yields_in_order(prepared):
    images, labels = data.load_arrays(data.VALIDATION)
    plain = tfds.load("mnist_sample", split=data.VALIDATION, as_supervised=True, data_dir=prepared)
    plain_images, plain_labels = zip(*tfds.as_numpy(plain), strict=True)
    assert (images == np.stack(plain_images)).all()
    assert (labels == np.stack(plain_labels)).all()


def test_arrays_are_read_only(prepared):
    images, labels = data.load_arrays(data.TEST)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        labels[0] = 0


def test_arrays_are_read_once(prepared):
    assert data.load_arrays(data.TEST)[0] is data.load_arrays(data.TEST, "mnist_sample")[0]


def test_two_data_dirs_are_not_confused(prepared, tmp_path, monkeypatch):
    lengths = []
    for folder, digits in (("one", 20), ("other", 30)):
        write_pair(tmp_path / "letters", "t10k", *some_digits(digits))
        data.import_idx(tmp_path / "letters", tmp_path / folder)
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / folder))
        lengths.append(len(data.load_arrays("train", "idx_letters")[0]))
    assert lengths == [10, 15]


def test_an_unprepared_data_set_says_how_to_prepare_it(empty):
    with pytest.raises(DataError, match="augcourse data prepare mnist_sample"):
        data.load_arrays(data.POOL)


def test_an_unknown_split_is_one_line(prepared):
    with pytest.raises(DataError, match="split holdout cannot be read") as caught:
        data.load_arrays("holdout")
    assert "\n" not in str(caught.value)


def test_the_pool_loads_where_the_test_split_is_absent(empty):
    data.prepare("uci_digits")
    next(empty.rglob("*-test.tfrecord*")).unlink()
    assert len(data.load_arrays(data.POOL, "uci_digits")[0]) > 1000
    with pytest.raises(DataError, match="split test cannot be read"):
        data.load_arrays(data.TEST, "uci_digits")


def test_the_fingerprint_depends_on_the_content_alone(tmp_path, monkeypatch):
    images, labels = some_digits(40)
    changed = images.copy()
    changed[7, 3, 3] ^= 1
    prints = []
    for name, pixels in (("first", images), ("second", images), ("third", changed)):
        write_pair(tmp_path / "letters", images=pixels, labels=labels)
        data.import_idx(tmp_path / "letters", tmp_path / name)
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / name))
        prints.append((data.fingerprint("idx_letters"), data.stored_digest("idx_letters")))
    for one, same, other in zip(*prints, strict=True):
        assert one == same != other
        assert len(bytes.fromhex(one)) == 32


# few_shot


def test_few_shot_draws_exactly_per_class(prepared):
    images, labels = data.few_shot(*data.load_arrays(data.POOL), per_class=10, seed=3)
    assert np.bincount(labels).tolist() == [10] * 10
    assert images.shape == (100, 28, 28, 1)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), per_class=st.integers(1, 7))
def test_few_shot_keeps_each_image_with_its_label_and_draws_none_twice(seed, per_class):
    labels = np.repeat(np.arange(10), 7)
    images = np.arange(70) * 10 + labels
    drawn, drawn_labels = data.few_shot(images, labels, per_class, seed)
    assert (drawn % 10 == drawn_labels).all()
    assert len(set(drawn.tolist())) == 10 * per_class


def test_the_same_seed_draws_the_same_digits_and_another_does_not(prepared):
    pool = data.load_arrays(data.POOL)
    first, again, other = (data.few_shot(*pool, per_class=10, seed=seed)[0] for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_few_shot_shuffles_the_classes(prepared):
    _, labels = data.few_shot(*data.load_arrays(data.POOL), per_class=10, seed=0)
    assert len(set(labels[:10].tolist())) > 1


def test_a_class_with_too_few_digits_is_named():
    labels = np.array([*np.repeat(np.arange(10), 5), 0])
    labels[labels == 4] = 3
    with pytest.raises(DataError, match="class 4 has 0 digits"):
        data.few_shot(np.zeros((len(labels), 28, 28, 1), np.uint8), labels, per_class=5, seed=0)


# read_idx


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", [0, 1], ids=["images", "labels"])
def test_reading_an_idx_file_undoes_writing_it(tmp_path, kind, compress):
    array = some_digits(13)[kind]
    path = tmp_path / "idx"
    path.write_bytes(gzip.compress(idx_bytes(array)) if compress else idx_bytes(array))
    assert data.read_idx(path).dtype == np.uint8
    assert np.array_equal(data.read_idx(path), array)


@settings(deadline=None)
@given(length=st.integers(0, 16 + 3 * 28 * 28 - 1))
def test_a_truncated_file_names_itself(tmp_path_factory, length):
    path = tmp_path_factory.getbasetemp() / "t10k-images-idx3-ubyte"
    path.write_bytes(idx_bytes(some_digits(3)[0])[:length])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte is truncated"):
        data.read_idx(path)


@settings(deadline=None)
@given(fraction=st.floats(0.05, 0.999))
def test_a_truncated_gzip_file_names_itself(tmp_path_factory, fraction):
    path = tmp_path_factory.getbasetemp() / "t10k-images-idx3-ubyte.gz"
    whole = gzip.compress(idx_bytes(some_digits(3)[0]))
    path.write_bytes(whole[: int(len(whole) * fraction)])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte.gz is truncated"):
        data.read_idx(path)


def test_a_damaged_gzip_file_names_itself(tmp_path):
    whole = bytearray(gzip.compress(idx_bytes(some_digits(3)[0])))
    whole[len(whole) // 2] ^= 0xFF
    (tmp_path / "damaged.gz").write_bytes(whole)
    with pytest.raises(DataError, match=r"damaged.gz is (damaged|truncated)"):
        data.read_idx(tmp_path / "damaged.gz")


def test_a_file_longer_than_its_header_says_is_refused(tmp_path):
    (tmp_path / "long").write_bytes(idx_bytes(some_digits(3)[0]) + b"\0")
    with pytest.raises(DataError, match="long is too long"):
        data.read_idx(tmp_path / "long")


def test_a_wrong_magic_number_is_named_with_the_expected_ones(tmp_path):
    (tmp_path / "odd").write_bytes(idx_bytes(some_digits(3)[0], magic=2052))
    with pytest.raises(DataError, match=r"odd has the magic number 2052, expected 2051 .* 2049"):
        data.read_idx(tmp_path / "odd")


def test_a_missing_idx_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="absent cannot be read"):
        data.read_idx(tmp_path / "absent")


# import_idx


def test_the_four_files_keep_their_split(empty, tmp_path):
    train, test = some_digits(30, seed=1), some_digits(20, seed=2)
    write_pair(tmp_path / "letters", "train", *train)
    write_pair(tmp_path / "letters", "t10k", *test)
    summary = data.import_idx(tmp_path / "letters")
    assert (summary.train, summary.test, summary.halved) == (30, 20, False)
    assert as_bytes(data.load_arrays("train", "idx_letters")[0]) == as_bytes(train[0])
    assert as_bytes(data.load_arrays("test", "idx_letters")[0]) == as_bytes(test[0])


def test_a_single_pair_is_halved_and_the_summary_says_so(empty, tmp_path):
    images, _ = some_digits(41)
    write_pair(tmp_path / "letters", "t10k", *some_digits(41))
    summary = data.import_idx(tmp_path / "letters")
    assert summary.halved
    assert "halved" in str(summary)
    assert (summary.train, summary.test) == (21, 20)
    halves = [data.load_arrays(split, "idx_letters")[0] for split in ("train", "test")]
    assert as_bytes(np.concatenate(halves)) == as_bytes(images)


def test_an_imported_image_keeps_its_label(empty, tmp_path):
    images, labels = some_digits(20)
    data.import_idx(write_pair(tmp_path / "letters"))
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    imported_images, imported_labels = data.load_arrays("train", "idx_letters")
    assert [label_of[image.tobytes()] for image in imported_images] == imported_labels.tolist()


def test_two_imports_are_identical(tmp_path):
    write_pair(tmp_path / "letters")
    for name in ("first", "second"):
        data.import_idx(tmp_path / "letters", tmp_path / name)
    assert content(tmp_path / "first") == content(tmp_path / "second")


@pytest.mark.parametrize("spelling", ["-", "."])
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
def test_every_spelling_of_the_file_names_is_found(tmp_path, spelling, compress):
    write_pair(tmp_path / "letters", spelling=spelling, compress=compress)
    assert data.import_idx(tmp_path / "letters", tmp_path / "tfds").train == 10


def test_an_import_of_mnist_is_the_version_that_tfds_looks_for(tmp_path, taken_for_mnist):
    data.import_idx(write_pair(tmp_path / "files"), tmp_path / "tfds")
    builder = tfds.builder("mnist", data_dir=tmp_path / "tfds")
    assert builder.is_prepared()
    assert builder.info.splits["train"].num_examples == 10


def test_an_import_has_the_features_of_mnist(tmp_path):
    data.import_idx(write_pair(tmp_path / "letters"), tmp_path / "tfds")
    ours, mnist = tfds.builder("idx_letters", data_dir=tmp_path / "tfds").info, tfds.builder("mnist").info
    assert repr(ours.features) == repr(mnist.features)
    assert ours.supervised_keys == mnist.supervised_keys


def test_an_import_says_that_it_is_not_mnist(tmp_path):
    data.import_idx(write_pair(tmp_path / "letters"), tmp_path / "tfds")
    assert "not MNIST" in tfds.builder("idx_letters", data_dir=tmp_path / "tfds").info.description


LOAD = """
import sys, tensorflow_datasets as tfds
dataset = tfds.load('{name}', split='test', as_supervised=True)
image, label = next(iter(dataset))
print(len(dataset), *image.shape, image.dtype.name, label.dtype.name, 'augcourse' in sys.modules)
"""


@pytest.mark.slow
def test_a_fresh_process_without_the_course_loads_an_import(tmp_path):
    data.import_idx(write_pair(tmp_path / "letters"), tmp_path / "tfds")
    printed = run_python(LOAD.format(name="idx_letters"), tmp_path / "tfds")
    assert printed.split() == ["10", "28", "28", "1", "uint8", "int64", "False"]


@pytest.mark.slow
def test_a_fresh_process_without_the_course_loads_an_import_of_mnist(tmp_path, taken_for_mnist):
    data.import_idx(write_pair(tmp_path / "files"), tmp_path / "tfds")
    printed = run_python(LOAD.format(name="mnist"), tmp_path / "tfds")
    assert printed.split() == ["10", "28", "28", "1", "uint8", "int64", "False"]


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_MNIST.is_dir(), reason="the 10,000 MNIST digits in ../shared/mnist are absent")
def test_the_ten_thousand_mnist_digits_are_imported_whole(empty):
    summary = data.import_idx(SHARED_MNIST)
    assert (summary.train, summary.test) == (5000, 5000)
    halves = [data.load_arrays(split, "mnist") for split in ("train", "test")]
    images, labels = (np.concatenate(arrays) for arrays in zip(*halves, strict=True))
    assert as_bytes(images) == as_bytes(data.read_idx(SHARED_MNIST / "t10k-images-idx3-ubyte.gz"))
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_an_existing_import_is_kept_without_overwrite(tmp_path):
    data.import_idx(write_pair(tmp_path / "letters"), tmp_path / "tfds")
    before = content(tmp_path / "tfds")
    with pytest.raises(DataError, match=r"idx_letters/1\.0\.0 exists already.*overwrite"):
        data.import_idx(tmp_path / "letters", tmp_path / "tfds")
    assert content(tmp_path / "tfds") == before


def test_overwrite_replaces_an_existing_import_also_in_memory(empty, tmp_path):
    data.import_idx(write_pair(tmp_path / "letters"))
    before = data.load_arrays("train", "idx_letters")[0]
    write_pair(tmp_path / "letters", "t10k", *some_digits(50, seed=9))
    data.import_idx(tmp_path / "letters", overwrite=True)
    assert len(before) == 10
    assert len(data.load_arrays("train", "idx_letters")[0]) == 25


def test_a_failed_overwrite_keeps_the_old_import(tmp_path):
    data.import_idx(write_pair(tmp_path / "letters"), tmp_path / "tfds")
    before = content(tmp_path / "tfds")
    next((tmp_path / "letters").glob("*labels*")).unlink()
    with pytest.raises(DataError, match="labels"):
        data.import_idx(tmp_path / "letters", tmp_path / "tfds", overwrite=True)
    assert content(tmp_path / "tfds") == before


# The name of an import


def test_pictures_that_are_not_mnist_are_named_after_their_folder(tmp_path):
    summary = data.import_idx(write_pair(tmp_path / "Fashion MNIST"), tmp_path / "tfds")
    assert summary.name == "idx_fashion_mnist"
    assert str(summary).startswith("idx_fashion_mnist: 10 train and 10 test digits")


def test_the_current_folder_has_a_name_as_well(tmp_path, monkeypatch):
    monkeypatch.chdir(write_pair(tmp_path / "letters"))
    assert data.import_idx(Path(), tmp_path / "tfds").name == "idx_letters"


def test_a_name_that_is_given_goes_before_the_folders(tmp_path):
    assert data.import_idx(write_pair(tmp_path / "letters"), tmp_path / "tfds", name="shoes").name == "idx_shoes"


def test_mnist_stays_mnist_whatever_name_is_given(tmp_path, taken_for_mnist):
    assert data.import_idx(write_pair(tmp_path / "files"), tmp_path / "tfds", name="mine").name == "mnist"


def test_a_second_name_is_a_second_data_set(tmp_path):
    write_pair(tmp_path / "letters")
    for name in ("one", "two"):
        data.import_idx(tmp_path / "letters", tmp_path / "tfds", name=name)
    assert {path.name for path in (tmp_path / "tfds").glob("idx_*")} == {"idx_one", "idx_two"}


def test_a_folder_whose_name_gives_none_asks_for_one_and_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match=r"gives the data set no name: name it with --name") as caught:
        data.import_idx(write_pair(tmp_path / "…"), tmp_path / "tfds")
    assert "\n" not in str(caught.value)
    assert dataset_files(tmp_path / "tfds") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fashion", "idx_fashion"),
        ("Fashion-MNIST", "idx_fashion_mnist"),
        ("idx_fashion", "idx_fashion"),
        ("mnist", "idx_mnist"),
        ("../2026 letters.v2/", "idx_2026_letters_v2"),
    ],
)
def test_a_name_is_made_of_the_words_of_a_text(text, name):
    assert idx.name_of(text) == name


@given(st.text(max_size=20))
def test_any_text_gives_a_name_that_tfds_takes_or_none(text):
    try:
        name = idx.name_of(text)
    except DataError:
        assert not re.search("[a-z0-9]", text.lower().removeprefix("idx_"))
    else:
        assert re.fullmatch("idx(_[a-z0-9]+)+", name)
        assert idx.name_of(name) == name


# MNIST is known by its content

needs_mnist = pytest.mark.skipif(not SHARED_MNIST.is_dir(), reason="the 10,000 digits in ../shared/mnist are absent")


@pytest.fixture(scope="module")
def mnist_test():
    """MNIST's 10,000 test digits, as images and labels."""
    return tuple(data.read_idx(SHARED_MNIST / f"t10k-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))


@pytest.fixture(scope="module")
def like_training():
    """60,000 pictures in random order, among them all training digits of MNIST that `mnist_sample` has."""
    images, labels = MnistSample.digits()
    noise, others = some_digits(55_000)
    order = np.random.default_rng(0).permutation(60_000)
    return np.concatenate([images[..., 0], noise])[order], np.concatenate([labels.astype(np.uint8), others])[order]


def as_one_pair(images, labels):
    """What `find_parts` makes of one pair of files."""
    return {"train": (images[::2], labels[::2]), "test": (images[1::2], labels[1::2])}, True


@needs_mnist
@pytest.mark.parametrize("part", ["t10k", "train"])
def test_the_test_digits_of_mnist_are_known_whatever_their_files_are_called(tmp_path, mnist_test, part):
    images, labels = mnist_test
    write_pair(tmp_path / "shoes", part, images, labels, compress=False)
    assert idx.is_mnist(*idx.find_parts(tmp_path / "shoes"))


@needs_mnist
def test_the_test_digits_of_mnist_are_known_in_any_order(mnist_test):
    order = np.random.default_rng(0).permutation(10_000)
    assert idx.is_mnist(*as_one_pair(*(array[order] for array in mnist_test)))


@needs_mnist
@pytest.mark.parametrize("change", ["a pixel", "a label", "a digit less", "a digit twice"])
def test_test_digits_that_are_not_quite_those_of_mnist_are_others(mnist_test, change):
    images, labels = (array.copy() for array in mnist_test)
    if change == "a pixel":
        images[17, 14, 14] ^= 1
    elif change == "a label":
        labels[17] = (labels[17] + 1) % 10
    elif change == "a digit less":
        images, labels = images[:-1], labels[:-1]
    else:
        images[17], labels[17] = images[18], labels[18]
    assert not idx.is_mnist(*as_one_pair(images, labels))


def test_the_training_digits_of_mnist_are_known_by_those_of_the_sample(like_training):
    assert idx.is_mnist(*as_one_pair(*like_training))


@pytest.mark.parametrize("change", ["a pixel", "a label", "a digit less"])
def test_all_of_the_samples_digits_must_be_among_them(like_training, change):
    images, labels = (array.copy() for array in like_training)
    first = MnistSample.digits()[0][0, ..., 0]
    [known] = np.flatnonzero((images == first).all(axis=(1, 2)))
    if change == "a pixel":
        images[known, 14, 14] ^= 1
    elif change == "a label":
        labels[known] = (labels[known] + 1) % 10
    else:
        images[known], labels[known] = 0, 0
    assert not idx.is_mnist(*as_one_pair(images, labels))


def test_a_digit_more_than_mnist_has_is_not_mnist(like_training):
    images, labels = (np.concatenate([array, array[:1]]) for array in like_training)
    assert not idx.is_mnist(*as_one_pair(images, labels))


def test_sixty_thousand_other_pictures_are_not_mnist():
    assert not idx.is_mnist(*as_one_pair(*some_digits(60_000)))


@needs_mnist
def test_the_four_files_of_mnist_are_known(like_training, mnist_test):
    assert idx.is_mnist({"train": like_training, "test": mnist_test}, False)


@needs_mnist
def test_four_files_with_one_part_of_mnist_are_not_mnist(like_training, mnist_test):
    assert not idx.is_mnist({"train": some_digits(60_000), "test": mnist_test}, False)
    assert not idx.is_mnist({"train": like_training, "test": some_digits(10_000)}, False)


@needs_mnist
def test_four_files_whose_parts_are_swapped_are_not_mnist(like_training, mnist_test):
    assert not idx.is_mnist({"train": mnist_test, "test": like_training}, False)


# The folder of the course


@pytest.fixture
def course(prepared_dir, tmp_path):
    """A course with a data folder, for fresh processes that start in it, and a home that has its own."""
    (tmp_path / "course" / "lessons").mkdir(parents=True)
    (tmp_path / "course" / "nbgrader_config.py").touch()
    (tmp_path / "course" / "data").symlink_to(prepared_dir)
    (tmp_path / "home").mkdir()
    return tmp_path / "course"


def inside(course, code):
    """What a fresh process prints that starts in the course without variables that name folders."""
    return run_python(code, cwd=course / "lessons", env={"HOME": str(course.parent / "home")}).split()


PLAIN = "print(len(tfds.load('mnist_sample', split='train', as_supervised=True)))"


@pytest.mark.slow
def test_plain_tfds_load_finds_what_is_in_the_course(course):
    assert inside(course, f"import augcourse.data, tensorflow_datasets as tfds; {PLAIN}") == ["3000"]


@pytest.mark.slow
def test_a_data_set_that_is_in_the_home_as_well_is_no_riddle(course):
    (course.parent / "home" / "tensorflow_datasets").symlink_to(course / "data")
    assert inside(course, f"import tensorflow_datasets as tfds, augcourse.data; {PLAIN}") == ["3000"]


@pytest.mark.slow
def test_a_data_set_is_prepared_in_the_course(course):
    (course / "data").unlink()
    code = "from augcourse import data; data.prepare('uci_digits'); print(data.data_dir())"
    assert inside(course, code) == [str(course / "data")]
    assert (course / "data" / "uci_digits" / "2.0.0" / "dataset_info.json").is_file()
    assert not (course.parent / "home" / "tensorflow_datasets").exists()


def spoil_count(folder):
    write_pair(folder, labels=some_digits(19)[1])


def spoil_labels(folder):
    write_pair(folder, labels=np.full(20, 10, np.uint8))


def spoil_size(folder):
    write_pair(folder, images=some_digits(20, size=27)[0])


def spoil_by_swapping(folder):
    write_pair(folder)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())


def spoil_by_truncating(folder):
    write_pair(folder)
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])


def spoil_by_removing_labels(folder):
    write_pair(folder)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()


def spoil_by_emptying(folder):
    write_pair(folder, images=np.zeros((0, 28, 28), np.uint8), labels=np.zeros(0, np.uint8))


def spoil_half_of_the_four_files(folder):
    write_pair(folder)
    write_pair(folder, "train")
    (folder / "train-images-idx3-ubyte.gz").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_count, r"t10k-images.* 20 images.*t10k-labels.* 19 labels"),
        (spoil_labels, r"t10k-labels\S* has the label 10, expected 0 to 9"),
        (spoil_size, r"t10k-images\S* has images of 27 x 27, expected 28 x 28"),
        (spoil_by_swapping, r"t10k-images\S* has the magic number 2049 .*expected 2051"),
        (spoil_by_truncating, r"t10k-images\S* is truncated"),
        (spoil_by_removing_labels, r"t10k-labels-idx1-ubyte is missing"),
        (spoil_by_emptying, r"t10k-labels\S* holds no labels"),
        (spoil_half_of_the_four_files, r"train-images-idx3-ubyte is missing"),
        (Path.mkdir, r"idx holds no IDX files: expected names such as train-images-idx3-ubyte"),
        (Path.touch, r"idx is not a folder"),
        (lambda folder: None, r"idx is not a folder"),
    ],
)
def test_bad_files_are_named_in_one_line_and_leave_nothing(tmp_path, spoil, message):
    spoil(tmp_path / "idx")
    with pytest.raises(DataError, match=message) as caught:
        data.import_idx(tmp_path / "idx", tmp_path / "tfds")
    assert "\n" not in str(caught.value)
    assert dataset_files(tmp_path / "tfds") == []


def test_an_import_into_a_folder_that_cannot_be_written_names_it(tmp_path):
    write_pair(tmp_path / "idx")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file/inside"):
        data.import_idx(tmp_path / "idx", tmp_path / "file" / "inside")


def test_an_import_that_fails_midway_leaves_nothing(tmp_path, monkeypatch):
    write_pair(tmp_path / "idx")

    def full_disk(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tfds.core.DatasetInfo, "write_to_directory", full_disk)
    with pytest.raises(DataError, match="No space left on device"):
        data.import_idx(tmp_path / "idx", tmp_path / "tfds")
    assert dataset_files(tmp_path / "tfds") == []


@pytest.mark.parametrize("name", ["mnist_sample", "mnist", "uci_digits", "idx_fashion_mnist"])
def test_strangers_are_never_the_digits_that_a_model_was_trained_on(name):
    assert data.strangers_of(name) != name
    assert data.strangers_of(name) in data.OFFLINE
