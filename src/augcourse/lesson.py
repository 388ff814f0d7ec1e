"""What only notebooks use: trainings with a progress bar that are run once, and figures with an alternative text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from tqdm.auto import tqdm  # type: ignore[import-untyped]

from augcourse import train as training
from augcourse.augment import Recipe
from augcourse.settings import SETTINGS, Settings
from augcourse.train import Trained

__all__ = ["show_figure", "train"]

_remembered: dict[str, Trained] = {}


def train(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    recipe: Recipe | None = None,
    settings: Settings = SETTINGS,
) -> Trained:
    """`augcourse.train.train`, for a notebook: a training that takes more than two seconds shows how far it is, and one
    that was run before with equal arguments is not run again.

    Args:
        images, labels, seed, recipe, settings: those of `augcourse.train.train`.
    """
    text = json.dumps(
        [seed, recipe and recipe.to_json(), asdict(settings), str(images.dtype), images.shape], default=str
    )
    key = hashlib.sha256(text.encode() + images.tobytes() + np.asarray(labels, np.int64).tobytes()).hexdigest()
    if key not in _remembered:
        _remembered[key] = training.train(images, labels, seed=seed, recipe=recipe, settings=settings, watched=_watched)
    return _remembered[key]


def show_figure(alt: str) -> None:
    """Show the current figure, with its content in words for those who do not see it, and close it.

    Args:
        alt: what the figure shows: what is drawn, along which axes. Results belong there only as computed numbers.
    """
    figure = plt.gcf()
    display(figure, metadata={"image/png": {"alt": alt}})
    plt.close(figure)


def _watched(pictures: int) -> Iterable[int]:

    return tqdm(range(pictures), desc="augmenting", unit="picture", delay=2, leave=False)
