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
# You know which pictures still show the same digit. Does a model learn more from them? In this step you put a recipe
# into a `tf.data` pipeline, find out what one misplaced line costs, and train with and without augmentation for the
# same number of steps. Then you write two recipes, and the grader tests them by training.
#
# **You will be able to** augment inside a pipeline, say where the line belongs and why, compare two models fairly, and
# tell by measuring whether a recipe helps.
#
# **You need** nothing but this notebook: where an exercise builds on another, it uses the course's own version, so
# that one mistake costs one exercise. **Time**: see START.md.

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
from augcourse.digits import ink
from augcourse.lesson import show_figure, train
from augcourse.model import build_model
from augcourse.predictions import predict, predicted
from augcourse.settings import GRADING, HALF, PROBE, SETTINGS
from augcourse.train import accuracy
from augcourse.train import predict as probabilities

tf.get_logger().setLevel("ERROR")  # no notes on its own speed

# %% [markdown]
# ## 1. A recipe inside a pipeline
#
# The course keeps a [recipe](#Words) as data: a `Recipe` holds one albumentations pipeline for each digit.
# `recipe.stream(seed)` returns a function `transform(image, label)`. It takes a uint8 picture and its label, and
# returns the changed picture. Every call draws new random numbers. The same seed gives the same stream.

# %% tags=["show"]
few_images, few_labels = measure.labelled_digits(draw=0)
transform = recipes.geometric().stream(seed=0)
fig, axes = plt.subplots(1, 8, figsize=(9, 1.6))
plots.show(axes[0], few_images[0], "original")
for ax in axes[1:]:
    plots.show(ax, transform(few_images[0], few_labels[0]))
show_figure(f"A handwritten {few_labels[0]} as it is, and seven pictures that a recipe made of it.")

# %% [markdown]
# `transform` is Python code, and a `tf.data` pipeline is a graph.
# [`tf.numpy_function`](https://www.tensorflow.org/api_docs/python/tf/numpy_function)`(transform, [image, label],
# tf.uint8)` calls Python from the graph. It cannot know the shape of what comes back: say it with
# [`set_shape`](https://www.tensorflow.org/api_docs/python/tf/Tensor#set_shape).

# %%
predict("pictures in one epoch of 100 augmented digits", ...)  # instead of the dots: a number

# %% [markdown]
# **Exercise 1 (3 points).** Write `augment(dataset, recipe, seed)`. Use
# [`map`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#map).

# %% nbgrader={"grade": false, "grade_id": "augment", "locked": false, "schema_version": 3, "solution": true, "task": false}
def augment(dataset, recipe, seed):
    """Send every picture of a data set through a recipe, afresh in every epoch.

    Args:
        dataset: finite `tf.data.Dataset` of single pairs (uint8 image (28, 28, 1), int64 label).
        recipe: a `Recipe`; `recipe.stream(seed)` is a function (image, label) -> uint8 image (28, 28, 1).
        seed: of the stream; two data sets with the same seed give the same pictures.

    Returns:
        `tf.data.Dataset` with the same `element_spec`, the same number of pairs, the same labels in the same
        order. Every pass over it shows other pictures than the passes before.
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
    _numbered, _labels = probes.numbered_images(48)[1:], probes.random_labels("augment", 47)
    _digits = tf.data.Dataset.from_tensor_slices((_numbered, _labels))
    _seed, _recipe = int(probes.rng("augment").integers(1_000_000)), probes.mirroring_recipe()
    _augmented = augment(_digits, _recipe, _seed)
    _image, _label = _augmented.element_spec
    out.facts(image=f"{_image.dtype.name} {_image.shape}", label=f"{_label.dtype.name} {_label.shape}")
    _others = {"twin": augment(_digits, _recipe, _seed), "other": augment(_digits, _recipe, _seed + 1)}
    for _name, _dataset in (*dict.fromkeys(("first", "second", "third"), _augmented).items(), *_others.items()):
        _pairs = list(_dataset.take(200).as_numpy_iterator())
        out.facts(**{f"{_name}_rows": len(_pairs)})
        out.arrays(**{_name: np.array([image for image, _ in _pairs])})
        out.arrays(**{f"{_name}_labels": np.array([label for _, label in _pairs])})

# %% nbgrader={"grade": true, "grade_id": "augment_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("augment")
rows = work.fact("first_rows", int)
checks.expect(
    rows == 47,
    "a data set of 47 digits stays a data set of 47 digits",
    expected="47 pairs in one pass",
    got=f"{rows} pairs" if rows < 200 else "200 pairs and more",
    mistake="augmentation taken for more rows" if rows > 47 else None,
    why="digits were lost on the way; does a last batch that is not full get through?" if rows < 47 else "",
)
image, label = work.fact("image", str), work.fact("label", str)
checks.expect(
    image.startswith("uint8"),
    "pictures go in as uint8 and come out as uint8",
    expected="uint8 in element_spec",
    got=image,
    mistake="float image into a uint8 transform",
)
checks.expect(
    image == "uint8 (28, 28, 1)",
    "the static shape is the same on both sides",
    expected="(28, 28, 1) in element_spec",
    got=image,
    mistake="lost static shape",
)
checks.expect(
    label == "int64 ()",
    "labels have the same element_spec on both sides, too",
    expected="int64 of shape ()",
    got=label,
    mistake="lost static shape" if label.startswith("int64") else None,
    why="" if label.startswith("int64") else "the label was cast; return it as it came",
)
checks.expect(
    all(work.fact(f"{name}_rows", int) == 47 for name in ("second", "third", "twin", "other")),
    "every pass over the data set has 47 digits",
    expected="47 pairs in every pass",
    got=[work.fact(f"{name}_rows", int) for name in ("second", "third", "twin", "other")],
    why="the data set can be read only once: a generator that was used up stays empty",
)
first, second, third, twin = (
    work.array(name, (47, 28, 28, 1), "uint8") for name in ("first", "second", "third", "twin")
)
range_of = np.ptp(first, axis=(1, 2, 3))
checks.expect(
    np.median(range_of) > 50,
    "a change of brightness keeps dark and bright apart",
    expected="more than 50 grey levels between them",
    got=f"{np.median(range_of):.0f} grey levels",
    mistake="float image into a uint8 transform",
)


def changed(one, another):
    """How many of 47 pictures differ; about one in 150 draws the same brightness twice."""
    return int(np.any(one != another, axis=(1, 2, 3)).sum())


touched = changed(first, probes.numbered_images(48)[1:])
checks.expect(
    touched > 38,
    "the pictures should have changed",
    expected="nearly all of 47 pictures",
    got=f"{touched} of 47 pictures",
    mistake="map's result thrown away" if touched == 0 else None,
    why="only some of the digits go through the recipe" if touched else "",
)
fresh = min(changed(first, second), changed(second, third), changed(first, third))
checks.expect(
    fresh > 38,
    "the second epoch shows other pictures than the first, and the third again others",
    expected="nearly all of 47 pictures differ",
    got=f"{fresh} differ",
    mistake="frozen randomness",
)
checks.expect(
    changed(first, twin) == 0,
    "two data sets with the same seed give the same pictures",
    expected="47 equal pictures",
    got=f"{47 - changed(first, twin)} equal pictures",
    why="`seed` does not reach `recipe.stream`, or the map runs in parallel and takes the draws in any order",
)
checks.passed("augment")
### BEGIN HIDDEN TESTS
from augcourse.recipes import SURVIVES_A_MIRROR

other = work.array("other", (47, 28, 28, 1), "uint8")
checks.expect(
    changed(first, other) > 30,
    "another seed gives other pictures",
    expected="nearly all of 47 pictures differ",
    got=f"{changed(first, other)} differ",
    why="`recipe.stream` gets a fixed number instead of `seed`",
)
wanted = probes.random_labels("augment", 47)
mirrored = np.isin(wanted, SURVIVES_A_MIRROR)[:, None, None, None]
for name, pictures in {"first": first, "second": second, "third": third, "twin": twin, "other": other}.items():
    found = work.array(f"{name}_labels", (47,), kind="iu")
    checks.expect(
        np.array_equal(found, wanted),
        "every label stays where it was",
        expected=f"{wanted[:8].tolist()} …",
        got=f"{found[:8].tolist()} …",
        why="the labels were lost or reordered on the way; return (image, label)",
    )
    numbers = probes.numbers_of(np.where(mirrored, pictures[:, :, ::-1], pictures))
    checks.expect(
        np.array_equal(numbers, np.arange(1, 48)),
        "each picture passes through the pipeline of its own label, in the order of the data set",
        expected="47 pictures, of which the recipe mirrors 0, 1 and 8",
        got=f"{np.sum(numbers != np.arange(1, 48))} pictures that are another one, or wrongly mirrored or not mirrored",
        why="`transform` takes two arguments, the picture and *its* label",
    )
### END HIDDEN TESTS

# %% tags=["show"]
digits = tf.data.Dataset.from_tensor_slices((few_images, few_labels))
augmented = augment(digits, recipes.geometric(), seed=0)
epochs = {f"epoch {i + 1}": [image for image, _ in augmented.take(1000).as_numpy_iterator()] for i in range(3)}
fig, axes = plt.subplots(4, 8, figsize=(8, 4))
plots.gallery(axes, few_images[:8], {name: pictures[:8] for name, pictures in epochs.items()})
show_figure("Eight digits as they are, and below them the pictures of the same digits in three epochs.")
predicted("pictures in one epoch of 100 augmented digits", len(epochs["epoch 1"]))

# %% [markdown]
# The data set has not grown. Each epoch shows *another picture of the same digit*. **Change one thing**: the strength
# of the recipe, `recipes.geometric(2)`.
#
# ## 2. Where the line belongs
#
# Read a pipeline from top to bottom.
# [`cache`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#cache) keeps what arrives at its place. What
# stands above it runs once. What stands below it runs in every epoch.
#
# Validation digits stand for digits that nobody has seen. Take them away *first*, and do not change them.
#
# **Exercise 2 (3 points).** Write `pipelines(digits, recipe, seed)`. In which order do cache, augment,
# [`shuffle`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#shuffle), normalise and
# [`batch`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#batch) belong? The course's own `augment` is
# imported for you as `reference_augment`.

# %% nbgrader={"grade": false, "grade_id": "pipelines", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pipelines(digits, recipe, seed):
    """Split labelled digits, and make one pipeline for training and one for validation.

    Args:
        digits: finite `tf.data.Dataset` of n single pairs (uint8 image (28, 28, 1), int64 label) with known
            cardinality; reading it is slow, so an epoch after the first must not read it again for training.
        recipe: a `Recipe` for the training digits.
        seed: for `reference_augment` and for shuffling: the same seed gives the same batches.

    Returns:
        (training, validation): two finite data sets of batches (float32 images in [0, 1], int64 labels) of
        `SETTINGS.batch_size`; the last batch may be smaller. One pass is one epoch. Validation is the first
        n // 5 digits, as they are; training is all others, each once per epoch, and in every epoch augmented afresh
        and in a new order: every training digit may come at any place.
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
    _numbered, _labels = probes.numbered_images(334)[1:], probes.random_labels("pipelines", 333)
    _reads = []

    def _slow_source():
        _reads.append(1)
        yield from zip(_numbered, _labels)

    _spec = (tf.TensorSpec((28, 28, 1), tf.uint8), tf.TensorSpec((), tf.int64))
    _digits = tf.data.Dataset.from_generator(_slow_source, output_signature=_spec)
    _digits = _digits.apply(tf.data.experimental.assert_cardinality(333))
    _recipe, _seed = recipes.named("brightness ±0.3"), probes.seed() % 1000
    _training, _validation = pipelines(_digits, _recipe, seed=_seed)
    _passes = {"validation": _validation, **dict.fromkeys(("first", "second", "third"), _training)}
    for _name, _s in (("twin", _seed), ("other", _seed + 1)):
        _passes[_name], _passes[f"{_name}_validation"] = pipelines(_digits, _recipe, seed=_s)
    for _name, _batches in sorted(_passes.items(), key=lambda item: "validation" not in item[0]):
        _before = len(_reads)
        _pairs = [(np.asarray(image), np.asarray(label)) for image, label in islice(_batches, 20)]
        out.facts(**{f"{_name}_reads": len(_reads) - _before, f"{_name}_sizes": [label.size for _, label in _pairs]})
        out.arrays(**{_name: np.concatenate([np.empty((0, 28, 28, 1), np.float32), *(image for image, _ in _pairs)])})
        out.arrays(**{f"{_name}_labels": np.concatenate([np.empty(0, np.int64), *(label for _, label in _pairs)])})

# %% nbgrader={"grade": true, "grade_id": "pipelines_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes
from augcourse.settings import SETTINGS

work = handin.read("pipelines")
passes = ("first", "second", "third")
shown = {name: work.array(name, (None, 28, 28, 1), kind="biuf") for name in ("validation", *passes, "twin", "other")}
numbers = {name: probes.numbers_of(pictures) for name, pictures in shown.items()}
sizes = {name: work.fact(f"{name}_sizes", list) for name in ("validation", *passes)}
called = {"validation": "validation", "first": "training", "second": "second epoch", "third": "third epoch"}
originals, size = probes.numbered_images(334), SETTINGS.batch_size
parts = checks.Parts("pipelines", 3)

with parts.part("the split: every digit once, in its own part", 1):
    for name, title in called.items():
        checks.expect(
            len(shown[name]) > 0,
            f"{title}: one pass shows every digit once",
            got="no picture at all",
            why="every batch that is not full was dropped (drop_remainder), or the data set can be read only once",
        )
    twins = len(np.intersect1d(numbers["validation"], numbers["first"]))
    checks.expect(
        twins == 0,
        "no digit may be in both parts",
        expected="0 shared digits",
        got=f"{twins} shared digits",
        mistake="augmented, then split",
    )
    for name, wanted in {"validation": np.arange(1, 67), **dict.fromkeys(passes, np.arange(67, 334))}.items():
        checks.expect(
            len(numbers[name]) < 1.5 * len(wanted),
            f"{called[name]}: one pass shows every digit once",
            expected=f"{len(wanted)} pictures from 333 digits",
            got=f"{len(numbers[name])} pictures or more",
            mistake="augmentation taken for more rows",
        )
        missing = len(np.setdiff1d(wanted, numbers[name]))
        checks.expect(
            np.array_equal(np.sort(numbers[name]), wanted),
            f"{called[name]}: the right digits, each once",
            expected=f"number {wanted[0]} to number {wanted[-1]} of 333",
            got=f"{len(numbers[name])} pictures of {len(set(numbers[name]))} different digits; {missing} are missing",
            why="the last batch, which is not full, was dropped (drop_remainder)"
            if missing == len(wanted) % size
            else "the first fifth (n // 5) is for validation, all others are for training; split before you shuffle",
        )
with parts.part("validation digits as they are", 0.5):
    pictures = shown["validation"]
    checks.expect(
        len(pictures) > 0 and pictures.dtype == np.float32 and 0 <= pictures.min() and 0.2 < pictures.max() <= 1,
        "validation: batches hold float32 pictures in [0, 1]",
        got=f"{len(pictures)} of {pictures.dtype}, from {pictures.min(initial=1):.3g} to {pictures.max(initial=0):.3g}",
        mistake="float image into a uint8 transform",
    )
    touched = np.any(np.rint(255 * pictures) != originals[numbers["validation"] % 334], axis=(1, 2, 3))
    checks.expect(
        not touched.any(),
        "validation digits are shown as they are, divided by 255",
        expected="0 changed",
        got=f"{touched.sum()} of {len(touched)} changed",
        mistake="augmented validation data",
    )
    checks.expect(
        set(sizes["validation"][:-1]) <= {size} and sizes["validation"][-1] <= size,
        "batches of SETTINGS.batch_size, of which only the last may be smaller",
        expected=f"validation: {size} pictures in each but the last",
        got=sizes["validation"],
    )
with parts.part("training: augmented afresh, and read once", 1):
    for name in passes:
        pictures = shown[name]
        checks.expect(
            len(pictures) > 0 and pictures.dtype == np.float32 and 0 <= pictures.min() and 0.2 < pictures.max() <= 1,
            f"{called[name]}: batches hold float32 pictures in [0, 1]",
            got=f"{len(pictures)} of {pictures.dtype}, {pictures.min(initial=1):.3g} to {pictures.max(initial=0):.3g}",
            mistake="float image into a uint8 transform",
        )
    # One picture of each digit from each epoch, in the order of the digits.
    firsts = [dict(zip(numbers[name][::-1], np.rint(255 * shown[name][::-1]), strict=True)) for name in passes]
    common = sorted(set(firsts[0]) & set(firsts[1]) & set(firsts[2]))
    checks.expect(len(common) > 100, "every epoch shows the same digits", got=f"{len(common)} that come in all epochs")
    epochs = [np.stack([pictures[number] for number in common]) for pictures in firsts]
    touched = np.mean(np.any(epochs[0] != originals[np.array(common) % 334], axis=(1, 2, 3)))
    checks.expect(
        touched > 0.9,
        "training digits are augmented",
        expected="nearly all of them changed",
        got="the originals" if touched == 0 else f"{touched:.0%} of them changed",
        mistake="map's result thrown away",
    )
    fresh = [np.mean(np.any(epochs[i] != epochs[j], axis=(1, 2, 3))) for i, j in ((0, 1), (1, 2), (0, 2))]
    checks.expect(
        min(fresh) > 0.9,
        "the second epoch shows other pictures than the first, and the third again others",
        expected="nearly all pictures differ",
        got="the same pictures again" if min(fresh) == 0 else f"{min(fresh):.0%} of them differ",
        mistake="frozen randomness",
    )
    reads = {name: work.fact(f"{name}_reads", int) for name in ("second", "third")}
    checks.expect(
        not any(reads.values()),
        "later epochs do not read the slow source again",
        expected="0 times",
        got=", ".join(f"{count} times in the {name} epoch" for name, count in reads.items()),
        why="there is no `cache`, or it was not filled because it stands before the split",
    )
### BEGIN HIDDEN TESTS
labels = np.concatenate([[-1], probes.random_labels("pipelines", 333)])
with parts.part("the split: every digit once, in its own part", 1):
    for name, title in called.items():
        checks.expect(
            np.array_equal(work.array(f"{name}_labels", (None,), kind="iu"), labels[numbers[name] % 334]),
            f"{title}: every picture keeps its own label",
            why="pictures and labels were shuffled separately",
        )
with parts.part("training: augmented afresh, and read once", 1):
    levels = np.ptp(np.rint(255 * shown["first"][:, 2:26, 2:26]), axis=(1, 2, 3))
    checks.expect(
        np.all(np.abs(levels - 80) <= 1),
        "training pictures are augmented as uint8 and then divided by 255, as validation pictures are",
        expected="80 grey levels between the dark squares and the bright ones, as before",
        got=f"{levels.min(initial=255):.0f} to {levels.max(initial=0):.0f}",
        mistake="float image into a uint8 transform",
    )
with parts.part("training: the order, and batches", 0.5):
    stored = np.sort(numbers["first"])
    checks.expect(
        not np.array_equal(numbers["first"], stored),
        "training digits are shuffled",
        got="the order of the source",
        why="`shuffle` is missing, or its buffer is too small",
    )
    checks.expect(
        len({tuple(numbers[name].tolist()) for name in passes}) == 3,
        "every epoch has another order",
        got="the same order twice",
        why="reshuffle_each_iteration=False, or `shuffle` stands before `cache`",
    )
    orders = [stored, *(numbers[name] for name in passes)]
    follow = [set(zip(order.tolist(), order[1:].tolist(), strict=False)) for order in orders]
    together = max(len(follow[i] & follow[j]) for i in range(4) for j in range(i))
    checks.expect(
        together < 0.1 * len(stored),
        "digits do not stay side by side from epoch to epoch",
        expected=f"about 1 of {len(stored) - 1} pairs of neighbours comes again",
        got=f"{together} of them",
        why="whole batches were shuffled instead of digits; `shuffle` belongs before `batch`",
    )
    # In a full shuffle, several digits of each epoch come forward by more than four fifths of it.
    places = [np.searchsorted(stored, numbers[name]) - np.arange(len(numbers[name])) for name in passes]
    forward = max(int(np.max(moved)) for moved in places)
    checks.expect(
        forward > 0.8 * len(stored),
        "a training digit may come at any place of the epoch",
        expected=f"in three epochs, some digit that comes more than {0.8 * len(stored):.0f} places earlier than stored",
        got=f"no digit comes more than {forward} places earlier",
        why="the buffer of `shuffle` is smaller than the training part, so that late digits never come early",
    )
    for name in passes:
        checks.expect(
            set(sizes[name][:-1]) == {size} and sizes[name][-1] <= size,
            "batches of SETTINGS.batch_size, of which only the last may be smaller",
            expected=f"{called[name]}: {size} pictures in each but the last",
            got=sizes[name],
        )
    again = np.array_equal(numbers["first"], numbers["twin"])
    checks.expect(
        again and np.array_equal(shown["first"], shown["twin"]),
        "the same seed gives the same batches",
        expected="two calls with one seed agree in their first epoch",
        got="other pictures" if again else "another order",
        why="`seed` does not reach `shuffle`, or not `reference_augment`",
    )
    checks.expect(
        not np.array_equal(numbers["first"], numbers["other"]),
        "another seed gives another order",
        got="the same order",
        why="`shuffle` gets a fixed number instead of `seed`",
    )
    with_seed, without = (dict(zip(numbers[name], np.rint(255 * shown[name]))) for name in ("first", "other"))
    same = np.mean([np.array_equal(with_seed[n], without[n]) for n in set(with_seed) & set(without)])
    checks.expect(
        same < 0.5,
        "another seed gives other pictures",
        got=f"{same:.0%} of the pictures are the same",
        why="`reference_augment` gets a fixed number instead of `seed`",
    )
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# ### Move one line
#
# Move `cache` from above `augment` to below it. Nothing fails, and the data set has the same length. But now `cache`
# keeps *one* changed picture of each digit. What does that cost in test accuracy, with ten labels per class?

# %%
predict("points that the moved line costs", ...)  # instead of the dots: a number

# %% tags=["show"]
lines = {name: 100 * runs for name, runs in results.accuracies("one line", DATASET).items()}
fig, ax = plt.subplots(figsize=(8, 2.2))
plots.dots(ax, lines, {"none": plots.BASELINE, "cache, then augment": plots.AUGMENTED})
ax.set_xlabel("accuracy on the test digits in %; every point is a run")
means = "; ".join(f"{name}: {runs.mean():.1f} %" for name, runs in lines.items())
show_figure(f"Test accuracy of stored runs, one row of points for each pipeline. Means: {means}.")
for name in ("augment, then cache", "cache, then augment"):
    gain = compare.interval(lines[name] - lines["none"])
    print(f"{name}: mean gain {gain.mean:+.1f} points, 95 % interval {gain.low:+.1f} to {gain.high:+.1f}")
cost = compare.interval(lines["cache, then augment"] - lines["augment, then cache"])
predicted("points that the moved line costs", f"{cost.mean:.0f}, 95 % interval {cost.low:.0f} to {cost.high:.0f}")

# %% [markdown]
# Each point is a [run](#Words): the same network, the same number of steps, other labels and another seed. A
# [gain](#Words) compares two models of one run.
#
# **Explain**: both pipelines use the same recipe. What does the model see in one, and what in the other?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# With `cache` below, the model sees one changed picture of each digit, the same one in every epoch. It sees neither the
# original nor a second change. With `cache` above, it sees another change in every epoch. Many changes gain. Whether
# a single change is worse than none, its interval says: if zero lies inside, these runs cannot tell.
#
# </details>

# %% [markdown]
# ## 3. Same steps, same labels, other pictures
#
# A fair comparison changes one thing. Both [arms](#Words) of a run start from the same weights, learn from the same
# labels, and take the same number of optimiser steps.
#
# The training batches repeat for ever, so you must say how many steps make one point of the curve
# ([`fit`](https://www.tensorflow.org/api_docs/python/tf/keras/Model#fit) calls them `steps_per_epoch`). As in step 2,
# the settings are an argument: the check hands in others. The grader trains the same model on the same batches, made
# from ten frozen copies of each digit for speed. Your model must end with the same weights, rounding aside.
#
# **Exercise 3 (3 points).** Write `train_augmented(model, train_batches, validation_batches, settings)`. The optimiser
# is [`Adam`](https://www.tensorflow.org/api_docs/python/tf/keras/optimizers/Adam).

# %% nbgrader={"grade": false, "grade_id": "train_augmented", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_augmented(model, train_batches, validation_batches, settings):
    """Train a model for exactly as many optimiser steps as the baseline.

    Args:
        model: the course's network with fresh weights, not compiled.
        train_batches: infinite data set of batches (float32 images in [0, 1], int64 labels), augmented.
        validation_batches: finite data set of such batches, not augmented; only looked at, never learned from.
        settings: an `augcourse.settings.Settings`, such as `SETTINGS`.

    Returns:
        the history as a dictionary or another mapping: `accuracy` and `val_accuracy` are lists of numbers in 0..1,
        one for every `settings.epoch_steps` steps. The model is compiled with Adam at `settings.learning_rate` and
        the cross-entropy of integer labels, and trained in place for `settings.steps` steps; every step takes
        the next batch of `train_batches`.
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
from collections.abc import Mapping
from dataclasses import replace


def _normalise(image, label):
    return tf.cast(image, tf.float32) / 255.0, label


with handin.record("train_augmented") as out:
    _brief = replace(PROBE, steps=60, epoch_steps=20, learning_rate=0.002)
    _draw, _seed = (int(n) for n in probes.rng("train_augmented").integers(1_000_000, size=2))
    # For the grader, a bank: ten pictures of each digit, made beforehand, so that it is sooner done.
    _images, _labels = (np.repeat(part, 10, axis=0) for part in measure.labelled_digits(_draw))
    _bank = recipes.geometric().apply(_images, _labels, seed=_seed)
    _training, _passes = probes.watched_batches(_bank, _labels, _seed, _brief)
    _held_out = tuple(part[:500] for part in data.load_arrays(data.VALIDATION))
    _validation = tf.data.Dataset.from_tensor_slices(_held_out).map(_normalise).batch(SETTINGS.batch_size)
    _watched, _looks = probes.counted(_validation)
    _model = build_model(_seed)
    _history = train_augmented(_model, _training, _watched, _brief)
    out.weights(_model)
    out.facts(passes=_passes[:100], looks=len(_looks), returned=type(_history).__name__)
    if isinstance(_history, Mapping):
        _curves = {name: _history[name] for name in ("accuracy", "val_accuracy") if name in _history}
        out.facts(history={name: [float(v) for v in values] for name, values in _curves.items()})
    _optimizer = getattr(_model, "optimizer", None)
    out.facts(optimizer=type(_optimizer).__name__)
    if _optimizer is not None:
        out.facts(steps=int(_optimizer.iterations), learning_rate=float(_optimizer.learning_rate))

# %% nbgrader={"grade": true, "grade_id": "train_augmented_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from dataclasses import replace

import numpy as np

from augcourse import checks, data, handin
from augcourse.settings import PROBE
from augcourse.train import accuracy

work = handin.read("train_augmented")
brief = replace(PROBE, steps=60, epoch_steps=20, learning_rate=0.002)
optimizer = work.fact("optimizer", str)
checks.expect(
    optimizer == "Adam",
    "the model is compiled with Adam",
    expected="Adam",
    got="no optimiser" if optimizer == "NoneType" else optimizer,
    why="another optimiser is another experiment: the baseline has Adam",
)
checks.expect(
    work.fact("steps", int) == brief.steps,
    "both models take the optimiser steps of the settings that the function is given",
    expected=brief.steps,
    got=work.fact("steps", int),
    why="comparing models trained for different numbers of steps: epochs × steps_per_epoch counts, not epochs. "
    "Or the numbers are those of SETTINGS, not of the argument `settings`",
)
checks.expect(
    np.isclose(work.fact("learning_rate", float), brief.learning_rate, rtol=1e-3),
    "the learning rate is the one of the settings that the function is given",
    expected=brief.learning_rate,
    got=f"{work.fact('learning_rate', float):.6g}",
    why="an optimiser that is named by a string has a rate of its own; or the rate is that of SETTINGS, or no constant",
)
checks.expect(
    "history" in work.facts,
    "train_augmented returns a dictionary of curves",
    expected="a dictionary",
    got=work.fact("returned", str),
    why="`model.fit` returns an object; its attribute `history` is the dictionary",
)
history, points = work.fact("history", dict), brief.steps // brief.epoch_steps
for name in ("accuracy", "val_accuracy"):
    curve = history.get(name, [])
    checks.expect(
        isinstance(curve, list) and len(curve) == points,
        f"the history holds `{name}`, one point every {brief.epoch_steps} steps",
        expected=f"{points} numbers",
        got=f"{len(curve)} numbers" if isinstance(curve, list) else type(curve).__name__,
        why="compile with metrics=['accuracy'], give validation_data, return history.history; "
        "and a point belongs to `settings.epoch_steps` steps",
    )
    checks.expect(
        all(isinstance(value, float) and 0 <= value <= 1 for value in curve),
        f"`{name}` holds shares",
        expected="numbers in 0..1",
        got=curve,
        why="these are percent, or no numbers",
    )
unseen = tuple(part[:500] for part in data.load_arrays(data.VALIDATION))
passes, looks, usual = work.fact("passes", list), work.fact("looks", int), points * -(-len(unseen[1]) // brief.batch_size)
read = sum(passes) if all(isinstance(count, int) for count in passes) else 0
learned = "validation digits were learned from; they may only be looked at" if looks > 2 * usual else ""
checks.expect(
    read >= brief.steps,
    "every step takes the next batch of train_batches",
    expected=f"{brief.steps} batches read from train_batches for {brief.steps} steps",
    got=f"{read} batches, and {looks} of validation_batches",
    why=learned or "the same few batches were used again and again, so the model saw only a part of the pictures",
)
weights = work.weights()
reached = accuracy(weights, *unseen)
checks.expect(
    looks > 0 and abs(history["val_accuracy"][-1] - reached) < 0.01,
    "the last point of `val_accuracy` is what the weights reach on the validation digits",
    expected=f"{reached:.3f}",
    got=f"{history['val_accuracy'][-1]:.3f}",
    why="the history is not that of this training; or validation_data is something else than validation_batches, "
    "or training went on after the last point",
)
checks.passed("train_augmented")
### BEGIN HIDDEN TESTS
from augcourse import measure, probes, recipes

draw, seed = (int(n) for n in probes.rng("train_augmented").integers(1_000_000, size=2))
images, labels = (np.repeat(part, 10, axis=0) for part in measure.labelled_digits(draw))
bank = recipes.geometric().apply(images, labels, seed=seed)
# In 24 trainings rounding, which grows with every step, moved the weights by 0.024 at most, and another epsilon of Adam
# or a batch left out by 0.13 at least. Another optimiser is told by its name.
SAME = 0.06
apart, order = np.inf, None
for order in probes.orders_read([count for count in passes if isinstance(count, int)], len(labels), seed, brief):
    twin = probes.trained_on(bank, labels, order, seed, brief)
    apart = probes.distance(weights, twin.weights)
    if apart < SAME:
        break
checks.expect(
    apart < SAME,
    "from the same start and on the same batches, the grader's own training ends with the same weights",
    expected=f"the weights of that training, less than {SAME:.0%} away",
    got=f"weights that lie {apart:.0%} away from them" if order is not None else "batches of more passes than points",
    why=learned
    or "something else than the batches of train_batches was learned from, or they were used more than once or left "
    "out; or the loss, the optimiser or the first weights are others",
)
for point in range(1, points):
    there = probes.trained_on(bank, labels, order[: point * brief.epoch_steps], seed, brief).weights
    checks.expect(
        abs(history["val_accuracy"][point - 1] - accuracy(there, *unseen)) < 0.02,
        f"point {point} of `val_accuracy` is what the model reaches after {point * brief.epoch_steps} steps",
        expected=f"{accuracy(there, *unseen):.3f}",
        got=f"{history['val_accuracy'][point - 1]:.3f}",
        why="the history is not that of this training",
    )
# A point is the mean over the steps before it, or measured after the last of them: both are in use.
known = twin.train_accuracy
checks.expect(
    all(mean - 0.1 < mine for mean, mine in zip(known, history["accuracy"], strict=True))
    and history["accuracy"][-1] < max(known[-1], accuracy(weights, bank, labels)) + 0.1,
    "`accuracy` is what the model reaches on the batches that it trains on",
    expected=f"near {np.round(known, 2).tolist()}",
    got=np.round(history["accuracy"], 2).tolist(),
    why="the history is not that of this training",
)
### END HIDDEN TESTS

# %% [markdown]
# Now train both arms with your own functions. Your `augment` makes fresh pictures in every epoch. Take your own recipe
# of step 3, too.

# %%
# Paste your recipe of step 3 here, and write its call on the right of the equals sign: first_recipe = recipe()
first_recipe = recipes.named("the label-aware four")


# %% tags=["show"]
def as_recipe(made):
    return made if isinstance(made, Recipe) else Recipe.of(made)


plain = tf.data.Dataset.from_tensor_slices((few_images, few_labels))
try:
    fresh = augment(plain, as_recipe(first_recipe), seed=0)
    passes = [len(list(fresh.take(2 * len(few_images)))) for _ in range(2)]
    assert passes == 2 * [len(few_images)]
    assert fresh.element_spec == plain.element_spec
except Exception as error:
    from augcourse.augment import augment as course_augment

    print(f"Your `augment` does not work here ({type(error).__name__}), so the course's own takes its place.")
    fresh = course_augment(plain, as_recipe(first_recipe), seed=0)

models, histories = {}, {}
for name, digits in {"baseline": plain, "augmented": fresh}.items():
    batches = digits.shuffle(len(few_images), seed=0).repeat().map(_normalise).batch(SETTINGS.batch_size).prefetch(2)
    models[name] = build_model(0)
    histories[name] = train_augmented(models[name], batches, _validation, HALF)
    print(f"{name:10} {histories[name]['val_accuracy'][-1]:6.1%} of the validation digits, after {HALF.steps} steps")
print("This is one run. One run proves nothing: another draw or another seed may reverse the order.")

# %% tags=["show"]
fig, ax = plt.subplots(figsize=(7, 3.6))
plots.learning_curves(ax, histories, HALF.epoch_steps)
show_figure("Accuracy in percent against optimiser steps: training and validation curves of both models, in one run.")
for name, history in histories.items():
    above = np.sum(np.array(history["val_accuracy"]) > history["accuracy"])
    print(f"{name:10} validation above training at {above} of {len(history['accuracy'])} points")

# %% [markdown]
# ## 4. Two exams that differ
#
# A validation curve *above* a training curve looks like a bug. It need not be one. The augmented model trains on
# changed pictures, and is validated on unchanged digits. The first exam may be harder.
#
# For an honest overfitting gap, both exams must be alike: *un-augmented* training digits, and validation digits.
#
# **Exercise 4 (2 points).** Write `honest_gap(model, images, labels, validation_images, validation_labels)`. You need
# [`predict`](https://www.tensorflow.org/api_docs/python/tf/keras/Model#predict) and
# [`argmax`](https://numpy.org/doc/stable/reference/generated/numpy.argmax.html).

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
    max(abs(gap), abs(reverse)) > 1 or gap == reverse == 0,
    "the gap is in percentage points",
    expected="a number like 20",
    got=f"{gap:.3f}",
    why="this is a difference of shares in 0..1; a percentage point is a hundredth",
)
checks.expect(
    reverse < 0 or gap < 0,
    "when validation is above training, the gap is negative",
    expected="one positive gap, and a negative one with the two parts exchanged",
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
# **Explain**: for one of the models, the training exam was augmented. Which way does that move the gap that you read
# off its curves?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# The training exam of the augmented model has changed pictures. If it is right less often on them than on the
# originals, its training curve is lower, and the gap read off the curves is smaller than the honest gap. With a weak
# recipe the two may be equal. A second reason holds for both models: Keras takes the mean over the steps before a
# point, while the model is still learning.
#
# </details>

# %% [markdown]
# ## 5. Which ingredient carries it?
#
# Some say: a convolutional network does not mind where the digit stands, so shifted pictures teach it nothing. Which
# gains more here, a rotation by up to 15 degrees or a shift by up to a tenth?

# %%
predict("rotation or shift", ...)  # instead of the dots: "rotation" or "shift"

# %% tags=["show"]
gains = results.gains("ablation", DATASET)
pair = {"rotation": gains["rotation ±15°"], "shift": gains["shift ±10 %"]}
fig, ax = plt.subplots(figsize=(7, 1.8))
plots.ablation(ax, pair)
means = " and ".join(f"{name} {runs.mean():+.1f}" for name, runs in pair.items())
show_figure(f"Gain over the baseline in points, with 95 % intervals. Means: {means}.")
more = compare.interval(pair["shift"] - pair["rotation"])
print(f"shift minus rotation: {more.mean:+.1f} points, 95 % interval {more.low:+.1f} to {more.high:+.1f}")
better = max(pair, key=lambda name: pair[name].mean())
predicted("rotation or shift", f"{better}, on average of {len(pair[better])} runs")

# %% [markdown]
# **Explain**: a convolution is *equivariant*: if you shift the digit, its features shift along. Is the whole network
# *invariant*, so that its answer stays?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# No. The dense layer behind the convolutions has one weight for each place. A feature at a new place meets weights that
# were trained on something else. Ten labels per class show only a few places; shifted pictures show more.
#
# </details>

# %% [markdown]
# ## 6. A recipe of your own
#
# Now beat the [baseline](#Words). The grader takes your recipe, trains both models itself, several times, and compares
# them in pairs. This is its rule:

# %% tags=["show"]
first, *later = SETTINGS.looks
print(f"{first} runs, each with its own {SETTINGS.labels_per_class} labels per class and its own seed;")
print(f"both models take {SETTINGS.steps} steps from the same weights and are judged by the test digits;")
print(f"for speed, the recipe makes {GRADING.copies} pictures of each digit, and they are used in turn")
print(f"beats the baseline: the lower limit of the mean gain is above the margin, {SETTINGS.margin_points:+g} points")
print(f"does not:           the upper limit is below {SETTINGS.margin_points:+g} points")
print(f"neither:            more runs, up to {later[-1]}; if it is still unclear, an instructor decides")
print("to pass, the gain must be about:")
for look in SETTINGS.looks:
    print(f"  {compare.gain_needed(look):+.1f} points on average after {look} runs")

# %%
predict("gain of my recipe, in points", ...)  # instead of the dots: a number

# %% [markdown]
# **Exercise 5 (3 points).** Write `my_recipe()` with albumentations' own classes
# ([geometric](https://albumentations.ai/docs/api-reference/albumentations/augmentations/geometric/transforms),
# [pixel](https://albumentations.ai/docs/api-reference/albumentations/augmentations/pixel/transforms)): what
# `augcourse.recipes` has ready-made is not yours. The digits may differ in flips only: anything else that some digits
# get would tell the model their label.

# %% nbgrader={"grade": false, "grade_id": "my_recipe", "locked": false, "schema_version": 3, "solution": true, "task": false}
def my_recipe():
    """A recipe that beats the baseline.

    Returns:
        an `A.Compose` of albumentations' own transforms, written by you, or a dictionary with an `A.Compose` for
        each digit 0 to 9 whose pipelines differ in nothing but `A.HorizontalFlip` and `A.VerticalFlip`. Pictures
        go in and come out as uint8 (28, 28, 1).
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
    out.own_recipe(my_recipe)

# %% nbgrader={"grade": true, "grade_id": "my_recipe_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("my_recipe")
taken = work.fact("ready_made", list)
checks.expect(
    not taken,
    "the exercise asks for albumentations' own transforms, written by you",
    expected="A.Compose([A.…(…), …]) with numbers of your own",
    got=f"something ready-made from the package: {', '.join(map(str, taken))}",
    why="a recipe of `augcourse.recipes`, or a part of one, was handed on; write down what it should do instead",
)
recipe = work.recipe()
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
validation_images, validation_labels = data.load_arrays(data.VALIDATION)
mine = as_recipe(my_recipe())
before, after = (
    accuracy(train(few_images, few_labels, seed=0, recipe=each, settings=HALF).weights, *_held_out)
    for each in (None, mine)
)
fig, axes = plt.subplots(2, 8, figsize=(8, 2.2))
plots.gallery(axes, few_images[:8], {"mine": mine.apply(few_images[:8], few_labels[:8], seed=0)})
show_figure("Eight digits as they are, and below them what your recipe makes of each.")
own_gain = f"{100 * (after - before):+.1f} on validation digits, in one run of {HALF.steps} steps"
predicted("gain of my recipe, in points", own_gain)

# %% [markdown]
# **Change one thing**: drop one transform, or double one, and run its cells again. **Explain**: does one run tell you
# enough to choose?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# No. The gains of one recipe differ from run to run, as the points of the figures above show. Two recipes that lie
# closer together than these points cannot be told apart by one run of each. More runs, with other draws and seeds, can.
#
# </details>

# %% [markdown]
# ## 7. A pen that gives the answer away
#
# Now the digits are written in coloured ink. In training, each class has a favourite pen. In the test, any pen writes
# any digit. A model can learn the pen instead of the digit.

# %%
predict("gain of the geometric recipe on coloured ink, in points", ...)  # instead of the dots: a number

# %% tags=["show"]
inked, inked_exam = ink.favourite_pen(few_images, few_labels, seed=0), ink.any_pen(_held_out[0], seed=0)
threes = {"training": inked[few_labels == 3], "validation": inked_exam[_held_out[1] == 3]}
fig, axes = plt.subplots(2, 10, figsize=(8, 1.8))
for row, (name, pictures) in zip(axes, threes.items(), strict=True):
    for ax, picture in zip(row, pictures, strict=False):
        plots.show(ax, picture)
    row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
show_figure("Ten training digits of class 3 in coloured ink, most of one colour, and ten validation digits of any.")
stored_on = DATASET if DATASET in data.OFFLINE else data.DEFAULT
on_ink, grey = (results.accuracies(study, stored_on)["none"] for study in ("ink", "ablation"))
print(f"favourite pen: {ink.FAVOURITE_SHARE:.0%} of the training digits of a class")
print(f"stored baselines on {stored_on}: right on {grey.mean():.0%} of grey test digits, {on_ink.mean():.0%} in ink")
gain = compare.interval(results.gains("ink", stored_on)["geometric"])
predicted(
    "gain of the geometric recipe on coloured ink, in points",
    f"{gain.mean:+.1f}, 95 % interval {gain.low:+.1f} to {gain.high:+.1f}",
)

# %% [markdown]
# **Exercise 6 (2 points).** Write `forgets_the_pen()`: a pipeline
# ([`Compose`](https://albumentations.ai/docs/api-reference/albumentations/core/composition) of
# [pixel transforms](https://albumentations.ai/docs/api-reference/albumentations/augmentations/pixel/transforms)) after
# which the colour no longer tells the digit. The grader's rule is that of section 6, on coloured ink and with a larger
# [margin](#Words):

# %% tags=["show"]
print(f"beats the baseline: the lower limit of the mean gain is above {measure.ON_INK.margin_points:+g} points")


# %% nbgrader={"grade": false, "grade_id": "forgets_the_pen", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forgets_the_pen():
    """A recipe that makes a model forget the colour of the ink.

    Returns:
        an `A.Compose` of albumentations' own transforms, written by you, for pictures in coloured ink. Pictures
        go in and come out as uint8 (28, 28, 3): red, green and blue.
    """
    ### BEGIN SOLUTION
    any_hue = A.HueSaturationValue(hue_shift_limit=(-90, 90), sat_shift_limit=(0, 0), val_shift_limit=(0, 0), p=1.0)
    return A.Compose([any_hue])
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "forgets_the_pen_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("forgets_the_pen") as out:
    out.own_recipe(forgets_the_pen)

# %% nbgrader={"grade": true, "grade_id": "forgets_the_pen_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes
from augcourse.digits import ink

work = handin.read("forgets_the_pen")
taken = work.fact("ready_made", list)
checks.expect(
    not taken,
    "the exercise asks for albumentations' own transforms, written by you",
    expected="A.Compose([A.…(…), …]) with numbers of your own",
    got=f"something ready-made from the package: {', '.join(map(str, taken))}",
    why="a recipe of `augcourse.recipes`, or a part of one, was handed on; write down what it should do instead",
)
recipe = work.recipe(channels=3)
digits, labels = probes.digits("forgets_the_pen", 30)
written = ink.any_pen(digits, probes.seed())


def colours(pictures):
    """The shares of red, green and blue in each picture: (n, 3); black pictures have none."""
    light = pictures.sum(axis=(1, 2), dtype=float)
    return light / np.maximum(light.sum(axis=1, keepdims=True), 1)


apart = np.abs(colours(recipe.apply(written, labels, seed=probes.seed())) - colours(written)).max(axis=1)
checks.expect(
    np.any(apart > 0.05),
    "your recipe changes the colour of the ink",
    expected="another colour in some of 30 digits",
    got="0 of 30 digits have another colour",
    why="the transforms move or bend the digit and leave its colour, or their p is 0",
)
checks.passed("forgets_the_pen")
### BEGIN HIDDEN TESTS
from augcourse import measure

checks.verdict(
    measure.judge(recipe, settings=measure.ON_INK),
    why="on these pictures a model can still learn which pen writes which digit; how far from its own colour does "
    "a favourite pen come, and how often?",
    on_ink=True,
)
### END HIDDEN TESTS

# %% tags=["show"]
pen_recipe = as_recipe(forgets_the_pen())
before, after = (
    accuracy(train(inked, few_labels, seed=0, recipe=each, settings=HALF).weights, inked_exam, _held_out[1])
    for each in (None, pen_recipe)
)
print(f"one run, {HALF.steps} steps: {before:.1%} of the validation digits in ink, with your recipe {after:.1%}")
fig, axes = plt.subplots(2, 8, figsize=(8, 2.2))
plots.gallery(axes, inked[:8], {"mine": pen_recipe.apply(inked[:8], few_labels[:8], seed=0)})
show_figure("Eight digits in coloured ink, and below them what your recipe makes of each.")

# %% [markdown]
# Here are stored runs of other recipes. **Explain**: tutorials change the saturation by a factor from 0.5 to 1.5. Why
# does that gain less than any hue?

# %% tags=["show"]
gains = results.gains("ink", stored_on)
fig, ax = plt.subplots(figsize=(7, 2.6))
plots.ablation(ax, gains)
means = "; ".join(f"{name} {runs.mean():+.1f}" for name, runs in gains.items())
show_figure(f"Gain over the baseline on coloured ink in points, with 95 % intervals. Means: {means}.")

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Red ink with half of its saturation is still red: the hue stays, and still tells the class. With any hue, each class
# is written in every colour. The colour tells nothing, and the shape is what is left to learn.
#
# </details>

# %% [markdown]
# ## Three things to remember
#
# 1. Augmentation adds no rows. It changes pictures afresh in every epoch, after `cache`, on training digits only.
# 2. A fair comparison fixes labels, first weights and steps. A fair gap uses un-augmented pictures on both sides.
# 3. A recipe helps if it changes what does not tell the label and keeps what does. Only training shows whether it does.
#
# **Next**: how sure are we of a gain, and which digits lost? That is step 5.
#
# ## Five questions
#
# One letter for each question; a point each.
#
# **1.** A data set of 100 digits is augmented with `map`, then put into batches of 50. How many batches has one epoch?
#
# - **a** 4, because each digit comes as an original and as a changed picture.
# - **b** 2.
# - **c** Infinitely many, because every pass shows new pictures.
# - **d** 100, because `map` works on single pictures.
#
# **2.** Someone writes `dataset.map(change).cache()`. What does the model see in the second epoch?
#
# - **a** The originals, because `cache` stores what was read.
# - **b** New changes, because `change` draws random numbers.
# - **c** A mixture of originals and changed pictures.
# - **d** The same changed pictures as in the first epoch.
#
# **3.** Someone makes five changed copies of each digit, mixes all pictures, and then splits off the validation part.
# What is wrong?
#
# - **a** Copies of one digit are in both parts, so validation accuracy is too high.
# - **b** Nothing, if the seed of the split is fixed.
# - **c** The validation pictures are changed, so validation accuracy is always too low.
#
# **4.** The baseline took 600 steps, the augmented model 1,800. In ten runs the augmented model was better each time.
# What follows?
#
# - **a** Augmentation helps, since ten runs agree.
# - **b** Augmentation helps, since augmented models need more steps anyway.
# - **c** Nothing about augmentation alone: the number of steps differs, too.
# - **d** The baseline was trained with too few labels.
#
# **5.** All training photos of cats were taken in yellow light, those of dogs in blue light. Later photos may have any
# light. Which recipe is most likely to help?
#
# - **a** Rotate and shift all photos.
# - **b** Change the colour of all photos at random, from blue to yellow.
# - **c** Change the colour of the cat photos only, since yellow is the problem.
# - **d** Make all photos brighter by the same amount.

# %% nbgrader={"grade": false, "grade_id": "questions", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["fill-in"]
answers = {1: "?", 2: "?", 3: "?", 4: "?", 5: "?"}  # a letter instead of each question mark
### BEGIN SOLUTION
answers = {1: "b", 2: "d", 3: "a", 4: "c", 5: "b"}
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "questions_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("questions") as out:
    out.facts(answers={str(number): str(letter) for number, letter in answers.items()})

# %% nbgrader={"grade": true, "grade_id": "questions_test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
from contextlib import suppress

from augcourse import checks, compare, data, handin, predictions, quiz, results
from augcourse.errors import DataError
from augcourse.settings import CLASSES, SETTINGS

dataset = data.choose_dataset().name
measured = {"pictures in one epoch of 100 augmented digits": CLASSES * SETTINGS.labels_per_class}
with suppress(DataError):  # stored runs exist for the course's own digits
    gains = results.gains("one line", dataset)
    cost = compare.interval(gains["cache, then augment"] - gains["augment, then cache"])
    measured["points that the moved line costs"] = f"{cost.mean:.0f}, 95 % interval {cost.low:.0f} to {cost.high:.0f}"
with suppress(DataError):
    gains = results.gains("ablation", dataset)
    pair = {"rotation": gains["rotation ±15°"].mean(), "shift": gains["shift ±10 %"].mean()}
    measured["rotation or shift"] = max(pair, key=pair.get)
with suppress(DataError):
    gain = results.gains("ink", dataset if dataset in data.OFFLINE else data.DEFAULT)["geometric"].mean()
    measured["gain of the geometric recipe on coloured ink, in points"] = f"{gain:+.1f}"
predictions.tell(measured)
parts = checks.Parts("questions", 5)
given = quiz.answers(handin.read("questions"), {1: "abcd", 2: "abcd", 3: "abc", 4: "abcd", 5: "abcd"})
### BEGIN HIDDEN TESTS
key = {
    1: (
        "b",
        {
            "a": "`map` gives one picture for each picture; the original does not come as well",
            "c": "a pass ends after 100 pictures; it is the next pass that shows other ones",
            "d": "`map` works on single pictures, but `batch` puts 50 of them together",
        },
    ),
    2: (
        "d",
        {
            "a": "`cache` stores what arrives at its place, and that is already changed",
            "b": "`change` stands above `cache`, so it runs in the first epoch only",
            "c": "no originals pass through `map`: each picture that arrives at `cache` is changed",
        },
    ),
    3: (
        "a",
        {
            "b": "a fixed seed repeats the same split, with twins in both parts",
            "c": "changed pictures are harder, but the model has trained on copies of the same digits",
        },
    ),
    4: (
        "c",
        {
            "a": "ten runs agree that the two procedures differ, and they differ in two things",
            "b": "that may be so, but then the baseline must have as many steps for a fair comparison",
            "d": "both models have the same labels; the number of labels is not what differs",
        },
    ),
    5: (
        "b",
        {
            "a": "the colour of the light stays, and still tells cat from dog",
            "c": "what only one class gets tells its label; and dogs still have blue light alone",
            "d": "all photos are changed in the same way, so the light still tells cat from dog",
        },
    ),
}
quiz.mark(parts, given, key)
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# ## Going further
#
# Optional, and worth no marks.
#
# **More pictures, or fresh ones?** Augmentation does two things: it shows more pictures, and new ones at every use. Add
# frozen copies to the originals, once one of each digit and once many, and compare them with fresh pictures.

# %% tags=["show"]
many, geometric = HALF.copies, recipes.geometric()
copied, copied_labels = np.repeat(few_images, many, axis=0), np.repeat(few_labels, many)
frozen = geometric.apply(copied, copied_labels, seed=0)
sets = {
    "originals": (few_images, few_labels),
    "originals and 1 frozen copy": (np.concatenate([few_images, frozen[::many]]), np.tile(few_labels, 2)),
    f"originals and {many} frozen copies": (
        np.concatenate([few_images, frozen]),
        np.concatenate([few_labels, copied_labels]),
    ),
}
by_set = {name: train(*digits, seed=0, settings=HALF) for name, digits in sets.items()}
unlimited = replace(HALF, copies=None)
by_set["fresh pictures"] = train(few_images, few_labels, seed=0, recipe=geometric, settings=unlimited)
for name, arm in by_set.items():
    print(f"{name:32} {accuracy(arm.weights, *_held_out):6.1%} of the validation digits, in one run")

# %% [markdown]
# If many frozen copies come close to fresh pictures, the number of pictures explains most of the gain. One run proves
# nothing: change `draw` in section 1, and run all again.
#
# **The strength dial.** `recipes.geometric(strength)` multiplies angle, shift, scale and shear. Does more help more?
# Choose a `strength` of your own; your run takes half of the steps of the stored ones.

# %% tags=["show"]
strength = 1.5
one = train(few_images, few_labels, seed=0, recipe=recipes.geometric(strength), settings=HALF)
base = train(few_images, few_labels, seed=0, settings=HALF)
own = {strength: 100 * (accuracy(one.weights, *_held_out) - accuracy(base.weights, *_held_out))}
stored = {float(name.removeprefix("×")): runs for name, runs in results.gains("dial", DATASET).items()}
fig, ax = plt.subplots(figsize=(8, 3.2))
plots.dial(ax, stored, own=own)
ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
best = max(stored, key=lambda strength: stored[strength].mean())
show_figure(f"Gain in points against the strength of the recipe; of the stored runs, × {best:g} gains most on average.")

# %% tags=["show"]
rows = {f"× {s}": recipes.geometric(s).apply(few_images[:8], few_labels[:8], seed=0) for s in (1, 3)}
fig, axes = plt.subplots(3, 8, figsize=(8, 3))
plots.gallery(axes, few_images[:8], rows)
show_figure("Eight digits as they are, at once and at three times the strength of the recipe.")

# %% [markdown]
# **Explain**: why may three times the strength gain less than once? Can you still read the pictures?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# The runs show less gain, but not the reason. Some pictures may have lost their label. Where you can read them, other
# reasons remain: they look unlike the test digits, or the steps are too few to learn them. More steps for both models
# would test the last one.
#
# </details>

# %% [markdown]
# **A recipe must not betray the label.** Two models train on brightened copies, one of every digit, one of 0, 1 and 8
# only. Such a recipe is refused, so the copies are made by hand.

# %% tags=["show"]
def brighten(pictures, levels):
    return np.clip(pictures + np.reshape(levels, (-1, 1, 1, 1)), 0, 255).astype(np.uint8)


levels = np.random.default_rng(0).uniform(0, 128, len(copied))
levels_018 = np.where(np.isin(copied_labels, recipes.SURVIVES_A_MIRROR), levels, 0)
bright = brighten(_held_out[0], np.full(len(_held_out[0]), 96))
for name, chosen in (("every digit brightened", levels), ("only 0, 1 and 8 brightened", levels_018)):
    arm = train(brighten(copied, chosen), copied_labels, seed=0, settings=HALF)
    clean, lit = (probabilities(arm.weights, pictures).argmax(axis=1) for pictures in (_held_out[0], bright))
    right, right_lit = (np.mean(said == _held_out[1]) for said in (clean, lit))
    called = np.mean(np.isin(lit, recipes.SURVIVES_A_MIRROR))
    print(f"{name:27} right: clean {right:6.1%}, bright {right_lit:6.1%}; calls {called:6.1%} of the bright 0, 1 or 8")

# %% [markdown]
# **Explain**: how often does each model call a bright digit 0, 1 or 8? Would a test on clean digits show it?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# For the second model, only 0, 1 and 8 were ever bright. So brightness told the label, and the model could learn
# "bright means 0, 1 or 8". A test on clean digits has no bright pictures, so it does not ask about them.
#
# </details>

# %% [markdown]
# ## Words
#
# - **run**: one draw and one seed, with both models trained on it.
# - **arm**: one of the two models of a run, with or without augmentation.
# - **recipe**: what happens to a training picture: one albumentations pipeline for each digit.
# - **margin**: the gain that a recipe must exceed to count, in percentage points.
# - **gain**: the accuracy of the augmented model minus that of the baseline in the same run, in percentage points.
# - **baseline**: the model trained without augmentation.
#
# ## Read more
#
# - TensorFlow, [Better performance with the tf.data API](https://www.tensorflow.org/guide/data_performance): what
#   `cache`, `map` and `prefetch` do, and in which order they belong.
# - C. Shorten and T. M. Khoshgoftaar 2019, [A survey on image data augmentation for deep
#   learning](https://doi.org/10.1186/s40537-019-0197-0).
# - M. Arjovsky, L. Bottou, I. Gulrajani and D. Lopez-Paz 2019, [Invariant risk
#   minimization](https://arxiv.org/abs/1907.02893): the digits in coloured ink come from this paper.
