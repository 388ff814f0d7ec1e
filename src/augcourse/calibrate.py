"""How often the verdict errs: recipes of known worth, judged many times over runs that share nothing.

A *block* is a row of runs of its own (draws of the labels and seeds that no other block has), on which each
recipe of the bank gets one verdict, by the very rule that grades. The truth of a recipe is its mean gain over
the first look of every block, which is trained whatever the verdict says, so that stopping early cannot bias it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import albumentations as A
import joblib
import numpy as np
import pandas as pd
from rich.progress import Progress
from statsmodels.stats.proportion import proportion_confint

from augcourse import data
from augcourse.augment import Recipe
from augcourse.compare import interval, paired_gains, verdict
from augcourse.measure import Run, accuracies, content_key, judge
from augcourse.recipes import NAMED, affine, brightness
from augcourse.settings import GRADING

__all__ = ["BANK", "BLOCKS", "HELPS_POINTS", "make", "rates", "runs_of", "truths", "write_summary"]

BLOCKS = {"uci_digits": 20, "mnist": 5}
"""Data set → number of blocks."""

HELPS_POINTS = 2.0
"""A recipe whose true gain is at least this many points must not fail, and seldom be too close to call."""

OUTCOMES = ("beats the baseline", "too close to call", "does not")


def _one(*transforms: A.BasicTransform) -> Callable[[], Recipe]:
    return lambda: Recipe.of(A.Compose(list(transforms)))


BANK: dict[str, Callable[[], Recipe]] = {
    "nothing": _one(A.NoOp()),
    "p = 0": _one(affine(rotate=15, shift=0.1, scale=0.1, shear=10, p=0.0), brightness(p=0.0)),
    "brightness ±0.3": NAMED["brightness ±0.3"],
    "horizontal flip": NAMED["horizontal flip"],
    "rotation ±180°": NAMED["rotation ±180°"],
    "the tutorial's four": NAMED["the tutorial's four"],
    "the label-aware four": NAMED["the label-aware four"],
    "rotation ±5°": _one(affine(rotate=5)),
    "rotation ±15°": NAMED["rotation ±15°"],
    "rotation ±30°": _one(affine(rotate=30)),
    "shift ±10 %": NAMED["shift ±10 %"],
    "affine": _one(affine(rotate=15, shift=0.1, scale=0.1, shear=10)),
    "elastic": _one(A.ElasticTransform(alpha=30, sigma=4, p=1.0)),
    "three quarters erased": _one(
        A.GridDropout(ratio=0.75, unit_size_range=(6, 10), random_offset=True, p=1.0),
    ),
}
"""Name → recipe: from doing nothing over doing good to doing harm."""


def runs_of(block: int) -> list[Run]:
    """The runs of a block, as many as the last look may need."""
    most = max(GRADING.looks)
    return [Run(20_000 + block * most + i, 30_000 + block * most + i) for i in range(most)]


def _judged(dataset: str, name: str, block: int) -> dict[str, object]:
    runs = runs_of(block)
    said = judge(BANK[name](), runs, name=dataset)
    pair = [accuracies(recipe, runs[: said.runs], name=dataset) for recipe in (None, BANK[name]())]
    gains = paired_gains(*pair)
    return {
        "dataset": dataset,
        "recipe": name,
        "block": block,
        "content": _content(dataset, name),
        "outcome": said.outcome,
        "runs": said.runs,
        "mean gain": said.mean_gain,
        "low": said.low,
        "high": said.high,
        **{f"gain {i + 1}": gains[i] if i < len(gains) else None for i in range(max(GRADING.looks))},
    }


def _content(dataset: str, name: str) -> str:
    """What a stored verdict was made of, so that one of another recipe, rule, library or data set is made anew."""
    return hashlib.sha256(f"{content_key(BANK[name](), name=dataset)} {GRADING}".encode()).hexdigest()[:12]


def _baseline(dataset: str, block: int) -> None:
    accuracies(None, runs_of(block), name=dataset)


def make(root: Path, datasets: Sequence[str], workers: int, blocks: int | None = None) -> None:
    """Judge every recipe of the bank in every block; write table and figure to `docs/results`, block by block.

    Interrupted, it goes on where it was: a block whose verdicts are all in the table is not judged again.
    """
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
    folder = root / "docs" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    stored = folder / "calibration.csv"
    table = pd.read_csv(stored) if stored.exists() else pd.DataFrame(columns=["dataset", "recipe", "block", "content"])
    for dataset in datasets:
        data.prepare(dataset)
        content = table.recipe.map({name: _content(dataset, name) for name in BANK})
        table = table[(table.dataset != dataset) | (table.content == content)]
        blocks_here = range(blocks or BLOCKS[dataset])
        with Progress() as bar:
            task = bar.add_task(dataset, total=len(blocks_here) * len(BANK))
            for block in blocks_here:
                here = (table.dataset == dataset) & (table.block == block)
                if set(table[here].recipe) == set(BANK):
                    bar.advance(task, len(BANK))
                    continue
                _baseline(dataset, block)
                rows = []
                for row in parallel(joblib.delayed(_judged)(dataset, name, block) for name in BANK):
                    rows.append(row)
                    bar.advance(task)
                table = pd.concat([table[~here], pd.DataFrame(rows)]) if len(table) else pd.DataFrame(rows)
                table.to_csv(stored, index=False, float_format="%.4f")
    write_summary(folder)


def truths(table: pd.DataFrame) -> pd.DataFrame:
    """One row per data set and recipe: `truth` and its 95 % interval, `runs` behind it, and the verdicts' counts.

    Args:
        table: what `make` wrote to `calibration.csv`.
    """
    first = [f"gain {i + 1}" for i in range(GRADING.looks[0])]
    rows = []
    for (dataset, recipe), part in table.groupby(["dataset", "recipe"], sort=False):
        truth = interval(part[first].to_numpy(float).ravel())
        counts = part.outcome.value_counts()
        rows.append(
            {
                "dataset": dataset,
                "recipe": recipe,
                "truth": truth.mean,
                "low": truth.low,
                "high": truth.high,
                "runs": len(part) * len(first),
                **{outcome: int(counts.get(outcome, 0)) for outcome in OUTCOMES},
                "runs per verdict": float(part["runs"].mean()),
            }
        )
    return pd.DataFrame(rows)


def rates(table: pd.DataFrame) -> pd.DataFrame:
    """The three errors that matter, with their exact 95 % intervals (Clopper and Pearson 1934; statsmodels).

    Args:
        table: what `truths` returns.
    """
    useless, useful = table[table.truth <= 0], table[table.truth >= HELPS_POINTS]
    lines = {
        "wrong pass, of recipes that gain nothing": (useless, "beats the baseline"),
        f"wrong fail, of recipes that gain {HELPS_POINTS:g} points or more": (useful, "does not"),
        f"too close, of recipes that gain {HELPS_POINTS:g} points or more": (useful, "too close to call"),
    }
    rows = []
    for what, (part, outcome) in lines.items():
        wrong, all_of_them = int(part[outcome].sum()), int(part[list(OUTCOMES)].to_numpy().sum())
        low, high = proportion_confint(wrong, all_of_them, method="beta") if all_of_them else (np.nan, np.nan)
        rows.append({"error": what, "found": wrong, "verdicts": all_of_them, "low": low, "high": high})
    return pd.DataFrame(rows)


def write_summary(folder: Path) -> None:
    """Table (Markdown) and figure (SVG, PNG) from `calibration.csv` in the same folder."""
    import matplotlib.pyplot as plt

    from augcourse import plots

    table = truths(pd.read_csv(folder / "calibration.csv"))
    (folder / "calibration.md").write_text(_markdown(table), encoding="utf-8")
    names = list(dict.fromkeys(table.dataset))
    figure, axes = plt.subplots(1, len(names), figsize=(6.4 * len(names), 5), squeeze=False, layout="constrained")
    for ax, name in zip(axes[0], names, strict=True):
        plots.calibration(ax, table[table.dataset == name].sort_values("truth"), GRADING.margin_points)
        ax.set_title(name, fontsize=10)
    plots.save(figure, folder / "calibration")


def _markdown(table: pd.DataFrame) -> str:
    looks = ", ".join(map(str, GRADING.looks))
    rule = (
        f"Looks after {looks} runs, margin {GRADING.margin_points:+g} points, error rate {GRADING.error_rate:.0%} on "
        f"either side over all looks, known spread {GRADING.spread_points:g} points worth "
        f"{GRADING.spread_runs} runs. "
        f"{GRADING.labels_per_class} labels per class, {GRADING.steps} steps. Made by `make calibrate`.\n\n"
    )
    errors = [
        {
            "error": row["error"],
            "found": f"{row['found']} of {row['verdicts']}",
            "95 % interval of the rate": f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %",
        }
        for row in rates(table).to_dict("records")
    ]
    recipes = [
        {
            "data set": row["dataset"],
            "recipe": row["recipe"],
            "true gain": f"{row['truth']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})",
            **{outcome: row[outcome] for outcome in OUTCOMES},
            "runs per verdict": round(row["runs per verdict"], 1),
        }
        for row in table.to_dict("records")
    ]
    tables = [pd.DataFrame(rows).to_markdown(index=False) for rows in (errors, recipes)]
    return rule + "\n\n".join(tables) + "\n"


def redecided(table: pd.DataFrame) -> pd.Series:
    """The outcome of every row, decided again from its gains: the stored verdicts follow from the stored gains."""
    gains = table[[f"gain {i + 1}" for i in range(max(GRADING.looks))]]
    return pd.Series([verdict(row.dropna().to_numpy(float)).outcome for _, row in gains.iterrows()], table.index)
