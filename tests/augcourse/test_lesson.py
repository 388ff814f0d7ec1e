"""What notebooks use: a training that was run is not run again, and a figure says what it shows."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from augcourse import lesson, recipes, train
from augcourse.settings import PROBE


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (20, 28, 28, 1), np.uint8), np.arange(20) % 10


def test_equal_arguments_train_once_and_give_the_course_s_own_weights(digits, monkeypatch):
    first = lesson.train(*digits, seed=0, settings=PROBE)
    own = train.train(*digits, seed=0, settings=PROBE)
    assert all(np.array_equal(one, other) for one, other in zip(first.weights, own.weights, strict=True))
    monkeypatch.setattr(train, "train", None)  # another training would fail
    assert lesson.train(*digits, seed=0, settings=PROBE) is first


@pytest.mark.parametrize("changed", ["seed", "label", "pixel", "recipe"])
def test_whatever_changes_trains_again(digits, changed):
    images, labels = digits
    first = lesson.train(images, labels, seed=0, settings=PROBE)
    recipe = None
    if changed == "label":
        labels = labels[::-1]
    if changed == "pixel":
        images = images.copy()
        images[0, 0, 0] += 1
    if changed == "recipe":
        recipe = recipes.geometric()
    assert lesson.train(images, labels, seed=int(changed == "seed"), recipe=recipe, settings=PROBE) is not first


def test_a_figure_goes_out_with_its_content_in_words(monkeypatch):
    shown = []
    monkeypatch.setattr(lesson, "display", lambda figure, metadata: shown.append((figure, metadata)))
    figure = plt.figure()
    lesson.show_figure("Ten digits in a row.")
    assert shown == [(figure, {"image/png": {"alt": "Ten digits in a row."}})]
    assert not plt.fignum_exists(figure.number)
