"""Stored runs → the tables and figures of `docs/results`. No training.

Each study is one question; its table says the answer in numbers, and its figure shows every run with the 95 % interval
of the mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from augcourse import data, results
from augcourse.compare import interval, paired_gains
from augcourse.digits.ink import FAVOURITE_SHARE
from augcourse.results import DATASETS, LABELS, LONG_STEPS, REGULARISED, STRANGERS, TABLE
from augcourse.settings import SETTINGS

__all__ = ["TITLES", "by_labels", "gained_least", "write"]

TITLES = {"idx_fashion_mnist": "Fashion-MNIST"}
"""What a data set is called in a figure, where that is not its name."""

_INK = ("ink", "ink, always the favourite pen")


def write(folder: Path) -> None:
    """Tables (CSV, Markdown) and figures (SVG, PNG) of every study, from the stored runs."""
    folder.mkdir(parents=True, exist_ok=True)
    here = set(results.stored().dataset)
    digits = [name for name in DATASETS if name in here]
    everything = [*digits, *sorted(here - set(DATASETS))]
    _write_ablation(folder, everything)
    _write_labels(folder, [name for name in digits if name != STRANGERS])
    (folder / "studies.md").write_text("\n".join(_studies(digits)), encoding="utf-8")
    _draw_ink(folder)
    _draw_strangers(folder)
    _draw_sceptic(folder)


def _title(name: str) -> str:
    return TITLES.get(name, name)


def _write_ablation(folder: Path, names: Sequence[str]) -> None:
    import matplotlib.pyplot as plt

    from augcourse import plots

    table = pd.concat([_ablation(name) for name in names])
    table.to_csv(folder / "ablation.csv", index=False)
    note = (
        f"{SETTINGS.labels_per_class} labels per class, {SETTINGS.steps} steps of {SETTINGS.batch_size} images, "
        "accuracy on `test`; gains are paired over draws of the labels and seeds. Made by `make results`.\n\n"
    )
    (folder / "ablation.md").write_text(note + _rows_as_text(table), encoding="utf-8")
    for stem, shown in (("ablation", names[:1]), ("travel", names)):
        size = (6.4, 3.8) if len(shown) == 1 else (4.4 * len(shown), 3.8)
        figure, axes = plt.subplots(
            1, len(shown), figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
        )
        for ax, name in zip(axes[0], shown, strict=True):
            plots.ablation(ax, results.gains("ablation", name), highlight="geometric")
            baseline = 100 * results.accuracies("ablation", name)["none"].mean()
            ax.set_title(f"{_title(name)}: the baseline reaches {baseline:.1f} %", fontsize=10)
        plots.save(figure, folder / stem)


def _ablation(dataset: str) -> pd.DataFrame:
    paired, rows = results.gains("ablation", dataset), []
    for name, values in results.accuracies("ablation", dataset).items():
        gain = interval(paired[name]) if name in paired else None
        rows.append(
            {
                "data set": _title(dataset),
                "augmentation": name,
                "runs": len(values),
                "accuracy in %": round(100 * float(values.mean()), 1),
                "gain in points": None if gain is None else round(gain.mean, 1),
                "95 % interval": "" if gain is None else f"{gain.low:+.1f} to {gain.high:+.1f}",
                "gained least": "" if gain is None else _least(gained_least("ablation", dataset, name)),
            }
        )
    return pd.DataFrame(rows)


def gained_least(study: str, dataset: str, row: str) -> tuple[int, float] | None:
    """The class that gained least over the row "none", and its mean paired gain in percentage points.

    None where no class changed, or where the stored runs do not say what was recognised of each class.
    """
    columns = [f"recall {digit}" for digit in range(10)]
    stored = results.stored()
    stored = stored[(stored.study == study) & (stored.dataset == dataset)].sort_values("index")
    before, after = (
        stored.loc[stored.row == name, columns].apply(pd.to_numeric, errors="coerce").to_numpy(float)
        for name in ("none", row)
    )
    by_class = paired_gains(before, after).mean(axis=0)
    if np.isnan(by_class).any() or not by_class.any():
        return None
    least = int(by_class.argmin())
    return least, float(by_class[least])


def _least(found: tuple[int, float] | None) -> str:
    return "" if found is None else f"{found[0]} ({found[1]:+.1f})"


def _write_labels(folder: Path, datasets: Sequence[str]) -> None:
    import matplotlib.pyplot as plt

    from augcourse import plots

    table = pd.concat([by_labels(name) for name in datasets])
    table.to_csv(folder / "results.csv", index=False, float_format="%.2f")
    parts = [_LABELS_NOTE.format(steps=SETTINGS.steps, batch=SETTINGS.batch_size)]
    for name in datasets:
        of_one = table[table["data set"] == name]
        cells = [f"{row['accuracy']:.1f} ({row['low']:.1f} to {row['high']:.1f})" for row in of_one.to_dict("records")]
        shown = of_one.assign(cell=cells).pivot(index="augmentation", columns="labels per class", values="cell")
        shown.columns = pd.Index([f"{n} labels per class" for n in shown.columns])
        parts.append(f"## {name}\n\n{shown.loc[list(TABLE)].reset_index().to_markdown(index=False)}\n")
    (folder / "results.md").write_text("\n".join(parts), encoding="utf-8")
    figure, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    plots.by_labels(ax, table[table["data set"] == datasets[0]], TABLE)
    ax.legend(title="labels per class", frameon=False, loc="lower left")
    ax.set_title(datasets[0], fontsize=10)
    plots.save(figure, folder / "results")


_LABELS_NOTE = """\
Mean accuracy on `test` in percent with the 95 % interval of the mean over five runs (draws of the labels and seeds, the
same ones in every row). {steps} steps of {batch} images with and without augmentation. Made by `make results`.
"""


def by_labels(dataset: str) -> pd.DataFrame:
    """One row per augmentation of `TABLE` and number of labels: mean accuracy and its interval, in percent."""
    stored = results.accuracies("table", dataset)
    rows = []
    for name in TABLE:
        for n in LABELS:
            spread = interval(100 * stored[f"{name}, {n}"])
            rows.append(
                {
                    "data set": dataset,
                    "augmentation": name,
                    "labels per class": n,
                    "runs": len(stored[f"{name}, {n}"]),
                    "accuracy": spread.mean,
                    "low": spread.low,
                    "high": spread.high,
                }
            )
    return pd.DataFrame(rows)


def _studies(digits: Sequence[str]) -> Iterable[str]:
    """The page of the studies that ask one question each."""
    yield _STUDIES_NOTE.format(labels=SETTINGS.labels_per_class, steps=SETTINGS.steps)
    yield _INK_NOTE.format(share=FAVOURITE_SHARE)
    yield _rows_as_text(
        pd.concat([_gains_of(study, name) for study in _INK for name in digits if name in data.OFFLINE])
    )
    yield _STRANGERS_NOTE.format(strangers=STRANGERS)
    yield _rows_as_text(_strangers(data.DEFAULT))
    chosen = f"dropout {REGULARISED.dropout:g}, weight decay {REGULARISED.weight_decay:g}"
    yield _SCEPTIC_NOTE.format(chosen=chosen, default=data.DEFAULT)
    yield _rows_as_text(pd.concat([_gains_of("sceptic", name) for name in digits if name in data.OFFLINE]))
    yield "\nThe networks among which validation digits chose, without augmentation:\n"
    yield _rows_as_text(_accuracies_of("tuning", data.DEFAULT))
    yield _LONG_NOTE.format(steps=LONG_STEPS)
    yield _rows_as_text(pd.concat([_gains_of("long", name) for name in digits if name != STRANGERS]))


_STUDIES_NOTE = """\
One question each; {labels} labels per class and {steps} steps unless the section says otherwise. Accuracies are means
in percent, gains are paired, with the 95 % interval of the mean. Made by `make results`.
"""
_INK_NOTE = """
## Does saturation matter where ink has colour?

Digits in coloured ink, after the Coloured MNIST of Arjovsky et al. 2019 (arXiv:1907.02893). At test time any of ten
pens writes any digit. In the training labels, each class is written with its favourite pen in {share:.0%} of the
pictures ("ink"), or in all of them.
"""
_STRANGERS_NOTE = """
## Does the gain hold for other people's handwriting?

The same trained models, asked about the test digits of their own data set ("at home") and about `{strangers}`, written
by people whom they never met.
"""
_SCEPTIC_NOTE = """
## Does augmentation only replace regularisation?

The course's network beside the same one with {chosen}, which did best on the validation
digits of `{default}`; both without augmentation and with the geometric recipe, on the same runs.
"""
_LONG_NOTE = """
## What do more steps bring?

{steps} steps for both arms.
"""


def _gains_of(study: str, dataset: str) -> pd.DataFrame:
    paired, rows = results.gains(study, dataset), []
    for name, values in results.accuracies(study, dataset).items():
        mean = interval(100 * values)
        gain = interval(paired[name]) if name in paired else None
        rows.append(
            {
                "data set": dataset,
                "study": study,
                "row": name,
                "runs": len(values),
                "accuracy in %": f"{mean.mean:.1f} ({mean.low:.1f} to {mean.high:.1f})",
                "gain in points": "" if gain is None else f"{gain.mean:+.1f} ({gain.low:+.1f} to {gain.high:+.1f})",
            }
        )
    return pd.DataFrame(rows)


def _accuracies_of(study: str, dataset: str) -> pd.DataFrame:
    rows = []
    for name, values in results.accuracies(study, dataset).items():
        mean = interval(100 * values)
        rows.append({"network": name, "accuracy in %": f"{mean.mean:.1f} ({mean.low:.1f} to {mean.high:.1f})"})
    return pd.DataFrame(rows)


def _strangers(dataset: str) -> pd.DataFrame:
    found, rows = results.strangers(dataset), []
    for recipe, values in found.items():
        row: dict[str, Any] = {"trained on": dataset, "recipe": recipe}
        for where in ("at home", "strangers"):
            gain = interval(paired_gains(found["none"][where], values[where])) if recipe != "none" else None
            row[f"{where}, in %"] = f"{100 * values[where].mean():.1f}"
            row[f"gain {where}"] = "" if gain is None else f"{gain.mean:+.1f} ({gain.low:+.1f} to {gain.high:+.1f})"
        rows.append(row)
    return pd.DataFrame(rows)


def _rows_as_text(table: pd.DataFrame) -> str:
    return table.astype(object).fillna("").to_markdown(index=False) + "\n"


def _draw_ink(folder: Path) -> None:
    import matplotlib.pyplot as plt

    from augcourse import plots

    figure, axes = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
    for ax, study, pens in zip(axes, _INK, (f"{FAVOURITE_SHARE:.0%}", "100 %"), strict=True):
        plots.ablation(ax, results.gains(study, data.DEFAULT))
        baseline = 100 * results.accuracies(study, data.DEFAULT)["none"].mean()
        ax.set_title(f"favourite pen in {pens} of the labels: the baseline reaches {baseline:.1f} %", fontsize=10)
    plots.save(figure, folder / "ink")


def _draw_strangers(folder: Path) -> None:
    import matplotlib.pyplot as plt

    from augcourse import plots

    figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    plots.at_home_and_away(ax, results.strangers(data.DEFAULT))
    ax.set_title(f"trained on ten labels per class of {data.DEFAULT}", fontsize=10)
    plots.save(figure, folder / "strangers")


def _draw_sceptic(folder: Path) -> None:
    import matplotlib.pyplot as plt

    from augcourse import plots

    stored = results.accuracies("sceptic", data.DEFAULT)
    names = {
        "none": "neither",
        "regularised": "regularised",
        "geometric": "augmented",
        "regularised, geometric": "both",
    }
    figure, ax = plt.subplots(figsize=(6.4, 2.4), layout="constrained")
    plots.dots(ax, {shown: 100 * stored[name] for name, shown in names.items()}, {"augmented": plots.AUGMENTED})
    ax.set_xlabel("accuracy on test in %; every point is a run, the bar is the mean")
    ax.set_title(data.DEFAULT, fontsize=10)
    plots.save(figure, folder / "sceptic")
