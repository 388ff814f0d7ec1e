"""What the text of step 2 says of data, of stored runs and of library calls is so, on every data set of the course."""

from __future__ import annotations

import contextlib
import io
import re
from functools import lru_cache

import keras
import matplotlib as mpl
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from augcourse import data, measure, model, results, train
from augcourse.settings import SETTINGS

from .cells import code_cells, text_of

STEP = "step2_baseline"
SEEDS, DRAWS = "same labels, other seeds", "same seed, other labels"
PROSE = "\n".join(line.removeprefix("#").strip() for line in text_of(STEP).splitlines() if line.startswith("#"))

every_data_set = pytest.mark.parametrize("dataset", results.DATASETS)


def orders(dataset: tf.data.Dataset, times: int = 2) -> list[list[int]]:
    return [[int(number) for number in dataset] for _ in range(times)]


@lru_cache
def printed_with_stored_runs(dataset: str) -> str:
    """What the cells print that show stored runs, on this data set; each must run on all of them."""
    mpl.use("agg")
    cells = code_cells(text_of(STEP))
    names: dict[str, object] = {"__name__": "__main__", "DATASET": dataset}
    shown = [c for c in cells if "show" in c.metadata.get("tags", []) and re.search(r"results\.|per_class", c.source)]
    assert len(shown) >= 6
    solution = next(c for c in cells if c["id"] == "spread")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(cells[1].source, names)
        exec(solution.source, names)
        names["show_figure"] = lambda alt: print(f"alt: {alt}")
        for cell in shown:
            exec(cell.source, names)
    mpl.pyplot.close("all")
    return printed.getvalue()


# Numbers of type uint8, and pipelines.


def test_results_outside_the_range_of_uint8_wrap_around_without_an_error():
    half = np.array([128], np.uint8)
    assert (half + half).tolist() == [0]
    assert (tf.constant(half) + tf.constant(half)).numpy().tolist() == [0]


def test_each_method_returns_a_new_data_set_and_leaves_the_old_one():
    numbers = tf.data.Dataset.range(6)
    longer = numbers.repeat(2)
    assert [len(order) for order in orders(numbers, 1) + orders(longer, 1)] == [6, 12]


def test_cache_stores_the_first_epoch_so_that_slow_work_is_done_once():
    calls: list[int] = []

    def slow(number):
        calls.append(int(number))
        return number

    numbers = tf.data.Dataset.range(5).map(lambda n: tf.py_function(slow, [n], tf.int64))
    assert orders(numbers) == 2 * [list(range(5))]
    assert len(calls) == 10
    calls.clear()
    assert orders(numbers.cache()) == 2 * [list(range(5))]
    assert len(calls) == 5


def test_shuffle_after_cache_mixes_every_epoch_anew_and_before_it_only_the_first():
    numbers = tf.data.Dataset.range(100)
    first, second = orders(numbers.cache().shuffle(100, seed=0))
    assert first != second
    first, second = orders(numbers.shuffle(100, seed=0).cache())
    assert first == second != list(range(100))


def test_the_pipeline_of_question_2_gives_one_mixed_order_in_every_epoch():
    batches = tf.data.Dataset.range(100).shuffle(100, seed=0).cache().repeat().batch(50)
    seen = np.concatenate(list(batches.take(6).as_numpy_iterator())).reshape(3, 100)
    assert (seen == seen[0]).all()
    assert sorted(seen[0]) == list(range(100)) != seen[0].tolist()


def test_a_random_stage_before_cache_gives_its_first_result_again():
    tf.random.set_seed(None)  # another test may have set one, with which a stage begins anew in every epoch
    drawn = tf.data.Dataset.range(20).map(lambda n: tf.random.uniform((), maxval=1_000_000, dtype=tf.int64))
    first, second = orders(drawn)
    assert first != second
    first, second = orders(drawn.cache())
    assert first == second


def test_a_full_mix_needs_a_buffer_as_large_as_the_data():
    numbers = tf.data.Dataset.range(100)
    places = np.arange(100)
    small = np.array(orders(numbers.shuffle(10, seed=0), 1)[0])
    full = np.array(orders(numbers.shuffle(100, seed=0), 1)[0])
    assert (small - places).max() < 10 <= (full - places).max()


def test_repeat_before_shuffle_mixes_epochs():
    numbers = tf.data.Dataset.range(50)
    mixed = orders(numbers.repeat(2).shuffle(50, seed=0), 1)[0]
    whole = orders(numbers.shuffle(50, seed=0).repeat(2), 1)[0]
    assert len(set(mixed[:50])) < 50 == len(set(whole[:50]))


# The network and its training.


def test_two_dense_layers_without_an_activation_compute_what_one_can():
    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    for activation, one_is_enough in ((None, True), ("relu", False)):
        two = keras.Sequential([keras.layers.Dense(16, activation=activation), keras.layers.Dense(4)])
        wanted = np.asarray(two(inputs))
        known = np.column_stack([inputs, np.ones(len(inputs))])
        best = known @ np.linalg.lstsq(known, wanted, rcond=None)[0]  # what one dense layer can do at best
        assert (np.abs(best - wanted).max() < 1e-4) == one_is_enough


def test_max_pooling_keeps_the_largest_value_of_every_square():
    picture = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    assert np.asarray(keras.layers.MaxPooling2D()(picture)).ravel().tolist() == [5, 7, 13, 15]


def test_the_first_dense_layer_has_most_of_the_weights_in_the_numbers_of_the_model_answer():
    layers = model.build_model(0).layers
    largest = max(layers, key=lambda layer: layer.count_params())
    assert largest is next(layer for layer in layers if isinstance(layer, keras.layers.Dense))
    total = sum(layer.count_params() for layer in layers)
    assert largest.count_params() == 64 * (800 + 1) > total / 2
    labelled = 10 * SETTINGS.labels_per_class
    assert f"{largest.count_params():,} of {total:,}" in PROSE
    assert f"about {total / labelled:.0f} weights per labelled digit" in PROSE
    assert f"its {labelled} digits" in PROSE


@pytest.mark.slow
@every_data_set
def test_the_network_fits_its_labelled_digits_exactly(dataset, data_sets):
    data_sets(dataset)
    digits = measure.labelled_digits(0, dataset)
    assert train.accuracy(train.train(*digits, seed=0).weights, *digits) == 1


def test_keras_averages_a_training_point_over_its_steps_and_measures_validation_after_the_last(data_sets):
    """So validation on the very same digits lies above training, while the model still learns."""
    data_sets()
    images, labels = measure.labelled_digits(0)
    batches = tf.data.Dataset.from_tensor_slices((images / np.float32(255), labels)).batch(50)
    network = model.build_model(0)
    network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    told = {"steps_per_epoch": 50, "validation_data": batches, "shuffle": False, "verbose": 0}
    points = network.fit(batches.repeat(), **told).history
    assert points["accuracy"][0] < points["val_accuracy"][0] - 0.05


@every_data_set
def test_the_seed_decides_weights_and_order_and_the_draw_the_labelled_digits(dataset, data_sets):
    data_sets(dataset)
    (images, labels), (others, _) = (measure.labelled_digits(draw, dataset) for draw in (0, 1))
    assert np.bincount(labels).tolist() == 10 * [SETTINGS.labels_per_class]
    assert not np.array_equal(images, others)
    one, two = (np.concatenate([w.ravel() for w in train.initial_weights(seed)]) for seed in (0, 1))
    assert not np.array_equal(one, two)
    assert not np.array_equal(train.image_order(100, 0), train.image_order(100, 1))


def test_the_numbers_of_question_3_are_those_of_the_settings():
    assert "600 steps, with batches of 50, on 100 labelled digits" in PROSE
    assert (SETTINGS.steps, SETTINGS.batch_size) == (600, 50)
    assert set(np.bincount(train.image_order(100, 0).ravel())) == {300}
    assert 600 // SETTINGS.epoch_steps == 12  # the reason that choice b is given


# Means, deviations, errors.


def test_the_worked_example_is_calculated_right():
    runs = np.array([80, 84, 84, 84])
    assert "80, 84, 84 and 84 %" in PROSE
    assert (runs.mean(), runs.std(ddof=1), stats.sem(runs)) == (83, 2, 1)
    assert (runs - runs.mean()).tolist() == [-3, 1, 1, 1]
    assert ((runs - runs.mean()) ** 2).sum() == 12
    for said in ("= 83 %", "−3, 1, 1, 1", "sum to 12", r"\sqrt{12 / 3} = 2$", r"2 / \sqrt 4 = 1$"):
        assert said in PROSE


def test_more_runs_make_the_standard_error_smaller_and_the_standard_deviation_only_better_known():
    drawn = np.random.default_rng(0).normal(82, 2, (2000, 48))
    few, many = drawn[:, :12], drawn
    deviations = [runs.std(axis=1, ddof=1) for runs in (few, many)]
    assert deviations[0].mean() == pytest.approx(deviations[1].mean(), rel=0.05)
    assert deviations[1].std() < 0.7 * deviations[0].std()
    errors = [stats.sem(runs, axis=1).mean() for runs in (few, many)]
    assert errors[1] / errors[0] == pytest.approx(0.5, rel=0.05)  # question 1: four times as many runs


@every_data_set
@pytest.mark.parametrize("row", [SEEDS, DRAWS])
def test_a_few_runs_lie_closer_to_their_own_mean_than_to_that_of_more_runs(dataset, row):
    runs = 100 * results.accuracies("spread", dataset)[row]
    few = runs[:4]
    assert ((few - few.mean()) ** 2).sum() < ((few - runs.mean()) ** 2).sum()


@every_data_set
@pytest.mark.parametrize("row", [SEEDS, DRAWS])
def test_two_runs_that_differ_by_chance_are_often_more_than_one_standard_deviation_apart(dataset, row):
    runs = results.accuracies("spread", dataset)[row]
    apart = np.abs(np.subtract.outer(runs, runs))[np.triu_indices(len(runs), 1)]
    assert np.mean(apart > runs.std(ddof=1)) > 1 / 3


@every_data_set
def test_each_row_of_the_spread_changes_one_thing(dataset):
    table = results.stored()
    table = table[(table.dataset == dataset) & (table.study == "spread")]
    seeds, draws = (table[table.row == row] for row in (SEEDS, DRAWS))
    assert (seeds.draw.nunique(), seeds.seed.nunique()) == (1, len(seeds))
    assert (draws.draw.nunique(), draws.seed.nunique()) == (len(draws), 1)
    assert set(table.recipe) == {""}
    assert set(table.labels_per_class) == {SETTINGS.labels_per_class}


@every_data_set
def test_so_few_runs_tell_a_standard_deviation_only_roughly(dataset):
    """At best, the upper end of its interval is half as much again as the lower one."""
    printed = printed_with_stored_runs(dataset)
    found = re.findall(r": ([\d.]+) percentage points, 95 % interval ([\d.]+) to ([\d.]+)", printed)
    assert len(found) == 2
    for deviation, low, high in np.array(found, float):
        assert low < deviation < high
        assert high > 1.5 * low


def test_the_interval_of_a_standard_deviation_holds_it_in_95_percent_of_normal_samples():
    runs = np.random.default_rng(0).normal(0, 1, (20_000, 12))
    low, high = (runs.std(axis=1, ddof=1) * (11 / stats.chi2.ppf(q, 11)) ** 0.5 for q in (0.975, 0.025))
    assert np.mean((low < 1) & (high > 1)) == pytest.approx(0.95, abs=0.01)


# What the cells print from stored runs.


@every_data_set
def test_the_cells_name_what_moved_the_stored_runs_more(dataset):
    runs = results.accuracies("spread", dataset)
    more = "labels" if runs[DRAWS].std(ddof=1) > runs[SEEDS].std(ddof=1) else "seed"
    printed = printed_with_stored_runs(dataset)
    assert f"measured: {more}, in these runs" in printed
    for name, values in runs.items():
        assert f"{name}: standard deviation {100 * values.std(ddof=1):.1f} percentage points, from 12 runs" in printed


@every_data_set
def test_the_first_line_of_section_7_says_how_far_ten_labels_go(dataset):
    runs = 100 * results.accuracies("labels", dataset)["none, 10"]
    printed = printed_with_stored_runs(dataset)
    line = next(line for line in printed.splitlines() if "labels per class: mean" in line)
    assert line.startswith(f" 10 labels per class: mean {runs.mean():.1f} %, 95 % interval ")
    low, high = stats.t.interval(0.95, len(runs) - 1, runs.mean(), stats.sem(runs))
    assert line.endswith(f"{low:.1f} to {high:.1f}")
    many = 100 * results.accuracies("labels", dataset)["none, 100"].mean()
    assert f"mean accuracy with 100 labels per class, in %: you have not predicted; measured: {many:.1f}" in printed


@every_data_set
def test_the_grader_tells_the_class_what_the_notebook_shows(dataset, monkeypatch):
    """The predictions that are told at grading carry the names and results that the cells print."""
    printed = printed_with_stored_runs(dataset)
    cells = {cell["id"]: cell.source for cell in code_cells(text_of(STEP))}
    asked = re.findall(r'^predict\("([^"]+)", \.\.\.\)', "\n".join(cells.values()), re.M)
    assert 1 <= len(asked) <= 5
    told: dict[str, object] = {}
    monkeypatch.setattr("augcourse.predictions.tell", told.update)
    monkeypatch.setenv("AUGCOURSE_DATASET", dataset)
    monkeypatch.setattr(data, "choose_dataset", lambda: data.DatasetChoice(dataset, ""))
    exec(cells["questions_test"].split("parts = ")[0], {})
    assert set(told) < set(asked)
    for question in ("which moves the accuracy more", "mean accuracy with 100 labels per class, in %"):
        assert f"{question}: you have not predicted; measured: {told[question]}" in printed


# Going further.


@pytest.mark.parametrize("dataset", [name for name in results.DATASETS if name != results.STRANGERS])
def test_longer_trainings_are_compared_with_shorter_ones_of_the_same_draw_and_seed(dataset):
    table = results.stored()
    table = table[(table.dataset == dataset) & (table.recipe == "")]
    longer = table[(table.study == "long") & (table.row == "none")].sort_values("index")
    shorter = table[(table.study == "labels") & (table.row == "none, 10")].sort_values("index")
    columns = ["draw", "seed", "labels_per_class"]
    assert longer[columns].to_numpy().tolist() == shorter[columns].to_numpy().tolist() != []
    assert set(longer.steps) == {results.LONG_STEPS}
    assert set(shorter.steps) == {SETTINGS.steps}


def test_the_share_of_dropout_was_the_best_on_validation_digits_without_augmentation():
    tried = results.stored()
    tried = tried[tried.study == "tuning"]
    assert set(tried.dataset) == {"mnist_sample"}
    assert set(tried.exam) == {data.VALIDATION}
    assert set(tried.recipe) == {""}
    means = tried.groupby(["dropout", "weight_decay"]).accuracy.mean()
    assert means.idxmax() == (results.REGULARISED.dropout, results.REGULARISED.weight_decay)
    assert results.REGULARISED.weight_decay == 0  # the figure's regularisation is dropout alone


@every_data_set
def test_the_figure_of_dropout_shows_gains_that_were_stored(dataset):
    where = dataset if dataset in data.OFFLINE else data.DEFAULT
    gains = results.gains("sceptic", where)
    printed = printed_with_stored_runs(dataset)
    assert f"{where}, dropout of 75%; mean gains in points: dropout {gains['regularised'].mean():+.1f}" in printed
    paired = gains["geometric"] - gains["regularised"]
    assert f"recipe minus dropout, in pairs of runs: {paired.mean():+.1f}" in printed
