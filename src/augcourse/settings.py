"""Frozen settings of the experiment: what both arms share, and what the grader demands.

One instance, `SETTINGS`, serves lessons and results, and what the grader does otherwise is told as a difference to
it, so that a number stands in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["CLASSES", "GRADING", "HALF", "IMAGE_SHAPE", "PROBE", "SETTINGS", "Settings"]

CLASSES = 10
IMAGE_SHAPE = (28, 28, 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is made of.

    Attributes:
        labels_per_class: labelled digits of each class that are trained on.
        steps: optimiser steps of each arm.
        batch_size: images per step.
        learning_rate: of Adam.
        epoch_steps: optimiser steps between two points of a learning curve.
        dropout: share of the units behind the convolutions that a training step leaves out, in 0..1.
        weight_decay: of AdamW (Loshchilov and Hutter 2019), per step and times the learning rate; 0 is plain Adam.
        ink: share of each class's training digits that are written with its favourite pen, on coloured ink
            (`augcourse.digits.ink`); None for grey digits.
        copies: how many augmented pictures of each labelled digit are made, and used in turn from epoch to epoch;
            None makes a fresh one for every use.
        looks: after how many paired runs (one draw of the labels and one seed each) the grader looks at the gains;
            it stops at the first look that decides, and the last is the most that it trains.
        margin_points: what the mean paired gain is held against, in percentage points of test accuracy.
        error_rate: how often a verdict may be wrong on either side of the margin, over all looks together.
        spread_points: standard deviation of a recipe's gains between runs, known from earlier recipes.
        spread_runs: how many runs that knowledge is worth, as degrees of freedom.
        slack_points: how far weights of one run may lie from other runs of the same recipe. No mark rests on it.
    """

    labels_per_class: int = 10
    steps: int = 600
    batch_size: int = 50
    learning_rate: float = 1e-3
    epoch_steps: int = 50
    dropout: float = 0.0
    weight_decay: float = 0.0
    ink: float | None = None
    copies: int | None = None
    looks: tuple[int, ...] = (2, 4, 8)
    margin_points: float = 0.5
    error_rate: float = 0.05
    spread_points: float = 1.3
    spread_runs: int = 6
    slack_points: float = 6.0

    def training(self) -> dict[str, float | None]:
        """What decides the outcome of one training, as plain data, for the key of a cache."""
        return {
            "labels_per_class": self.labels_per_class,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "dropout": self.dropout,
            "weight_decay": self.weight_decay,
            "ink": self.ink,
            "copies": self.copies,
        }


SETTINGS = Settings()

GRADING = replace(SETTINGS, copies=60)
"""What the grader retrains with: nearly as good as fresh pictures, at a part of the time."""

HALF = replace(GRADING, steps=300, copies=30)
"""Half of the way, for what step 4 trains to be looked at. No mark rests on it."""

PROBE = replace(GRADING, steps=100, copies=20)
"""What a student's function is tried with whose training the grader repeats: enough to tell it from another one."""
