# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Step 4: Does it help?
#
# You know which pictures still mean the same. Now they meet the model. In this step you put a recipe into a
# `tf.data` pipeline, find out what one misplaced line costs, train a model on augmented digits for exactly as
# many steps as the baseline, and write a recipe of your own that must beat it.
#
# **You will be able to** augment inside a pipeline without losing shapes, labels or freshness, say where the line
# belongs and why, compare two models fairly, and tell a useful recipe from a harmful one by measuring.
#
# **You need** nothing but this notebook: where an exercise builds on another, it uses the course's own version,
# so that one mistake costs one exercise. **Time**: about 45 minutes; every cell answers within ten seconds.

# %% [markdown]
# **Where this runs.** In the course's own JupyterLab everything is installed. Anywhere else, a hosted notebook service
# included, upload or clone the course's folder and run `%pip install PATH-TO-THE-FOLDER` in a cell of its own, once;
# then restart the kernel. It needs Python 3.11 to 3.13, and no network after that.

# %%
try:
    from augcourse.start import begin
except ModuleNotFoundError:
    raise SystemExit("augcourse is not installed here: the cell above says how to install it.") from None

DATASET = begin("step4_train")

# %%
import albumentations as A
import cv2
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from augcourse import compare, data, handin, measure, plots, probes, recipes, results
from augcourse.augment import Recipe
from augcourse.model import build_model
from augcourse.settings import HALF, SETTINGS
from augcourse.train import accuracy, predict, train

# %% [markdown]
# ## 1. A recipe inside a pipeline
#
# The course keeps a recipe as data: a `Recipe` holds one albumentations pipeline per digit. `recipe.stream(seed)`
# makes it run: a function `transform(image, label)` that takes a uint8 picture and its label, and returns the
# changed picture. Every call draws new randomness; the same seed gives the same stream. Here it is at work:

# %% tags=["show"]
few_images, few_labels = measure.labelled_digits(draw=0)
transform = recipes.geometric().stream(seed=0)
fig, axes = plt.subplots(1, 8, figsize=(9, 1.6))
plots.show(axes[0], few_images[0], "original")
for ax in axes[1:]:
    plots.show(ax, transform(few_images[0], few_labels[0]))
plt.show()

# %% [markdown]
# `transform` is plain Python; a `tf.data` pipeline is a graph. `tf.numpy_function(transform, [image, label],
# tf.uint8)` carries pictures from one to the other. It cannot know the shape of what comes back, so you must say it.
#
# **Predict**: a data set of 100 digits goes in. How many come out of one epoch of the augmented data set: 100, 200,
# or as many as you like?
#
# **Exercise 1 (3 points).** Write `augment(dataset, recipe, seed)`.

# %% nbgrader={"grade": false, "grade_id": "augment", "locked": false, "schema_version": 3, "solution": true, "task": false}
def augment(dataset, recipe, seed):
    """Send every picture of a data set through a recipe, afresh in every epoch.

    Args:
        dataset: finite `tf.data.Dataset` of single pairs (uint8 image (28, 28, 1), int64 label).
        recipe: a `Recipe`; `recipe.stream(seed)` is a function (image, label) -> uint8 image (28, 28, 1).
        seed: of the stream; two data sets with the same seed give the same pictures.

    Returns:
        `tf.data.Dataset` with the same `element_spec`, the same number of pairs, the same labels in the same
        order. The second pass over it shows other pictures than the first.
    """
    ### BEGIN SOLUTION
    transform = recipe.stream(seed)

    def change(image, label):
        changed = tf.numpy_function(transform, [image, label], tf.uint8)
        changed.set_shape((28, 28, 1))
        return changed, label

    return dataset.map(change)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "augment_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("augment") as out:
    _numbered, _labels = probes.numbered_images(49)[1:], probes.random_labels("augment", 48)
    _digits = tf.data.Dataset.from_tensor_slices((_numbered, _labels))
    _seed = int(probes.rng("augment").integers(1_000_000))
    _augmented = augment(_digits, probes.mirroring_recipe(), _seed)
    _twin = augment(_digits, probes.mirroring_recipe(), _seed)
    _image = _augmented.element_spec[0]
    out.facts(rows=int(_augmented.cardinality()), shape=str(_image.shape), dtype=_image.dtype.name)
    for _name, _dataset in (("first", _augmented), ("second", _augmented), ("twin", _twin)):
        _pairs = list(_dataset.take(200).as_numpy_iterator())
        out.arrays(**{_name: np.stack([image for image, _ in _pairs])})
        out.arrays(**{f"{_name}_labels": np.array([label for _, label in _pairs])})

# %% nbgrader={"grade": true, "grade_id": "augment_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("augment")
rows = work.fact("rows", int)
checks.expect(
    rows == 48,
    "a data set of 48 digits stays a data set of 48 digits",
    expected="cardinality 48",
    got={-1: "infinite", -2: "unknown"}.get(rows, f"cardinality {rows}"),
    mistake="augmentation taken for more rows",
)
dtype, shape = work.fact("dtype", str), work.fact("shape", str)
checks.expect(
    dtype == "uint8",
    "pictures go in as uint8 and come out as uint8",
    expected="uint8 in element_spec",
    got=dtype,
    mistake="float image into a uint8 transform",
)
checks.expect(
    shape == "(28, 28, 1)",
    "the static shape is the same on both sides",
    expected="(28, 28, 1) in element_spec",
    got=shape,
    mistake="lost static shape",
)
first, second, twin = (work.array(name, (48, 28, 28, 1), "uint8") for name in ("first", "second", "twin"))
range_of = np.ptp(first, axis=(1, 2, 3))
checks.expect(
    np.median(range_of) > 50,
    "a change of brightness keeps dark and bright apart",
    expected="more than 50 grey levels between them",
    got=f"{np.median(range_of):.0f} grey levels",
    mistake="float image into a uint8 transform",
)
checks.expect(
    np.mean(np.any(first != probes.numbered_images(49)[1:], axis=(1, 2, 3))) > 0.5,
    "the pictures should have changed",
    got="the originals",
    mistake="map's result thrown away",
)
fresh = np.mean(np.any(first != second, axis=(1, 2, 3)))
checks.expect(
    fresh > 0.5,
    "the second epoch shows other pictures than the first",
    expected="most of 48 pictures differ",
    got=f"{round(48 * fresh)} differ",
    mistake="frozen randomness",
)
checks.expect(
    np.array_equal(first, twin),
    "two data sets with the same seed give the same pictures",
    why="`seed` does not reach `recipe.stream`, or the map runs in parallel and takes the draws in any order",
)
checks.passed("augment")
### BEGIN HIDDEN TESTS
from augcourse.recipes import SURVIVES_A_MIRROR

wanted = probes.random_labels("augment", 48)
found = work.array("first_labels", (48,), kind="iu")
checks.expect(
    np.array_equal(found, wanted),
    "every label stays where it was",
    expected=f"{wanted[:8].tolist()} …",
    got=f"{found[:8].tolist()} …",
    why="the labels were lost or reordered on the way; return (image, label)",
)
mirrored = np.isin(wanted, SURVIVES_A_MIRROR)[:, None, None, None]
numbers = probes.numbers_of(np.where(mirrored, first[:, :, ::-1], first))
checks.expect(
    np.array_equal(numbers, np.arange(1, 49)),
    "each picture passes through the pipeline of its own label, in the order of the data set",
    expected="48 pictures, of which the recipe mirrors 0, 1 and 8",
    got=f"{np.sum(numbers != np.arange(1, 49))} pictures that are another one, or wrongly mirrored or not mirrored",
    why="`transform` takes two arguments, the picture and *its* label",
)
### END HIDDEN TESTS

# %% [markdown]
# **Explain**: here are eight digits, as they are and in three epochs. The data set has not grown by a single row; the
# recipe draws *another picture of the same digit in every epoch*. **Change one thing**: the recipe's strength, `recipes.geometric(2)`.

# %% tags=["show"]
digits = tf.data.Dataset.from_tensor_slices((few_images[:8], few_labels[:8]))
augmented = augment(digits, recipes.geometric(), seed=0)
epochs = {f"epoch {i + 1}": [image for image, _ in augmented.as_numpy_iterator()] for i in range(3)}
fig, axes = plt.subplots(4, 8, figsize=(8, 4))
plots.gallery(axes, few_images[:8], epochs)
plt.show()

# %% [markdown]
# ## 2. Where the line belongs
#
# A pipeline is read from top to bottom. `cache` keeps what arrives at *its* place, so that the source is read
# only once. Everything above it happens once; everything below happens in every epoch.
#
# Validation digits stand for digits that nobody has seen. They are taken away *first*, and nobody changes them.
#
# **Exercise 2 (3 points).** Write `pipelines(digits, recipe, seed)`. The course's own `augment` is imported for you as
# `reference_augment`. *Predict*: in which order do cache, augment, shuffle, normalise and batch belong?

# %% nbgrader={"grade": false, "grade_id": "pipelines", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pipelines(digits, recipe, seed):
    """Split labelled digits, and make one pipeline for training and one for validation.

    Args:
        digits: finite `tf.data.Dataset` of n single pairs (uint8 image (28, 28, 1), int64 label) with known
            cardinality; reading it is slow, so an epoch after the first must not read it again for training.
        recipe: a `Recipe` for the training digits.
        seed: for `reference_augment` and for shuffling.

    Returns:
        (training, validation): two finite data sets of batches (float32 images in [0, 1], int64 labels) of
        `SETTINGS.batch_size`; the last batch may be smaller. One pass is one epoch. Validation is the first
        n // 5 digits, as they are; training is all others, each once per epoch, shuffled and augmented afresh.
    """
    from augcourse.augment import augment as reference_augment
    from augcourse.settings import SETTINGS

    ### BEGIN SOLUTION
    def normalise(image, label):
        return tf.cast(image, tf.float32) / 255.0, label

    n = int(digits.cardinality())
    validation, training = digits.take(n // 5), digits.skip(n // 5)
    training = training.cache()
    training = reference_augment(training, recipe, seed)
    training = training.shuffle(n, seed=seed)
    training = training.map(normalise).batch(SETTINGS.batch_size)
    validation = validation.map(normalise).batch(SETTINGS.batch_size)
    return training, validation
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "pipelines_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
from itertools import islice

with handin.record("pipelines") as out:
    _numbered, _labels = probes.numbered_images(126)[1:], probes.random_labels("pipelines", 125)
    _reads = []

    def _slow_source():
        _reads.append(1)
        yield from zip(_numbered, _labels)

    _spec = (tf.TensorSpec((28, 28, 1), tf.uint8), tf.TensorSpec((), tf.int64))
    _digits = tf.data.Dataset.from_generator(_slow_source, output_signature=_spec)
    _digits = _digits.apply(tf.data.experimental.assert_cardinality(125))
    _training, _validation = pipelines(_digits, recipes.named("brightness ±0.3"), seed=probes.seed() % 1000)
    for _name, _batches in (("validation", _validation), ("first", _training), ("second", _training)):
        _before = len(_reads)
        _pairs = list(islice(_batches.as_numpy_iterator(), 20))
        out.arrays(**{_name: np.concatenate([image for image, _ in _pairs])})
        out.arrays(**{f"{_name}_labels": np.concatenate([label for _, label in _pairs])})
        out.facts(**{f"{_name}_reads": len(_reads) - _before, f"{_name}_batch": len(_pairs[0][1])})

# %% nbgrader={"grade": true, "grade_id": "pipelines_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes
from augcourse.settings import SETTINGS

work = handin.read("pipelines")
parts = {name: work.array(name, (None, 28, 28, 1), kind="biuf") for name in ("validation", "first", "second")}
for name, pictures in parts.items():
    checks.expect(
        pictures.dtype == np.float32 and 0 <= pictures.min() and 0.2 < pictures.max() <= 1,
        f"{name}: batches hold float32 pictures in [0, 1]",
        got=f"{pictures.dtype} from {pictures.min():.3g} to {pictures.max():.3g}",
        mistake="float image into a uint8 transform",
    )
numbers = {name: probes.numbers_of(pictures) for name, pictures in parts.items()}
twins = len(np.intersect1d(numbers["validation"], numbers["first"]))
checks.expect(
    twins == 0,
    "no digit may be in both parts",
    expected="0 shared digits",
    got=f"{twins} shared digits",
    mistake="augmented, then split",
)
checks.expect(
    len(numbers["first"]) <= 100,
    "one epoch of training holds every training digit once",
    expected="100 pictures from 125 digits",
    got=f"{len(numbers['first'])} pictures or more",
    mistake="augmentation taken for more rows",
)
for name, wanted in (("validation", np.arange(1, 26)), ("first", np.arange(26, 126))):
    checks.expect(
        np.array_equal(np.sort(numbers[name]), wanted),
        f"{name.replace('first', 'training')}: the right digits, each once",
        expected=f"number {wanted[0]} to number {wanted[-1]} of 125",
        got=f"{len(set(numbers[name]))} different digits, {len(np.intersect1d(numbers[name], wanted))} of them right",
        why="the first fifth (n // 5) is for validation, all others are for training; split before you shuffle",
    )
originals = probes.numbered_images(126)
touched = np.any(np.rint(255 * parts["validation"]) != originals[numbers["validation"]], axis=(1, 2, 3))
checks.expect(
    not touched.any(),
    "validation digits are shown as they are",
    expected="0 of 25 changed",
    got=f"{touched.sum()} of 25 changed",
    mistake="augmented validation data",
)
first, second = (parts[name][np.argsort(numbers[name])] for name in ("first", "second"))
checks.expect(
    np.mean(np.any(np.rint(255 * first) != originals[26:], axis=(1, 2, 3))) > 0.5,
    "training digits are augmented",
    got="the originals",
    mistake="map's result thrown away",
)
checks.expect(
    first.shape == second.shape and np.mean(np.any(first != second, axis=(1, 2, 3))) > 0.5,
    "the second epoch shows other pictures than the first",
    got="the same pictures again",
    mistake="frozen randomness",
)
checks.expect(
    work.fact("second_reads", int) == 0,
    "the second epoch does not read the slow source again",
    expected="0 times",
    got=f"{work.fact('second_reads', int)} times",
    why="there is no `cache`, or it was not filled because it stands before the split",
)
checks.passed("pipelines")
### BEGIN HIDDEN TESTS
labels = np.concatenate([[-1], probes.random_labels("pipelines", 125)])
for name in ("validation", "first", "second"):
    checks.expect(
        np.array_equal(work.array(f"{name}_labels", (None,), kind="iu"), labels[numbers[name]]),
        f"{name}: every picture keeps its own label",
        why="pictures and labels were shuffled separately",
    )
checks.expect(
    not np.array_equal(numbers["first"], np.sort(numbers["first"])),
    "training digits are shuffled",
    got="the order of the source",
    why="`shuffle` is missing, or its buffer is too small",
)
checks.expect(
    not np.array_equal(numbers["first"], numbers["second"]),
    "every epoch has another order",
    got="the same order twice",
    why="reshuffle_each_iteration=False, or `shuffle` stands before `cache`",
)
checks.expect(
    work.fact("first_batch", int) == SETTINGS.batch_size,
    "batches of SETTINGS.batch_size",
    expected=SETTINGS.batch_size,
    got=work.fact("first_batch", int),
)
### END HIDDEN TESTS

# %% [markdown]
# ### Move one line
#
# Take the pipeline you just wrote, and move `cache` from above `augment` to below it. Nothing fails. The pictures
# look fine. The data set has the same length, and an epoch is even faster.
#
# **Predict**, and write it down: with ten labels per class, how much accuracy does that one line cost? Nothing, one
# point, five points, more? And will what is left still be better than no augmentation at all?
#
# Below it, `cache` keeps *one* changed picture of each digit for ever. So the two arms are quickly made:

# %% tags=["show"]
validation_images, validation_labels = data.load_arrays(data.VALIDATION)
once = recipes.geometric().apply(few_images, few_labels, seed=0)
arms = {
    "no augmentation": train(few_images, few_labels, seed=0),
    "augment, then cache": train(once, few_labels, seed=0),
    "cache, then augment": train(few_images, few_labels, seed=0, recipe=recipes.geometric()),
}
for name, arm in arms.items():
    print(f"{name:20} {accuracy(arm.weights, validation_images, validation_labels):6.1%} of the validation digits")

# %% [markdown]
# One run proves nothing, so here are stored ones: same network, same number of steps, other labels and seeds.

# %% tags=["show"]
fig, ax = plt.subplots(figsize=(8, 2.2))
stored = results.accuracies("one line", DATASET)
colours = {"none": plots.BASELINE, "cache, then augment": plots.AUGMENTED}
plots.dots(ax, {name: 100 * runs for name, runs in stored.items()}, colours)
ax.set_xlabel("accuracy on the test digits in %; every point is a run")
plt.show()

# %% [markdown]
# **Explain**: below, `cache` keeps one changed copy of each digit, and the model never sees the original nor a second
# copy. Above, it sees many. Compare the two rows with the baseline: what does a single changed copy bring, and what do
# many?
#
# ## 3. Same steps, same labels, other pictures
#
# A fair comparison changes one thing. Both models start from the same weights, have the same labels, and take the
# same number of optimiser steps. Whoever trains the augmented model three times as long has measured patience.
#
# The training batches now repeat for ever, so an "epoch" has no natural end. Tell Keras how many steps make one
# point of the curve. As in step 2, the settings are an argument: the check trains for half of the steps.

# %% tags=["show"]
print(f"optimiser steps of every model: {SETTINGS.steps}")
print(f"steps between two points of a curve: {SETTINGS.epoch_steps}")
print(f"learning rate of Adam: {SETTINGS.learning_rate}")
print("your weights must beat the baseline of the same labels on test digits that you never see, and")
print(f"lie within {SETTINGS.slack_points:g} points of the mean of the grader's own runs with the same recipe")

# %% [markdown]
# **Exercise 3 (3 points).** Write `train_augmented(model, train_batches, validation_batches, settings)`.

# %% nbgrader={"grade": false, "grade_id": "train_augmented", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_augmented(model, train_batches, validation_batches, settings):
    """Train a model for exactly as many optimiser steps as the baseline.

    Args:
        model: the course's network with fresh weights, not compiled.
        train_batches: infinite data set of batches (float32 images in [0, 1], int64 labels), augmented.
        validation_batches: finite data set of such batches, not augmented; only looked at, never learned from.
        settings: an `augcourse.settings.Settings`, such as `SETTINGS`.

    Returns:
        the history as a dictionary: `accuracy` and `val_accuracy` are lists of numbers in 0..1, one for every
        `settings.epoch_steps` steps. The model is compiled with Adam at `settings.learning_rate`, and trained
        in place for `settings.steps` steps.
    """
    ### BEGIN SOLUTION
    model.compile(
        optimizer=tf.keras.optimizers.Adam(settings.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        train_batches,
        steps_per_epoch=settings.epoch_steps,
        epochs=settings.steps // settings.epoch_steps,
        validation_data=validation_batches,
        verbose=0,
    )
    return history.history
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "train_augmented_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
def _normalise(image, label):
    return tf.cast(image, tf.float32) / 255.0, label


with handin.record("train_augmented") as out:
    _model = build_model(0)
    # For the grader, a bank: many pictures of each digit, made beforehand, so that it is sooner done.
    _images, _labels = (np.repeat(part, HALF.copies, axis=0) for part in measure.labelled_digits(draw=0))
    _bank = tf.data.Dataset.from_tensor_slices((recipes.geometric().apply(_images, _labels, seed=0), _labels))
    _training = _bank.shuffle(len(_labels), seed=0).repeat().batch(HALF.batch_size).map(_normalise)
    _held_out = tuple(part[:500] for part in data.load_arrays(data.VALIDATION))
    _validation = tf.data.Dataset.from_tensor_slices(_held_out).map(_normalise).batch(HALF.batch_size)
    _history = train_augmented(_model, _training, _validation, HALF)
    out.weights(_model)
    out.facts(steps=int(_model.optimizer.iterations))
    out.facts(history={name: [float(v) for v in values] for name, values in dict(_history).items()})

# %% nbgrader={"grade": true, "grade_id": "train_augmented_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from augcourse import checks, data, handin, measure
from augcourse.settings import HALF
from augcourse.train import accuracy

work = handin.read("train_augmented")
steps = work.fact("steps", int)
checks.expect(
    steps == HALF.steps,
    "both models take the optimiser steps of the settings that the function is given",
    expected=HALF.steps,
    got=steps,
    why="comparing models trained for different numbers of steps: epochs × steps_per_epoch counts, not epochs. "
    "Or the numbers are those of SETTINGS, not of the argument `settings`",
)
history, points = work.fact("history", dict), HALF.steps // HALF.epoch_steps
for name in ("accuracy", "val_accuracy"):
    curve = history.get(name, [])
    checks.expect(
        isinstance(curve, list) and len(curve) == points,
        f"the history holds `{name}`, one point every {HALF.epoch_steps} steps",
        expected=f"{points} numbers",
        got=f"{len(curve)} numbers" if isinstance(curve, list) else type(curve).__name__,
        why="compile with metrics=['accuracy'], give validation_data, return history.history",
    )
weights = work.weights()
known = measure.labelled_digits(draw=0)
unseen = tuple(part[:500] for part in data.load_arrays(data.VALIDATION))
on_known, on_unseen = (accuracy(weights, *part) for part in (known, unseen))
checks.expect(
    on_known > 0.5,
    "the model knows the digits that it was trained on",
    got=f"{on_known:.1%} of the training digits, un-augmented",
    why="it was not trained on the augmented batches, or hardly at all",
)
checks.expect(
    on_known >= on_unseen,
    "the model knows the digits that it was trained on better than the validation digits",
    got=f"{on_known:.1%} of the training digits, {on_unseen:.1%} of the validation digits, both un-augmented",
    why="validation digits were learned from; they may only be looked at",
)
checks.passed("train_augmented")
### BEGIN HIDDEN TESTS
from augcourse import recipes
from augcourse.measure import FIRST_LOOK, Run

reached = 100 * accuracy(weights, *data.load_arrays(data.TEST))
baseline = 100 * measure.accuracies(None, [Run(draw=0, seed=0)], settings=HALF)[0]
checks.expect(
    reached > baseline,
    "your model beats the baseline of the same ten labels per class on the test digits",
    expected=f"more than {baseline:.1f} %",
    got=f"{reached:.1f} %",
    why="the model was trained on too few different pictures; take every batch once, straight from train_batches",
)
usual = 100 * measure.accuracies(recipes.geometric(), FIRST_LOOK, settings=HALF).mean()
checks.expect(
    abs(reached - usual) <= HALF.slack_points,
    "your weights lie where other runs of this recipe lie",
    expected=f"{usual:.1f} % ± {HALF.slack_points:g} points on the test digits",
    got=f"{reached:.1f} %",
    why="the model was trained on other pictures, or otherwise than described",
)
### END HIDDEN TESTS

# %% [markdown]
# **Predict**: which model has the higher curve on its *training* pictures, and which one on validation? Here are both
# arms, with your function: all of the steps, the same digits, and in one arm as they are.

# %% tags=["show"]
plain = tf.data.Dataset.from_tensor_slices((few_images, few_labels)).cache().shuffle(100, seed=0).repeat()
batches = {"baseline": plain.map(_normalise).batch(SETTINGS.batch_size), "augmented": _training}
models = {name: build_model(0) for name in batches}
histories = {name: train_augmented(models[name], batches[name], _validation, SETTINGS) for name in batches}

# %% tags=["show"]
fig, ax = plt.subplots(figsize=(7, 3.6))
plots.learning_curves(ax, histories, SETTINGS.epoch_steps)
plt.show()

# %% [markdown]
# ## 4. Two exams that were not equally hard
#
# Look at the augmented model: at first, its validation curve runs *above* its training curve. Many people then
# search for a bug. There is none. Its training pictures are turned, shifted and squeezed; the validation digits
# are not. The first exam is harder.
#
# For an honest overfitting gap, both exams must be alike: the *un-augmented* training digits, and the validation
# digits.
#
# **Exercise 4 (2 points).** Write `honest_gap(model, images, labels, validation_images, validation_labels)`.

# %% nbgrader={"grade": false, "grade_id": "honest_gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def honest_gap(model, images, labels, validation_images, validation_labels):
    """The overfitting gap, measured on two equally hard exams.

    Args:
        model: a trained and compiled Keras model; it takes float32 pictures in [0, 1] and returns ten
            class probabilities for each.
        images: the training digits, not augmented, uint8 (n, 28, 28, 1); `labels` int64 (n,).
        validation_images: uint8 (m, 28, 28, 1); `validation_labels` int64 (m,).

    Returns:
        training accuracy minus validation accuracy, in percentage points, as a float.

    Example: 100 % of the training digits and 92.5 % of the validation digits give 7.5.
    """
    ### BEGIN SOLUTION
    def percent(pictures, truth):
        probabilities = model.predict(pictures.astype("float32") / 255.0, verbose=0)
        return 100 * np.mean(probabilities.argmax(axis=1) == truth)

    return float(percent(images, labels) - percent(validation_images, validation_labels))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "honest_gap_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("honest_gap") as out:
    _easy, _hard = probes.two_exams("honest_gap")
    _reader = probes.brightness_reader()
    out.facts(overfitted=float(honest_gap(_reader, *_easy, *_hard)))
    out.facts(reversed=float(honest_gap(_reader, *_hard, *_easy)))

# %% nbgrader={"grade": true, "grade_id": "honest_gap_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from augcourse import checks, handin

work = handin.read("honest_gap")
gap, reverse = work.fact("overfitted", float), work.fact("reversed", float)
checks.expect(
    abs(gap) > 1 or gap == 0,
    "the gap is in percentage points",
    expected="a number like 20",
    got=f"{gap:.3f}",
    why="this is a difference of shares in 0..1; a percentage point is a hundredth",
)
checks.expect(
    reverse < 0 or gap < 0,
    "when validation is above training, the gap is negative",
    got=f"{gap:+.1f} and, with the two parts exchanged, {reverse:+.1f}",
    mistake="validation above training is a bug",
)
checks.passed("honest_gap")
### BEGIN HIDDEN TESTS
import numpy as np

from augcourse import probes

reader, exams = probes.brightness_reader(), probes.two_exams("honest_gap")
easy, hard = (
    100 * np.mean(reader.predict(images / np.float32(255), verbose=0).argmax(1) == labels) for images, labels in exams
)
checks.expect(
    abs(gap + (easy - hard)) > 0.1,
    "training accuracy minus validation accuracy, in this order",
    expected=f"{easy - hard:+.1f} points",
    got=f"{gap:+.1f} points",
    why="the difference is turned round",
)
checks.expect(
    abs(gap - (easy - hard)) < 0.1 and abs(reverse - (hard - easy)) < 0.1,
    f"shown as they are, divided by 255, {easy:.1f} % of the training digits and {hard:.1f} % of the others are right",
    expected=f"{easy - hard:+.1f} points, and {hard - easy:+.1f} with the two parts exchanged",
    got=f"{gap:+.1f} and {reverse:+.1f}",
    mistake="validation above training is a bug",
)
### END HIDDEN TESTS

# %% tags=["show"]
for name, model in models.items():
    curve = 100 * (histories[name]["accuracy"][-1] - histories[name]["val_accuracy"][-1])
    honest = honest_gap(model, few_images, few_labels, *_held_out)
    print(f"{name:10} gap read off the curves {curve:+6.1f} points, honest gap {honest:+6.1f} points")

# %% [markdown]
# **Explain**: for the baseline, both exams of the curves are un-augmented digits. Which of the two exams was augmented
# for the other model, and which way does that move the gap that you read off its curves?
#
# ## 5. Which ingredient carries it?
#
# "A convolutional network does not mind where the digit stands, so shifted pictures teach it nothing." **Predict**:
# which single transformation gains more here, a rotation by up to 15 degrees or a shift by up to a tenth?

# %% tags=["show"]
gains = results.gains("ablation", DATASET)
fig, ax = plt.subplots(figsize=(7, 1.8))
plots.ablation(ax, {name: gains[name] for name in ("rotation ±15°", "shift ±10 %")})
plt.show()

# %% [markdown]
# **Explain**: a convolution is *equivariant*: shift the digit, and its features shift along. That is not *invariant*:
# the dense layer behind it has one weight per place, and must learn each place anew. From ten labels per class it
# cannot, unless you show it.
#
# ## 6. The strength dial
#
# The recipe that you trained with has a dial: `recipes.geometric(strength)` multiplies its angle, shift, scale and
# shear. **Predict** the gain at half, twice and three times the strength, in points. Replace these three numbers by
# yours:

# %%
prediction = {0.5: 5.0, 2: 15.0, 3: 20.0}

# %% tags=["show"]
strength = 1.5
one = train(few_images, few_labels, seed=0, recipe=recipes.geometric(strength))
before, after = (accuracy(arm.weights, validation_images, validation_labels) for arm in (arms["no augmentation"], one))
own = {strength: 100 * (after - before)}

# %% tags=["show"]
stored = {float(name.removeprefix("×")): runs for name, runs in results.gains("dial", DATASET).items()}
fig, ax = plt.subplots(figsize=(7, 3.6))
plots.dial(ax, stored, predicted=prediction, own=own)
plt.show()

# %% [markdown]
# Stored runs are judged by the test digits, your own by the validation digits. **Explain**: how does the gain change
# with the strength? Here are the pictures: can you still read them? If you can, what else may be the reason: are these
# pictures of the kind that the test asks about, and are the steps enough to learn them? **Change one thing**: your own
# `strength` above.

# %% tags=["show"]
rows = {f"× {s}": recipes.geometric(s).apply(few_images[:8], few_labels[:8], seed=0) for s in (1, 2, 3)}
fig, axes = plt.subplots(4, 8, figsize=(8, 4))
plots.gallery(axes, few_images[:8], rows)
plt.show()

# %% [markdown]
# ## 7. A recipe must not betray the label
#
# In step 3 a recipe was allowed to differ between digits in one thing only: flips. Why not in others? **Predict**: two
# models train on brightened copies, one of *every* digit, one of *0, 1 and 8 only*. Which is better on clean digits,
# and which on brightened ones?
#
# The second cannot be written as a `Recipe`, so we make twenty copies of each digit by hand.

# %% tags=["show"]
def brighten(pictures, levels):
    return np.clip(pictures + np.reshape(levels, (-1, 1, 1, 1)), 0, 255).astype(np.uint8)


copies, copied = np.tile(few_images, (20, 1, 1, 1)), np.tile(few_labels, 20)
levels = np.random.default_rng(0).uniform(0, 128, len(copied))
levels_018 = np.where(np.isin(copied, recipes.SURVIVES_A_MIRROR), levels, 0)
fair = train(brighten(copies, levels), copied, seed=0)
betrayed = train(brighten(copies, levels_018), copied, seed=0)

# %% tags=["show"]
bright = brighten(validation_images, np.full(len(validation_labels), 96))
for name, arm in (("every digit brightened", fair), ("only 0, 1 and 8 brightened", betrayed)):
    clean, lit = (predict(arm.weights, pictures).argmax(axis=1) for pictures in (validation_images, bright))
    print(
        f"{name:27} clean {np.mean(clean == validation_labels):6.1%}, bright {np.mean(lit == validation_labels):6.1%}; "
        f"calls {np.mean(np.isin(lit, recipes.SURVIVES_A_MIRROR)):6.1%} of the bright digits 0, 1 or 8"
    )

# %% [markdown]
# **Explain**: the second model has learned "bright means 0, 1 or 8". A clean test never sees it. That is why a recipe
# that treats digits differently is refused, however good its number.
#
# ## 8. A recipe of your own
#
# Now beat the baseline. The grader does not believe a reported number: it takes your recipe, trains both models
# itself, several times, and compares them in pairs. This is its rule:

# %% tags=["show"]
first, *later = SETTINGS.looks
print(f"{first} runs, each with its own {SETTINGS.labels_per_class} labels per class and its own seed; in every run both")
print(f"models take {SETTINGS.steps} steps from the same weights and are judged by the test digits")
print(f"beats the baseline: the lower limit of the mean paired gain is above {SETTINGS.margin_points:+g} points")
print(f"does not:           the upper limit is below {SETTINGS.margin_points:+g} points")
print(f"neither:            more runs, up to {later[-1]}; if it is still unclear, an instructor decides")
print(f"on either side at most {SETTINGS.error_rate:.0%} of all verdicts are wrong; to pass, the gain must be about:")
for look in SETTINGS.looks:
    print(f"  {compare.gain_needed(look):+.1f} points on average after {look} runs")

# %% [markdown]
# **Exercise 5 (3 points).** Write `my_recipe()`. Use what you have seen: which ingredients carry the gain, how far to
# turn the dial, what a mirror does to a 7, what brightness needs a border for. *Predict* its gain before you measure.

# %% nbgrader={"grade": false, "grade_id": "my_recipe", "locked": false, "schema_version": 3, "solution": true, "task": false}
def my_recipe():
    """A recipe that beats the baseline.

    Returns:
        an `A.Compose` of albumentations' own transforms, or a dictionary with an `A.Compose` for each digit 0 to 9
        whose pipelines differ in nothing but `A.HorizontalFlip` and `A.VerticalFlip`. Pictures go in and
        come out as uint8 (28, 28, 1).
    """
    ### BEGIN SOLUTION
    warp = A.Affine(
        rotate=(-12, 12),
        translate_percent=(-0.1, 0.1),
        scale=(0.9, 1.1),
        shear=(-8, 8),
        border_mode=cv2.BORDER_CONSTANT,
        fill=0,
        p=1.0,
    )
    return A.Compose([warp])
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "my_recipe_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("my_recipe") as out:
    out.recipe(my_recipe())

# %% nbgrader={"grade": true, "grade_id": "my_recipe_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

recipe = handin.read("my_recipe").recipe()
digits, labels = probes.digits("my_recipe", 30)
changed = np.any(recipe.apply(digits, labels, seed=probes.seed()) != digits, axis=(1, 2, 3))
checks.expect(
    changed.any(),
    "your recipe changes pictures",
    expected="some of 30 digits changed",
    got="0 of 30 digits changed",
    why="the transformation does nothing to a grey picture (saturation does not), or its p is 0",
)
checks.passed("my_recipe")
### BEGIN HIDDEN TESTS
from augcourse import measure
from augcourse.recipes import SURVIVES_A_MIRROR

spoilt = sorted(set(recipe.flipped_digits()) - set(SURVIVES_A_MIRROR))
checks.verdict(
    measure.judge(recipe),
    why=f"the mirror image of {', '.join(map(str, spoilt))} is no longer that digit" if spoilt else "",
    mistake=None if spoilt else "stronger is better",
)
### END HIDDEN TESTS

# %% tags=["show"]
mine = Recipe.of(my_recipe())
weights = train(few_images, few_labels, seed=0, recipe=mine).weights
gain = 100 * (accuracy(weights, validation_images, validation_labels) - before)
fig, axes = plt.subplots(2, 8, figsize=(8, 2.2))
plots.gallery(axes, few_images[:8], {"mine": mine.apply(few_images[:8], few_labels[:8], seed=0)})
fig.suptitle(f"gain over the baseline in one run, on validation digits: {gain:+.1f} points", fontsize=10)
plt.show()

# %% [markdown]
# **Change one thing**: drop one ingredient, or double one, and run the last two cells again. Does one run tell you
# enough to choose?
#
# ## Three things to remember
#
# 1. Augmentation adds no rows: it changes pictures afresh in every epoch, after `cache`, on training digits only.
# 2. A fair comparison fixes labels, first weights and steps; a fair exam shows both parts un-augmented.
# 3. A recipe must keep the label, must not betray it, and must then still prove that it helps.
#
# **Next**: you have seen a gain. How sure are we of it, and who lost? That is step 5.
