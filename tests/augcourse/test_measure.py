"""The grader's retraining: balanced draws, a cache that is never trusted, and a verdict on real recipes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from augcourse import measure, recipes
from augcourse.measure import Run
from augcourse.settings import SETTINGS

SHORT = replace(SETTINGS, steps=50)
RUNS = [Run(1, 2)]


@pytest.fixture
def on_the_offline_digits(data_sets, monkeypatch):
    for name, value in data_sets("uci_digits").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def empty_cache(on_the_offline_digits, tmp_path, monkeypatch):
    monkeypatch.setenv("AUGCOURSE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def short():
    return measure.accuracies(None, RUNS, settings=SHORT)


def test_a_draw_has_ten_digits_of_every_class_and_its_number_names_it(on_the_offline_digits):
    images, labels = measure.labelled_digits(3)
    assert np.array_equal(np.bincount(labels), np.full(10, SETTINGS.labels_per_class))
    assert np.array_equal(images, measure.labelled_digits(3)[0])
    assert not np.array_equal(images, measure.labelled_digits(4)[0])


def test_a_cached_run_is_the_run(empty_cache):
    first = short()
    assert len(list(empty_cache.iterdir())) == 1
    assert short() == first


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"accuracy": 1.0, "digest": "0"}', '{"accuracy": "nan"}'])
def test_a_damaged_or_foreign_cache_entry_is_recomputed(empty_cache, content):
    first = short()
    (entry,) = empty_cache.iterdir()
    entry.write_text(content)
    assert short() == first
    assert entry.read_text() != content


def test_a_cache_that_cannot_be_written_costs_no_result(empty_cache):
    empty_cache.write_text("a file where the folder should be")
    assert 0 < short()[0] < 1


def test_other_settings_are_another_entry(empty_cache):
    short()
    measure.accuracies(None, RUNS, settings=replace(SHORT, steps=100))
    assert len(list(empty_cache.iterdir())) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("geometric", "beats the baseline"),
        ("the tutorial's four", "does not"),
        ("rotation ±180°", "does not"),
        ("saturation ±0.5", "does not"),
    ],
)
def test_the_verdict_knows_recipes_that_help_from_those_that_do_not(on_the_offline_digits, name, outcome):
    assert measure.judge(recipes.named(name)).outcome == outcome
