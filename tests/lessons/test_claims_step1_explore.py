"""What step 1 says, held against every data set that the course runs on and the libraries that it speaks of."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from nbformat import NotebookNode

from augcourse import build, data, results
from augcourse.errors import DataError

from .cells import code_cells, text_of
from .course import DATASETS, ROOT, SMOKE

STEP = "step1_explore"
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WebP")


def measured_on(study: str) -> list[str]:
    """The data sets of which there are stored runs of a study."""
    found = []
    for name in results.DATASETS:
        try:
            results.accuracies(study, name)
        except DataError:
            continue
        found.append(name)
    return found


@pytest.fixture(params=(*DATASETS, *SMOKE))
def dataset(data_sets, monkeypatch, request):
    for name, value in data_sets(request.param).items():
        monkeypatch.setenv(name, value)
    return request.param


def saved_as(image: np.ndarray, name: str, **options: int) -> np.ndarray:
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, format=name, **options)
    return np.asarray(PIL.Image.open(file).convert("L"))


@pytest.mark.parametrize("name", measured_on("labels"))
def test_with_few_labels_the_baseline_makes_more_mistakes_and_augmentation_improves_more(name):
    runs = {row: 100 * values.mean() for row, values in results.accuracies("labels", name).items()}
    baseline = [runs[f"none, {n}"] for n in (10, 30, 100)]
    gains = [runs[f"geometric, {n}"] - runs[f"none, {n}"] for n in (10, 30, 100)]
    assert baseline == sorted(baseline)
    assert gains == sorted(gains, reverse=True)


def test_the_course_s_own_data_sets_have_runs_for_that_claim():
    assert set(DATASETS) <= set(measured_on("labels"))


def test_split_and_as_supervised_are_arguments_and_no_functions():
    import tensorflow_datasets as tfds

    assert not hasattr(tfds, "split")
    assert not hasattr(tfds, "as_supervised")


def test_the_best_of_many_equal_models_looks_better_than_it_is():
    right = np.random.default_rng(0).binomial(2000, 0.9, (1000, 20)) / 2000
    assert right.max(axis=1).mean() > 0.9 + 0.005


def test_pool_and_validation_share_no_digit_and_train_alone_holds_every_validation_digit(dataset):
    parts = {split: {image.tobytes() for image in data.load_arrays(split)[0]} for split in ("train", data.POOL)}
    validation = {image.tobytes() for image in data.load_arrays(data.VALIDATION)[0]}
    assert not validation & parts[data.POOL]
    assert validation <= parts["train"]


def test_pixels_are_bytes_with_paper_at_0_and_ink_up_to_255(dataset):
    images, _ = data.load_arrays(data.POOL)
    assert images.dtype == np.uint8
    assert np.median(images) == 0
    assert images.max() == 255
    assert (images[:, (0, -1), :, 0] > 128).mean() < 0.01, "the frame is paper"


def test_a_hundred_shuffled_digits_are_balanced_in_none_of_the_twenty_shuffles(dataset):
    labels = data.load_arrays(data.POOL)[1]
    taken = [np.random.default_rng(seed).permutation(labels)[:100] for seed in range(20)]
    counts = np.array([np.bincount(few, minlength=10) for few in taken])
    assert (np.ptp(counts, axis=1) > 0).all()
    assert 0 < counts.min(axis=1).mean() < 9, "the answer is a number between 0 and 10"


def test_shuffle_and_take_gives_other_digits_in_the_second_epoch_though_the_seed_is_fixed():
    import tensorflow as tf

    few = tf.data.Dataset.range(3000).shuffle(100_000, seed=1).take(100)
    first, second = ({int(i) for i in few.as_numpy_iterator()} for _ in range(2))
    assert first != second
    assert max(first) > 1500, "the buffer holds all of them"


def test_the_buffer_of_the_third_question_holds_the_whole_pool(dataset):
    assert f"shuffle({100_000:_}" in text_of(STEP)
    assert len(data.load_arrays(data.POOL)[1]) <= 100_000


def test_jpeg_changes_grey_pictures_and_three_formats_keep_every_pixel(dataset):
    images = data.load_arrays(data.POOL)[0][:50, ..., 0]
    changed = {name: sum(not np.array_equal(saved_as(image, name), image) for image in images) for name in FORMATS}
    assert changed["JPEG"] > 40
    assert [name for name in FORMATS if changed[name] == 0] == ["BMP", "GIF", "PNG"]


def test_the_default_quality_of_jpeg_is_75(dataset):
    image = data.load_arrays(data.POOL)[0][0, ..., 0]
    assert np.array_equal(saved_as(image, "JPEG"), saved_as(image, "JPEG", quality=75))
    assert not np.array_equal(saved_as(image, "JPEG"), saved_as(image, "JPEG", quality=90))


def test_without_a_scale_a_copy_of_half_the_brightness_looks_the_same_and_with_one_it_does_not(dataset):
    mpl.use("agg")
    ax = plt.figure().add_subplot()

    def shown(picture: np.ndarray, **scale: Any) -> np.ndarray:
        drawn = ax.imshow(picture, cmap="gray", **scale)
        return np.asarray(drawn.to_rgba(np.asarray(drawn.get_array())))[..., 0]

    for image in data.load_arrays(data.VALIDATION)[0][:20, ..., 0]:
        assert np.abs(shown(image) - shown(image // 2)).max() < 0.02
        assert np.abs(shown(image, vmin=0, vmax=255) - shown(image // 2, vmin=0, vmax=255)).max() > 0.3
        before = image.copy()
        shown(image)
        assert np.array_equal(image, before), "the array stays as it is"
    plt.close("all")


def test_predictions_are_asked_answered_and_told_in_the_same_words():
    cells = code_cells(text_of(STEP))
    source = {name: "\n".join(c.source for c in cells if which(c)) for name, which in KINDS.items()}
    asked = re.findall(r'predict\("(.+?)"', source["plain"])
    assert 2 <= len(asked) <= 5
    assert re.findall(r'predicted\("(.+?)"', source["show"]) == asked
    assert re.findall(r'^ {8}"(.+?)": ', source["questions_test"].partition("BEGIN HIDDEN")[0], re.M) == asked


KINDS = {
    "plain": lambda cell: not cell.metadata.get("nbgrader") and not cell.metadata.get("tags"),
    "show": lambda cell: "show" in cell.metadata.get("tags", []),
    "questions_test": lambda cell: cell["id"] == "questions_test",
}


def test_what_is_told_where_marks_are_given_is_what_the_notebook_shows(dataset, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    cells = code_cells(text_of(STEP))
    from augcourse import handin

    asked = re.findall(r'predict\("(.+?)"', "\n".join(c.source for c in cells if KINDS["plain"](c)))
    with handin.record("predictions") as out:
        out.facts(answers=dict.fromkeys(asked, "5"))
    (graded,) = (c.source for c in cells if c["id"] == "questions_test")
    exec(graded.partition("parts = ")[0], {})
    lines = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    told = {line["question"]: line["measured"] for line in map(json.loads, lines)}
    assert list(told) == asked
    if dataset == data.DEFAULT:
        shown = executed_text()
        assert all(measured in shown for measured in told.values()), told


def executed_text() -> str:
    import nbformat

    solution = nbformat.read(build.notebook_path(ROOT, "solutions", STEP), as_version=4)
    return "".join(out.get("text", "") for cell in solution.cells for out in cell.get("outputs", []))


@pytest.fixture
def photographer():
    """`ink_of` and `centred` of the lesson."""
    (cell,) = (c for c in code_cells(text_of(STEP)) if "def ink_of" in c.source)
    assert isinstance(cell, NotebookNode)
    names: dict[str, Any] = {"np": np, "PIL": PIL}
    exec("import PIL.Image\n" + cell.source, names)
    return lambda path: names["centred"](names["ink_of"](path))


@pytest.mark.parametrize("turned", [False, True])
def test_a_photograph_of_a_digit_becomes_a_picture_like_the_digit(dataset, photographer, tmp_path, turned):
    rng = np.random.default_rng(0)
    for image in data.load_arrays(data.VALIDATION)[0][:5, ..., 0]:
        file = tmp_path / "digit.jpg"
        take_photograph(image, rng, turned).save(file, exif=exif(turned))
        picture = photographer(str(file))
        assert (picture.dtype, picture.shape) == (np.uint8, (28, 28, 1))
        assert picture.max() == 255
        rows, columns = (np.flatnonzero(picture[..., 0].any(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        weights = picture[..., 0] / picture.sum()
        assert np.abs((np.mgrid[:28, :28] * weights).sum((1, 2)) - 13.5).max() <= 1.01
        assert likeness(picture[..., 0], centred_copy(image)) > 0.8


def take_photograph(image: np.ndarray, rng: np.random.Generator, turned: bool) -> PIL.Image.Image:
    """Dark ink on bright paper that is shaded to one side, with noise, off centre, 900 × 1200 pixels in colour."""
    ink = np.zeros((1200, 900))
    ink[250:810, 200:760] = np.asarray(PIL.Image.fromarray(image).resize((560, 560), PIL.Image.Resampling.BICUBIC))
    paper = 215 - 50 * np.linspace(0, 1, 900)
    grey = paper * (1 - 0.8 * ink / 255) + rng.normal(0, 4, ink.shape)
    photograph = PIL.Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")
    return photograph.rotate(90, expand=True) if turned else photograph


def exif(turned: bool) -> PIL.Image.Exif:
    """What a telephone writes into its file: 6 says that it was turned by a quarter."""
    told = PIL.Image.Exif()
    told[0x0112] = 6 if turned else 1
    return told


def centred_copy(image: np.ndarray) -> np.ndarray:
    """The digit moved so that the centre of its ink is in the middle, and no pixel scaled."""
    row, column = (np.mgrid[:28, :28] * image / image.sum()).sum((1, 2))
    return np.roll(image, (round(13.5 - row), round(13.5 - column)), (0, 1))


def likeness(picture: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two pictures, a pixel to and fro left out of account."""
    moved = [np.roll(other, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(float(np.corrcoef(picture.ravel(), each.ravel())[0, 1]) for each in moved)
