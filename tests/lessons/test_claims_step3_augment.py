"""What step 3 says: of stored runs on every data set, and of what its transforms do."""

from __future__ import annotations

import warnings

import albumentations as A
import cv2
import keras
import matplotlib.colors
import numpy as np
import pytest
import tensorflow as tf

from augcourse import data, recipes, results
from augcourse.augment import Recipe
from augcourse.compare import interval
from augcourse.digits import ink
from augcourse.errors import DataError, RecipeError
from augcourse.model import initial_weights
from augcourse.train import predict

from .course import DATASETS

STORED = results.DATASETS
IN_INK = tuple(data.OFFLINE)
LEVELS = np.arange(784).astype(np.uint8).reshape(28, 28, 1)
FOUR = ("rotation ±15°", "horizontal flip", "brightness ±0.3", "saturation ±0.5")
DEFAULTS = (A.Rotate, A.Affine, A.HorizontalFlip, A.RandomBrightnessContrast, A.ColorJitter, A.HueSaturationValue)


@pytest.fixture
def pool(data_sets, monkeypatch):
    def get(dataset):
        for name, value in data_sets(dataset).items():
            monkeypatch.setenv(name, value)
        return data.load_arrays(data.POOL, dataset)

    return get


def pens_of(pictures):
    """int (n,): the pen whose hue is nearest to that of each picture's ink; -1 where the ink is grey."""
    found = []
    for picture in pictures.astype(float):
        full = picture.reshape(-1, 3)[picture.max(axis=-1).argmax()]
        hue = matplotlib.colors.rgb_to_hsv(full / 255)[0]
        turns = np.abs((hue - np.arange(10) / 10 + 0.5) % 1 - 0.5)
        found.append(-1 if np.ptp(full) < 2 else int(turns.argmin()))
    return np.array(found)


# What the stored runs say


@pytest.mark.parametrize("dataset", STORED)
@pytest.mark.parametrize("row", ["horizontal flip", "rotation ±180°"])
def test_where_labels_are_lost_the_whole_interval_lies_below_zero(dataset, row):
    assert interval(results.gains("ablation", dataset)[row]).high < 0


@pytest.mark.parametrize("dataset", STORED)
def test_saturation_is_the_one_row_whose_gain_is_zero_in_every_run(dataset):
    gains = results.gains("ablation", dataset)
    assert [row for row in (*FOUR, "rotation ±180°") if not gains[row].any()] == ["saturation ±0.5"]


@pytest.mark.parametrize("dataset", IN_INK)
def test_saturation_down_to_grey_gains_on_ink_and_more_than_the_other_two(dataset):
    gains = results.gains("ink", dataset)
    best = gains["saturation 0 to 1"]
    assert interval(best).low > 0
    for other in ("geometric", "saturation 0.5 to 1.5"):
        assert interval(best - gains[other]).low > 0


@pytest.mark.parametrize("dataset", IN_INK)
def test_the_baseline_is_worse_on_ink_than_on_grey_digits(dataset):
    grey, coloured = (results.accuracies(study, dataset)["none"] for study in ("ablation", "ink"))
    assert interval(grey - coloured).low > 0


@pytest.mark.parametrize("dataset", STORED)
def test_every_data_set_has_the_runs_that_the_lesson_draws(dataset):
    assert {*FOUR, "rotation ±180°", "shift ±10 %"} <= set(results.gains("ablation", dataset))
    assert {"safe flip", "rotation", "rotation and safe flip"} <= set(results.gains("mirror", dataset))
    if dataset not in IN_INK:
        with pytest.raises(DataError):
            results.gains("ink", dataset)


# Transforms of albumentations


@pytest.mark.parametrize("transform", DEFAULTS)
def test_the_default_of_every_transform_in_the_step_is_half_of_the_time(transform):
    assert transform().p == 0.5


@pytest.mark.parametrize("transform", [A.Rotate(limit=(45, 45), p=1), A.Affine(rotate=(45, 45), p=1)])
def test_corners_are_black_by_default(transform):
    assert transform(image=np.full((28, 28, 1), 200, np.uint8))["image"][0, 0, 0] == 0


def test_brightness_adds_and_contrast_multiplies_and_both_are_on_by_default():
    ramp = np.arange(50, 106, 2).astype(np.uint8).reshape(28, 1, 1).repeat(28, 1)
    more = A.RandomBrightnessContrast((0.2, 0.2), (0, 0), p=1)(image=ramp)["image"].astype(int)
    assert np.abs(more - ramp - 51).max() <= 1
    steeper = A.RandomBrightnessContrast((0, 0), (0.5, 0.5), p=1)(image=ramp)["image"]
    assert np.abs(steeper - 1.5 * ramp).max() <= 1
    default = A.RandomBrightnessContrast()
    assert default.brightness_limit[1] > 0
    assert default.contrast_limit[1] > 0


def test_levels_outside_the_scale_are_cut_off():
    darker = A.RandomBrightnessContrast((-0.2, -0.2), (0, 0), p=1)
    assert darker(image=LEVELS)["image"].min() == 0
    assert darker(image=LEVELS)["image"][LEVELS < 51].max() == 0
    floats = LEVELS.astype(np.float32)
    brighter = A.RandomBrightnessContrast((0.01, 0.01), (0, 0), p=1)(image=floats)["image"]
    assert brighter.max() == 1.0
    assert (brighter[LEVELS > 0] == 1.0).all()


@pytest.mark.filterwarnings("ignore:overflow")
def test_the_difference_of_small_integers_wraps_around():
    assert np.uint8(3) - np.uint8(5) == 254


@pytest.mark.parametrize("dataset", DATASETS)
def test_saturation_moves_no_pixel_of_a_grey_digit_whatever_the_factor(pool, dataset):
    images, _ = pool(dataset)
    for factor in (0, 0.5, 1.5):
        jitter = A.ColorJitter((1, 1), (1, 1), (factor, factor), (0, 0), p=1)
        for image in images[:20]:
            assert np.array_equal(jitter(image=image)["image"], image)
            three = image.repeat(3, axis=-1)
            assert np.abs(jitter(image=three)["image"].astype(int) - three).max() <= 1


def test_factor_0_makes_a_picture_grey_and_factor_1_leaves_it_as_it_is():
    tinted = ink.tinted(LEVELS, (200, 130, 90))
    grey, same = (A.ColorJitter((1, 1), (1, 1), (f, f), (0, 0), p=1)(image=tinted)["image"] for f in (0, 1))
    assert np.ptp(grey, axis=-1).max() == 0
    assert np.array_equal(same, tinted)


def test_jitter_changes_more_than_saturation_unless_told_otherwise():
    jitter = A.ColorJitter()
    assert jitter.brightness[1] > 1
    assert jitter.contrast[1] > 1
    assert jitter.hue[1] > 0


def test_one_of_two_transforms_warns_about_a_picture_with_one_channel():
    with pytest.warns(UserWarning, match="grayscale"):
        A.HueSaturationValue(p=1)(image=LEVELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recipes.saturation()(image=LEVELS)


# Coloured ink


@pytest.mark.parametrize("dataset", DATASETS)
def test_four_of_five_training_digits_of_a_class_have_its_pen_and_any_pen_writes_the_test(pool, dataset):
    images, labels = pool(dataset)
    order = np.concatenate([np.flatnonzero(labels == digit)[:5] for digit in range(10)])
    pens = pens_of(ink.favourite_pen(images[order], labels[order], seed=0))
    assert ink.FAVOURITE_SHARE == 0.8
    assert (pens == labels[order]).reshape(10, 5).sum(axis=1).tolist() == [4] * 10
    anybody = pens_of(ink.any_pen(images[:500], seed=0))
    assert set(anybody) == set(range(10))
    assert np.mean(anybody == labels[:500]) < 0.2


def test_a_factor_of_a_half_leaves_the_pens_apart_and_a_factor_of_0_does_not():
    pictures = np.stack([ink.tinted(np.full((28, 28, 1), 255, np.uint8), pen) for pen in ink.PENS])
    for factor, pens in ((0.5, [*range(10)]), (1.5, [*range(10)]), (0, [-1] * 10)):
        jitter = A.ColorJitter((1, 1), (1, 1), (factor, factor), (0, 0), p=1)
        assert pens_of(np.stack([jitter(image=picture)["image"] for picture in pictures])).tolist() == pens


@pytest.mark.parametrize("warp", [{"rotate": 15}, {"shift": 0.1}])
def test_a_rotation_or_a_shift_leaves_the_colour_of_the_ink(pool, warp):
    images, _ = pool(data.DEFAULT)
    coloured = ink.any_pen(images[:50], seed=0)
    moved = Recipe.of(A.Compose([recipes.affine(**warp)])).apply(coloured, np.zeros(50, int), seed=0)
    assert not np.array_equal(moved, coloured)
    assert np.array_equal(pens_of(moved), pens_of(coloured))


def test_the_three_recipes_on_ink_do_what_the_text_says():
    warp, light = A.from_dict(recipes.geometric().pipelines[0]).transforms
    assert warp.rotate[1] > 0
    assert warp.translate_percent["x"][1] > 0
    assert warp.scale["x"][1] > 1
    assert warp.shear["x"][1] > 0
    assert light.brightness_limit[1] > 0
    for name, factors in {"saturation 0.5 to 1.5": (0.5, 1.5), "saturation 0 to 1": (0, 1)}.items():
        [jitter] = A.from_dict(recipes.ON_INK[name]().pipelines[0]).transforms
        assert tuple(jitter.saturation) == factors
        assert tuple(jitter.brightness) == tuple(jitter.contrast) == (1, 1)


# Recipes


def test_the_safe_flip_mirrors_0_1_and_8():
    assert results._mirror()["safe flip"]().flipped_digits() == (0, 1, 8)


def test_only_flips_may_differ_between_digits():
    plain, bright = A.Compose([A.NoOp()]), A.Compose([A.RandomBrightnessContrast((0.1, 0.4), (0, 0), p=1.0)])
    with pytest.raises(RecipeError, match="betrays"):
        Recipe.of({digit: bright if digit in (0, 1, 8) else plain for digit in range(10)})
    Recipe.of({digit: A.Compose([A.HorizontalFlip(p=0.5)]) if digit == 8 else plain for digit in range(10)})


# The five questions


def test_one_number_is_the_angle_of_an_affine_warp_about_half_of_the_time():
    turn = A.Compose([A.Affine(rotate=15)], seed=0)
    bar = np.zeros((28, 28, 1), np.uint8)
    bar[11:17, 4:24] = 200
    seen = {turn(image=bar)["image"].tobytes() for _ in range(100)}
    exact = A.Affine(rotate=(15, 15), p=1)(image=bar)["image"].tobytes()
    assert seen == {bar.tobytes(), exact}
    assert A.Affine(rotate=15).p == 0.5


def flips_of(dataset):
    return [int(flipped) for _, flipped in sorted((int(n), f) for n, f in dataset.as_numpy_iterator())]


def random_flip(number):
    return number, tf.random.uniform([]) < 0.5


def test_a_flip_before_cache_is_the_same_in_every_epoch_and_without_cache_it_is_not():
    tf.random.set_seed(None)  # another test may have set one, with which a stage begins anew in every epoch
    numbers = tf.data.Dataset.range(64)
    cached, fresh = numbers.map(random_flip).cache().shuffle(1000), numbers.map(random_flip).shuffle(1000)
    assert flips_of(cached) == flips_of(cached)
    assert flips_of(fresh) != flips_of(fresh)


def test_shuffle_after_cache_draws_a_new_order_and_repeat_before_batch_loses_nothing():
    shuffled = tf.data.Dataset.range(64).cache().shuffle(1000)
    first, second = ([int(n) for n in shuffled.as_numpy_iterator()] for _ in range(2))
    assert first != second
    batches = tf.data.Dataset.range(6).repeat(3).batch(4)
    assert sorted(int(n) for batch in batches.as_numpy_iterator() for n in batch) == sorted([*range(6)] * 3)


def test_a_map_leaves_the_number_of_pictures_as_it_is():
    assert tf.data.Dataset.range(6).map(random_flip).cardinality() == 6


def test_repeated_labels_fit_pictures_that_stand_one_copy_after_the_other():
    pictures = np.concatenate([np.arange(7), *(np.arange(7) for _ in range(9))])
    assert np.array_equal(np.tile(np.arange(7), 10), pictures)


# Going further


def test_a_convolution_moves_along_with_its_input_and_the_network_does_not_answer_alike():
    picture = np.zeros((1, 28, 28, 1), np.uint8)
    picture[:, 8:18, 8:18] = np.random.default_rng(0).integers(256, size=(10, 10, 1))
    moved = np.roll(picture, 2, axis=2)
    kernel = np.random.default_rng(1).normal(size=(3, 3, 1, 4)).astype(np.float32)
    here, there = (tf.nn.conv2d(x.astype(np.float32), kernel, 1, "SAME").numpy() for x in (picture, moved))
    assert np.allclose(np.roll(here, 2, axis=2), there, atol=1e-3)
    answers = [predict(initial_weights(0), x) for x in (picture, moved)]
    assert np.abs(answers[0] - answers[1]).max() > 1e-4


def test_the_shift_of_the_lesson_is_that_of_the_stored_runs():
    distance = (-0.1, 0.1)
    own = A.Affine(translate_percent={"x": distance, "y": distance}, border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)
    given = Recipe.of(A.Compose([own]))
    images, labels = LEVELS[None].repeat(20, 0), np.zeros(20, int)
    assert np.array_equal(given.apply(images, labels, 0), recipes.named("shift ±10 %").apply(images, labels, 0))


def test_a_keras_layer_turns_in_training_alone_by_a_share_of_a_turn_and_mirrors_the_border():
    batch = LEVELS[None].repeat(4, 0)
    layer = keras.layers.RandomRotation((0.25, 0.25), seed=0)
    assert np.array_equal(np.asarray(layer(batch, training=False)), batch)
    turned = np.asarray(layer(batch, training=True))
    assert min(np.abs(turned - np.rot90(batch, k, axes=(1, 2))).max() for k in (1, 3)) < 0.1
    assert keras.layers.RandomRotation(0.1).get_config()["fill_mode"] == "reflect"


def test_rand_augment_draws_a_few_operations_and_other_pictures_in_every_pass():
    layer = keras.layers.RandAugment(value_range=(0, 255), num_ops=2, factor=0.5, seed=0)
    batch = LEVELS[None].repeat(4, 0)
    assert layer.num_ops == 2 < len(keras.layers.RandAugment._AUGMENT_LAYERS)
    assert not np.array_equal(np.asarray(layer(batch, training=True)), np.asarray(layer(batch, training=True)))
