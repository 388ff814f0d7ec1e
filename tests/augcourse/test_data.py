"""The data of the course: uci_digits, splits, few labels per class, and the import of IDX files."""

from __future__ import annotations

import gzip
import os
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
from augcourse.digits.uci_digits import UciDigits, enlarge, split_indices
from augcourse.errors import DataError

SHARED_MNIST = Path(__file__).parents[2].parent / "shared" / "mnist"


@pytest.fixture(scope="session")
def prepared_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(folder))
        data.prepare("uci_digits")
    return folder


@pytest.fixture
def prepared(prepared_dir, monkeypatch):
    """A data directory with uci_digits alone; tests only read it."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared_dir))
    monkeypatch.delenv("AUGCOURSE_DATASET", raising=False)
    return prepared_dir


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A data directory that does not exist yet."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.delenv("AUGCOURSE_DATASET", raising=False)
    return tmp_path / "tfds"


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


def run_python(code, folder):
    """Run code in a fresh process whose data directory is `folder`; its standard output."""
    environment = os.environ | {"TFDS_DATA_DIR": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
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


def test_the_pool_has_a_hundred_digits_of_every_class(prepared):
    _, labels = data.load_arrays(data.POOL)
    assert np.bincount(labels, minlength=10).min() >= 100


def test_validation_is_balanced(prepared):
    _, labels = data.load_arrays(data.VALIDATION)
    counts = np.bincount(labels, minlength=10)
    assert len(labels) >= 260
    assert counts.max() - counts.min() <= 1


def test_the_test_split_has_450_digits_and_is_balanced(prepared):
    _, labels = data.load_arrays(data.TEST)
    counts = np.bincount(labels, minlength=10)
    assert len(labels) >= 450
    assert counts.max() == counts.min()


def test_every_round_of_ten_test_digits_has_each_class_once(prepared):
    _, labels = data.load_arrays(data.TEST)
    assert (np.sort(labels.reshape(-1, 10), axis=1) == np.arange(10)).all()


def test_train_and_test_share_no_digit_and_lose_none():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 180))
    parts = split_indices(labels)
    assert sorted(np.concatenate([parts["train"], parts["test"]])) == list(range(len(labels)))


def test_the_split_follows_its_seed():
    labels = np.repeat(np.arange(10), 180)
    assert (split_indices(labels, 1)["test"] == split_indices(labels, 1)["test"]).all()
    assert (split_indices(labels, 1)["test"] != split_indices(labels, 2)["test"]).any()


def test_an_enlarged_edge_does_not_wrap_around():
    edge = np.zeros((8, 8))
    edge[:, :4] = 16
    rows = enlarge(edge)[..., 0].astype(int)
    assert rows[:, 0].tolist() == [255] * 28
    assert rows[:, -1].tolist() == [0] * 28
    assert (np.diff(rows, axis=1) <= 0).all()


@pytest.mark.slow
def test_importing_the_package_registers_uci_digits_for_plain_tfds_load(prepared):
    code = (
        "import tensorflow_datasets as tfds, augcourse.digits\n"
        "dataset = tfds.load('uci_digits', split='test', as_supervised=True)\n"
        "print(len(dataset), *dataset.element_spec[0].shape, dataset.element_spec[0].dtype.name)"
    )
    assert run_python(code, prepared).split() == ["460", "28", "28", "1", "uint8"]


# choose_dataset, data_dir


def test_data_dir_defaults_to_that_of_tfds(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    assert data.data_dir() == Path("~/tensorflow_datasets").expanduser()


def test_without_mnist_the_choice_is_uci_digits_and_says_how_to_get_mnist(prepared):
    choice = data.choose_dataset()
    assert choice.name == "uci_digits"
    assert "import-idx" in choice.reason


def test_a_prepared_mnist_is_chosen(empty, tmp_path):
    data.import_idx(write_pair(tmp_path / "idx"))
    assert data.choose_dataset().name == "mnist"


def test_the_setting_outweighs_a_prepared_mnist(empty, tmp_path, monkeypatch):
    data.import_idx(write_pair(tmp_path / "idx"))
    monkeypatch.setenv("AUGCOURSE_DATASET", "uci_digits")
    assert data.choose_dataset().name == "uci_digits"


def test_asking_for_a_missing_mnist_names_both_ways_to_get_it(prepared, monkeypatch):
    monkeypatch.setenv("AUGCOURSE_DATASET", "mnist")
    with pytest.raises(DataError, match=r"data prepare mnist.*import-idx"):
        data.choose_dataset()


def test_an_unknown_setting_names_the_known_ones(prepared, monkeypatch):
    monkeypatch.setenv("AUGCOURSE_DATASET", "cifar10")
    with pytest.raises(DataError, match=r"cifar10.*auto, mnist or uci_digits"):
        data.choose_dataset()


# prepare


def test_preparing_again_changes_nothing(prepared):
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    assert data.prepare().name == "uci_digits"
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*")} == before


def test_preparing_prints_nothing(empty, capfd):
    data.prepare("uci_digits")
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "examples" not in printed.err


def test_preparing_leaves_only_the_data_set(empty):
    data.prepare("uci_digits")
    assert {path.name for path in empty.iterdir()} - {".uci_digits.lock"} == {"uci_digits"}
    assert [path.name for path in (empty / "uci_digits").iterdir()] == ["1.0.0"]


def test_what_a_killed_build_left_is_replaced(empty):
    (empty / ".uci_digits.staging" / "uci_digits" / "1.0.0").mkdir(parents=True)
    (empty / "uci_digits" / "1.0.0").mkdir(parents=True)
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
    with pytest.raises(DataError, match="cifar10 is unknown"):
        data.prepare("cifar10")


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
    plain = tfds.load("uci_digits", split=data.VALIDATION, as_supervised=True, data_dir=prepared)
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
    assert data.load_arrays(data.TEST)[0] is data.load_arrays(data.TEST, "uci_digits")[0]


def test_two_data_dirs_are_not_confused(prepared, tmp_path, monkeypatch):
    pool = data.load_arrays("train", "uci_digits")[0]
    data.import_idx(write_pair(tmp_path / "idx"), tmp_path / "tfds")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    assert len(data.load_arrays("train")[0]) != len(pool)


def test_an_unprepared_data_set_says_how_to_prepare_it(empty):
    with pytest.raises(DataError, match="augcourse data prepare uci_digits"):
        data.load_arrays(data.POOL)


def test_an_unknown_split_is_one_line(prepared):
    with pytest.raises(DataError, match="split holdout cannot be read") as caught:
        data.load_arrays("holdout")
    assert "\n" not in str(caught.value)


def test_the_pool_loads_where_the_test_split_is_absent(empty):
    data.prepare("uci_digits")
    next(empty.rglob("*-test.tfrecord*")).unlink()
    assert len(data.load_arrays(data.POOL)[0]) > 1000
    with pytest.raises(DataError, match="split test cannot be read"):
        data.load_arrays(data.TEST)


def test_the_fingerprint_depends_on_the_content_alone(tmp_path, monkeypatch):
    images, labels = some_digits(40)
    changed = images.copy()
    changed[7, 3, 3] ^= 1
    prints = []
    for name, pixels in (("first", images), ("second", images), ("third", changed)):
        write_pair(tmp_path / f"idx_{name}", images=pixels, labels=labels)
        data.import_idx(tmp_path / f"idx_{name}", tmp_path / name)
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / name))
        prints.append((data.fingerprint("mnist"), data.stored_digest("mnist")))
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
    write_pair(tmp_path / "idx", "train", *train)
    write_pair(tmp_path / "idx", "t10k", *test)
    summary = data.import_idx(tmp_path / "idx")
    assert (summary.train, summary.test, summary.halved) == (30, 20, False)
    assert as_bytes(data.load_arrays("train", "mnist")[0]) == as_bytes(train[0])
    assert as_bytes(data.load_arrays("test", "mnist")[0]) == as_bytes(test[0])


def test_a_single_pair_is_halved_and_the_summary_says_so(empty, tmp_path):
    images, _ = some_digits(41)
    write_pair(tmp_path / "idx", "t10k", *some_digits(41))
    summary = data.import_idx(tmp_path / "idx")
    assert summary.halved
    assert "halved" in str(summary)
    assert (summary.train, summary.test) == (21, 20)
    halves = [data.load_arrays(split, "mnist")[0] for split in ("train", "test")]
    assert as_bytes(np.concatenate(halves)) == as_bytes(images)


def test_an_imported_image_keeps_its_label(empty, tmp_path):
    images, labels = some_digits(20)
    data.import_idx(write_pair(tmp_path / "idx"))
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    imported_images, imported_labels = data.load_arrays("train", "mnist")
    assert [label_of[image.tobytes()] for image in imported_images] == imported_labels.tolist()


def test_two_imports_are_identical(tmp_path):
    write_pair(tmp_path / "idx")
    for name in ("first", "second"):
        data.import_idx(tmp_path / "idx", tmp_path / name)
    assert content(tmp_path / "first") == content(tmp_path / "second")


@pytest.mark.parametrize("spelling", ["-", "."])
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
def test_every_spelling_of_the_file_names_is_found(tmp_path, spelling, compress):
    write_pair(tmp_path / "idx", spelling=spelling, compress=compress)
    assert data.import_idx(tmp_path / "idx", tmp_path / "tfds").train == 10


def test_the_import_is_the_version_that_tfds_looks_for(tmp_path):
    data.import_idx(write_pair(tmp_path / "idx"), tmp_path / "tfds")
    builder = tfds.builder("mnist", data_dir=tmp_path / "tfds")
    assert builder.is_prepared()
    assert builder.info.splits["train"].num_examples == 10


@pytest.mark.slow
def test_a_fresh_process_without_the_course_loads_the_import(tmp_path):
    data.import_idx(write_pair(tmp_path / "idx"), tmp_path / "tfds")
    code = (
        "import sys, tensorflow_datasets as tfds\n"
        "dataset = tfds.load('mnist', split='train', as_supervised=True, download=False)\n"
        "image, label = next(iter(dataset))\n"
        "print(len(dataset), *image.shape, image.dtype.name, label.dtype.name, 'augcourse' in sys.modules)"
    )
    assert run_python(code, tmp_path / "tfds").split() == ["10", "28", "28", "1", "uint8", "int64", "False"]


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_MNIST.is_dir(), reason="the 10,000 MNIST digits in ../shared/mnist are absent")
def test_the_ten_thousand_mnist_digits_are_imported_whole(empty):
    summary = data.import_idx(SHARED_MNIST)
    assert (summary.train, summary.test) == (5000, 5000)
    halves = [data.load_arrays(split, "mnist") for split in ("train", "test")]
    images, labels = (np.concatenate(arrays) for arrays in zip(*halves, strict=True))
    assert as_bytes(images) == as_bytes(data.read_idx(SHARED_MNIST / "t10k-images-idx3-ubyte.gz"))
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_an_existing_mnist_is_kept_without_overwrite(tmp_path):
    data.import_idx(write_pair(tmp_path / "idx"), tmp_path / "tfds")
    before = content(tmp_path / "tfds")
    with pytest.raises(DataError, match=r"mnist/3\.0\.1 exists already.*overwrite"):
        data.import_idx(tmp_path / "idx", tmp_path / "tfds")
    assert content(tmp_path / "tfds") == before


def test_overwrite_replaces_an_existing_mnist_also_in_memory(empty, tmp_path):
    data.import_idx(write_pair(tmp_path / "idx"))
    before = data.load_arrays("train", "mnist")[0]
    write_pair(tmp_path / "idx", "t10k", *some_digits(50, seed=9))
    data.import_idx(tmp_path / "idx", overwrite=True)
    assert len(before) == 10
    assert len(data.load_arrays("train", "mnist")[0]) == 25


def test_a_failed_overwrite_keeps_the_old_mnist(tmp_path):
    data.import_idx(write_pair(tmp_path / "idx"), tmp_path / "tfds")
    before = content(tmp_path / "tfds")
    next((tmp_path / "idx").glob("*labels*")).unlink()
    with pytest.raises(DataError, match="labels"):
        data.import_idx(tmp_path / "idx", tmp_path / "tfds", overwrite=True)
    assert content(tmp_path / "tfds") == before


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
