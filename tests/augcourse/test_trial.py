"""A recipe is tried where it can do no harm, and what is wrong with it is said in a sentence."""

from __future__ import annotations

import albumentations as A
import pytest

from augcourse import recipes, trial
from augcourse.augment import Recipe
from augcourse.errors import RecipeError


def of(*transforms):
    return Recipe.of(A.Compose(list(transforms)))


@pytest.mark.parametrize("name", ["geometric", "the tutorial's four"])
def test_the_courses_own_recipes_pass(name):
    trial.check(recipes.named(name))


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (of(A.Resize(1500, 1500), A.MedianBlur(blur_limit=(7, 7), p=1.0), A.Resize(28, 28)), "times as long"),
        (of(A.Resize(20, 20)), "expected uint8 images of shape"),
        (of(A.ToFloat(max_value=255.0)), "found float32"),
        (of(A.ToRGB()), "found uint8 of shape"),
        (of(A.RandomCrop(64, 64, p=1.0)), "stopped at a digit"),
        (of(A.Resize(200_000, 200_000)), "recipe: "),
    ],
    ids=["slow", "another size", "another dtype", "colour", "raises half-way", "more memory than there is"],
)
def test_a_recipe_that_cannot_be_trained_with_is_refused(recipe, says):
    with pytest.raises(RecipeError, match=says):
        trial.check(recipe)


def test_a_recipe_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(trial, "CHILD_S", 0.2)
    with pytest.raises(RecipeError, match=r"more than 0\.2 s"):
        trial.check(recipes.geometric())
