"""How often the verdict errs: recipes of known worth, judged many times over runs that share nothing.

A *block* is a row of runs of its own (draws of the labels and seeds that no other block has), on which each
recipe of the bank gets one verdict, by the very rule that grades. The truth of a recipe is its mean gain over
the first look of every block, which is trained whatever the verdict says, so that stopping early cannot bias it.

In some blocks every run is trained, whatever the verdict: there a second rule is asked the same question of the same
gains (`power`).
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

from augcourse import data, power
from augcourse.augment import Recipe
from augcourse.compare import gain_needed, interval, paired_gains, verdict
from augcourse.measure import Run, accuracies, content_key, judge
from augcourse.recipes import NAMED, affine, brightness
from augcourse.settings import GRADING

__all__ = [
    "BANK",
    "BLOCKS",
    "HELPS_POINTS",
    "make",
    "rates",
    "residuals",
    "runs_of",
    "truths",
    "whole_blocks",
    "write_power",
    "write_summary",
]

BLOCKS = {"mnist_sample": 20, "mnist": 5, "uci_digits": 5}
"""Data set → number of blocks."""

WHOLE_BLOCKS = {"mnist_sample": 2}
"""Data set → in how many blocks, from the first, every run is trained whatever the verdict."""

HELPS_POINTS = 2.0
"""A recipe whose true gain is at least this many points must not fail, and seldom be too close to call."""

OUTCOMES = power.OUTCOMES
_GAINS = [f"gain {i + 1}" for i in range(max(GRADING.looks))]


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
    measured = len(runs) if block < WHOLE_BLOCKS.get(dataset, 0) else said.runs
    pair = [accuracies(recipe, runs[:measured], name=dataset) for recipe in (None, BANK[name]())]
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
        **{column: gains[i] if i < len(gains) else None for i, column in enumerate(_GAINS)},
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
                if set(table[here].recipe) == set(BANK) and not _cut_short(table[here], dataset, block):
                    bar.advance(task, len(BANK))
                    continue
                _baseline(dataset, block)
                rows = []
                for row in parallel(joblib.delayed(_judged)(dataset, name, block) for name in BANK):
                    rows.append(row)
                    bar.advance(task)
                table = pd.concat([table[~here], pd.DataFrame(rows)]) if len(table) else pd.DataFrame(rows)
                table.to_csv(stored, index=False, float_format="%.4f")
    order = list(BLOCKS)
    table.sort_values("dataset", key=lambda names: names.map(order.index), kind="stable").to_csv(
        stored, index=False, float_format="%.4f"
    )
    write_power(folder)
    write_summary(folder)


def _cut_short(rows: pd.DataFrame, dataset: str, block: int) -> bool:
    """Whether a block that should hold every run was stored when it held fewer."""
    return block < WHOLE_BLOCKS.get(dataset, 0) and bool(rows[_GAINS].isna().any(axis=None))


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


def whole_blocks(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `calibration.csv` of those blocks in which every run was trained, whatever the verdict.

    Single rows with every run do not count: the rule itself chose them, by finding them too close.
    """
    complete = table.assign(complete=table[_GAINS].notna().all(axis=1)).groupby(["dataset", "block"]).complete
    return table[complete.transform("all")]


def both_rules(table: pd.DataFrame) -> pd.DataFrame:
    """The three errors of both rules on the same gains, and how many runs each rule needs.

    Args:
        table: what `make` wrote to `calibration.csv`; only its whole blocks are used.
    """
    whole, rows = whole_blocks(table), []
    for dataset, part in whole.groupby("dataset", sort=False):
        known = truths(table[table.dataset == dataset]).set_index("recipe").truth
        for name, rule in power.RULES.items():
            said = [power.sequential(rule, gains) for gains in part[_GAINS].to_numpy(float)]
            outcome, runs = zip(*said, strict=True)
            judged = pd.DataFrame({"truth": part.recipe.map(known).to_numpy(), "outcome": outcome, "runs": runs})
            useless, useful = judged[judged.truth <= 0], judged[judged.truth >= HELPS_POINTS]
            rows.append(
                {
                    "data set": dataset,
                    "rule": name,
                    "wrong pass, of recipes that gain nothing": _of(useless, "beats the baseline"),
                    f"wrong fail, of {HELPS_POINTS:g} points or more": _of(useful, "does not"),
                    f"too close, of {HELPS_POINTS:g} points or more": _of(useful, "too close to call"),
                    "too close, of all": _of(judged, "too close to call"),
                    "runs per verdict": round(float(judged.runs.mean()), 1),
                }
            )
    return pd.DataFrame(rows)


def _of(judged: pd.DataFrame, outcome: str) -> str:
    return f"{int((judged.outcome == outcome).sum())} of {len(judged)}"


def residuals(table: pd.DataFrame, within: tuple[float, float] = (-2.0, 6.5)) -> np.ndarray:
    """float64 (n,): what the runs of the first looks were off their recipe's mean, in percentage points.

    The first look is trained in every block, whatever it says, so that its runs are no selection.

    Args:
        table: what `make` wrote to `calibration.csv`.
        within: only recipes whose true gain lies there; recipes that change nothing have no spread and are left out.
    """
    parts = []
    for _, part in table.groupby(["dataset", "recipe"], sort=False):
        gains = part[_GAINS[: GRADING.looks[0]]].to_numpy(float).ravel()
        if gains.any() and within[0] < gains.mean() < within[1]:
            # One degree of freedom went into the mean: the spread about it is that much too small.
            parts.append((gains - gains.mean()) * (len(gains) / (len(gains) - 1)) ** 0.5)
    return np.concatenate(parts)


def write_power(folder: Path) -> None:
    """`power.csv`: both rules on rows of runs drawn from `calibration.csv` in the same folder. Takes minutes."""
    table = pd.read_csv(folder / "calibration.csv")
    power.curve(residuals(table[table.dataset == data.DEFAULT])).to_csv(
        folder / "power.csv", index=False, float_format="%.4f"
    )


def write_summary(folder: Path) -> None:
    """Tables (Markdown) and figures (SVG, PNG) from `calibration.csv` and `power.csv` in the same folder."""
    import matplotlib.pyplot as plt

    from augcourse import plots

    stored = pd.read_csv(folder / "calibration.csv")
    table = truths(stored)
    (folder / "calibration.md").write_text(_markdown(table), encoding="utf-8")
    names = list(dict.fromkeys(table.dataset))
    figure, axes = plt.subplots(1, len(names), figsize=(6.4 * len(names), 5), squeeze=False, layout="constrained")
    for ax, name in zip(axes[0], names, strict=True):
        plots.calibration(ax, table[table.dataset == name].sort_values("truth"), GRADING.margin_points)
        ax.set_title(name, fontsize=10)
    plots.save(figure, folder / "calibration")
    curve = pd.read_csv(folder / "power.csv")
    (folder / "power.md").write_text(_power_markdown(stored, curve), encoding="utf-8")
    figure, ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    of_default = table[(table.dataset == data.DEFAULT) & table.truth.between(-1.2, 5.2)]
    plots.power(ax, curve, of_default, GRADING.margin_points)
    plots.save(figure, folder / "power")


def _power_markdown(stored: pd.DataFrame, curve: pd.DataFrame) -> str:
    needed = pd.DataFrame(
        [
            {"after so many runs": look, "mean gain that a pass needs, in points": f"{gain_needed(look):+.1f}"}
            for look in GRADING.looks
        ]
    )
    shown = curve[np.isclose(curve["true gain"] % 0.5, 0)]
    shares = pd.DataFrame(
        [
            {
                "true gain": f"{row['true gain']:+.1f}",
                "rule": row["rule"],
                **{outcome: f"{100 * row[outcome]:.0f} %" for outcome in OUTCOMES},
                "runs per verdict": f"{row['runs per verdict']:.1f}",
            }
            for row in shown.to_dict("records")
        ]
    )
    whole = whole_blocks(stored)
    parts = [
        _POWER_NOTE.format(
            runs=len(residuals(stored[stored.dataset == data.DEFAULT])),
            spread=residuals(stored[stored.dataset == data.DEFAULT]).std(ddof=1),
            known=GRADING.spread_points,
            dataset=data.DEFAULT,
        ),
        f"## The gain that a pass needs\n\n{_NEEDED_NOTE}\n\n{needed.to_markdown(index=False, disable_numparse=True)}",
        f"## Both rules on the same gains\n\n{len(whole)} rows of eight runs, all of them trained.\n\n"
        + both_rules(stored).to_markdown(index=False),
        f"## Power\n\n{shares.to_markdown(index=False, disable_numparse=True)}\n",
    ]
    return "\n\n".join(parts)


_POWER_NOTE = """\
How often the grader's rule says what of a recipe that truly gains so many points, beside a second rule on the same
gains: a BCa bootstrap interval together with a sign-flip permutation test. The share is over rows of eight runs that
are drawn from {runs} real runs on `{dataset}` (how far each was off its recipe's mean: standard deviation {spread:.2f}
points, where the rule assumes {known:g}) and moved to each true gain. Made by `make calibrate`.\
"""
_NEEDED_NOTE = """\
Where the gains of a recipe spread as the rule assumes. Gains that agree better need less, gains that scatter need
more.\
"""


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
    gains = [row[:runs] for row, runs in zip(table[_GAINS].to_numpy(float), table["runs"], strict=True)]
    return pd.Series([verdict(each).outcome for each in gains], table.index)
