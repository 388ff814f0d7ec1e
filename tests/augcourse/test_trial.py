"""A recipe is tried where it can do no harm, and what is wrong with it is said in a sentence."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time

import albumentations as A
import pytest

from augcourse import recipes, trial
from augcourse.augment import Recipe
from augcourse.errors import RecipeError


@pytest.fixture(params=["forked", "new"], autouse=True)
def way(request, monkeypatch):
    """Both ways to a process of its own: the second is that of other systems than Linux."""
    if request.param == "new":
        monkeypatch.setattr(trial, "_of_a_fork", lambda recipe, channels: None)
    elif sys.platform != "linux":
        pytest.skip("forked on Linux alone")
    return request.param


def of(*transforms):
    return Recipe.of(A.Compose(list(transforms)))


@pytest.mark.parametrize("name", recipes.NAMED)
def test_the_courses_own_recipes_pass(name):
    trial.check(recipes.named(name))


def test_what_one_round_has_to_wait_for_is_not_the_recipes_cost(monkeypatch):
    """As when a transform that is rarely drawn loads a library, in a process that was forked for this trial."""
    seconds, waits = trial._seconds, iter([5.0, 0.0, 5.0])
    slow = recipes.named("the best known")

    def waiting(recipe, *pictures):
        return seconds(recipe, *pictures) + (next(waits, 0.0) if recipe is slow else 0.0)

    monkeypatch.setattr(trial, "_seconds", waiting)
    trial.check(slow)


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
        trial.check(of(A.Resize(9000, 9000), A.MedianBlur(blur_limit=(7, 7), p=1.0), A.Resize(28, 28)))


def test_a_recipe_that_kills_its_process_is_refused(monkeypatch, way):
    if way == "new":
        monkeypatch.setattr(trial.sys, "executable", "/bin/false")
    else:
        monkeypatch.setattr(trial, "_fault", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(RecipeError, match=r"the process that tried it died \((signal 9|exit code 1)\)"):
        trial.check(recipes.geometric())


def test_a_child_that_does_not_get_ready_is_replaced_by_a_new_process(monkeypatch, way):
    tried: list[Recipe] = []
    new = trial._of_a_new_process

    def noted(recipe, channels):
        tried.append(recipe)
        return new(recipe, channels)

    monkeypatch.setattr(trial, "_of_a_new_process", noted)
    monkeypatch.setattr(trial, "_reference", lambda *_: time.sleep(60))
    monkeypatch.setattr(trial, "READY_S", 0.1)
    trial.check(recipe := recipes.geometric())
    assert tried == [recipe]


def test_no_process_and_no_descriptor_is_left(way):
    before, others = len(os.listdir("/proc/self/fd")), multiprocessing.active_children()
    for _ in range(3):
        trial.check(recipes.geometric())
    assert len(os.listdir("/proc/self/fd")) <= before
    assert set(multiprocessing.active_children()) <= set(others)
