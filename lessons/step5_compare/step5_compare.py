# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Step 5: How sure are we?
#
# A model with augmentation was better. Better than what, on which digits, and would it be better again tomorrow?
# In this step you compare two models so that somebody who doubts you has nothing left to ask.
#
# **You will be able to** train two models that differ in one thing only, find the digit that lost, put an interval
# around a gain, say what a p-value answers and what it does not, test a model on pictures that nobody trained on,
# and tell your boss what a recipe is worth in hours of labelling.
#
# **You need** nothing but this notebook: every earlier piece comes from the package `augcourse`, so a step that did
# not work out costs you nothing here. **Time**: about 75 minutes; no cell runs longer than ten seconds.
#
# Each exercise has three cells: yours, a locked one that runs your function on probes and writes down what
# came out (in the folder `handin/`), and a test. The last exercise is written, and read by a person.

# %% [markdown]
# **Where this runs.** In the course's own JupyterLab everything is installed. Anywhere else, a hosted notebook service
# included, upload or clone the course's folder and run `%pip install PATH-TO-THE-FOLDER` in a cell of its own, once;
# then restart the kernel. It needs Python 3.11 to 3.13, and no network after that.

# %%
try:
    from augcourse.start import begin
except ModuleNotFoundError:
    raise SystemExit("augcourse is not installed here: the cell above says how to install it.") from None

DATASET = begin("step5_compare")

# %%
import cv2
import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from augcourse import compare, data, handin, measure, plots, probes, recipes, results, train
from augcourse.model import build_model
from augcourse.settings import PROBE, SETTINGS

# %% [markdown]
# ## 1. One difference, and only one
#
# A comparison is fair when the two models share everything but the thing you ask about: the same labelled digits,
# the same initial weights, the same number of optimiser steps. One draw of the digits and one seed together are
# called a **run**, and the two models of a run are its two **arms**.
#
# **Why steps and not epochs?** Because a weight changes once per step. Whoever trains the augmented arm for more
# steps compares patience, not recipes.
#
# The grader is no more generous with itself. This is its rule, printed from the settings that it uses:

# %% tags=["show"]
first, *later = SETTINGS.looks
print(f"The grader retrains both arms from the recipe: {first} runs, {SETTINGS.steps} steps per arm,")
print(f"{SETTINGS.labels_per_class} labels per class, accuracy on `test`, which you never see.")
print(f"Margin: the lower limit of the mean paired gain must be above {SETTINGS.margin_points:+.1f} percentage points. While")
print(f"        the margin lies between the limits, it looks again after {' and '.join(map(str, later))} runs. Then it is too")
print("        close to call, and an instructor decides.")
print(f"Error:  on either side, at most {SETTINGS.error_rate:.0%} of all verdicts are wrong, all looks together.")
print(f"Slack:  your own two models, trained for {PROBE.steps} steps, must have the weights of the grader's, rounding aside.")

# %% [markdown]
# **Exercise 1 (3 points).** Write `train_both(images, labels, recipe, seed, settings)`. Train with `train.train`:
# `train.train(images, labels, seed=…, settings=…)` is the baseline, and a `recipe=…` makes it the augmented arm. The
# settings hold the number of steps, which is the experiment's business and not yours: hand them on.
#
# *Predict*: by how many percentage points will the two arms differ?

# %% nbgrader={"grade": false, "grade_id": "train_both", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_both(images, labels, recipe, seed, settings):
    """Train the two arms of one run with `augcourse.train.train`.

    Args:
        images, labels: the labelled digits, uint8 (n, 28, 28, 1) and int64 (n,).
        recipe: an `augcourse.augment.Recipe`, for the augmented arm.
        seed: of both arms.
        settings: of both arms, an `augcourse.settings.Settings` such as `SETTINGS`.

    Returns:
        (baseline, augmented): two `augcourse.train.Trained`.
    """
    ### BEGIN SOLUTION
    baseline = train.train(images, labels, seed=seed, settings=settings)
    augmented = train.train(images, labels, seed=seed, recipe=recipe, settings=settings)
    return baseline, augmented
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "train_both_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("train_both_baseline") as _first, handin.record("train_both") as out:
    _draw, _seed = (int(n) for n in probes.rng("train_both").integers(1_000_000, size=2))
    _arms = train_both(*measure.labelled_digits(_draw), recipes.geometric(), _seed, PROBE)  # fewer steps: sooner done
    for _record, _arm in zip((_first, out), _arms, strict=True):
        _model = build_model(0)
        _model.set_weights(_arm.weights)
        _record.weights(_model)
        _record.facts(steps=int(_arm.steps))

# %% nbgrader={"grade": true, "grade_id": "train_both_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin
from augcourse.settings import PROBE

work = {"baseline": handin.read("train_both_baseline"), "augmented": handin.read("train_both")}
steps = {name: arm.fact("steps", int) for name, arm in work.items()}
weights = {name: arm.weights() for name, arm in work.items()}
checks.expect(
    len(set(steps.values())) == 1,
    "both arms take the same number of optimiser steps",
    expected=f"{PROBE.steps} steps each",
    got=", ".join(f"{name} {n}" for name, n in steps.items()),
    why="whoever trains longer compares patience, not recipes",
)
checks.expect(
    steps["baseline"] == PROBE.steps,
    "both arms use the settings that train_both was given",
    expected=f"{PROBE.steps} steps each",
    got=f"{steps['baseline']} steps each",
    why="`train.train` was not given `settings=settings`, and took its own",
)
checks.expect(
    any(not np.array_equal(a, b) for a, b in zip(weights["baseline"], weights["augmented"], strict=True)),
    "the two arms must differ",
    got="the same weights twice",
    why="the recipe never reached `train.train`; it is its argument `recipe=`",
)
checks.passed("train_both")
### BEGIN HIDDEN TESTS
from augcourse import measure, probes, recipes, train

draw, seed = (int(n) for n in probes.rng("train_both").integers(1_000_000, size=2))
digits, recipe = measure.labelled_digits(draw), recipes.geometric()
wanted = {
    "baseline": train.train(*digits, seed=seed, settings=PROBE).weights,
    "augmented": train.train(*digits, seed=seed, recipe=recipe, settings=PROBE).weights,
}


def distance(mine, reference):
    mine, reference = (np.concatenate([w.ravel() for w in arm]) for arm in (mine, reference))
    return np.linalg.norm(mine - reference) / np.linalg.norm(reference)


# Another order of the same digits moves the weights by 0.12 and more, another seed by 1.4, rounding by 0.003.
SAME = 0.03
checks.expect(
    distance(weights["baseline"], wanted["augmented"]) > SAME,
    "train_both returns (baseline, augmented), in this order",
    got="the augmented arm in the first place",
    why="the two arms are swapped, or the recipe went to the baseline",
)
for name in ("baseline", "augmented"):
    apart = distance(weights[name], wanted[name])
    checks.expect(
        apart < SAME,
        f"the {name} arm trains on the digits that it was given, in their order, from the seed that it was given",
        expected="the weights of that run",
        got=f"weights that lie {apart:.0%} away from them",
        why="another seed, other digits or another recipe: then the arms differ in more than the recipe",
    )
checks.verdict(measure.judge(recipe))  # these few steps tell trainings apart, all steps tell recipes apart
### END HIDDEN TESTS

# %% [markdown]
# Now your own run. It is scored on validation digits, the same ones for both models.

# %% tags=["show"]
DRAW, SEED = 0, 0
my_images, my_labels = measure.labelled_digits(DRAW)
pair = train_both(my_images, my_labels, recipes.geometric(), SEED, SETTINGS)
arms = dict(zip(("baseline", "augmented"), pair))

# %% tags=["show"]
seen, truth = (column[:1000] for column in data.load_arrays(data.VALIDATION))
said = {name: train.predict(arm.weights, seen).argmax(axis=1) for name, arm in arms.items()}
for name, predictions in said.items():
    print(f"{name:>9}: {np.mean(predictions == truth):.1%} of {len(truth)} validation digits")

# %% [markdown]
# **Explain**: you see a difference. You do not yet know which digits made it, nor whether it comes back.
# **Change one thing**: set `SEED = 1`. Does the gain move? Which of the two models moved more?
#
# ## 2. Which digit lost?
#
# One accuracy is a mean over ten digits, and a mean may rise while a digit falls. Whoever depends on that digit
# (a 1 taken for a 7 on a cheque) does not care about the mean. A **confusion matrix** shows who was taken for whom.
#
# **Exercise 2 (1 point).** Write `confusion(labels, predictions)`. One row per true digit, one column per prediction.

# %% nbgrader={"grade": false, "grade_id": "confusion", "locked": false, "schema_version": 3, "solution": true, "task": false}
def confusion(labels, predictions):
    """Count which digit was taken for which.

    Args:
        labels: int64 (n,), the true digits, 0 to 9.
        predictions: int64 (n,), what the model said.

    Returns:
        integer NumPy array (10, 10): row r, column c counts the digits r that were taken for c.

    Example: labels 7, 7, 1 and predictions 7, 1, 1 put a 1 at [7, 7], at [7, 1] and at [1, 1].
    """
    ### BEGIN SOLUTION
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "confusion_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("confusion") as out:
    _labels, _predictions = probes.answers("confusion", 500, absent=4)
    out.arrays(matrix=confusion(_labels, _predictions))
    out.arrays(small=confusion(np.array([7, 7, 1]), np.array([7, 1, 1])))

# %% nbgrader={"grade": true, "grade_id": "confusion_test", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("confusion")
matrix = work.array("matrix", (10, 10))
labels, predictions = probes.answers("confusion", 500, absent=4)
checks.expect(
    matrix.dtype.kind != "b" and np.array_equal(matrix, np.rint(matrix)),
    "a confusion matrix counts digits",
    expected="whole numbers",
    got=f"{matrix.dtype} such as {matrix.flat[np.argmax(matrix != np.rint(matrix))]:.3g}",
    why="these are shares; normalise later, when you know by what",
)
matrix = matrix.astype(int)
checks.expect(
    matrix.sum() == len(labels),
    "every digit is counted once",
    expected=f"{len(labels)} digits",
    got=f"{matrix.sum()} digits",
    why="`matrix[labels, predictions] += 1` counts a repeated pair only once; `np.add.at` counts them all",
)
checks.expect(
    np.array_equal(matrix.sum(axis=1), np.bincount(labels, minlength=10)),
    "row r holds the digits that truly are r",
    expected=f"row sums {np.bincount(labels, minlength=10).tolist()}",
    got=f"row sums {matrix.sum(axis=1).tolist()}",
    why="transposed: rows are the true digits, columns the predictions",
)
checks.passed("confusion")
### BEGIN HIDDEN TESTS
from augcourse import compare

wrong = np.argwhere(matrix != compare.confusion_matrix(labels, predictions))
checks.expect(
    len(wrong) == 0,
    "every cell of the matrix",
    got=f"{len(wrong)} cells are wrong, the first in row {wrong[0][0] if len(wrong) else 0}",
    why="rows are right, columns are not: the column is what the model said",
)
small = work.array("small", (10, 10))
checks.expect(
    np.array_equal(small, compare.confusion_matrix(np.array([7, 7, 1]), np.array([7, 1, 1]))),
    "the example: labels 7, 7, 1 and predictions 7, 1, 1",
    expected="a 1 at [7, 7], at [7, 1] and at [1, 1], and 0 everywhere else",
    got=[f"{small[row, column]:g} at [{row}, {column}]" for row, column in np.argwhere(small)],
    why="rows and columns are numbered by the digits 0 to 9, whether a digit occurs or not",
)
### END HIDDEN TESTS

# %% [markdown]
# Statistics before pictures: name the worst digit first, then look at the matrix. The share of the true digits `r`
# that were recognised is the **recall** of `r`.
#
# **Exercise 3 (2 points).** Write `worst_first(matrix)`. *Predict*: which digit is the hardest with ten labels?

# %% nbgrader={"grade": false, "grade_id": "worst_first", "locked": false, "schema_version": 3, "solution": true, "task": false}
def worst_first(matrix):
    """Order the digits by recall, the worst first.

    Args:
        matrix: integer NumPy array (10, 10), rows true, columns predicted.

    Returns:
        the digits as an integer array; a digit that never occurs has no recall and is left out.
    """
    ### BEGIN SOLUTION
    totals = matrix.sum(axis=1)
    digits = np.flatnonzero(totals)
    recall = matrix[digits, digits] / totals[digits]
    return digits[np.argsort(recall)]
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "worst_first_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("worst_first") as out:
    out.arrays(order=worst_first(probes.matrix_with_gaps("worst_first", absent=6)))

# %% nbgrader={"grade": true, "grade_id": "worst_first_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, compare, handin, probes

order = handin.read("worst_first").array("order", (None,), kind="iuf")
matrix = probes.matrix_with_gaps("worst_first", absent=6)
occurring = np.flatnonzero(matrix.sum(axis=1)).tolist()
checks.expect(
    sorted(order) == occurring,
    "every digit that occurs stands once in the order, and no other",
    expected=f"the digits {occurring} in some order",
    got=order.tolist(),
    why="a digit that never occurs has no recall: 0 of 0 is not 0 %"
    if set(order) - set(occurring)
    else "a digit that occurs and is never recognised has a recall of 0 %, and belongs at the top",
)
order = order.astype(int)
checks.passed("worst_first")
### BEGIN HIDDEN TESTS
recall = compare.recall(matrix)
precision = np.diag(matrix) / np.maximum(matrix.sum(axis=0), 1)
likely = "sorted by something other than recall"
if np.all(np.diff(recall[order]) <= 0):
    likely = "this is best first; the digit that needs help stands at the top"
elif np.all(np.diff(precision[order]) >= 0):
    likely = "divided by the column sums, which is precision: of those called r, how many were r"
elif np.all(np.diff(np.diag(matrix)[order]) >= 0):
    likely = "sorted by counts: a rare digit looks bad although it was recognised"
checks.expect(
    np.all(np.diff(recall[order]) >= 0),
    "the digits by recall, the worst first",
    expected=sorted(occurring, key=lambda digit: recall[digit]),
    got=order.tolist(),
    why=likely,
)
### END HIDDEN TESTS

# %% tags=["show"]
matrices = {name: confusion(truth, predictions) for name, predictions in said.items()}
order = worst_first(matrices["baseline"])
recalls = {name: compare.recall(matrix) for name, matrix in matrices.items()}
ax = plots.recall_by_digit(plt.subplots(figsize=(6, 3.6))[1], recalls, order)
ax.set_title(f"the same {len(truth)} validation digits, both models")
plt.show()
lost = [int(digit) for digit in order if recalls["augmented"][digit] < recalls["baseline"][digit]]
print("digits that lost in this run:", lost or "none")

# %% tags=["show"]
fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, (name, matrix) in zip(axes, matrices.items()):
    plots.confusion(ax, matrix, f"{name}: {np.trace(matrix) / matrix.sum():.1%} right")
plt.show()

# %% [markdown]
# **Explain**: the orange cells are the mistakes. Pick the darkest one of the baseline: is it gone on the right, or
# did it only get paler? **Change one thing**: another `SEED` in the cell of your own run. Is it still the same digit
# that is worst? What comes back in every run is a property of the model; the rest is luck.

# %% [markdown]
# ## 3. Would it be better again?
#
# The two rows below are baselines only: no recipe, nothing but luck. In the upper row the seed changes, in the
# lower row the ten labels per class. (These and the next runs were stored when the course was made: a few minutes of
# training that you need not wait for.)

# %% tags=["show"]
spread = results.accuracies("spread", DATASET)
ax = plots.dots(plt.subplots(figsize=(7, 1.8))[1], {name: 100 * runs for name, runs in spread.items()})
ax.set_xlabel("accuracy of the baseline in %")
plt.show()
for name, runs in spread.items():
    print(f"{name:>24}: standard deviation {100 * runs.std(ddof=1):.1f} points")

# %% [markdown]
# **Explain**: which labels you were given matters as well as the seed, often more. So a gain must be asked of several
# runs, and within a run both arms share their luck. Good digits lift both arms; the *difference* of the arms
# forgets them. That is why we compare in **pairs**.
#
# **Exercise 4 (3 points).** Write `paired_interval(baseline, augmented, confidence)`: Student's t interval of the mean
# paired gain, in percentage points. The run is the unit: six runs are six numbers, however many digits each was
# tested on. `scipy.stats`, imported as `stats`, has what you need.
#
# *Predict*: if you forgot the pairs, would the interval be wider or narrower?

# %% nbgrader={"grade": false, "grade_id": "paired_interval", "locked": false, "schema_version": 3, "solution": true, "task": false}
def paired_interval(baseline, augmented, confidence=0.95):
    """Mean gain over several runs, and how sure we are of it.

    Args:
        baseline, augmented: float64 (runs,), accuracies in 0..1; index i is the same run in both.
        confidence: of the two-sided interval, such as 0.95.

    Returns:
        (mean, low, high) in percentage points.
    """
    ### BEGIN SOLUTION
    gains = 100 * (np.asarray(augmented) - np.asarray(baseline))
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    reach = stats.t.ppf((1 + confidence) / 2, len(gains) - 1) * error
    return gains.mean(), gains.mean() - reach, gains.mean() + reach
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "paired_interval_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("paired_interval") as out:
    _pair = probes.paired_accuracies("paired_interval", 6)
    out.arrays(**{f"at_{level}": paired_interval(*_pair, level / 100) for level in (80, 95)})
    _better, _worse = probes.paired_accuracies("paired_interval: a recipe that hurts", 4)[::-1]
    out.arrays(hurts=paired_interval(_better, _worse, 0.9))

# %% nbgrader={"grade": true, "grade_id": "paired_interval_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("paired_interval")
found = {level: work.array(f"at_{level}", (3,), kind="f").astype(float) for level in (80, 95)}
hurts = work.array("hurts", (3,), kind="f").astype(float)
mean, low, high = found[95]
checks.expect(
    low < mean < high,
    "(mean, low, high): an interval lies on both sides of its mean",
    got=np.round(found[95], 4).tolist(),
    mistake="one run is proof",
)
checks.expect(
    hurts[0] < 0 or mean < 0,
    "where the augmented arms are worse, the mean gain is negative",
    expected="one positive mean, and one negative",
    got=f"{mean:+.2f} and, for a recipe that hurts, {hurts[0]:+.2f}",
    why="the sign was dropped: a gain may be a loss",
)
checks.expect(
    abs(mean) > 1,
    "a gain is given in percentage points",
    expected="a few points, such as 4.2",
    got=f"{mean:.4f}",
    why="accuracies are in 0..1; a gain of 0.042 is 4.2 points",
)
checks.expect(
    np.ptp(found[80][1:]) < np.ptp(found[95][1:]),
    "whoever wants to be surer needs a wider interval",
    expected="95 % wider than 80 %",
    got=f"{np.ptp(found[95][1:]):.2f} and {np.ptp(found[80][1:]):.2f} points wide",
    why="`confidence` is not used",
)
checks.passed("paired_interval")
### BEGIN HIDDEN TESTS
from scipy import stats

from augcourse import compare, probes

asked = [(*probes.paired_accuracies("paired_interval", 6), level, values) for level, values in found.items()]
asked.append((*probes.paired_accuracies("paired_interval: a recipe that hurts", 4)[::-1], 90, hurts))
for baseline, augmented, level, values in asked:
    gains = compare.paired_gains(baseline, augmented)
    wanted, runs = compare.interval(gains, level / 100), len(gains)
    sd, other_sd = gains.std(ddof=1), 100 * np.sqrt(np.var(baseline, ddof=1) + np.var(augmented, ddof=1))
    t, z = stats.t.ppf((1 + level / 100) / 2, runs - 1), stats.norm.ppf((1 + level / 100) / 2)
    unpaired = stats.t.ppf((1 + level / 100) / 2, 2 * runs - 2)
    suspects = {
        "the standard deviation of the gains, not the standard error of their mean": (t * sd, z * sd, sd),
        "the normal quantile: with few runs, Student's t is wider": (z * sd / runs**0.5,),
        "a one-sided quantile: half of what is left belongs to either side": (
            stats.t.ppf(level / 100, runs - 1) * sd / runs**0.5,
        ),
        "the standard deviation of a sample divides by runs - 1: ddof=1": (t * gains.std() / runs**0.5,),
        "Student's t has runs - 1 degrees of freedom": (
            stats.t.ppf((1 + level / 100) / 2, [n for n in range(1, 2 * runs) if n != runs - 1]) * sd / runs**0.5
        ),
        "the arms were not paired, so that the luck of the draw is counted as doubt about the gain": (
            np.array([t, unpaired, z]) * other_sd / runs**0.5
        ),
    }
    half = np.ptp(values[1:]) / 2
    likely = min(suspects, key=lambda why: np.abs(half - np.array(suspects[why])).min())
    if not np.isclose(half, suspects[likely], rtol=1e-3, atol=0.006).any():
        likely = "another width than that of Student's t interval of the gains, mean ± t × sd / √runs"
    if np.isclose(values[0], -wanted.mean, atol=0.006):
        likely = "baseline minus augmented; a gain is augmented minus baseline"
    elif not np.isclose(values[0], wanted.mean, atol=0.006):
        likely = "the mean is another one: it is that of the gains of all runs, augmented minus baseline"
    # Float32, and two decimals, are near enough; the mistakes above move a limit by a tenth of a point and more.
    checks.expect(
        np.allclose(values, (wanted.mean, wanted.low, wanted.high), rtol=0, atol=0.006),
        f"the {level} % interval of the mean paired gain over {runs} runs",
        expected=f"{wanted.mean:+.3f} ({wanted.low:+.3f} to {wanted.high:+.3f}) points",
        got=f"{values[0]:+.3f} ({values[1]:+.3f} to {values[2]:+.3f}) points",
        why=likely,
    )
### END HIDDEN TESTS

# %% tags=["show"]
runs = results.accuracies("ablation", DATASET)
print("recipe                 mean     95 % interval   gain of each run")
for name in ("geometric", "brightness ±0.3", "horizontal flip"):
    mean, low, high = paired_interval(runs["none"], runs[name])
    each = " ".join(f"{gain:+5.1f}" for gain in compare.paired_gains(runs["none"], runs[name]))
    print(f"{name:18}   {mean:+6.1f}   {low:+6.1f} to {high:+5.1f}   {each}")

# %% [markdown]
# **Explain**: read the row of brightness from the right. Cover all runs but one: which story would that one run have
# told? The interval tells the story of all of them.
#
# An interval is not yet a decision. A **verdict** holds the gains against a margin that was fixed *before* anybody
# looked, and it may answer that it cannot tell. The grader's limits are not yours: it may look at the gains more than
# once, and repeated looks raise the false-positive rate, so each look gets a part of the error rate. It also knows how
# much the gains of other recipes spread. The last line of each says the same in other words: how likely the augmented
# model wins on labels that nobody has drawn yet. **Predict** the three verdicts from the rows above, then run:

# %% tags=["show"]
for name in ("geometric", "brightness ±0.3", "horizontal flip"):
    gains = compare.paired_gains(runs["none"], runs[name])
    verdict = compare.verdict(gains)
    print(f"{name}: {verdict.sentence()}\n  {verdict.in_other_words()}")

# %% [markdown]
# **Explain**: where is the mean gain of brightness, and where are its limits? What may you say about it, and what not?
# Say verdict and limits together, never the verdict alone. **Change one thing**: feed `compare.verdict` the first three gains of a row only.
#
# ## 4. What a p-value answers, and what it does not
#
# You will meet another test for two models: McNemar's. It takes *two trained models* and the images both were
# asked. Images on which both are right, or both wrong, say nothing about who is better. On the others, the
# **discordant** ones, exactly one was right; if the models were equally good, a fair coin decides which.
#
# **Exercise 5 (2 points).** Write `mcnemar(correct_baseline, correct_augmented)`: the exact two-sided p-value.
# `stats.binomtest` knows how to test a coin.

# %% nbgrader={"grade": false, "grade_id": "mcnemar", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mcnemar(correct_baseline, correct_augmented):
    """Exact McNemar test of two models on the same images.

    Args:
        correct_baseline, correct_augmented: bool (n,), whether each model was right about each image;
            they differ on at least one.

    Returns:
        the two-sided p-value, a float in 0..1.
    """
    ### BEGIN SOLUTION
    only_baseline = np.sum(correct_baseline & ~correct_augmented)
    only_augmented = np.sum(correct_augmented & ~correct_baseline)
    return stats.binomtest(only_augmented, only_baseline + only_augmented, 0.5).pvalue
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "mcnemar_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("mcnemar") as out:
    _pair = probes.right_answers("mcnemar", 200)
    _longer = [np.append(correct, [True] * 150 + [False] * 50) for correct in _pair]
    out.arrays(p=float(mcnemar(*_pair)), swapped=float(mcnemar(*_pair[::-1])), longer=float(mcnemar(*_longer)))
    _image = np.arange(17)
    out.arrays(even=float(mcnemar(_image >= 4, (_image < 4) | (_image >= 8))))

# %% nbgrader={"grade": true, "grade_id": "mcnemar_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("mcnemar")
p, swapped, longer, even = (float(work.array(name, (), kind="f")) for name in ("p", "swapped", "longer", "even"))
checks.expect(
    np.isclose(p, longer, rtol=1e-4, atol=0),
    "200 more images on which the models agree change nothing",
    expected=f"p = {p:.3g} as before",
    got=f"p = {longer:.3g}",
    why="images on which both are right or both are wrong were counted; only discordant ones are tosses of the coin",
)
checks.expect(
    np.isclose(p, swapped, rtol=1e-4, atol=0),
    "a two-sided test does not care which model is named first",
    expected=f"p = {p:.3g} both ways",
    got=f"p = {swapped:.3g} with the models swapped",
    why="a one-sided test",
)
checks.expect(
    0 <= min(p, even) and max(p, even) <= 1 + 1e-6,
    "a p-value is a probability",
    expected="a number in 0..1",
    got=f"{p:.3g}, and {even:.3g} where each model is right alone four times",
    why="one tail was doubled; in the middle, both tails together hold everything, and the middle twice",
)
checks.passed("mcnemar")
### BEGIN HIDDEN TESTS
from augcourse import compare, probes

pair = probes.right_answers("mcnemar", 200)
wanted = compare.mcnemar(*pair)
checks.expect(
    np.isclose(p, wanted, rtol=1e-4, atol=0),
    "the exact two-sided p-value",
    expected=f"p = {wanted:.6g} ({np.sum(pair[0] & ~pair[1])} to {np.sum(pair[1] & ~pair[0])} discordant images)",
    got=f"p = {p:.6g}",
    why="a one-sided test"
    if np.isclose(2 * p, wanted, rtol=1e-4, atol=0)
    else "an approximation, by chi-square or another way, is not exact",
)
checks.expect(
    np.isclose(even, 1, rtol=1e-4),
    "where each model is right alone equally often, nothing speaks against a fair coin",
    expected="p = 1 for 4 to 4 discordant images",
    got=f"p = {even:.6g}",
    why="an approximation, or half of the middle was left out (mid-p)",
)
### END HIDDEN TESTS

# %% [markdown]
# Now let it judge your two arms; and then your baseline against five neighbours, baselines too, that differ only in
# the labels they were given. **Predict**: should those p-values be large, because the recipe is the same?

# %% tags=["show"]
right = {name: predictions == truth for name, predictions in said.items()}
for draw in range(DRAW + 1, DRAW + 6):
    neighbour = train.train(*measure.labelled_digits(draw), seed=SEED)
    right[f"baseline of draw {draw}"] = train.predict(neighbour.weights, seen).argmax(axis=1) == truth

# %% tags=["show"]
mine = right.pop("baseline")
print(f"baseline, draw {DRAW}: {mine.sum()} of {len(mine)} right. Against it:")
for name, other in right.items():
    coins = f"{np.sum(mine & ~other):3} to {np.sum(other & ~mine):3} discordant"
    print(f"  {name:19} {other.sum()} right, {coins}, p = {mcnemar(mine, other):.2g}")

# %% [markdown]
# **Explain**: the neighbours share a recipe, namely none. McNemar asks whether *these two models* differ on images like
# these. Two baselines do differ, for no better reason than the digits they were given, and with enough images every
# such difference has a small p. What it cannot say is whether a *recipe* helps, because it has seen a single run. The question of this course is about recipes, so **the
# paired interval over runs is our test**; McNemar answers the smaller question of somebody who must choose between two
# finished models. **Change one thing**: another `DRAW` in your own run. Which of the p-values can you rely on?

# %% [markdown]
# ## 5. Every recipe in one picture
#
# Each dot is the paired gain of a stored run, each bar the 95 % interval of the mean; the blue line is the baseline.
# **Predict** before you run: which recipe is the best, and which ones hurt? Then choose one and add a run of your
# own. Yours is measured on validation digits, because `test` belongs to the grader.

# %% tags=["show"]
MINE = "shift ±10 %"
mine = train.train(my_images, my_labels, seed=SEED, recipe=recipes.named(MINE))
own = [[train.accuracy(arm.weights, seen, truth)] for arm in (arms["baseline"], mine)]

# %% tags=["show"]
gains = {name: compare.paired_gains(runs["none"], each) for name, each in runs.items() if name != "none"}
gains[f"mine: {MINE}"] = compare.paired_gains(*own)
gains = dict(sorted(gains.items(), key=lambda item: -item[1].mean()))
ax = plots.ablation(plt.subplots(figsize=(8, 4), layout="constrained")[1], gains, highlight=f"mine: {MINE}")
ax.set_xlabel("gain in percentage points of accuracy (stored runs: test digits, mine: validation digits)")
plt.show()

# %% [markdown]
# **Explain**: find a recipe whose interval crosses the blue line. What may you say about it? Not "it does nothing",
# only "these runs cannot tell". **Change one thing**: `MINE` may be any name in the picture; or build your own with
# `Recipe.of(…)` as in step 3.

# %% [markdown]
# ## 6. Pictures that nobody trained on
#
# The world turns pictures without asking. How far may a digit turn before the model gives up?
#
# **Exercise 6 (3 points).** Write `robustness(predict, images, labels, angles)`. Turn every picture about its centre
# by each angle, black outside, and measure. Pixels are counted from 0, so the centre of 28 of them lies between the
# pixels 13 and 14, at 13.5. `cv2.getRotationMatrix2D` with `cv2.warpAffine` does it; so does
# a pipeline of albumentations with a fixed angle. Positive angles turn **counter-clockwise**, but not every library
# agrees: look at one picture before you trust yours. Watch the shape, too: OpenCV may drop the last axis.

# %% nbgrader={"grade": false, "grade_id": "robustness", "locked": false, "schema_version": 3, "solution": true, "task": false}
def robustness(predict, images, labels, angles):
    """Accuracy on turned pictures.

    Args:
        predict: a function from uint8 images (n, 28, 28, 1) to int64 (n,) predicted labels.
        images, labels: uint8 (n, 28, 28, 1) and int64 (n,).
        angles: degrees in any order; positive turns counter-clockwise. Every angle starts from the original, which
            is turned about the centre of the picture and stays as large; what comes in from outside is black.

    Returns:
        float NumPy array (len(angles),): accuracies in 0..1.
    """
    ### BEGIN SOLUTION
    height, width = images.shape[1:3]
    accuracies = []
    for angle in angles:
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), float(angle), 1.0)
        turned = np.stack([cv2.warpAffine(image, turn, (width, height)) for image in images])
        accuracies.append(np.mean(predict(turned.reshape(images.shape)) == labels))
    return np.array(accuracies)
    ### END SOLUTION


# %% [markdown]
# The probes are clocks of ten hours with one bright spot; 36° counter-clockwise is one hour later. The probe model
# reads the hour, and some labels are wrong on purpose, a different number for every angle. Then come a white picture
# and a few with one spot; there the probe model only keeps what it was shown.

# %% nbgrader={"grade": false, "grade_id": "robustness_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("robustness") as out:
    _rng = probes.rng("robustness")
    _hours_off = np.repeat(np.arange(-3, 5), _rng.permutation(np.arange(4, 36, 4)))
    _hours, _angles = _rng.integers(10, size=len(_hours_off)), 36 * _rng.permutation(np.arange(-3, 5))
    out.arrays(
        accuracies=robustness(probes.read_clock, probes.clock_hands(_hours), (_hours + _hours_off) % 10, _angles)
    )
    _spots, _turns = probes.spots("robustness", 6)
    for _name, _pictures, _degrees in (("white", [probes.white()], [45]), ("spots", _spots, _turns)):
        _shown = []
        for _picture, _angle in zip(_pictures, _degrees):
            _predict = probes.Noted(_picture)
            robustness(_predict, _picture[None].copy(), np.zeros(1, int), np.array([_angle]))
            _shown.append(_predict.picture)
        out.arrays(**{_name: np.array(_shown)})

# %% nbgrader={"grade": true, "grade_id": "robustness_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("robustness")
found = work.array("accuracies", (8,), kind="f")
checks.expect(
    np.all((found >= 0) & (found <= 1 + 1e-6)),
    "accuracies are shares",
    expected="numbers in 0..1",
    got=np.round(found, 2).tolist(),
    why="these are percent",
)
spots, turns = probes.spots("robustness", 6)
shown = work.array("spots", spots.shape, "uint8")
# Clockwise or not is asked below: here, the direction that fits.
centre, off = min((probes.turned_about(spots, shown, sign * turns) for sign in (1, -1)), key=lambda fit: fit[1])
checks.expect(
    off > 0.4 or np.abs(centre - 13.5).max() < 0.3,
    "pictures are turned about their centre",
    expected="about (13.5, 13.5), counted from pixel 0",
    got=f"about ({centre[0]:.1f}, {centre[1]:.1f})",
    why="another point; and 28 / 2 is 14, but pixels are counted from 0, so the middle of 0 to 27 is 27 / 2",
)
# A white picture, turned by 45°, is a square on its corner: here is how far each pixel lies outside of it.
white = work.array("white", (1, 28, 28, 1), "uint8")[0, :, :, 0]
row, column = np.mgrid[:28, :28] - 13.5
outside = np.maximum(abs(column - row), abs(column + row)) / 2**0.5 - 14
checks.expect(
    white[outside > 1.5].max() <= 25,
    "what comes in from outside the picture is black",
    expected="0 in the corners of a white picture that is turned by 45°",
    got=f"up to {white[outside > 1.5].max()}",
    why="the border repeats or mirrors the edge, or is filled with grey; or the picture was enlarged",
)
checks.expect(
    white[outside < -1.5].min() >= 230,
    "a picture stays as large and as bright as it is",
    expected="255 inside of a white picture that is turned by 45°",
    got=f"down to {white[outside < -1.5].min()}",
    why="the picture was made smaller or darker, or was turned about another point than its centre",
)
checks.expect(
    off <= 0.4,
    "a spot lands where the turn takes it",
    expected="at most 0.4 pixels off",
    got=f"{off:.1f} pixels off",
    why="another angle, another size, or another point than the centre",
)
checks.passed("robustness")
### BEGIN HIDDEN TESTS
rng = probes.rng("robustness")
counts = rng.permutation(np.arange(4, 36, 4))
hours_off = np.repeat(np.arange(-3, 5), counts)
rng.integers(10, size=len(hours_off))
turns = rng.permutation(np.arange(-3, 5))


def share(turned):
    return np.array([np.mean(hours_off % 10 == t % 10) for t in turned])


wanted = share(turns)
likely = "the pictures are turned about another point, or by another angle"
if np.allclose(found, share(-turns)):
    likely = "these turn clockwise; a positive angle is counter-clockwise"
elif np.allclose(found, share(np.cumsum(turns))):
    likely = "each turn starts from the picture that was turned before; start from the original"
elif np.allclose(found, turns == 0):
    likely = "compared with what the model said before the turn; the labels decide what is right"
checks.expect(
    np.allclose(found, wanted, atol=1e-6),
    "the accuracy at every angle",
    expected=dict(zip((36 * turns).tolist(), np.round(wanted, 2).tolist(), strict=True)),
    got=dict(zip((36 * turns).tolist(), np.round(found, 2).tolist(), strict=True)),
    why=likely,
)
### END HIDDEN TESTS

# %% [markdown]
# A curve over the angle rewards what was taught: the recipe turned its digits by up to 15 degrees. So the picture on
# the right asks about something that no recipe of this course contains: a scanner that lost a few lines.
# **Predict** both curves before you look.

# %% tags=["show"]
def lost_lines(pictures, height):
    """A black stripe across the middle."""
    pictures = pictures.copy()
    pictures[:, 14 - height // 2 : 14 + height // 2] = 0
    return pictures


colours = {"baseline": plots.BASELINE, "augmented": plots.AUGMENTED}
angles, heights = np.arange(-90, 91, 15), np.arange(0, 11, 2)

# %% tags=["show"]
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
for name, arm in arms.items():
    turned = robustness(lambda pictures, w=arm.weights: train.predict(w, pictures).argmax(1), seen, truth, angles)
    plots.line_with_points(left, angles, turned, name, colours[name])
    striped = np.array([train.accuracy(arm.weights, lost_lines(seen, height), truth) for height in heights])
    plots.line_with_points(right, heights, striped, name, colours[name])
left.axvspan(-15, 15, color=plots.NEUTRAL, alpha=0.15, label="angles in the recipe")
left.set(xlabel="angle in degrees (positive: counter-clockwise)", xticks=angles[::2])
left.set_title("turned: up to 15° is in the recipe")
right.set(xlabel="lost lines in the middle, of 28", title="lines lost: in no recipe")
left.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# **Explain**: where do the curves cross, if they do? A recipe teaches what it contains; what else it brings, or
# costs, you only know once you have measured it. **Change one thing**: lose columns instead of lines,
# `pictures[:, :, …]`. Is the answer the same?

# %% [markdown]
# ### Other people's handwriting
#
# Your validation digits come from the same collection as your training digits. The next ones do not: they were written
# by people whom neither model has met, and drawn 20 × 20 inside a border of 4 as MNIST draws its own. **Predict**: how
# many of them does each model read, and is the gain larger or smaller than at home?

# %% tags=["show"]
STRANGERS = data.strangers_of(DATASET)
data.prepare(STRANGERS)
theirs, their_labels = data.load_arrays("train", STRANGERS)
fig, axes = plt.subplots(1, 10, figsize=(10, 1.4))
plots.sample_grid(axes, zip(theirs[:10], their_labels[:10]))
plt.show()
for name, arm in arms.items():
    at_home, abroad = train.accuracy(arm.weights, seen, truth), train.accuracy(arm.weights, theirs, their_labels)
    print(f"{name:>9}: {at_home:.1%} of the familiar digits, {abroad:.1%} of the strangers'")

# %% [markdown]
# That is one run. Here are stored ones, where there are any for your data set: the same models, both exams.

# %% tags=["show"]
if stored_strangers := results.strangers(DATASET):
    ax = plots.at_home_and_away(plt.subplots(figsize=(7, 3), layout="constrained")[1], stored_strangers)
    plt.show()

# %% [markdown]
# **Explain**: a test split says how well a model does on digits *like those that it was trained on*. Somebody who looks
# at no other test never learns the rest. What would you ask for before a school in another town uses your model?

# %% [markdown]
# ## 7. How many labels is your recipe worth?
#
# Nobody pays for percentage points. Everybody pays for labels. So turn the question round: how many labelled digits
# would the *baseline* need to become as good as the recipe is with ten per class?
#
# The more labels there are, the less ten more of them bring: a step from 10 to 20 is worth more than one from 100 to
# 110. So between two measured points, draw a straight line against `log(labels)`, not against `labels`.
#
# **Exercise 7 (2 points).** Write `labels_worth(labels_per_class, accuracies, reached)`. `np.interp` draws straight
# lines between points; decide what is x and what is y.

# %% nbgrader={"grade": false, "grade_id": "labels_worth", "locked": false, "schema_version": 3, "solution": true, "task": false}
def labels_worth(labels_per_class, accuracies, reached):
    """How many labels per class the baseline would need to reach an accuracy.

    Args:
        labels_per_class: (points,), ascending, at least 1.
        accuracies: (points,) of the baseline with that many labels, in 0..1, ascending.
        reached: an accuracy in 0..1.

    Returns:
        labels per class, a float: on the straight lines of accuracy against log(labels). Beyond the last point
        nothing was measured: then it is the last number of labels, and you say "at least".
    """
    ### BEGIN SOLUTION
    return float(np.exp(np.interp(reached, accuracies, np.log(labels_per_class))))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "labels_worth_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("labels_worth") as out:
    _labels, _curve, _reached = probes.label_curve("labels_worth")
    out.arrays(worth=[float(labels_worth(_labels, _curve, float(value))) for value in _reached])

# %% nbgrader={"grade": true, "grade_id": "labels_worth_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

worth = handin.read("labels_worth").array("worth", (4,), kind="f")
labels, curve, reached = probes.label_curve("labels_worth")
checks.expect(
    np.all((worth >= labels[0] * 0.9999) & (worth <= labels[-1] * 1.0001)),
    "an answer in labels per class, between the smallest and the largest number that was measured",
    expected=f"numbers from {labels[0]} to {labels[-1]}",
    got=np.round(worth, 2).tolist(),
    why="x and y are swapped, the logarithm was not undone, or the curve was drawn on beyond its last point",
)
checks.passed("labels_worth")
### BEGIN HIDDEN TESTS
wanted = np.exp(np.interp(reached, curve, np.log(labels)))
straight = np.allclose(worth, np.interp(reached, curve, labels))
checks.expect(
    np.allclose(worth, wanted, rtol=1e-4),
    f"the labels that a curve through {np.round(curve, 3).tolist()} needs for {np.round(reached, 3).tolist()}",
    expected=np.round(wanted, 1).tolist(),
    got=np.round(worth, 1).tolist(),
    why="a straight line against the labels; it should be against their logarithm"
    if straight
    else "rounded to whole labels; the answer is a float"
    if np.array_equal(worth, np.rint(worth))
    else "another curve than straight lines of accuracy against log(labels)",
)
### END HIDDEN TESTS

# %% tags=["show"]
stored, per_class = results.accuracies("labels", DATASET), np.array([10, 30, 100])
curves = {name: np.stack([stored[f"{name}, {n}"] for n in per_class], axis=1) for name in ("none", "geometric")}
reached = curves["geometric"][:, 0].mean()
worth = labels_worth(per_class, curves["none"].mean(axis=0), reached)
at_least = "at least " if reached >= curves["none"][:, -1].mean() else ""

# %% tags=["show"]
ax = plt.subplots(figsize=(6, 3.8), layout="constrained")[1]
plots.line_with_points(ax, per_class, curves["none"], "baseline", plots.BASELINE)
plots.line_with_points(ax, per_class, curves["geometric"], "augmented", plots.AUGMENTED)
floor = ax.get_ylim()[0]
ax.plot([10, worth, worth], [100 * reached, 100 * reached, floor], ":", color=plots.NEUTRAL)
ax.set(ylim=(floor, None), xscale="log", xlabel="labelled digits per class", xticks=per_class, xticklabels=per_class)
ax.minorticks_off()
ax.set_title(f"10 augmented labels per class are worth {at_least}{worth:.0f}", fontsize=10)
ax.legend(frameon=False, fontsize=8)
plt.show()

# %% tags=["show"]
spared = 10 * (worth - 10)
print(f"labels spared: {at_least}{spared:.0f}")
for what, seconds in (("a digit", 4), ("a sentence in a contract", 40), ("an outline in an X-ray", 600)):
    print(f"  if a label is {what} and takes {seconds:3} s: {at_least}{spared * seconds / 3600:6.1f} hours")

# %% [markdown]
# **Explain**: writing the recipe cost you some time, once. Is it worth those hours? That depends on how long a label
# takes. And look at the right end of the two curves: what does the recipe add when labels are plenty? **Change one
# thing**: put in how long a label takes where *you* work.

# %% [markdown]
# ## 8. Say it
#
# **Exercise 8 (4 points, read by a person).** Write a conclusion of about 150 words for somebody who has to decide
# whether to use the recipe. One point for each of these:
#
# 1. **The claim, with its doubt**: the mean paired gain with its interval, over how many runs, and what a run is.
# 2. **Who lost**: a digit or a kind of picture that did not gain, or the evidence that there is none.
# 3. **Why**: what in the recipe carries the gain, and why it keeps the labels right.
# 4. **The limit**: one thing that your experiments do not show, and the experiment that would.
#
# Take your figures from the cells above.

# %% [markdown] nbgrader={"grade": true, "grade_id": "conclusion", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# <!-- ### BEGIN SOLUTION -->
# *A model answer; the figures are those that the cells above print.*
#
# With ten labels per class, the geometric recipe beats the baseline: in section 3 the 95 % interval of its mean paired
# gain lies wholly above the margin. A run there is one draw of the labelled digits with one seed, shared by
# both arms, which took the same number of steps.
#
# A mean can hide losses. Section 2 says which digits fell, if any, in my own run, which is one run and no proof. When the
# scanner loses lines (section 6), the advantage shrinks or turns round: whoever has such pictures should test on them.
#
# Most of the gain comes from geometry, shifts before all (section 5): a digit that is moved, turned or sheared a
# little is the same digit to any reader, so no label becomes wrong. Mirror images are another matter, and they hurt.
#
# My experiments say little about plenty of labels: in section 7 the two curves approach each other. And they say little
# about other people's handwriting, of which section 6 shows one collection. Before a school uses the model, I would
# repeat the paired runs with digits of that school.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## Three things to remember
#
# 1. Change one thing, in pairs: same digits, same seed, same steps.
# 2. The run is the unit. One run is an anecdote; an interval over runs is evidence, and a margin fixed beforehand
#    makes it a decision.
# 3. A mean hides the digit that lost, and a familiar test hides the picture that nobody trained on. Look for both.
#
# **Next**: your own pictures. Take the recipe apart, ask of every transformation whether a stranger would still give
# the same label, and measure.
