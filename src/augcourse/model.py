"""The network of both arms: two convolutional blocks and one hidden layer.

Enters: float32 images (n, 28, 28, 1) in [0, 1]. Leaves: float32 class probabilities (n, 10).
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


def build_model(seed: int) -> keras.Model:
    """The network with the initial weights that belong to `seed`; not compiled.

    Args:
        seed: sets every random generator of Keras, NumPy and Python, so that equal seeds give equal weights.
    """
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.layers.Input(shape=IMAGE_SHAPE),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
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


def initial_weights(seed: int) -> list[np.ndarray]:
    """The weights that `build_model(seed)` starts from, float32, shaped as `WEIGHT_SHAPES`."""
    return [np.asarray(w) for w in build_model(seed).get_weights()]
