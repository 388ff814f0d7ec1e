"""Stored runs: complete, paired, and in step with the tables and figures that are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from augcourse import data, results, tables
from augcourse.compare import interval
from augcourse.errors import DataError

COMMITTED = Path(__file__).parents[2] / "docs" / "results"
FASHION = "idx_fashion_mnist"
FAMILIAR = [name for name in results.DATASETS if name != results.STRANGERS]


@pytest.mark.parametrize("dataset", [*results.DATASETS, FASHION])
def test_every_run_of_every_study_is_stored(dataset):
    wanted = [(job.study, job.row, job.index, job.draw, job.seed, job.exam) for job in results.jobs(dataset)]
    table = pd.read_csv(results.STORED, keep_default_na=False)
    table = table[table.dataset == dataset]
    columns = [table[name] for name in ("study", "row", "index", "draw", "seed", "exam")]
    assert sorted(zip(*columns, strict=True)) == sorted(wanted)
    assert table.accuracy.between(0, 1).all()


@pytest.mark.parametrize("dataset", results.DATASETS)
def test_rows_of_a_study_share_their_runs(dataset):
    runs: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for job in results.jobs(dataset):
        if job.study != "spread":
            runs.setdefault(job.study, {}).setdefault(job.row, []).append((job.draw, job.seed))
    for study, rows in runs.items():
        assert len({tuple(pairs) for pairs in rows.values()}) == 1, study


@pytest.mark.parametrize("dataset", list(data.OFFLINE))
def test_the_accuracy_of_a_run_is_the_mean_of_its_recalls_by_their_share_of_the_digits(dataset):
    table = results.stored()
    table = table[(table.dataset == dataset) & (table.study == "ablation")]
    recalls = table[[f"recall {digit}" for digit in range(10)]].to_numpy(float)
    accuracy = table.accuracy.to_numpy(float)
    assert (recalls.min(axis=1) < accuracy).all()
    assert (recalls.max(axis=1) > accuracy).all()
    if dataset == "mnist_sample":  # as many test digits of each class
        assert recalls.mean(axis=1) == pytest.approx(accuracy, abs=1e-4)


@pytest.mark.parametrize("dataset", results.DATASETS)
def test_the_facts_that_the_course_is_built_on_hold(dataset):
    gains = {name: values.mean() for name, values in results.gains("ablation", dataset).items()}
    assert gains["the tutorial's four"] < 0
    assert gains["horizontal flip"] < 0
    assert gains["rotation ±180°"] < 0
    assert gains["saturation ±0.5"] == 0
    assert gains["rotation ±15°"] > 0
    assert gains["shift ±10 %"] > gains["rotation ±15°"]
    assert gains["geometric"] > gains["shift ±10 %"]


@pytest.mark.parametrize("dataset", FAMILIAR)
def test_on_mnist_digits_the_label_aware_four_gain_in_every_run(dataset):
    assert (results.gains("ablation", dataset)["the label-aware four"] > 0).all()


@pytest.mark.parametrize("dataset", FAMILIAR)
def test_the_best_known_recipe_is_the_best_with_few_labels(dataset):
    table: Any = tables.by_labels(dataset)
    for n in (10, 30):
        rows = table[table["labels per class"] == n].set_index("augmentation").accuracy
        assert rows.idxmax() == "the best known"


def test_saturation_towards_grey_is_worth_five_points_on_coloured_ink():
    gain = interval(results.gains("ink", "mnist_sample")["saturation 0 to 1"])
    assert gain.low > 5


@pytest.mark.parametrize("dataset", list(data.OFFLINE))
def test_on_coloured_ink_saturation_as_tutorials_write_it_gains_less_than_towards_grey_and_hue_more(dataset):
    gains = {name: values.mean() for name, values in results.gains("ink", dataset).items()}
    assert gains["saturation 0.5 to 1.5"] < gains["saturation 0 to 1"] < gains["any hue"]


def test_strangers_are_read_worse_whatever_the_recipe():
    found = results.strangers(data.DEFAULT)
    assert found
    for recipe, values in found.items():
        assert (values["strangers"] < values["at home"]).all(), recipe


def test_the_regularised_network_is_the_one_that_validation_digits_chose():
    stored = results.accuracies("tuning", "mnist_sample")
    best = max(stored, key=lambda name: stored[name].mean())
    chosen = results.REGULARISED
    assert best == f"dropout {chosen.dropout:g}, weight decay {chosen.weight_decay:g}"


@pytest.mark.parametrize("dataset", results.DATASETS)
def test_a_row_reads_back_in_the_order_of_its_runs(dataset):
    assert all(len(values) == 5 for values in results.accuracies("ablation", dataset).values())
    baseline = results.accuracies("labels", dataset)["none, 10"]
    assert np.array_equal(baseline, results.accuracies("ablation", dataset)["none"])


def test_a_study_that_does_not_exist_is_one_sentence():
    with pytest.raises(DataError, match="make results"):
        results.accuracies("astrology", "uci_digits")


def test_pictures_that_are_not_digits_are_asked_what_each_recipe_gains_and_nothing_else():
    assert {job.study for job in results.jobs(FASHION)} == {"ablation"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "row"),
    [
        ("ablation", "geometric"),
        ("ink", "saturation 0 to 1"),
        ("sceptic", "regularised"),
        ("strangers", "none, strangers"),
    ],
)
def test_a_stored_run_can_be_made_again(data_sets, monkeypatch, study, row):
    for dataset in ("uci_digits", "mnist_sample"):
        for name, value in data_sets(dataset).items():
            monkeypatch.setenv(name, value)
    job = next(j for j in results.jobs("mnist_sample") if (j.study, j.row) == (study, row))
    # Other processors round differently; a run may move by a few of the test digits.
    stored = results.accuracies(study, "mnist_sample")[row][job.index]
    assert results.run_job(job)["accuracy"] == pytest.approx(stored, abs=0.02)


def test_tables_are_those_of_the_stored_runs(tmp_path):
    tables.write(tmp_path)
    for name in ("ablation.csv", "ablation.md", "results.csv", "results.md", "studies.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (COMMITTED / name).read_text(encoding="utf-8")
    assert {p.name for p in tmp_path.iterdir()} <= {p.name for p in COMMITTED.iterdir()}


def test_the_class_that_gained_least_is_the_smallest_of_the_ten_mean_gains():
    recalls = results.stored()
    recalls = recalls[(recalls.study == "ablation") & (recalls.dataset == "mnist_sample")]
    columns = [f"recall {digit}" for digit in range(10)]
    before, after = (
        recalls[recalls.row == row].sort_values("index")[columns].to_numpy(float) for row in ("none", "geometric")
    )
    found = tables.gained_least("ablation", "mnist_sample", "geometric")
    assert found is not None
    digit, gain = found
    assert gain == pytest.approx(100 * (after - before).mean(axis=0).min())
    assert gain == pytest.approx(100 * (after - before).mean(axis=0)[digit])


def test_a_recipe_that_changes_no_answer_has_no_class_that_gained_least():
    assert tables.gained_least("ablation", "mnist_sample", "saturation ±0.5") is None


@pytest.mark.parametrize("dataset", ["mnist", "uci_digits", FASHION])
def test_a_data_set_on_which_strangers_were_not_measured_has_none(dataset):
    assert results.strangers(dataset) == {}
