"""The grader's retraining: balanced draws, a cache that is never trusted, and a verdict on real recipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from augcourse import measure, recipes
from augcourse.errors import DataError
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


@pytest.fixture
def side_by_side():
    yield
    get_reusable_executor().shutdown(wait=True)  # its processes would wait for minutes for more to do


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


def test_what_is_cached_needs_no_tensorflow(empty_cache):
    """A class begins with a look at the cache: TensorFlow would cost each of them seconds."""
    short()
    look = f"from augcourse import measure; measure.accuracies(None, {RUNS}, settings={SHORT})"
    code = f"import sys; from augcourse.measure import Run; from augcourse.settings import Settings; {look}"
    code += "; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


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
    measure.accuracies(None, RUNS, settings=replace(SHORT, copies=5))
    assert len(list(empty_cache.iterdir())) == 3


PROGRAM = """
import sys
from dataclasses import replace
from typing import Any
from augcourse import measure, recipes
from augcourse.settings import SETTINGS
short = replace(SETTINGS, steps=50, looks=(2, 3))
for _ in range(int(sys.argv[1])):
    print(repr(measure.judge(recipes.geometric(), settings=short)))
"""


def test_the_same_bits_in_a_fresh_process_a_used_one_and_one_of_several(on_the_offline_digits, tmp_path):
    """Every judgement trains anew: the cache of each is a file that cannot become a folder."""
    said = set()
    no_cache = tmp_path / "file"
    no_cache.touch()
    command = [sys.executable, "-c", PROGRAM]
    environment = {**os.environ, "AUGCOURSE_CACHE_DIR": str(no_cache / "cache")}
    options: dict[str, Any] = {"env": environment, "stdout": subprocess.PIPE, "text": True}
    options["stderr"] = subprocess.DEVNULL
    with subprocess.Popen([*command, "2"], **options) as used, subprocess.Popen([*command, "1"], **options) as other:
        lines = [line for process in (used, other) for line in process.communicate(timeout=300)[0].splitlines()]
    short = replace(SETTINGS, steps=50, looks=(2, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUGCOURSE_CACHE_DIR", str(no_cache / "cache"))
        said = {*lines, repr(measure.judge(recipes.geometric(), settings=short))}
    assert len(lines) == 3
    assert len(said) == 1


def test_baselines_trained_side_by_side_are_the_ones_trained_alone(empty_cache, side_by_side, monkeypatch, capsys):
    runs = measure.GRADER_RUNS[:2]
    monkeypatch.setattr(measure, "GRADER_RUNS", runs)
    monkeypatch.setattr(measure, "FIRST_LOOK", ())
    measure.fill_cache(workers=2)
    kept = {entry.name: entry.read_bytes() for entry in empty_cache.glob("*.json")}
    assert len(kept) == len(runs) + 1
    monkeypatch.setenv("AUGCOURSE_CACHE_DIR", str(empty_cache.with_name("another")))
    measure.accuracies(None, runs)
    alone = {entry.name: entry.read_bytes() for entry in empty_cache.with_name("another").iterdir()}
    assert len(alone) == len(runs)
    assert alone.items() <= kept.items()
    assert "training the baselines" in capsys.readouterr().out


def test_a_process_that_the_machine_ends_is_told_in_one_line(empty_cache, side_by_side, monkeypatch):
    def ended(*_: object) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    monkeypatch.setattr(measure, "_accuracy", ended)
    with pytest.raises(DataError, match="augcourse baselines --workers 1"):
        measure.fill_cache()


def test_a_full_cache_trains_nothing(empty_cache, side_by_side, monkeypatch, capsys):
    monkeypatch.setattr(measure, "GRADER_RUNS", measure.GRADER_RUNS[:1])
    monkeypatch.setattr(measure, "FIRST_LOOK", ())
    measure.fill_cache()
    capsys.readouterr()
    before = {entry: entry.stat().st_mtime_ns for entry in empty_cache.rglob("*")}
    assert any(entry.suffix == ".npz" for entry in before)
    measure.fill_cache()
    assert {entry: entry.stat().st_mtime_ns for entry in empty_cache.rglob("*")} == before
    assert capsys.readouterr().out == ""


def test_the_grader_stops_at_the_first_look_that_decides(on_the_offline_digits, monkeypatch):
    trained: list[tuple[bool, Run]] = []

    def accuracies(recipe, runs, **_):
        trained.extend((recipe is not None, run) for run in runs)
        gain = 0.0 if recipe is None else next(gains)
        return np.full(len(runs), 0.5 + gain / 100)

    monkeypatch.setattr(measure, "accuracies", accuracies)
    for steps, wanted, outcome in (
        ((6.0,), 2, "beats the baseline"),
        ((-6.0,), 2, "does not"),
        ((1.0, 8.0), 4, "beats the baseline"),
        ((1.0, 1.0, 0.0), 8, "too close to call"),
    ):
        trained.clear()
        gains = iter(steps)
        said = measure.judge(recipes.geometric())
        assert (said.runs, said.outcome) == (wanted, outcome)
        assert trained.count((True, measure.GRADER_RUNS[0])) == 1
        assert len(trained) == 2 * wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("geometric", "beats the baseline"),
        ("horizontal flip", "does not"),
        ("rotation ±180°", "does not"),
        ("saturation ±0.5", "does not"),
    ],
)
def test_the_verdict_knows_recipes_that_help_from_those_that_do_not(on_the_offline_digits, name, outcome):
    assert measure.judge(recipes.named(name)).outcome == outcome
