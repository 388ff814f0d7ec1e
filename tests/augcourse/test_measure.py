"""The grader's retraining: balanced draws, a cache that is never trusted, and a verdict on real recipes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from scipy import stats

from augcourse import compare, data, measure, recipes, train
from augcourse.digits import ink
from augcourse.errors import DataError
from augcourse.measure import Run
from augcourse.settings import SETTINGS

SHORT = replace(SETTINGS, steps=50)
RUNS = [Run(1, 2)]


@pytest.fixture
def on_the_sample(data_sets, monkeypatch):
    for name, value in data_sets("mnist_sample").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def strangers(data_sets):
    """The name of digits that other people wrote, in the same data folder."""
    data_sets("uci_digits")
    return "uci_digits"


@pytest.fixture
def empty_cache(on_the_sample, tmp_path, monkeypatch):
    monkeypatch.setenv("AUGCOURSE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def side_by_side():
    yield
    get_reusable_executor().shutdown(wait=True)  # its processes would wait for minutes for more to do


def short():
    return measure.accuracies(None, RUNS, settings=SHORT)


def test_a_draw_has_ten_digits_of_every_class_and_its_number_names_it(on_the_sample):
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


def changed(entry: Path) -> str:
    """One digit more was recognised than were."""
    content = json.loads(entry.read_text())
    content["right"][0][3] += 1
    return json.dumps(content)


def with_another_shape(entry: Path) -> str:
    content = json.loads(entry.read_text())
    return json.dumps({**content, "right": content["right"][:1]})


@pytest.mark.parametrize(
    "damaged",
    [
        *("", "{}", "[]", "7", "not json", '{"right": null, "digest": "0"}', '{"right": [[1], [1, 2]], "digest": "0"}'),
        *('{"right": [["many"]], "digest": "0"}', '{"accuracy": 1.0, "digest": "0"}', '{"accuracy": 1.0}'),
        *(changed, with_another_shape, lambda entry: entry.read_text()[:-30]),
    ],
)
def test_a_damaged_entry_or_one_of_another_format_is_computed_anew(empty_cache, damaged):
    first = short()
    (entry,) = empty_cache.iterdir()
    sound = entry.read_text()
    entry.write_text(damaged if isinstance(damaged, str) else damaged(entry))
    assert short() == first
    assert entry.read_text() == sound


def test_an_entry_of_another_run_is_computed_anew(empty_cache):
    first = short()
    (entry,) = empty_cache.iterdir()
    sound = entry.read_text()
    measure.accuracies(None, [Run(5, 6)], settings=SHORT)
    [other] = set(empty_cache.iterdir()) - {entry}
    entry.write_text(other.read_text())
    assert short() == first
    assert entry.read_text() == sound


# Digit by digit, and other exams


def test_recalls_are_of_every_run_and_digit(on_the_sample):
    found = measure.recalls(None, [Run(1, 2), Run(3, 4)], settings=SHORT)
    assert found.shape == (2, 10)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[0] != found[1]).any()


@pytest.mark.parametrize("exam", [data.TEST, data.VALIDATION, "uci_digits"])
def test_recalls_agree_with_accuracies(on_the_sample, strangers, exam):
    _, truth = data.load_arrays("train", exam) if exam == strangers else data.load_arrays(exam)
    found = measure.recalls(None, RUNS, settings=SHORT, exam=exam)
    share = np.bincount(truth) / len(truth)
    assert found @ share == pytest.approx(measure.accuracies(None, RUNS, settings=SHORT, exam=exam))


def test_recalls_and_accuracies_are_one_entry(empty_cache):
    measure.recalls(None, RUNS, settings=SHORT)
    before = {entry: entry.stat().st_mtime_ns for entry in empty_cache.iterdir()}
    short()
    assert {entry: entry.stat().st_mtime_ns for entry in empty_cache.iterdir()} == before
    assert len(before) == 1


@pytest.mark.parametrize("exam", [data.TEST, data.VALIDATION, "uci_digits"])
def test_an_exam_is_what_it_is_called(on_the_sample, strangers, exam):
    images, truth = data.load_arrays("train", exam) if exam == strangers else data.load_arrays(exam)
    trained = train.train(*measure.labelled_digits(1), seed=2, settings=SHORT)
    wanted = train.accuracy(trained.weights, images, truth)
    assert measure.accuracies(None, RUNS, settings=SHORT, exam=exam) == pytest.approx([wanted])


def test_another_exam_is_another_entry(empty_cache, strangers):
    for exam in (data.TEST, data.VALIDATION, strangers):
        measure.accuracies(None, RUNS, settings=SHORT, exam=exam)
    assert len(list(empty_cache.iterdir())) == 3


def test_an_exam_on_other_files_is_another_entry(empty_cache, strangers, tmp_path, monkeypatch):
    measure.accuracies(None, RUNS, settings=SHORT, exam=strangers)
    shutil.copytree(os.environ["TFDS_DATA_DIR"], tmp_path / "tfds")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    shard = next((tmp_path / "tfds" / strangers).rglob("*-test.*"))
    shard.write_bytes(shard.read_bytes() + b"more")
    measure.accuracies(None, RUNS, settings=SHORT, exam=strangers)
    assert len(list(empty_cache.iterdir())) == 2


def test_an_exam_that_is_not_there_is_told(on_the_sample):
    with pytest.raises(DataError, match="astrology is unknown"):
        measure.accuracies(None, RUNS, settings=SHORT, exam="astrology")


# Coloured ink


@pytest.fixture
def shown(empty_cache, monkeypatch):
    """What two runs on coloured ink train on and are examined on, run by run."""
    trained_on: list[tuple[np.ndarray, np.ndarray]] = []
    examined_on: list[np.ndarray] = []

    def trains(images, labels, **_):
        trained_on.append((images, labels))
        return train.Trained([], 0, np.empty(0))

    def predicts(weights, images):
        examined_on.append(images)
        return np.eye(10)[np.zeros(len(images), int)]

    monkeypatch.setattr(train, "train", trains)
    monkeypatch.setattr(train, "predict", predicts)
    measure.accuracies(None, [Run(1, 2), Run(3, 4)], settings=replace(SHORT, ink=0.8))
    return trained_on, examined_on


def of_their_own_pen(images, labels):
    """bool (n,): whether each picture is written with the favourite pen of its digit."""
    as_if = ink.tinted(images.max(axis=3, keepdims=True), ink.PENS[labels][:, None, None])
    return (images == as_if).all(axis=(1, 2, 3))


def test_the_share_of_favourite_pens_in_training_is_that_of_the_settings(shown):
    for images, labels in shown[0]:
        assert np.bincount(labels[of_their_own_pen(images, labels)]).tolist() == [8] * 10


def test_at_test_time_a_pen_says_nothing_about_the_digit(shown):
    _, truth = data.load_arrays(data.TEST)
    own = int(of_their_own_pen(shown[1][0], truth).sum())
    assert stats.binomtest(own, len(truth), 0.1).pvalue > 0.01


def test_the_pens_of_the_test_digits_are_the_same_in_every_run(shown):
    first, second = shown[1]
    assert np.array_equal(first, second)


def test_other_draws_are_written_with_other_pens(shown):
    (first, _), (second, _) = shown[0]
    assert not np.array_equal(first, second)


def test_a_recipe_for_ink_is_measured_on_ink(on_the_sample):
    settings = replace(SHORT, ink=0.8)
    found = measure.accuracies(recipes.ON_INK["any hue"](), RUNS, settings=settings)
    assert found.shape == (1,)
    assert found != measure.accuracies(None, RUNS, settings=settings)


def test_a_cache_that_cannot_be_written_costs_no_result(empty_cache):
    empty_cache.write_text("a file where the folder should be")
    assert 0 < short()[0] < 1


def test_other_settings_are_another_entry(empty_cache):
    short()
    measure.accuracies(None, RUNS, settings=replace(SHORT, steps=100))
    for other in ({"copies": 5}, {"dropout": 0.3}, {"weight_decay": 0.1}, {"ink": 0.8}):
        measure.accuracies(None, RUNS, settings=replace(SHORT, **other))
    assert len(list(empty_cache.iterdir())) == 6


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


def test_the_same_bits_in_a_fresh_process_a_used_one_and_one_of_several(on_the_sample, tmp_path):
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
    monkeypatch.setattr(measure, "FIRST_LOOK", runs)
    measure.fill_cache(workers=2)
    kept = {entry.name: entry.read_bytes() for entry in empty_cache.glob("*.json")}
    assert len(kept) == 2 * len(runs)  # on grey digits, and on coloured ink
    monkeypatch.setenv("AUGCOURSE_CACHE_DIR", str(empty_cache.with_name("another")))
    for settings in (measure.GRADING, measure.ON_INK):
        measure.accuracies(None, runs, settings=settings)
    alone = {entry.name: entry.read_bytes() for entry in empty_cache.with_name("another").iterdir()}
    assert len(alone) == 2 * len(runs)
    assert alone == kept
    assert "training the baselines" in capsys.readouterr().out


def test_a_process_that_the_machine_ends_is_told_in_one_line(empty_cache, side_by_side, monkeypatch):
    def ended(*_: object) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    monkeypatch.setattr(measure, "_right", ended)
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


@pytest.mark.parametrize("cached", [True, False], ids=["with a cache", "where it cannot be written"])
@pytest.mark.parametrize(
    ("gains", "wanted", "outcome"),
    [
        ((6.0, 6.0), 2, "beats the baseline"),
        ((-6.0, -6.0), 2, "does not"),
        ((1.0, 1.0, 8.0, 8.0), 4, "beats the baseline"),
        ((1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0), 8, "too close to call"),
    ],
)
def test_the_grader_trains_each_run_once_until_a_look_decides(empty_cache, monkeypatch, gains, wanted, outcome, cached):
    if not cached:
        empty_cache.touch()
    trained: list[tuple[bool, Run]] = []

    def right(recipe, run, *_):
        trained.append((recipe is not None, run))
        gain = 0.0 if recipe is None else gains[measure.GRADER_RUNS.index(run)]
        return np.array([[500 + round(10 * gain)] * 10, [1000] * 10])

    monkeypatch.setattr(measure, "_right", right)
    said = measure.judge(recipes.geometric())
    assert (said.runs, said.outcome) == (wanted, outcome)
    assert len(trained) == 2 * wanted
    assert set(trained) == {(arm, run) for arm in (False, True) for run in measure.GRADER_RUNS[:wanted]}


def test_a_verdict_names_the_digit_that_gained_least(on_the_sample):
    recipe, runs, settings = recipes.geometric(), measure.GRADER_RUNS[:2], replace(SHORT, looks=(2,))
    said = measure.judge(recipe, runs, settings=settings)
    baseline, augmented = (measure.recalls(arm, runs, settings=settings) for arm in (None, recipe))
    gains = 100 * (augmented - baseline).mean(axis=0)
    assert said.least_digit == gains.argmin()
    assert said.least_gain == pytest.approx(gains.min())


def test_a_verdict_says_the_chance_that_its_gains_give(on_the_sample):
    recipe, runs, settings = recipes.geometric(), measure.GRADER_RUNS[:2], replace(SHORT, looks=(2,))
    said = measure.judge(recipe, runs, settings=settings)
    gains = compare.paired_gains(*(measure.accuracies(arm, runs, settings=settings) for arm in (None, recipe)))
    assert said.mean_gain == pytest.approx(gains.mean())
    assert said.chance == pytest.approx(compare.chance_of_winning(gains, settings))


def test_a_verdict_has_the_recipe_that_was_judged(on_the_sample):
    recipe = recipes.named("brightness ±0.3")
    assert measure.judge(recipe, settings=replace(SHORT, looks=(2,))).recipe is recipe


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
def test_the_verdict_knows_recipes_that_help_from_those_that_do_not(on_the_sample, name, outcome):
    assert measure.judge(recipes.named(name)).outcome == outcome
