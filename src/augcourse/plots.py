"""Results → axes. Every function takes axes, draws, and returns them; none calls `plt.show`.

One colour per model through the whole course, from the palette of Okabe and Ito (2008), which colour-blind
readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from augcourse.compare import interval

__all__ = [
    "AUGMENTED",
    "BASELINE",
    "NEUTRAL",
    "ablation",
    "at_home_and_away",
    "by_labels",
    "calibration",
    "confusion",
    "dial",
    "dots",
    "gallery",
    "learning_curves",
    "line_with_points",
    "power",
    "recall_by_digit",
    "sample_grid",
    "save",
]

BASELINE = "#0072B2"
AUGMENTED = "#D55E00"
NEUTRAL = "#666666"


def show(ax: Any, image: np.ndarray, title: str = "") -> Any:
    """One picture, uint8 (28, 28), (28, 28, 1) or (28, 28, 3), on the fixed scale 0 to 255."""
    picture = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
    ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(title, fontsize=9)
    return ax


def sample_grid(axes: Any, pairs: Iterable[tuple[np.ndarray, int]]) -> Any:
    """Digits with their labels as titles, one per axes."""
    for ax, (image, label) in zip(np.ravel(axes), pairs, strict=False):
        show(ax, image, str(label))
    return axes


def learning_curves(ax: Any, histories: Mapping[str, Mapping[str, Sequence[float]]], epoch_steps: int) -> Any:
    """Accuracy against optimiser steps, both models on one axes: training dashed, validation solid.

    Args:
        histories: name of a model ("baseline", "augmented") → Keras history with `accuracy`, `val_accuracy`.
        epoch_steps: optimiser steps between two points.
    """
    colours = {"baseline": BASELINE, "augmented": AUGMENTED}
    for name, history in histories.items():
        for key, style, part in (("accuracy", "--", "training"), ("val_accuracy", "-", "validation")):
            if key in history:
                values = 100 * np.asarray(history[key])
                steps = epoch_steps * np.arange(1, len(values) + 1)
                ax.plot(steps, values, style, color=colours.get(name, NEUTRAL), label=f"{name}, {part}")
    ax.set(xlabel="optimiser steps", ylabel="accuracy in %")
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def gallery(axes: Any, originals: Sequence[np.ndarray], rows: Mapping[str, Sequence[np.ndarray]]) -> Any:
    """Originals in the first row, each transformation's pictures below, on one intensity scale.

    Args:
        axes: array of axes (1 + len(rows), len(originals)).
        originals: uint8 pictures.
        rows: name of a transformation → its pictures of the same originals.
    """
    for ax_row, (name, pictures) in zip(axes, {"original": originals, **rows}.items(), strict=True):
        for ax, picture in zip(ax_row, pictures, strict=True):
            show(ax, picture)
        ax_row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return axes


def confusion(ax: Any, matrix: np.ndarray, title: str) -> Any:
    """A 10 × 10 confusion matrix: rows are true digits, columns predictions; the diagonal is left pale."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    wrong = np.where(np.eye(len(matrix), dtype=bool), 0, share)
    ax.imshow(wrong, cmap="Oranges", vmin=0, vmax=max(0.3, float(wrong.max())))
    for row, column in zip(*np.nonzero(matrix), strict=True):
        ax.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=7)
    ax.set(xlabel="predicted digit", ylabel="true digit", title=title, xticks=range(10), yticks=range(10))
    return ax


def dots(ax: Any, rows: Mapping[str, np.ndarray], colours: Mapping[str, str] | None = None) -> Any:
    """One row of dots per name, every run a point, the mean of several a bar; the x axis is the caller's to label."""
    for y, (name, values) in enumerate(rows.items()):
        colour = (colours or {}).get(name, NEUTRAL)
        ax.plot(values, np.full(len(values), y), "o", color=colour, alpha=0.6, markersize=5)
        if len(values) > 1:
            ax.plot([np.mean(values)] * 2, [y - 0.25, y + 0.25], color=colour, linewidth=2)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def ablation(ax: Any, gains: Mapping[str, np.ndarray], highlight: str | None = None) -> Any:
    """Paired gains over the baseline in percentage points: every run a point, the mean with its 95 % interval.

    Args:
        gains: name of a recipe → (runs,) gains; one run is drawn as a point without an interval.
        highlight: the name that is drawn in the colour of the augmented model.
    """
    for y, (name, values) in enumerate(gains.items()):
        colour = AUGMENTED if name == highlight else NEUTRAL
        ax.plot(values, np.full(len(values), y), "o", color=colour, alpha=0.5, markersize=4)
        if len(values) > 1:
            spread = interval(np.asarray(values))
            ax.plot([spread.low, spread.high], [y, y], color=colour, linewidth=2)
            ax.plot(spread.mean, y, "|", color=colour, markersize=14, markeredgewidth=3)
    ax.axvline(0, color=BASELINE, linewidth=1)
    ax.set_yticks(range(len(gains)), list(gains))
    ax.set_ylim(len(gains) - 0.5, -0.5)
    ax.set_xlabel("gain in test accuracy, percentage points")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def save(figure: Any, path: Path) -> None:
    """Write a figure as `.svg` and `.png`, equal bytes for equal figures, and close it."""
    with plt.rc_context({"svg.hashsalt": "augcourse"}):
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=150, metadata={"Software": None})
    plt.close(figure)


def by_labels(ax: Any, table: Any, names: Sequence[str]) -> Any:
    """Accuracy in percent of every augmentation, one mark with its interval per number of labels.

    Args:
        table: a frame with `augmentation`, `labels per class`, `accuracy`, `low` and `high` in percent.
        names: the augmentations, from the top.
    """
    sizes = sorted(set(table["labels per class"]))
    for i, (n, colour) in enumerate(zip(sizes, ("#9ecae1", BASELINE, "#08306b"), strict=False)):
        rows = table[table["labels per class"] == n].set_index("augmentation").loc[list(names)]
        y = np.arange(len(names)) + 0.22 * (i - (len(sizes) - 1) / 2)
        ax.hlines(y, rows["low"], rows["high"], color=colour, linewidth=2)
        ax.plot(rows["accuracy"], y, "o", color=colour, markersize=5, label=str(n))
        ax.axvline(rows["accuracy"].iloc[0], color=colour, linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(names)), list(names))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel("accuracy on test in %; dotted: without augmentation")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def calibration(ax: Any, table: Any, margin: float) -> Any:
    """What was said of recipes of known worth: verdicts as stacked bars, the true gain at their left end.

    Args:
        table: a frame with `recipe`, `truth`, `low`, `high` in points, and a count for each of the three outcomes.
        margin: in points; a line is drawn where true gains pass it.
    """
    colours = {"beats the baseline": AUGMENTED, "too close to call": "#d9d9d9", "does not": BASELINE}
    left = np.zeros(len(table))
    total = table[list(colours)].to_numpy().sum(axis=1)
    for outcome, colour in colours.items():
        share = 100 * table[outcome].to_numpy() / total
        ax.barh(range(len(table)), share, left=left, color=colour, label=outcome, height=0.7)
        left += share
    labels = [f"{row.recipe}   {row.truth:+.1f}" for row in table.itertuples()]
    ax.set_yticks(range(len(table)), labels)
    ax.axhline(float((table.truth < margin).sum()) - 0.5, color="black", linewidth=1, linestyle=":")
    ax.set_xlim(0, 100)
    ax.set_xlabel("share of verdicts in %")
    ax.set_ylabel("recipe and its true gain in points; dotted: the margin")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, frameon=False, fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def power(ax: Any, curve: Any, judged: Any, margin: float) -> Any:
    """The share of *beats the baseline* against the true gain: a line for each rule, a point for each real recipe.

    Args:
        curve: a frame with `rule`, `true gain` in points, and the share `beats the baseline` in 0..1.
        judged: a frame with `recipe`, `truth` in points, and a count for each of the three outcomes.
        margin: in points; a line is drawn there.
    """
    for (rule, rows), colour, style in zip(
        curve.groupby("rule", sort=False), (AUGMENTED, NEUTRAL), ("-", "--"), strict=True
    ):
        ax.plot(rows["true gain"], 100 * rows["beats the baseline"], style, color=colour, label=rule)
    counts = judged[["beats the baseline", "too close to call", "does not"]]
    share = 100 * counts["beats the baseline"] / counts.sum(axis=1)
    ax.plot(judged["truth"], share, "o", color=AUGMENTED, markersize=6, label="real recipes, the grader's rule")
    ax.axvline(margin, color="black", linewidth=1, linestyle=":")
    ax.annotate("margin", (margin, 50), xytext=(4, 0), textcoords="offset points", fontsize=9)
    ax.set(xlabel="true gain in percentage points", ylabel="beats the baseline, share of verdicts in %", ylim=(-3, 103))
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def line_with_points(ax: Any, x: Sequence[float], runs: np.ndarray, name: str, colour: str, *, style: str = "-") -> Any:
    """A mean line with every run as a point: x (n,), runs (runs, n) accuracies in 0..1, drawn in percent."""
    percent = 100 * np.atleast_2d(runs)
    ax.plot(x, percent.mean(axis=0), style, color=colour, label=name)
    for row in percent:
        ax.plot(x, row, "o", color=colour, alpha=0.4, markersize=3)
    ax.set_ylabel("accuracy in %")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def recall_by_digit(ax: Any, recalls: Mapping[str, np.ndarray], order: Sequence[int]) -> Any:
    """One row per digit, one point per model, joined by a line in the colour of whoever is ahead.

    Args:
        recalls: "baseline" and "augmented" → (10,) recall in 0..1.
        order: the digits, from top to bottom.
    """
    before, after = (100 * np.asarray(recalls[name])[list(order)] for name in ("baseline", "augmented"))
    rows = np.arange(len(order))
    ahead = [AUGMENTED if gain > 0 else BASELINE for gain in after - before]
    ax.hlines(rows, before, after, color=ahead, linewidth=2, alpha=0.5)
    for values, name, colour in ((before, "baseline", BASELINE), (after, "augmented", AUGMENTED)):
        ax.plot(values, rows, "o", color=colour, label=name)
    ax.set_yticks(rows, [str(digit) for digit in order])
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set(xlabel="recall in %", ylabel="digit, worst first")
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def at_home_and_away(ax: Any, found: Mapping[str, Mapping[str, np.ndarray]]) -> Any:
    """Accuracy in percent of the same models on familiar and on strangers' digits: every run a point, the mean a bar.

    Args:
        found: name of a recipe → "at home" and "strangers" → (runs,) accuracies in 0..1.
    """
    colours = {"at home": NEUTRAL, "strangers": AUGMENTED}
    for y, values in enumerate(found.values()):
        means = [100 * values[where].mean() for where in colours]
        ax.hlines(y, *sorted(means), color="#cccccc", linewidth=1, zorder=0)
        for where, colour in colours.items():
            percent = 100 * values[where]
            ax.plot(percent, np.full(len(percent), y), "o", color=colour, alpha=0.5, markersize=4)
            ax.plot(percent.mean(), y, "|", color=colour, markersize=14, markeredgewidth=3)
            if y == 0:  # beside what it names, since a legend would look like data
                ax.text(percent.mean(), -0.42, where, color=colour, ha="center", va="bottom", fontsize=9)
    ax.set_yticks(range(len(found)), list(found))
    ax.set_ylim(len(found) - 0.5, -0.9)
    ax.set_xlabel("accuracy in %")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def dial(
    ax: Any,
    gains: Mapping[float, np.ndarray],
    *,
    predicted: Mapping[float, float] | None = None,
    own: Mapping[float, float] | None = None,
) -> Any:
    """Gain over the baseline against the strength of a recipe: every run a point, a line through the means.

    Args:
        gains: strength → (runs,) paired gains in percentage points.
        predicted: strength → gain that the reader expected, drawn as open diamonds.
        own: strength → gain of a run of the reader's own, drawn as stars.
    """
    strengths = sorted(gains)
    ax.axhline(0, color=BASELINE, linewidth=1, label="baseline")
    ax.plot(strengths, [np.mean(gains[s]) for s in strengths], color=AUGMENTED, label="stored runs, mean")
    for s in strengths:
        ax.plot(np.full(len(gains[s]), s), gains[s], "o", color=AUGMENTED, alpha=0.4, markersize=4)
    style: dict[str, Any] = {"color": NEUTRAL, "linestyle": "none", "markersize": 10}
    if predicted:
        ax.plot(*zip(*predicted.items(), strict=True), marker="D", fillstyle="none", label="your prediction", **style)
    if own:
        ax.plot(*zip(*own.items(), strict=True), marker="*", label="your own run", **style)
    ax.set(xlabel="strength of the recipe, as a multiple", ylabel="gain in percentage points")
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
