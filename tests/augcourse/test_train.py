"""Training: equal seeds give equal bits, arms are comparable, and a recipe changes the outcome."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from augcourse import recipes, train
from augcourse.model import WEIGHT_SHAPES, build_model, compile_model, initial_weights
from augcourse.settings import SETTINGS

SHORT = replace(SETTINGS, steps=20, epoch_steps=10)
RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(10), 10)
IMAGES = (RNG.integers(0, 60, (100, 28, 28, 1)) + 19 * LABELS[:, None, None, None]).astype(np.uint8)

FRESH = """
import hashlib, numpy as np
from dataclasses import replace
from augcourse import recipes, train
from augcourse.settings import SETTINGS
rng = np.random.default_rng(0)
labels = np.repeat(np.arange(10), 10)
images = (rng.integers(0, 60, (100, 28, 28, 1)) + 19 * labels[:, None, None, None]).astype(np.uint8)
short = replace(SETTINGS, steps=20, epoch_steps=10)
arm = train.train(images, labels, seed=3, recipe=recipes.geometric(), settings=short)
print(hashlib.sha256(b"".join(w.tobytes() for w in arm.weights)).hexdigest())
"""


def digest(arm):
    return hashlib.sha256(b"".join(w.tobytes() for w in arm.weights)).hexdigest()


def arm(seed=3, recipe=None):
    return train.train(IMAGES, LABELS, seed=seed, recipe=recipe, settings=SHORT)


def test_the_same_seed_gives_the_same_bits_in_a_used_process():
    first = digest(arm(recipe=recipes.geometric()))
    arm(seed=9)
    assert digest(arm(recipe=recipes.geometric())) == first


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_in_a_fresh_process():
    fresh = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True, timeout=120)
    assert fresh.stdout.strip() == digest(arm(recipe=recipes.geometric()))


def test_another_seed_gives_other_weights():
    assert digest(arm(seed=3)) != digest(arm(seed=4))


def test_a_recipe_gives_other_weights_after_the_same_number_of_steps():
    baseline, augmented = arm(), arm(recipe=recipes.geometric())
    assert digest(baseline) != digest(augmented)
    assert baseline.steps == augmented.steps == SHORT.steps


def test_doing_nothing_is_the_baseline_bit_for_bit():
    assert digest(arm(recipe=recipes.named("saturation ±0.5"))) == digest(arm())


def augmented(copies, steps=20):
    settings = replace(SETTINGS, steps=steps, epoch_steps=10, copies=copies)
    return digest(train.train(IMAGES, LABELS, seed=3, recipe=recipes.geometric(), settings=settings))


def test_while_no_picture_comes_again_copies_are_fresh_pictures():
    assert augmented(copies=10) == augmented(copies=None)  # 20 steps of 50 are ten epochs
    assert augmented(copies=9) != augmented(copies=None)


class Counting(recipes.Recipe):
    """Stands for a recipe: paints the number of its picture onto it."""

    def apply(self, images, labels, seed):
        out = images.copy()
        out[:, 0, 0, 0], out[:, 0, 1, 0] = np.arange(len(images)) // 256, np.arange(len(images)) % 256
        return out


def test_a_copy_stands_for_its_own_digit_in_every_later_epoch(monkeypatch):
    seen = {}

    class Loop:
        variables = ()

        def reset(self, weights):
            pass

        def run(self, pictures, turn, labels):
            seen["pictures"] = pictures.numpy()[turn.numpy().ravel(), :, :, 0]
            return np.zeros(len(turn))

    monkeypatch.setattr(train, "_loop", lambda rate: Loop())
    settings = replace(SETTINGS, steps=14, epoch_steps=7, copies=3)  # seven epochs of 100, three of them new
    train.train(IMAGES, LABELS, seed=3, recipe=Counting(()), settings=settings)
    order = train.image_order(100, 3, settings).ravel()
    number = seen["pictures"][:, 0, 0].astype(int) * 256 + seen["pictures"][:, 0, 1]
    assert np.array_equal(order[number], order), "each use shows a picture of the image that is its turn"
    assert number.max() == 299
    assert np.array_equal(number // 100, np.arange(7).repeat(100) % 3), "three epochs' pictures, in turn"


def test_every_epoch_uses_every_image_once():
    order = train.image_order(100, 0, SHORT).ravel()[:1000].reshape(10, 100)
    assert (np.sort(order, axis=1) == np.arange(100)).all()
    assert not (order[0] == order[1]).all()


def test_learning_is_learning():
    longer = train.train(IMAGES, LABELS, seed=0, settings=replace(SETTINGS, steps=200))
    assert train.accuracy(longer.weights, IMAGES, LABELS) > 0.5
    assert longer.train_accuracy.shape == (200 // SETTINGS.epoch_steps,)


def test_predictions_are_probabilities_of_the_keras_model():
    weights = arm().weights
    model = build_model(0)
    model.set_weights(weights)
    wanted = model.predict(IMAGES.astype(np.float32) / 255, verbose=0)
    assert train.predict(weights, IMAGES) == pytest.approx(wanted, abs=1e-5)


def test_fit_takes_exactly_the_steps_of_the_settings():
    import tensorflow as tf

    model = compile_model(build_model(0))
    batches = tf.data.Dataset.from_tensors((IMAGES[:50] / np.float32(255), LABELS[:50])).repeat()
    history = train.fit(model, batches, settings=SHORT)
    assert int(model.optimizer.iterations) == SHORT.steps
    assert len(history["accuracy"]) == 2


def test_equal_seeds_give_equal_initial_weights_of_the_documented_shapes():
    first, again, other = initial_weights(5), initial_weights(5), initial_weights(6)
    assert tuple(w.shape for w in first) == WEIGHT_SHAPES
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
