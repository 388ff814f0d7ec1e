"""Settings, seed and recipe in; trained weights and a learning curve out.

Both arms train here in the same way: same initial weights, same order of images, same number of steps. Only
the pictures of the augmented arm pass through the recipe, afresh every time they are used.

Enters: uint8 images (n, 28, 28, 1) or, on coloured ink, (n, 28, 28, 3), and integer labels (n,). Leaves: float32
weights, shaped as `model.WEIGHT_SHAPES` for one channel, and float64 curves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from augcourse.augment import Recipe
from augcourse.model import build_model, compile_model, initial_weights
from augcourse.settings import SETTINGS, Settings

__all__ = ["Trained", "accuracy", "fit", "image_order", "predict", "train"]


@dataclass(frozen=True)
class Trained:
    """One trained arm.

    Attributes:
        weights: float32 arrays shaped as `model.WEIGHT_SHAPES`.
        steps: optimiser steps taken.
        train_accuracy: float64 (steps / epoch_steps,), running accuracy on the pictures trained on, in 0..1.
    """

    weights: list[np.ndarray]
    steps: int
    train_accuracy: np.ndarray


def image_order(n: int, seed: int, settings: Settings = SETTINGS) -> np.ndarray:
    """int64 (steps, batch_size): which image is used when; every epoch is a new permutation of all n."""
    rng = np.random.default_rng((seed, n))
    total = settings.steps * settings.batch_size
    order = np.concatenate([rng.permutation(n) for _ in range(-(-total // n))])[:total]
    return order.reshape(settings.steps, settings.batch_size)


def train(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    recipe: Recipe | None = None,
    settings: Settings = SETTINGS,
    watched: Callable[[int], Iterable[int]] = range,
) -> Trained:
    """Train one arm from the initial weights of `seed`; without a recipe it is the baseline arm.

    Where the settings have `copies`, an image passes through the recipe in its first so many epochs, as it would
    without, and in later ones these pictures come again in turn (`python -m benchmarks.copies` has what that costs).

    The optimiser runs in one compiled loop instead of `model.fit`; equal arguments give equal bits in one
    process or in many, on one machine. `watched` is that of `Recipe.apply`, which takes most of the time.
    """
    order = image_order(len(labels), seed, settings)
    flat = order.ravel()
    pictures, turn = images, order
    if recipe is not None:
        made = flat if settings.copies is None else flat[: settings.copies * len(labels)]
        pictures = recipe.apply(images[made], labels[made], seed, watched)
        turn = _in_turn(flat, len(labels), len(made)).reshape(order.shape)
    channels = images.shape[-1]
    loop = _loop(settings.learning_rate, channels, settings.dropout, settings.weight_decay)
    loop.reset(initial_weights(seed, channels), seed)
    correct = loop.run(tf.constant(pictures), tf.constant(turn), tf.constant(labels[order].astype(np.int64)))
    curve = np.asarray(correct, np.float64).reshape(-1, settings.epoch_steps).mean(1) / settings.batch_size
    return Trained([w.numpy() for w in loop.variables], settings.steps, curve)


def predict(weights: list[np.ndarray], images: np.ndarray) -> np.ndarray:
    """float32 (n, 10) class probabilities of the network with these weights, for uint8 images (n, 28, 28, channels)."""
    loop = _loop(SETTINGS.learning_rate, images.shape[-1], 0.0, 0.0)
    for variable, array in zip(loop.variables, weights, strict=True):
        variable.assign(array)
    parts = [loop.forward(tf.constant(images[i : i + 500])).numpy() for i in range(0, len(images), 500)]
    return np.concatenate(parts)


def accuracy(weights: list[np.ndarray], images: np.ndarray, labels: np.ndarray) -> float:
    """Share of right answers in 0..1 on uint8 images (n, 28, 28, channels)."""
    return float(np.mean(predict(weights, images).argmax(1) == labels))


def fit(
    model: keras.Model, batches: Any, validation: Any = None, settings: Settings = SETTINGS
) -> dict[str, list[float]]:
    """`model.fit` for `settings.steps` steps on a repeating `tf.data.Dataset`; returns Keras's history.

    One point of the history every `epoch_steps` steps: `loss`, `accuracy`, and `val_loss`, `val_accuracy`
    where validation batches are given; accuracies in 0..1.
    """
    compile_model(model, settings)
    history = model.fit(
        batches,
        steps_per_epoch=settings.epoch_steps,
        epochs=settings.steps // settings.epoch_steps,
        validation_data=validation,
        verbose=0,
        shuffle=False,
    )
    return {name: [float(v) for v in values] for name, values in history.history.items()}


class _Loop:
    """One network, one optimiser and one compiled training loop, reused for every arm of a process."""

    def __init__(self, learning_rate: float, channels: int, dropout: float, weight_decay: float) -> None:
        self.model = build_model(0, channels, dropout)
        if weight_decay:
            self.optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay)
        else:
            self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.variables = [v.value for v in self.model.trainable_variables]
        self._start = [v.numpy() for v in self.optimizer.variables]
        self.run = tf.function(self._run, reduce_retracing=True)
        self.forward = tf.function(self._forward, reduce_retracing=True)

    def reset(self, weights: list[np.ndarray], seed: int) -> None:
        for variable, array in zip(self.variables, weights, strict=True):
            variable.assign(array)
        for place, state in enumerate(self.model.non_trainable_variables):  # what each dropout layer draws from
            state.assign([seed, place])
        for variable, value in zip(self.optimizer.variables, self._start, strict=True):
            variable.assign(value)

    def _forward(self, images: tf.Tensor) -> tf.Tensor:
        return self.model(tf.cast(images, tf.float32) / 255.0, training=False)

    def _run(self, pictures: tf.Tensor, turn: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        steps = tf.shape(turn)[0]
        correct = tf.TensorArray(tf.int64, size=steps)
        for i in tf.range(steps):
            with tf.GradientTape() as tape:
                images = tf.gather(pictures, turn[i])
                probabilities = self.model(tf.cast(images, tf.float32) / 255.0, training=True)
                loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels[i], probabilities))
            gradients = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            hits = tf.equal(tf.argmax(probabilities, axis=1), labels[i])
            correct = correct.write(i, tf.reduce_sum(tf.cast(hits, tf.int64)))
        return correct.stack()


def _in_turn(flat: np.ndarray, n: int, made: int) -> np.ndarray:
    """int64 (uses,): which of the first `made` pictures stands for each use of an image in `flat`."""
    uses = np.arange(len(flat))
    if made == len(flat):
        return uses
    place = np.argsort(flat[:made].reshape(-1, n), axis=1) + np.arange(0, made, n)[:, None]
    return place[uses // n % len(place), flat]


@lru_cache(maxsize=4)
def _loop(learning_rate: float, channels: int, dropout: float, weight_decay: float) -> _Loop:
    return _Loop(learning_rate, channels, dropout, weight_decay)
