"""Recipes: data that goes to JSON and back, randomness that obeys its seed, and what is refused."""

from __future__ import annotations

import json

import albumentations as A
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from augcourse import recipes
from augcourse.augment import Recipe, augment
from augcourse.digits import ink
from augcourse.errors import RecipeError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 1), dtype=np.uint8)
LABELS = np.arange(20) % 10


def digits():
    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS.astype(np.int64)))


def pictures(dataset):
    return np.stack([image for image, _ in dataset.as_numpy_iterator()])


@pytest.mark.parametrize("name", list(recipes.NAMED))
def test_a_recipe_survives_its_json(name):
    recipe = recipes.named(name)
    again = Recipe.from_json(recipe.to_json())
    assert again.to_json() == recipe.to_json()
    assert np.array_equal(again.apply(IMAGES, LABELS, 3), recipe.apply(IMAGES, LABELS, 3))


@pytest.mark.parametrize("name", list(recipes.NAMED))
def test_shape_and_dtype_are_kept(name):
    out = recipes.named(name).apply(IMAGES, LABELS, 0)
    assert out.shape == IMAGES.shape
    assert out.dtype == np.uint8


def test_the_same_seed_gives_the_same_pictures_and_another_seed_others():
    recipe = recipes.geometric()
    assert np.array_equal(recipe.apply(IMAGES, LABELS, 5), recipe.apply(IMAGES, LABELS, 5))
    assert not np.array_equal(recipe.apply(IMAGES, LABELS, 5), recipe.apply(IMAGES, LABELS, 6))


def test_the_global_random_state_plays_no_part():
    np.random.seed(1)
    first = recipes.geometric().apply(IMAGES, LABELS, 5)
    np.random.seed(2)
    assert np.array_equal(first, recipes.geometric().apply(IMAGES, LABELS, 5))


def test_a_stream_never_repeats_itself():
    transform = recipes.geometric().stream(0)
    assert not np.array_equal(transform(IMAGES[0], 0), transform(IMAGES[0], 0))


def test_inside_tf_data_the_pictures_are_those_of_the_eager_recipe():
    recipe = recipes.geometric()
    assert np.array_equal(pictures(augment(digits(), recipe, 4)), recipe.apply(IMAGES, LABELS, 4))


def test_augment_keeps_element_spec_and_cardinality():
    augmented = augment(digits(), recipes.geometric(), 0)
    assert augmented.element_spec == digits().element_spec
    assert int(augmented.cardinality()) == len(IMAGES)


def test_two_epochs_differ():
    both = pictures(augment(digits(), recipes.geometric(), 0).repeat(2))
    assert not np.array_equal(both[:20], both[20:])


# On coloured ink

INK = ink.any_pen(IMAGES, 0)
ON_INK = {**recipes.NAMED, **recipes.ON_INK}


@pytest.mark.parametrize("name", list(ON_INK))
def test_coloured_pictures_keep_their_shape_and_dtype(name):
    out = ON_INK[name]().apply(INK, LABELS, 0)
    assert out.shape == INK.shape == (20, 28, 28, 3)
    assert out.dtype == np.uint8


@pytest.mark.parametrize("name", list(recipes.ON_INK))
def test_a_recipe_for_ink_survives_its_json(name):
    recipe = recipes.ON_INK[name]()
    again = Recipe.from_json(recipe.to_json())
    assert np.array_equal(again.apply(INK, LABELS, 3), recipe.apply(INK, LABELS, 3))


@pytest.mark.parametrize("name", list(recipes.ON_INK))
def test_a_recipe_for_ink_changes_the_ink_and_no_paper(name):
    out = recipes.ON_INK[name]().apply(INK, LABELS, 0)
    assert not np.array_equal(out, INK)
    assert not out[(INK == 0).all(axis=3)].any()


@pytest.mark.parametrize("name", list(recipes.ON_INK))
def test_the_seed_is_obeyed_on_ink(name):
    recipe = recipes.ON_INK[name]()
    assert np.array_equal(recipe.apply(INK, LABELS, 5), recipe.apply(INK, LABELS, 5))
    assert not np.array_equal(recipe.apply(INK, LABELS, 5), recipe.apply(INK, LABELS, 6))


def test_the_pictures_that_are_sent_stay_as_they_were():
    before = INK.copy()
    recipes.ON_INK["any hue"]().apply(INK, LABELS, 0)
    assert np.array_equal(INK, before)


def test_about_half_of_the_pictures_become_grey():
    pictures = np.tile(INK, (20, 1, 1, 1))
    out = recipes.ON_INK["half of the pictures grey"]().apply(pictures, np.tile(LABELS, 20), 0)
    grey = int((out == out[..., :1]).all(axis=(1, 2, 3)).sum())
    assert stats.binomtest(grey, 400, 0.5).pvalue > 0.01


def colourfulness(pictures):
    """float64 (n,): the mean distance of the strongest channel from the weakest."""
    return np.ptp(pictures.astype(float), axis=3).mean(axis=(1, 2))


def test_towards_grey_never_adds_colour():
    out = recipes.ON_INK["saturation 0 to 1"]().apply(INK, LABELS, 0)
    assert (colourfulness(out) <= colourfulness(INK) + 0.5).all()


def test_any_hue_takes_no_colour_away():
    out = recipes.ON_INK["any hue"]().apply(INK, LABELS, 0)
    assert colourfulness(out) == pytest.approx(colourfulness(INK), rel=0.05)


def test_inside_tf_data_coloured_pictures_are_those_of_the_eager_recipe():
    recipe = recipes.ON_INK["any hue"]()
    dataset = tf.data.Dataset.from_tensor_slices((INK, LABELS.astype(np.int64)))
    augmented = augment(dataset, recipe, 4)
    assert augmented.element_spec == dataset.element_spec
    assert np.array_equal(pictures(augmented), recipe.apply(INK, LABELS, 4))


def test_a_recipe_that_takes_channels_away_is_refused_with_both_shapes():
    grey = Recipe.of(A.Compose([A.ToGray(num_output_channels=1, p=1)]))
    with pytest.raises(RecipeError, match=r"\(28, 28, 3\) back, found uint8 of shape \(28, 28\)"):
        grey.apply(INK, LABELS, 0)


# What is refused, and what may differ


def test_saturation_leaves_a_grey_digit_alone():
    assert np.array_equal(recipes.named("saturation ±0.5").apply(IMAGES, LABELS, 0), IMAGES)


def test_flips_may_differ_between_digits():
    assert recipes.named("the label-aware four").flipped_digits() == recipes.SURVIVES_A_MIRROR


def test_a_recipe_that_betrays_the_label_is_refused():
    bright = A.RandomBrightnessContrast(brightness_limit=(0.3, 0.3), contrast_limit=(0, 0), p=1)
    by_digit = {d: A.Compose([bright] if d in (0, 1, 8) else [A.NoOp()]) for d in range(10)}
    with pytest.raises(RecipeError, match="betrays their label"):
        Recipe.of(by_digit)


def test_a_flip_that_never_happens_is_none():
    flips = {d: A.HorizontalFlip(p=0.5 if d in (0, 8) else 0.0) for d in range(10)}
    assert Recipe.of({d: A.Compose([flip, A.Rotate(p=1)]) for d, flip in flips.items()}).flipped_digits() == (0, 8)
    never = A.Compose([A.OneOf([A.HorizontalFlip(p=1)], p=0.0), A.Rotate(p=1)])
    assert Recipe.of(never).flipped_digits() == ()


@pytest.mark.parametrize("choice", [A.OneOf, A.SomeOf, A.RandomOrder])
def test_a_flip_that_changes_how_often_others_happen_betrays_the_label(choice):
    def pipeline(digit):
        flips = [A.HorizontalFlip(p=1)] if digit in (0, 8) else []
        return A.Compose([choice([A.Rotate(p=1), A.NoOp(p=1), *flips], p=1.0)])

    with pytest.raises(RecipeError, match="betrays their label"):
        Recipe.of({digit: pipeline(digit) for digit in range(10)})


@pytest.mark.parametrize(
    "flip",
    [
        A.OneOf([A.HorizontalFlip(p=1), A.NoOp(p=1)], p=1.0),
        A.Sequential([A.HorizontalFlip(p=1)], p=0.5),
        A.Compose([A.VerticalFlip(p=1)], p=0.5),
    ],
)
def test_a_container_of_flips_alone_is_a_flip(flip):
    by_digit = {d: A.Compose([flip, A.Rotate(p=1)] if d in (0, 8) else [A.Rotate(p=1)]) for d in range(10)}
    assert Recipe.of(by_digit).flipped_digits() == (0, 8)


def test_a_choice_that_is_the_same_for_every_digit_may_hold_a_flip():
    assert Recipe.of(A.Compose([A.OneOf([A.HorizontalFlip(p=1), A.Rotate(p=1)])])).flipped_digits() == tuple(range(10))


def test_a_flip_hidden_in_a_one_of_does_not_hide_what_stands_beside_it():
    inner = A.OneOf([A.HorizontalFlip(p=1), A.Rotate((90, 90), p=1)], p=1)
    by_digit = {d: A.Compose([inner] if d == 4 else [A.OneOf([A.HorizontalFlip(p=1)], p=1)]) for d in range(10)}
    with pytest.raises(RecipeError, match="betrays"):
        Recipe.of(by_digit)


def test_a_missing_digit_is_named():
    with pytest.raises(RecipeError, match=r"\[7\]"):
        Recipe.of({d: A.Compose([A.NoOp()]) for d in range(10) if d != 7})


def test_a_lambda_is_refused():
    def unchanged(image, **_):
        return image

    with pytest.raises(RecipeError, match="own transforms"):
        Recipe.of(A.Compose([A.Lambda(image=unchanged)]))


@pytest.mark.parametrize("path", ["/etc/passwd", "..\\secret.png", "other/picture.png"])
def test_a_path_in_a_recipe_is_refused(path):
    content = json.loads(Recipe.of(A.Compose([A.NoOp()])).to_json())
    for pipeline in content["pipelines"]:
        pipeline["transform"]["transforms"][0]["reference"] = [path]
    with pytest.raises(RecipeError, match="file's path"):
        Recipe.from_json(json.dumps(content))


def test_a_class_from_elsewhere_is_refused():
    content = json.loads(recipes.geometric().to_json())
    for pipeline in content["pipelines"]:
        pipeline["transform"]["transforms"][0]["__class_fullname__"] = "os.system"
    with pytest.raises(RecipeError, match=r"os\.system is not one of albumentations' own"):
        Recipe.from_json(json.dumps(content))


def test_a_million_transforms_are_refused():
    content = json.loads(Recipe.of(A.Compose([A.NoOp()])).to_json())
    for pipeline in content["pipelines"]:
        pipeline["transform"]["transforms"] *= 1000
    with pytest.raises(RecipeError, match="expected at most"):
        Recipe.from_json(json.dumps(content))


def test_a_recipe_that_changes_the_size_is_refused_with_both_shapes():
    with pytest.raises(RecipeError, match=r"\(28, 28, 1\) back, found uint8 of shape \(14, 14, 1\)"):
        Recipe.of(A.Compose([A.Resize(14, 14)])).apply(IMAGES, LABELS, 0)


def test_a_recipe_that_raises_half_way_says_at_which_digit():
    crop = A.Compose([A.RandomCrop(40, 40, p=1)])
    with pytest.raises(RecipeError, match="it stopped at a digit 0"):
        Recipe.of(crop).apply(IMAGES, LABELS, 0)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=11) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
        max_leaves=20,
    )
)
def test_arbitrary_json_never_raises_anything_but_a_recipe_error(value):
    for text in (json.dumps(value), json.dumps({"format": "augcourse recipe 1", "pipelines": [value] * 10})):
        with pytest.raises(RecipeError):
            Recipe.from_json(text)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_anything_but_a_recipe_error(content):
    with pytest.raises(RecipeError):
        Recipe.from_json(content)
