"""What step 4 says of its figures, runs and code: held against stored runs of every data set, and against the code."""

from __future__ import annotations

import albumentations as A
import numpy as np
import pytest
import tensorflow as tf

from augcourse import compare, data, measure, recipes, results
from augcourse.augment import Recipe, augment
from augcourse.digits import ink
from augcourse.errors import DataError
from augcourse.settings import GRADING, HALF, SETTINGS
from augcourse.train import accuracy, train

from .cells import code_cells, grade_here, text_of
from .course import DATASETS

STEP = "step4_train"


def stored(study):
    """The data sets on which the runs of a study are stored."""

    def has_runs(name):
        try:
            return bool(results.accuracies(study, name))
        except DataError:
            return False

    found = [name for name in results.DATASETS if has_runs(name)]
    assert {"mnist_sample", "uci_digits"} <= set(found)
    return found


def is_above_zero(gains):
    return compare.interval(np.asarray(gains)).low > 0


@pytest.mark.parametrize("dataset", stored("one line"))
def test_many_changes_of_each_digit_gain(dataset):
    assert is_above_zero(results.gains("one line", dataset)["cache, then augment"])


@pytest.mark.parametrize("dataset", stored("one line"))
def test_the_moved_line_costs_accuracy(dataset):
    gains = results.gains("one line", dataset)
    assert is_above_zero(gains["cache, then augment"] - gains["augment, then cache"])


@pytest.mark.parametrize("cached_above", [True, False])
def test_below_map_cache_keeps_one_picture_of_each_digit_and_the_length(cached_above):
    images = np.random.default_rng(0).integers(0, 256, (100, 28, 28, 1), dtype=np.uint8)
    digits = tf.data.Dataset.from_tensor_slices((images, np.arange(100) % 10))
    if cached_above:
        line = augment(digits.cache(), recipes.geometric(), 0)
    else:
        line = augment(digits, recipes.geometric(), 0).cache()
    first, second = (np.array([image for image, _ in line.as_numpy_iterator()]) for _ in range(2))
    assert first.shape == second.shape == images.shape
    assert np.array_equal(first, second) is not cached_above


@pytest.mark.parametrize("dataset", stored("ablation"))
def test_shifted_pictures_teach_the_network_something(dataset):
    assert is_above_zero(results.gains("ablation", dataset)["shift ±10 %"])


@pytest.fixture
def here(data_sets, tmp_path, monkeypatch, request):
    grade_here(data_sets(request.getfixturevalue("dataset")), monkeypatch, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", DATASETS)
def test_the_network_is_not_invariant_to_a_shift(here, dataset):
    images, labels = measure.labelled_digits(0)
    exam, truth = data.load_arrays(data.VALIDATION)
    weights = train(images, labels, seed=0, settings=HALF).weights
    assert accuracy(weights, np.roll(exam, 3, axis=2), truth) < accuracy(weights, exam, truth) - 0.05


@pytest.mark.slow
@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize(("recipe", "points"), [("the label-aware four", 0.0), ("geometric", 0.5)])
def test_changed_training_pictures_may_be_the_harder_exam_and_are_never_the_easier_one(here, dataset, recipe, points):
    images, labels = measure.labelled_digits(0)
    trained = train(images, labels, seed=0, recipe=recipes.named(recipe), settings=HALF)
    changed = recipes.named(recipe).apply(np.tile(images, (5, 1, 1, 1)), np.tile(labels, 5), seed=77)
    harder = accuracy(trained.weights, images, labels) - accuracy(trained.weights, changed, np.tile(labels, 5))
    assert 100 * harder >= points


@pytest.mark.parametrize("dataset", stored("ablation"))
def test_gains_of_one_recipe_differ_from_run_to_run(dataset):
    gains = results.gains("ablation", dataset)
    assert min(np.ptp(gains[name]) for name in ("rotation ±15°", "shift ±10 %")) > 1


@pytest.mark.parametrize("dataset", stored("dial"))
def test_three_times_the_strength_gains_less_than_once(dataset):
    gains = results.gains("dial", dataset)
    assert is_above_zero(gains["×1"] - gains["×3"])


@pytest.mark.parametrize("dataset", stored("ink"))
def test_a_model_without_augmentation_is_worse_on_ink_than_on_grey_digits(dataset):
    grey, inked = (results.accuracies(study, dataset)["none"] for study in ("ablation", "ink"))
    assert is_above_zero(grey - inked)


@pytest.mark.parametrize("dataset", stored("ink"))
def test_the_saturation_of_tutorials_gains_less_than_any_hue(dataset):
    gains = results.gains("ink", dataset)
    assert is_above_zero(gains["any hue"] - gains["saturation 0.5 to 1.5"])


def test_what_step_4_draws_of_ink_is_stored_for_every_data_set_without_a_network():
    assert set(data.OFFLINE) <= set(stored("ink"))


def hues(pictures):
    """The hue in degrees of the brightest pixel of each picture."""
    import colorsys

    bright = [picture.reshape(-1, 3)[picture.sum(axis=-1).argmax()] / 255 for picture in pictures]
    return np.array([360 * colorsys.rgb_to_hsv(*pixel)[0] for pixel in bright])


@pytest.mark.parametrize(("name", "keeps"), [("saturation 0.5 to 1.5", True), ("any hue", False)])
def test_less_saturation_keeps_the_hue_of_every_pen(name, keeps):
    drawn = ink.favourite_pen(np.full((10, 28, 28, 1), 200, np.uint8), np.arange(10), seed=0, share=1.0)
    changed = recipes.ON_INK[name]().apply(drawn, np.arange(10), seed=0)
    apart = np.abs((hues(changed) - hues(drawn) + 180) % 360 - 180)
    assert bool(apart.max() < 18) is keeps  # half of the way from one pen's hue to the next


def test_the_margin_on_ink_is_larger_and_the_rule_is_the_same():
    assert measure.ON_INK.margin_points > SETTINGS.margin_points
    assert (measure.ON_INK.looks, measure.ON_INK.copies) == (SETTINGS.looks, GRADING.copies)


def test_the_batches_that_are_handed_in_come_from_ten_copies_of_each_digit():
    cells = {cell["id"]: cell.source for cell in code_cells(text_of(STEP))}
    assert "np.repeat(part, 10, axis=0)" in cells["train_augmented_handin"]


def test_recipes_may_differ_between_digits_in_flips_only():
    plain, bright = A.Compose([A.Rotate(p=1.0)]), A.Compose([A.Rotate(p=1.0), A.RandomGamma(p=1.0)])
    mirrored = A.Compose([A.Rotate(p=1.0), A.HorizontalFlip(p=0.5)])
    assert Recipe.of({digit: mirrored if digit == 8 else plain for digit in range(10)}).flipped_digits() == (8,)
    with pytest.raises(Exception, match="betrays their label"):
        Recipe.of({digit: bright if digit == 8 else plain for digit in range(10)})
