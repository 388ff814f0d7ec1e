"""The network of both arms: two convolutional blocks and one hidden layer.

Enters: float32 images (n, 28, 28, 1) in [0, 1], or (n, 28, 28, 3) on coloured ink. Leaves: float32 class
probabilities (n, 10).
"""

from __future__ import annotations

import keras
import numpy as np

from augcourse.settings import CLASSES, IMAGE_SHAPE, SETTINGS, Settings

__all__ = ["WEIGHT_SHAPES", "build_model", "compile_model", "initial_weights"]

WEIGHT_SHAPES: tuple[tuple[int, ...], ...] = (
    (3, 3, 1, 16),
    (16,),
    (3, 3, 16, 32),
    (32,),
    (800, 64),
    (64,),
    (64, 10),
    (10,),
)
"""Shapes of `model.get_weights()`, in order: kernels and biases of the four layers that have any."""


def build_model(seed: int, channels: int = 1, dropout: float = 0.0) -> keras.Model:
    """The network with the initial weights that belong to `seed`; not compiled.

    Args:
        seed: sets every random generator of Keras, NumPy and Python, so that equal seeds give equal weights.
        channels: 1 for grey pictures, 3 for coloured ones; the network is the same in every other way.
        dropout: share of the units behind the convolutions that a training step leaves out; it changes no weight.
    """
    keras.utils.set_random_seed(seed)

    def left_out() -> list[keras.Layer]:
        # A seed of its own: without one the layer would draw one, and move the initial weights of those behind it.
        return [keras.layers.Dropout(dropout, seed=0)] if dropout else []

    return keras.Sequential(
        [
            keras.layers.Input(shape=(*IMAGE_SHAPE[:2], channels)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            *left_out(),
            keras.layers.Dense(64, activation="relu"),
            *left_out(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def compile_model(model: keras.Model, settings: Settings = SETTINGS) -> keras.Model:
    """Compile in place with Adam, cross-entropy on integer labels, and accuracy; returns the model."""
    model.compile(
        optimizer=keras.optimizers.Adam(settings.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    return model


def initial_weights(seed: int, channels: int = 1) -> list[np.ndarray]:
    """The weights that `build_model(seed, channels)` starts from, float32; `WEIGHT_SHAPES` for one channel."""
    return [np.asarray(w) for w in build_model(seed, channels).trainable_variables]
