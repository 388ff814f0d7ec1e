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
# In step 4, you compared a model with augmentation and one without. Would the next comparison say the same?
#
# **You will be able to** train two models that differ in one thing, put an [interval](#Words) around a [gain](#Words),
# find the digit that lost, and say which [recipes](#Words) win.
#
# **You need** only this notebook. **Time**: see START.md.
#
# A locked cell tries your function on [probes](#Words) and writes a [hand-in](#Words).

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

from augcourse import compare, data, handin, lesson, measure, plots, probes, recipes, results, train
from augcourse.lesson import show_figure
from augcourse.model import build_model
from augcourse.predictions import predict, predicted
from augcourse.settings import GRADING, HALF, PROBE, SETTINGS

# %% [markdown]
# ## 1. One difference, and only one
#
# One [draw](#Words) of labelled digits and one seed make a [run](#Words). Its two [arms](#Words) share digits, initial
# weights and the number of optimiser steps. (Weights change once per step, so we do not count epochs.) Only the
# recipe differs; the [baseline](#Words) has none.
#
# **Exercise 1 (3 points).** Write `train_both`. Use `train.train(images, labels, seed=…, settings=…)`; with
# `recipe=…` it trains the augmented arm.

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
    why="with unequal steps, the gain compares patience, not recipes",
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
### END HIDDEN TESTS

# %% [markdown]
# Your own run, on validation digits. *Predict* the gain.

# %%
predict("gain in my run, in points", ...)  # instead of the dots: a number

# %% tags=["show"]
DRAW, SEED = 0, 0
pair = train_both(*measure.labelled_digits(DRAW), recipes.geometric(), SEED, GRADING)  # as the grader trains
arms = dict(zip(("baseline", "augmented"), pair))

# %% tags=["show"]
seen, truth = (column[:1000] for column in data.load_arrays(data.VALIDATION))
said = {name: train.predict(arm.weights, seen).argmax(axis=1) for name, arm in arms.items()}
right = {name: predictions == truth for name, predictions in said.items()}
for name, correct in right.items():
    print(f"{name:>9}: {correct.mean():.1%} of {len(truth)} validation digits")
predicted("gain in my run, in points", f"{100 * (right['augmented'].mean() - right['baseline'].mean()):+.1f}")

# %% [markdown]
# **Explain**: what do you not know yet about this recipe? **Change one thing**: set `SEED = 1`. Does the gain change?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# It is one gain, from one draw and one seed. I do not know how much gains differ between runs, so I do not know what
# the next run would give. And the accuracy is a mean over ten digits: I do not know which digits changed.
#
# </details>

# %% [markdown]
# ## 2. Would it be better again?
#
# A single gain can be luck, so we repeat the run. Say the baseline has 80, 84, 78, 82 % in four runs, and the augmented
# model 84, 86, 84, 86 %.
#
# 1. The **paired differences** $d_i$ are 4, 2, 6, 4 points. Their mean is $\bar d = 4$.
# 2. The **standard deviation** says how much single gains differ:
#    $s = \sqrt{\sum (d_i - \bar d)^2 / (n - 1)} = \sqrt{8 / 3} = 1.63$.
# 3. The **standard error** says how much means of $n = 4$ gains differ: $s / \sqrt n = 0.82$.
# 4. The **t interval** is $\bar d \pm t \cdot s / \sqrt n$. Student's t distribution with $n - 1 = 3$ degrees of
#    freedom has 95 % between −3.18 and 3.18. So the 95 % interval is $4 \pm 2.6$: +1.4 to +6.6.
#
# About 95 % of such intervals contain the true mean gain, if runs are independent and gains roughly normal.
#
# **Why pairs?** Both arms learn from the same digits, easy or hard. A difference removes what they share.
#
# **Exercise 2 (3 points).** Write `paired_interval`. Six runs are six numbers, however many pictures were tested. Use
# [`np.std`](https://numpy.org/doc/stable/reference/generated/numpy.std.html) (mind `ddof`) and
# [`stats.t.ppf`](https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.t.html).

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
    "a higher confidence needs a wider interval",
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

# %% [markdown]
# *Predict*: without pairs, the standard error is $\sqrt{(s_a^2 + s_b^2) / n}$, from the deviations of both arms. Is it
# larger or smaller?

# %%
predict("standard error without pairs: larger or smaller", ...)  # instead of the dots: "larger" or "smaller"

# %% tags=["show"]
runs = results.accuracies("ablation", DATASET)
baseline, larger = runs["none"], 0
print(f"{len(baseline)} runs each: mean paired gain, 95 % interval, standard error with and without pairs")
for name in [name for name in runs if name != "none"]:
    mean, low, high = paired_interval(baseline, runs[name])
    paired = stats.sem(compare.paired_gains(baseline, runs[name]))
    apart = 100 * np.hypot(stats.sem(baseline), stats.sem(runs[name]))
    larger += bool(apart > paired)
    print(f"{name:21} {mean:+5.1f}   {low:+5.1f} to {high:+5.1f}   {paired:.2f}   {apart:.2f}")
predicted("standard error without pairs: larger or smaller", f"larger for {larger} of {len(runs) - 1} recipes")

# %% [markdown]
# An interval is not yet a decision. A **verdict** compares limits with a [margin](#Words) that was fixed before the
# runs. The grader's limits allow for several looks, and use the spread of other recipes.

# %% tags=["show"]
*sooner, last = SETTINGS.looks
print(f"The grader looks after {', '.join(map(str, sooner))} and {last} runs. Margin: {SETTINGS.margin_points:+g}.")
print("beats the baseline: both limits of the mean gain are above the margin")
print("does not:           both limits are below the margin")
print("too close to call:  the margin is between the limits after the last look")
print(f"On either side, at most {SETTINGS.error_rate:.0%} of the verdicts are wrong, all looks together.")
print(f"Here are its limits for the {len(baseline)} stored runs:\n")
for name in ("geometric", "brightness ±0.3", "horizontal flip"):
    print(f"{name}: {compare.verdict(compare.paired_gains(baseline, runs[name])).sentence()}")

# %% [markdown]
# **Explain**: what may you say about brightness, and what not? **Change one thing**: use only the first three gains.

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Its interval contains 0, and the grader's limits contain the margin. I may say: these runs cannot tell whether
# brightness gains more than the margin. I may not say that it does nothing: gains and losses within the limits
# fit these runs as well.
#
# </details>

# %% [markdown]
# ## 3. Which digit lost?
#
# A mean can rise while one digit falls. In a **confusion matrix** (`compare.confusion_matrix`), row $r$, column $c$ is
# the number of digits $r$ that were called $c$. The **recall** of $r$ is the share of the digits $r$ that were
# recognised: $m_{rr} / \sum_c m_{rc}$.
#
# **Exercise 3 (2 points).** Write `worst_first`. See
# [`np.argsort`](https://numpy.org/doc/stable/reference/generated/numpy.argsort.html).

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

# %%
predict("hardest digit without augmentation", ...)  # instead of the dots: a digit

# %% tags=["show"]
recalls = {name: compare.recall(compare.confusion_matrix(truth, each)) for name, each in said.items()}
order = worst_first(compare.confusion_matrix(truth, said["baseline"]))
ax = plots.recall_by_digit(plt.subplots(figsize=(6, 3.6), layout="constrained")[1], recalls, order)
ax.set_title(f"one run: the same {len(truth)} validation digits, both models", fontsize=10)
lower = [int(digit) for digit in order if recalls["augmented"][digit] < recalls["baseline"][digit]]
show_figure(
    "For each digit, the recall in percent of the baseline and of the augmented model in one run, on a horizontal "
    f"axis. Digits whose recall is lower with augmentation: {', '.join(map(str, lower)) or 'none'}."
)

# %% tags=["show"]
table = results.stored().query("study == 'ablation' and dataset == @DATASET").sort_values("index")
shares = {row: table[table.row == row].filter(like="recall ") for row in ("none", "geometric")}
if (shares["geometric"].astype(str) == "").any(axis=None):
    print("For this data set, no recall by digit was stored: the figure above shows one run.")
else:
    by_digit = 100 * (shares["geometric"].to_numpy(float) - shares["none"].to_numpy(float))
    spans = [compare.interval(column) for column in by_digit.T]
    for digit, span in enumerate(spans):
        print(f"digit {digit}: recall {span.mean:+5.1f} points, 95 % interval {span.low:+5.1f} to {span.high:+5.1f}")
    gained = [digit for digit, span in enumerate(spans) if span.low > 0]
    lost = [digit for digit, span in enumerate(spans) if span.high < 0]
    unclear = [digit for digit in range(10) if digit not in gained + lost]
    print(f"{len(by_digit)} stored runs. Interval above 0: {gained}; below 0: {lost}; it contains 0: {unclear}")
hardest = shares["none"].to_numpy(float).mean(axis=0).argmin()
predicted("hardest digit without augmentation", f"{hardest} (stored runs)")

# %% [markdown]
# **Explain**: if a digit loses in the figure, does the recipe hurt it?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# The figure is one run, and a digit has only a part of the pictures. Another draw can turn the difference round. The
# intervals over several runs say more: if the whole interval is below 0, that is evidence of a loss. With ten digits,
# an interval may also miss the truth by chance, so I would check such a digit with new runs.
#
# </details>

# %% [markdown]
# ## 4. Two finished models, the same pictures
#
# To choose between two *trained models*, use **McNemar's test**. Say that of 100 pictures, both models are right on 80,
# neither on 10, only the baseline on 2 and only the augmented model on 8.
#
# The last ten are **discordant**: exactly one model is right. If the models were equally good, a fair coin would decide
# each of them. The **p-value** is the probability of a result at least as uneven as 2 to 8. By the binomial
# distribution it is $2 \sum_{i \le 2} \binom{10}{i} / 2^{10}$, and at most 1:

# %%
from math import comb

print(f"p = 2 × (1 + 10 + 45) / 1024 = {2 * sum(comb(10, i) for i in (0, 1, 2)) / 2**10:.2f}")

# %% [markdown]
# **Exercise 4 (2 points).** Write `mcnemar`, this exact test, with
# [`stats.binomtest`](https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.binomtest.html).

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

# %% tags=["show"]
only = [np.sum(right[a] & ~right[b]) for a, b in (("baseline", "augmented"), ("augmented", "baseline"))]
print(f"of {len(truth)} digits, {only[0]} are right only by the baseline, {only[1]} only by the augmented model")
print(f"p = {mcnemar(*right.values()):.2g}")

# %% [markdown]
# **Explain**: which question does this p-value answer, and which not?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# It asks whether these two models differ on pictures like these. It does not ask whether the *recipe* helps: both
# models come from one draw and one seed. For recipes, this course uses the paired interval over runs.
#
# </details>

# %% [markdown]
# ## 5. Pictures that are turned
#
# The recipe turns digits by up to 15°. What if a picture is turned further?
#
# **Exercise 5 (3 points).** Write `robustness`. Pixels are counted from 0, so the centre is at 13.5. Use OpenCV's
# [`getRotationMatrix2D` and `warpAffine`](https://docs.opencv.org/4.x/da/d54/group__imgproc__transform.html), which may
# drop the last axis, or [albumentations](https://albumentations.ai/docs/). Positive angles turn
# **counter-clockwise**, but not in every library: look at one picture.

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
# Four new runs, with half of the steps:

# %% tags=["show"]
new_runs = [(measure.labelled_digits(run), run) for run in range(1, 5)]
plain = [lesson.train(*digits, seed=seed, settings=HALF) for digits, seed in new_runs]

# %% tags=["show"]
recipe = recipes.geometric()
augmented = [lesson.train(*digits, seed=seed, recipe=recipe, settings=HALF) for digits, seed in new_runs]
four = list(zip(plain, augmented))

# %% tags=["show"]
def gains_of_four(exam):
    """The paired gains of the four runs, in points, for an `exam`: a trained arm → its accuracy or accuracies."""
    return np.array([compare.paired_gains(exam(without), exam(with_it)) for without, with_it in four])


def turned(arm):
    return robustness(lambda pictures: train.predict(arm.weights, pictures).argmax(1), seen[:400], truth[:400], angles)


angles = np.array([-90, -60, -30, -15, 0, 15, 30, 60, 90])
by_angle = gains_of_four(turned)

# %% tags=["show"]
ax = plt.subplots(figsize=(7, 3.4), layout="constrained")[1]
ax.axvspan(-15, 15, color=plots.NEUTRAL, alpha=0.15, label="angles in the recipe")
ax.axhline(0, color=plots.BASELINE, linewidth=1, label="baseline")
ax.plot(np.tile(angles, (len(by_angle), 1)), by_angle, "o", color=plots.AUGMENTED, alpha=0.5, markersize=4)
ax.plot(angles, by_angle.mean(axis=0), color=plots.AUGMENTED, label="mean of four runs")
ax.set(xlabel="angle in degrees (positive: counter-clockwise)", ylabel="gain in percentage points", xticks=angles)
ax.legend(frameon=False, fontsize=8)
spans = {angle: compare.interval(column) for angle, column in zip(angles, by_angle.T)}
show_figure(
    "The gain in percentage points against the angle by which the test pictures are turned; a dot is a run. "
    f"Mean gains: {', '.join(f'{angle}°: {span.mean:+.1f}' for angle, span in spans.items())}."
)
for angle in (-90, -60, 0, 60, 90):
    span = spans[angle]
    print(f"turned by {angle:3}°: gain {span.mean:+5.1f} ({span.low:+5.1f} to {span.high:+5.1f}) points")

# %% [markdown]
# **Explain**: why do we also ask outside the grey band?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# In the grey band the recipe has shown such turns in training, so there we ask about what was practised. Outside, the
# recipe has shown none: whether it gains or loses there is known only when it is measured.
#
# </details>

# %% [markdown]
# ## 6. Does augmentation win?
#
# By the grader's rule, a recipe wins if both limits are above the margin. *Predict* how many do.

# %%
predict("how many of the nine recipes win", ...)  # instead of the dots: a number

# %% tags=["show"]
gains = {name: compare.paired_gains(baseline, each) for name, each in runs.items() if name != "none"}
gains = dict(sorted(gains.items(), key=lambda item: -item[1].mean()))
ax = plots.ablation(plt.subplots(figsize=(8, 3.8), layout="constrained")[1], gains)
ax.axvline(SETTINGS.margin_points, color="black", linewidth=1, linestyle=":")
ax.set_title("dots: runs; bars: 95 % intervals; blue: baseline; dotted: margin", fontsize=9)
show_figure(
    "The paired gains of every recipe on one row each, in percentage points of test accuracy, with their mean and its "
    f"95 % interval. Means: {', '.join(f'{name} {each.mean():+.1f}' for name, each in gains.items())}."
)

# %% tags=["show"]
groups = {"beats the baseline": [], "does not": [], "too close to call": []}
for name, each in gains.items():
    groups[compare.verdict(each).outcome].append(name)
wins, losses, unclear = (", ".join(names) or "none" for names in groups.values())
print("The tutorial claims that augmentation wins. By the grader's limits (not by the bars above):\n")
print(f"With these recipes it does: {wins}.\nWith these it does not: {losses}.\nWith these we cannot tell: {unclear}.")
predicted("how many of the nine recipes win", len(groups["beats the baseline"]))

# %% [markdown]
# **Explain**: why is every gain of saturation exactly 0?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# The digits are grey, and grey has no saturation. The transformation changes no pixel, so both arms learn from the same
# pictures and give the same answers. The recipe does not exceed the margin, however often we repeat the run.
#
# </details>

# %% [markdown]
# ## 7. Say it
#
# **Exercise 6 (4 points, read by a person).** Should somebody use the geometric recipe? Write about 150 words, with
# figures from above. One point each:
#
# 1. **The claim, with its doubt**: the mean paired gain with its interval, over how many runs, and what a run is.
# 2. **Who lost**: a digit or a kind of picture that did not gain, or the evidence that there is none.
# 3. **Why**: what in the recipe carries the gain, and why it keeps the labels right.
# 4. **The limit**: one thing that your experiments do not show, and the experiment that would.

# %% [markdown] nbgrader={"grade": true, "grade_id": "conclusion", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# <!-- ### BEGIN SOLUTION -->
# *A model answer, with the figures of `mnist_sample`.*
#
# **Claim.** The geometric recipe gains +11.0 points of test accuracy (95 % interval +8.6 to +13.3, five runs). A run is
# one draw of ten labels per class and one seed, shared by both arms. The grader's limits are above the margin.
#
# **Who lost.** No digit's interval is below 0. For 0, 1, 6 and 8 it contains 0, so these runs cannot tell.
#
# **Why.** The geometric parts carry the gain: shift alone gains +7.0 (+4.2 to +9.8), rotation alone +3.3 (+1.9 to
# +4.6). Brightness is unclear: −0.1 (−1.1 to +0.8). A digit that is moved or turned a little is the same digit, so its
# label stays right.
#
# **Limit.** All digits come from one collection, so the gain at another school is not shown. I would repeat the paired
# runs, tested on digits of that school. For digits like mine, I recommend the recipe.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## Three things to remember
#
# 1. Change one thing, in pairs.
# 2. The run is the unit: give the mean gain with its interval, and fix the margin first.
# 3. A mean can hide a digit that lost, so look at each digit.

# %% [markdown]
# ## Five questions
#
# **1.** The augmented arm trained for 1,200 steps, the baseline for 600. The gain is +3 points in each of eight runs.
# What do you know about the recipe?
#
# - **a** It gains 3 points.
# - **b** Nothing yet, because the arms differ in the number of steps, too.
# - **c** With equal steps, it would gain more than 3 points.
# - **d** It needs twice as many steps as the baseline.
#
# **2.** Both arms of six runs are tested on the same 1,000 pictures. How many numbers go into the t interval of the
# mean gain?
#
# - **a** 12,000: one for each answer
# - **b** 1,000: one for each picture
# - **c** 12: one for each model
# - **d** 6: one for each run
#
# **3.** A mean gain is +0.7 points with a 95 % interval from −0.4 to +1.8. What may you say?
#
# - **a** The recipe does nothing, because 0 is in the interval.
# - **b** The recipe helps, because most of the interval is above 0.
# - **c** These runs cannot tell whether the recipe helps.
# - **d** 95 % of all runs have a gain between −0.4 and +1.8.
#
# **4.** One baseline and one augmented model answer the same pictures. McNemar's test gives p = 0.001. What follows?
#
# - **a** There is evidence that these two models differ on pictures like these.
# - **b** There is evidence that the recipe helps on a new draw.
# - **c** The probability that the models are equally good is 0.1 %.
# - **d** The gain is large.
#
# **5.** A test set has 20 pictures of a 4. The model calls 15 of them 4, and 10 pictures of other digits, too. What is
# the recall of 4?
#
# - **a** 15 of 25: 60 %
# - **b** 15 of 20: 75 %
# - **c** 15 of 30: 50 %

# %% nbgrader={"grade": false, "grade_id": "questions", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["fill-in"]
answers = {1: "?", 2: "?", 3: "?", 4: "?", 5: "?"}  # a letter instead of each question mark
### BEGIN SOLUTION
answers = {1: "b", 2: "d", 3: "c", 4: "a", 5: "b"}
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "questions_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("questions") as out:
    out.facts(answers={str(number): str(letter) for number, letter in answers.items()})

# %% nbgrader={"grade": true, "grade_id": "questions_test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
import contextlib

import numpy as np
from scipy import stats

from augcourse import checks, compare, data, handin, predictions, quiz, results
from augcourse.errors import DataError

with contextlib.suppress(DataError):  # an imported data set has no stored runs
    name = data.choose_dataset().name
    runs = results.accuracies("ablation", name)
    plain = runs.pop("none")
    larger = [np.hypot(stats.sem(plain), stats.sem(each)) > stats.sem(each - plain) for each in runs.values()]
    won = [compare.verdict(compare.paired_gains(plain, each)).outcome == "beats the baseline" for each in runs.values()]
    measured = {
        "standard error without pairs: larger or smaller": f"larger for {sum(larger)} of {len(runs)} recipes",
        "how many of the nine recipes win": sum(won),
    }
    shares = results.stored().query("study == 'ablation' and row == 'none' and dataset == @name").filter(like="recall ")
    if not (shares.astype(str) == "").any(axis=None):
        hardest = shares.to_numpy(float).mean(axis=0).argmin()
        measured["hardest digit without augmentation"] = f"{hardest} (stored runs)"
    if exams := results.strangers(name):
        home, away = (
            np.mean(compare.paired_gains(exams["none"][where], exams["geometric"][where]))
            for where in ("at home", "strangers")
        )
        measured["gain of geometric on strangers' digits"] = f"at home {home:+.1f}; strangers {away:+.1f}"
    predictions.tell(measured)
parts = checks.Parts("questions", 5)
given = quiz.answers(handin.read("questions"), {1: "abcd", 2: "abcd", 3: "abcd", 4: "abcd", 5: "abc"})
### BEGIN HIDDEN TESTS
quiz.mark(
    parts,
    given,
    {
        1: (
            "b",
            {
                "a": "the arms differ in two things, and the gain may come from the extra steps",
                "c": "the steps may have helped or hurt; this comparison does not say how much",
                "d": "nothing was measured with equal steps, so nothing is known about the steps that it needs",
            },
        ),
        2: (
            "d",
            {
                "a": "answers of one model are not independent runs: the same weights gave all of them",
                "b": "a picture is not a run: more pictures do not tell how another draw or seed would do",
                "c": "the two models of a run make one gain, and the interval is that of the gains",
            },
        ),
        3: (
            "c",
            {
                "a": "a gain of +1.8 fits these runs as well as 0 does",
                "b": "0 and small losses are in the interval, too",
                "d": "the interval is for the mean gain; single runs differ more than their mean",
            },
        ),
        4: (
            "a",
            {
                "b": "both models come from one run; a p-value over pictures says nothing about another draw",
                "c": "p is computed as if the models were equally good; it is not the probability that they are",
                "d": "with enough pictures, a small difference has a small p, too",
            },
        ),
        5: (
            "b",
            {
                "a": "15 of the 25 that were called 4 is the precision",
                "c": "recall asks about the 20 pictures of a 4 only",
            },
        ),
    },
)
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# ## Going further
#
# Optional, and without marks.
#
# ### Which digit was taken for which?
#
# `np.add.at` counts every pair. (`matrix[labels, predictions] += 1` would count a repeated pair only once.)

# %% tags=["show"]
matrix = np.zeros((10, 10), int)
np.add.at(matrix, (truth, said["baseline"]), 1)
mistakes = np.where(np.eye(10, dtype=bool), 0, matrix)
r, c = np.unravel_index(mistakes.argmax(), mistakes.shape)
plots.confusion(plt.subplots(figsize=(5, 4.6), layout="constrained")[1], matrix, "the baseline of my run")
show_figure(
    "The confusion matrix of the baseline in one run: true digits in rows, predictions in columns. "
    f"The most frequent mistake: {mistakes[r, c]} pictures of a {r} are called {c}."
)

# %% [markdown]
# ### How many labels is the recipe worth?
#
# How many labels per class would the *baseline* need to be as accurate as the recipe is with ten? Between the measured
# points we draw straight lines against `log(labels)`, because a further label brings less where there are many.

# %% tags=["show"]
def labels_worth(labels_per_class, accuracies, reached):
    """Labels per class at which the baseline reaches an accuracy; at most the last number that was measured."""
    return float(np.exp(np.interp(reached, accuracies, np.log(labels_per_class))))


stored, per_class = results.accuracies("labels", DATASET), np.array([10, 30, 100])
curves = {name: np.stack([stored[f"{name}, {n}"] for n in per_class], axis=1) for name in ("none", "geometric")}
reached = curves["geometric"][:, 0].mean()
worth = labels_worth(per_class, curves["none"].mean(axis=0), reached)
at_least = "at least " if reached >= curves["none"][:, -1].mean() else ""

# %% tags=["show"]
ax = plt.subplots(figsize=(6, 3.6), layout="constrained")[1]
plots.line_with_points(ax, per_class, curves["none"], "baseline", plots.BASELINE)
plots.line_with_points(ax, per_class, curves["geometric"], "augmented", plots.AUGMENTED)
floor = ax.get_ylim()[0]
ax.plot([10, worth, worth], [100 * reached, 100 * reached, floor], ":", color=plots.NEUTRAL)
ax.set(ylim=(floor, None), xscale="log", xlabel="labelled digits per class", xticks=per_class, xticklabels=per_class)
ax.minorticks_off()
ax.legend(frameon=False, fontsize=8)
show_figure(
    "Accuracy in percent against labelled digits per class on a logarithmic axis, for both arms; a dot is a run. "
    f"The mean of the augmented arm with 10 labels per class is reached by the baseline with {at_least}{worth:.0f}."
)
print(f"10 augmented labels per class are worth {at_least}{worth:.0f}.")
print(f"By this curve, the recipe spares {at_least}{10 * (worth - 10):.0f} labels.")
for seconds in (4, 40, 600):
    print(f"  if a label takes {seconds:3} seconds: {at_least}{10 * (worth - 10) * seconds / 3600:.1f} hours")

# %% [markdown]
# ### Other people's handwriting
#
# Test digits come from the same collection as the training digits. What is the gain on digits from another one?

# %%
predict("gain of geometric on strangers' digits", ...)  # instead of the dots: "larger" or "smaller" than at home

# %% tags=["show"]
exams = results.strangers(DATASET)
if not exams:
    print("For this data set, no such runs were stored.")
for name in [name for name in exams if name != "none"]:
    home_and_away = {where: compare.paired_gains(exams["none"][where], each) for where, each in exams[name].items()}
    both = {where: compare.interval(each) for where, each in home_and_away.items()}
    told = [f"{where} {span.mean:+5.1f} ({span.low:+5.1f} to {span.high:+5.1f})" for where, span in both.items()]
    print(f"{name:15} {'   '.join(told)}")
    if name == "geometric":
        answer = "; ".join(told)
if exams:
    predicted("gain of geometric on strangers' digits", answer)

# %% [markdown]
# ### A scanner that loses lines
#
# No recipe of this course hides lines in the middle of a picture. Here are the gains of the four runs on pictures
# without these lines.

# %% tags=["show"]
def lost_lines(height):
    pictures = seen.copy()
    pictures[:, 14 - height // 2 : 14 + height // 2] = 0
    return pictures


for height in (0, 4, 8):
    pictures = lost_lines(height)
    span = compare.interval(gains_of_four(lambda arm: train.accuracy(arm.weights, pictures, truth)))
    print(f"{height} of 28 lines lost: gain {span.mean:+5.1f} ({span.low:+5.1f} to {span.high:+5.1f}) points")

# %% [markdown]
# ### Cutout and mixup
#
# **Cutout** (DeVries and Taylor 2017) hides a square of every training picture. In albumentations it is
# `A.CoarseDropout`. **Mixup** (Zhang and others 2018) trains on a weighted mean of two pictures, with the same
# weighted mean of their labels. So its labels are no longer single digits, and it is not a recipe of this course. Would
# you give these pictures the same labels?

# %% tags=["show"]
import albumentations as A

cutout = A.CoarseDropout(num_holes_range=(1, 1), hole_height_range=(8, 8), hole_width_range=(8, 8), fill=0, p=1.0)
cutout.set_random_seed(0)
axes = plt.subplots(2, 6, figsize=(7, 2.6), layout="constrained")[1]
plots.gallery(axes, seen[:6], {"cutout": [cutout(image=picture)["image"] for picture in seen[:6]]})
show_figure("Six validation digits, and in the second row the same digits with a black square of 8 × 8 pixels.")

# %% tags=["show"]
weight = 0.6
other = np.flatnonzero(truth != truth[0])[0]
mixed = (weight * seen[0] + (1 - weight) * seen[other]).round().astype(np.uint8)
axes = plt.subplots(1, 3, figsize=(6, 2.2), layout="constrained")[1]
mixed_label = f"{weight:g} × {truth[0]} + {1 - weight:g} × {truth[other]}"
plots.sample_grid(axes, [(seen[0], truth[0]), (seen[other], truth[other]), (mixed, mixed_label)])
show_figure(f"Two digits and their weighted mean, with the label {mixed_label}.")

# %% [markdown]
# ### Augmenting the test pictures
#
# **Test-time augmentation** shows a trained model several augmented copies of a test picture and takes the mean of its
# probabilities. Here it is tried on the augmented arms of the four runs.

# %% tags=["show"]
copies = [recipes.geometric(0.5).apply(seen[:400], truth[:400], seed) for seed in range(6)]


def with_copies(arm):
    return np.mean(np.mean([train.predict(arm.weights, each) for each in copies], axis=0).argmax(axis=1) == truth[:400])


plainly = np.array([train.accuracy(arm.weights, seen[:400], truth[:400]) for _, arm in four])
span = compare.interval(compare.paired_gains(plainly, [with_copies(arm) for _, arm in four]))
print(f"gain of six copies over one picture, four runs: {span.mean:+.1f} ({span.low:+.1f} to {span.high:+.1f}) points")
contains = span.low <= 0 <= span.high
print("The interval contains 0: these runs cannot tell." if contains else "The interval does not contain 0.")

# %% [markdown]
# ## Words
#
# - **draw**: one random choice of the labelled digits that a model learns from; its seed names it.
# - **run**: one draw and one seed, with both models trained on it.
# - **arm**: one of the two models of a run, with or without augmentation.
# - **recipe**: what happens to a training picture: one albumentations pipeline for each digit.
# - **probe**: an input that your function is tried on; when marks are given, the probes are fresh.
# - **hand-in**: what a locked cell writes down about your work, in the folder `handin/`; it is all that
#   the grader reads.
# - **margin**: the gain that a recipe must exceed to count, in percentage points.
# - **gain**: the accuracy of the augmented model minus that of the baseline in the same run, in percentage points.
# - **baseline**: the model trained without augmentation.
# - **interval**: the 95 % confidence interval of a mean.

# %% [markdown]
# ## Read more
#
# - [Dietterich 1998, Approximate Statistical Tests for Comparing Supervised Classification Learning
#   Algorithms](https://doi.org/10.1162/089976698300017197): McNemar's test, and tests over several trainings
# - [Balestriero, Bottou and LeCun 2022, The Effects of Regularization and Data Augmentation are Class
#   Dependent](https://arxiv.org/abs/2204.03632): which class loses
# - [Zhang and others 2018, mixup: Beyond Empirical Risk Minimization](https://arxiv.org/abs/1710.09412), and
#   [DeVries and Taylor 2017, Improved Regularization of Convolutional Neural Networks with
#   Cutout](https://arxiv.org/abs/1708.04552)
