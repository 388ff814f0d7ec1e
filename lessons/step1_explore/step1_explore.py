# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Step 1: What is in the data?
#
# Before a model learns from pictures, look at them. In this step you load a data set of digits, count its classes, and
# choose ten labelled digits of each class. The whole course trains on such digits. Then you save a picture to a file
# and open it again, and no pixel may change.
#
# **You will be able to** load a part of a data set with TensorFlow Datasets, check whether its classes are balanced,
# choose a few labelled digits so that you get the same ones again, and show a grey picture on a fixed scale.
#
# **You need** only this notebook. **Time**: see START.md.
#
# Each exercise has three cells. The first is yours. The second is locked: it tries your function on [probes](#Words)
# and writes down the results, your [hand-in](#Words). The third is a test: it tells you what is not right yet. When
# marks are given, the same cells run again, on fresh probes and with hidden tests.
#
# Some cells ask for a prediction. Make it before you look at the result. A wrong prediction costs nothing.

# %% [markdown]
# **Where this runs.** In the course's own JupyterLab everything is installed. Anywhere else, a hosted notebook service
# included, upload or clone the course's folder and run `%pip install PATH-TO-THE-FOLDER` in a cell of its own, once;
# then restart the kernel. It needs Python 3.11 to 3.13, and no network after that.

# %%
try:
    from augcourse.start import begin
except ModuleNotFoundError:
    raise SystemExit("augcourse is not installed here: the cell above says how to install it.") from None

DATASET = begin("step1_explore")

# %%
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import tensorflow as tf
import tensorflow_datasets as tfds

from augcourse import handin, plots, probes
from augcourse.lesson import show_figure
from augcourse.predictions import predict, predicted

# %% [markdown]
# ## 1. Two parts that share no digit
#
# [`tfds.load`](https://www.tensorflow.org/datasets/api_docs/python/tfds/load) reads a data set by its name. Its
# argument `split=` names a part of the data, and a part can be
# [a slice](https://www.tensorflow.org/datasets/splits), such as `"train[20%:]"`. With `as_supervised=True` you get
# pairs `(image, label)` instead of dictionaries. Both are arguments; `tfds.split` and `tfds.as_supervised` do not
# exist.
#
# The course uses three parts:
#
# - The **pool** is `"train[20%:]"`. The labelled digits come from it.
# - The **validation** part is `"train[:20%]"`. You try your ideas on it while you work.
# - The part `"test"` is for the grader. Do not use it to choose a model. The model that is best there is best partly by
#   luck, and its accuracy on new digits is probably lower.
#
# This is the data set's own description:

# %% tags=["show"]
print(tfds.builder(DATASET).info.description)

# %% [markdown]
# **Exercise 1 (2 points).** Write `load_splits(name)`. It returns `(pool, validation)`, two data sets of pairs.

# %% nbgrader={"grade": false, "grade_id": "load_splits", "locked": false, "schema_version": 3, "solution": true, "task": false}
def load_splits(name):
    """Load the pool and the validation part of a data set.

    Args:
        name: a name for `tfds.load`, such as `DATASET`.

    Returns:
        (pool, validation): two `tf.data.Dataset` of pairs (uint8 image (28, 28, 1), int64 label);
        the pool is "train[20%:]", the validation part "train[:20%]".
    """
    ### BEGIN SOLUTION
    pool, validation = tfds.load(name, split=["train[20%:]", "train[:20%]"], as_supervised=True)
    return pool, validation
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "load_splits_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("load_splits") as out:
    _splits = dict(zip(("pool", "validation"), load_splits(DATASET), strict=True))
    out.facts(spec={name: str(dataset.element_spec) for name, dataset in _splits.items()})
    for _name, _dataset in _splits.items():
        out.arrays(**dict(zip((_name, f"{_name}_labels"), probes.labelled_digests(_dataset))))

# %% nbgrader={"grade": true, "grade_id": "load_splits_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("load_splits")
for name, spec in work.fact("spec", dict).items():
    checks.expect(
        "{" not in spec,
        f"{name}: each element should be a pair (image, label)",
        got=spec,
        why="without as_supervised=True, elements are dictionaries",
    )
    checks.expect(
        "uint8" in spec.partition("name=")[0],
        f"{name}: each element should be a pair (image, label) as it is stored: uint8 image first, then the label",
        got=spec,
        why="image and label are exchanged, or the picture was converted or scaled on the way",
    )
pool, validation = (work.array(name, (None,), "uint64") for name in ("pool", "validation"))
shared = len(np.intersect1d(pool, validation))
checks.expect(
    shared == 0,
    "no digit may be in both splits",
    expected="0 shared digits",
    got=f"{shared} shared digits",
    why='the two slices overlap, as "train" and "train[:20%]" do: a model would be tested on digits that it has '
    "learned from",
)
checks.passed("load_splits")
### BEGIN HIDDEN TESTS
from augcourse import data, probes

for name, split, found in (("pool", data.POOL, pool), ("validation", data.VALIDATION, validation)):
    wanted = probes.digests_of(data.load_arrays(split)[0])
    checks.expect(
        np.array_equal(np.sort(wanted), np.sort(found)),
        f"{name}: these should be the digits of {split!r}",
        expected=f"{len(wanted)} digits",
        got=f"{len(found)} digits, {len(np.intersect1d(wanted, found))} of them from {split!r}",
        why="another part of the data set was loaded, or the two parts are exchanged; `test` belongs to the grader",
    )
    wanted_labels, labels = data.load_arrays(split)[1], work.array(f"{name}_labels", (None,), kind="iu")
    checks.expect(
        np.array_equal(wanted_labels[np.argsort(wanted)], labels[np.argsort(found)]),
        f"{name}: every image should have the label that it has in the data set",
        why="labels were changed, or images and labels were reordered separately",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Look before you count
#
# Each pixel is a whole number from 0 (paper) to 255 (ink), stored in one byte: its dtype is `uint8`. Some common
# bugs begin when a picture gets another dtype or scale, and there is no error message.

# %% tags=["show"]
pool, validation = load_splits(DATASET)
fig, axes = plt.subplots(2, 10, figsize=(10, 2.4))
plots.sample_grid(axes, [(image, int(label)) for image, label in pool.take(20).as_numpy_iterator()])
show_figure("The first twenty digits of the pool, bright ink on black, with the label above each.")

# %% [markdown]
# **Predict**: are all ten digits equally frequent in the pool?

# %%
predict("are all ten digits equally frequent", ...)  # instead of the dots: "yes" or "no"

# %% [markdown]
# **Exercise 2 (1 point).** Write `class_counts(dataset)`. The count of a class that does not occur is 0.
# [`np.bincount`](https://numpy.org/doc/stable/reference/generated/numpy.bincount.html) can help.

# %% nbgrader={"grade": false, "grade_id": "class_counts", "locked": false, "schema_version": 3, "solution": true, "task": false}
def class_counts(dataset):
    """Count the examples of each class.

    Args:
        dataset: a finite `tf.data.Dataset` of pairs (image, label in 0..9).

    Returns:
        integer NumPy array (10,): how often each label occurs.

    Example: labels 3, 3, 5 give [0, 0, 0, 2, 0, 1, 0, 0, 0, 0].
    """
    ### BEGIN SOLUTION
    labels = [int(label) for _, label in dataset.as_numpy_iterator()]
    return np.bincount(labels, minlength=10)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "class_counts_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("class_counts") as out:
    for _name, _n, _absent in (("counts", 137, 9), ("more", 3001, 4)):
        _labels = probes.random_labels(f"class_counts {_name}", _n, absent=_absent)
        _pairs = (np.zeros((_n, 28, 28, 1), np.uint8), _labels)
        out.arrays(**{_name: class_counts(tf.data.Dataset.from_tensor_slices(_pairs))})

# %% nbgrader={"grade": true, "grade_id": "class_counts_test", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("class_counts")
counts, more = (work.array(name, (None,)) for name in ("counts", "more"))
checks.expect(
    len(counts) == 10,
    "one count per class, also for a class that does not occur",
    expected="10 counts",
    got=f"{len(counts)} counts",
    why="np.bincount stops at the largest label that occurs; it has an argument `minlength`",
)
checks.expect(
    np.array_equal(counts, np.rint(counts)),
    "counts are whole numbers",
    expected="whole numbers",
    got=np.round(counts, 3).tolist(),
    why="these are shares, not counts",
)
checks.passed("class_counts")
### BEGIN HIDDEN TESTS
from augcourse import probes

for name, found, absent in (("counts", counts, 9), ("more", more, 4)):
    labels = probes.random_labels(f"class_counts {name}", 137 if name == "counts" else 3001, absent=absent)
    wanted = np.bincount(labels, minlength=10)
    checks.expect(
        np.array_equal(found, wanted),
        f"the counts of an unbalanced data set of {len(labels)} digits, among them no {absent}",
        expected=wanted.tolist(),
        got=found.astype(int).tolist(),
        why="only a part of the data set was counted, the place of the class that does not occur was closed up, "
        "or the counts do not fit into their dtype",
    )
### END HIDDEN TESTS

# %% tags=["show"]
counts = np.asarray(class_counts(pool)).astype(int)
print("digits of each class in the pool:", *counts)
equal = np.ptp(counts) == 0
measured = f"yes, {counts[0]} of each" if equal else f"no, from {counts.min()} to {counts.max()} of a digit"
predicted("are all ten digits equally frequent", measured)

# %% [markdown]
# **Explain**: another data set has ninety sevens and ten other digits. A program always says "7". How many of its
# answers are right? What does this tell you about accuracy?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Ninety of a hundred answers are right, although the program looks at no picture. So you need the counts of the classes
# to know whether an accuracy is high. With ten equally frequent classes the same program is right once in ten answers.
#
# </details>

# %% [markdown]
# ## 3. Ten labels per class
#
# The course trains on *ten labelled digits per class*, not on the whole pool. **Why so few?** People must write the
# labels, and that takes time. And with few labels a small network makes more mistakes, so that augmentation can improve
# more.
#
# Which ten digits you get is random. One such choice is a [draw](#Words). Its seed names it: the same function and the
# same seed give the same digits again.
#
# **Predict**: you shuffle the pool, take the first hundred digits and count the classes. How often does the rarest
# class occur, on average over many shuffles?

# %%
predict("digits of the rarest class if you shuffle and take 100", ...)  # instead of the dots: a number from 0 to 10

# %% [markdown]
# **Exercise 3 (3 points).** Write `few_shot(dataset, per_class, seed)`. These functions can help:
# [`np.flatnonzero`](https://numpy.org/doc/stable/reference/generated/numpy.flatnonzero.html),
# [`Generator.choice`](https://numpy.org/doc/stable/reference/random/generated/numpy.random.Generator.choice.html) and
# [`tf.data.Dataset.from_tensor_slices`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#from_tensor_slices).

# %% nbgrader={"grade": false, "grade_id": "few_shot", "locked": false, "schema_version": 3, "solution": true, "task": false}
def few_shot(dataset, per_class, seed):
    """Draw exactly `per_class` examples of every class, without repetition.

    Args:
        dataset: a finite `tf.data.Dataset` of pairs (uint8 image (28, 28, 1), int64 label).
        per_class: how many examples of each of the ten classes.
        seed: names the draw: the same seed gives the same examples, another seed gives others.

    Returns:
        `tf.data.Dataset` of 10 * per_class pairs, in any order; the same pairs, however often it is read.
    """
    ### BEGIN SOLUTION
    images, labels = (np.stack(column) for column in zip(*dataset.as_numpy_iterator()))
    rng = np.random.default_rng(seed)
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(labels == digit), per_class, replace=False) for digit in range(10)]
    )
    return tf.data.Dataset.from_tensor_slices((images[chosen], labels[chosen]))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "few_shot_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("few_shot") as out:
    _labels = probes.random_labels("few_shot", 600)
    _dataset = tf.data.Dataset.from_tensor_slices((probes.numbered_images(600), _labels))
    _seed = int(probes.rng("few_shot").integers(1_000_000))
    for _name, _s in (("first", _seed), ("again", _seed), ("other", _seed + 1)):
        _drawn = few_shot(_dataset, 7, _s).take(200)
        for _pass in ("", "_later"):
            _pairs = list(_drawn.as_numpy_iterator())
            _images = np.stack([image for image, _ in _pairs])
            out.arrays(**{f"{_name}{_pass}_numbers": probes.numbers_of(_images)})
            out.arrays(**{f"{_name}{_pass}_labels": np.array([label for _, label in _pairs])})
            out.facts(dtype=str(_images.dtype))

# %% nbgrader={"grade": true, "grade_id": "few_shot_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("few_shot")
draws = {name: work.array(f"{name}_numbers", (None,)) for name in ("first", "again", "other")}
labels = work.array("first_labels", (None,), kind="iu")
checks.expect(
    len(labels) < 200,
    "few_shot(dataset, per_class=7, seed) has an end",
    expected="70 examples, then the end",
    got="at least 200 examples",
    why="`repeat` belongs to the training batches of step 2",
)
checks.expect(
    np.array_equal(np.bincount(labels, minlength=10), np.full(10, 7)),
    "few_shot(dataset, per_class=7, seed): examples of each class",
    expected=[7] * 10,
    got=np.bincount(labels, minlength=10).tolist(),
    why="the first digits of a shuffled data set are only balanced on average; choose within each class",
)
checks.expect(
    len(set(draws["first"])) == len(draws["first"]),
    "no example may be drawn twice",
    expected=f"{len(draws['first'])} different examples",
    got=len(set(draws["first"])),
    why="drawing with replacement",
)
later = set(work.array("first_later_numbers", (None,)))
checks.expect(
    set(draws["first"]) == later,
    "a draw stays the same, however often it is read",
    expected="the same 70 examples in every pass through the data set",
    got=f"{len(set(draws['first']) - later)} others in the second pass, so that training would see far more than 70",
    why="`shuffle` mixes anew in every pass, and `take` then takes others; look up reshuffle_each_iteration",
)
checks.expect(
    set(draws["first"]) == set(draws["again"]),
    "the same seed must give the same examples",
    why="the generator is not seeded with `seed`; np.random.default_rng(seed) is",
)
checks.expect(
    set(draws["first"]) != set(draws["other"]),
    "another seed must give other examples",
    why="`seed` is not used; the first examples of each class are the same for everybody",
)
checks.expect(
    work.fact("dtype", str) == "uint8",
    "images stay as they are stored",
    expected="uint8",
    got=work.fact("dtype", str),
    why="the pictures were scaled or converted; that comes later, in the training pipeline of step 2",
)
checks.passed("few_shot")
### BEGIN HIDDEN TESTS
from augcourse import probes

wanted = probes.random_labels("few_shot", 600)
for name in ("first", "first_later", "other"):
    numbers, labels = work.array(f"{name}_numbers", (None,)), work.array(f"{name}_labels", (None,), kind="iu")
    checks.expect(
        np.array_equal(wanted[numbers], labels),
        "every image must keep the label that it had",
        why="images and labels were reordered separately",
    )
    checks.expect(
        np.array_equal(np.bincount(labels, minlength=10), np.full(10, 7)) and len(set(numbers)) == 70,
        "every draw has 7 different examples of each class",
        expected=[7] * 10,
        got=f"{np.bincount(labels, minlength=10).tolist()}, {len(set(numbers))} of them different",
    )
place = np.mean(np.concatenate([draws["first"], draws["other"]]))
checks.expect(
    200 < place < 400,
    "examples come from the whole data set",
    expected="examples from everywhere among 600",
    got=f"examples whose mean place is {place:.0f}",
    why="only the first (or the last) examples were looked at, or the buffer of `shuffle` is smaller than the data set",
)
### END HIDDEN TESTS

# %% [markdown]
# The next cell shuffles the pool with twenty seeds and takes a hundred digits each time. Each grey point is the count
# of one digit in one shuffle. The black lines are the counts of `few_shot`.

# %% tags=["show"]
labels = np.array([int(label) for _, label in pool.as_numpy_iterator()])
taken = [np.random.default_rng(seed).permutation(labels)[:100] for seed in range(20)]
shuffled = np.array([np.bincount(few, minlength=10) for few in taken])
ax = plt.subplots(figsize=(7, 3.2))[1]
beside = np.arange(10) + np.linspace(-0.3, 0.3, 20)[:, None]
ax.plot(beside.ravel(), shuffled.ravel(), "o", color=plots.NEUTRAL, alpha=0.5, markersize=4, label="shuffled and taken")
drawn = class_counts(few_shot(pool, 10, seed=0))
ax.hlines(drawn, np.arange(10) - 0.4, np.arange(10) + 0.4, color="black", linewidth=2, label="few_shot, ten per class")
ax.set(xlabel="digit", ylabel="how often among 100 digits", xticks=range(10), ylim=(0, shuffled.max() + 4))
ax.legend(frameon=False, fontsize=8, loc="upper right", ncols=2)
ax.spines[["top", "right"]].set_visible(False)
show_figure(
    "How often each digit occurs among 100 digits. Of each digit there are twenty points, one for every shuffle, "
    f"between {shuffled.min()} and {shuffled.max()}, and a line for few_shot at {int(np.mean(drawn))}."
)
rarest = shuffled.min(axis=1)
measured = f"{rarest.mean():.1f} on average of 20 shuffles, from {rarest.min()} to {rarest.max()}"
predicted("digits of the rarest class if you shuffle and take 100", measured)

# %% [markdown]
# **Explain**: below are three draws of one digit per class. Can you see which of them is best for a model?
# **Change one thing**: try other seeds.

# %% tags=["show"]
seeds = (0, 1, 2)
some = pool.take(1000)  # quicker to read than all
fig, axes = plt.subplots(len(seeds), 10, figsize=(10, 3.2))
for row, seed in zip(axes, seeds):
    plots.sample_grid(row, sorted(few_shot(some, 1, seed).as_numpy_iterator(), key=lambda pair: pair[1]))
    row[0].set_ylabel(f"seed {seed}")
show_figure(f"One row of ten digits, from 0 to 9, for each draw; the seeds are {', '.join(map(str, seeds))}.")

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# No. You can see that the draws differ: people write the same digit in different ways, and a draw of one digit per
# class shows one way only. To find out which draw is best for a model, train on each of them, with several seeds of
# the training. A result of one draw need not hold for another draw. That is why the later steps use several draws.
#
# </details>

# %% [markdown]
# ## 4. To a file and back
#
# Some file formats change pixels when they save a picture. If you keep your data in such a format, a model learns from
# other numbers than you think.
#
# **Predict**: which formats keep every pixel of a grey picture, if you save it with Pillow and its default options?

# %%
predict("formats that keep every pixel", ...)  # instead of the dots: some of "BMP, GIF, JPEG, PNG, WebP"

# %% [markdown]
# **Exercise 4 (2 points).** Write `save_sample(image, path)` and `open_sample(name)` with Pillow, so that every pixel
# comes back as it was. These functions can help:
# [`fromarray`, `open` and `save`](https://pillow.readthedocs.io/en/stable/reference/Image.html).

# %% nbgrader={"grade": false, "grade_id": "save_sample", "locked": false, "schema_version": 3, "solution": true, "task": false}
def save_sample(image, path):
    """Save a digit as a picture file.

    Args:
        image: NumPy array, uint8 (28, 28, 1).
        path: the file without its ending; you choose a format and append its ending.

    Returns:
        the path of the file that was written, as a string.
    """
    ### BEGIN SOLUTION
    name = f"{path}.png"
    PIL.Image.fromarray(image[..., 0]).save(name)
    return name
    ### END SOLUTION


def open_sample(name):
    """Open a picture file with `PIL.Image.open`.

    Args:
        name: what `save_sample` returned.

    Returns:
        NumPy array, uint8 (28, 28).
    """
    ### BEGIN SOLUTION
    with PIL.Image.open(name) as picture:
        return np.asarray(picture)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "save_sample_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
import tempfile

with handin.record("save_sample") as out, tempfile.TemporaryDirectory() as _folder:
    _images = np.concatenate([probes.digits("save_sample", 4)[0], probes.mixed_levels("save_sample")[None]])
    _images[0] = 60 + _images[0] // 2  # a faint picture: neither black nor white
    _names = [save_sample(image, f"{_folder}/digit {i}") for i, image in enumerate(_images)]
    out.arrays(opened=np.stack([open_sample(name) for name in _names]))
    out.facts(placed=[str(name).startswith(f"{_folder}/digit {i}") for i, name in enumerate(_names)])

# %% nbgrader={"grade": true, "grade_id": "save_sample_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from augcourse import checks, handin

work = handin.read("save_sample")
opened = work.array("opened", (5, 28, 28), "uint8")
checks.expect(
    all(work.fact("placed", list)),
    "save_sample writes where it is told to, and returns the path of that file",
    expected="the path that was given, with an ending appended",
    got="another path",
    why="the name of the file is fixed, or its folder was dropped: a second picture would overwrite the first",
)
checks.passed("save_sample")
### BEGIN HIDDEN TESTS
import numpy as np

from augcourse import probes

images = np.concatenate([probes.digits("save_sample", 4)[0], probes.mixed_levels("save_sample")[None]])
images[0] = 60 + images[0] // 2
error = np.abs(opened.astype(int) - images[..., 0].astype(int))
checks.expect(
    error.max() == 0,
    "every pixel should come back as it went in",
    expected="largest difference 0 grey levels",
    got=f"largest difference {error.max()} grey levels, {np.mean(error > 0):.0%} of the pixels changed",
    why="the file format throws detail away (JPEG does), or the levels were stretched to the full scale "
    "(plt.imsave does so with a faint picture); PNG keeps every pixel",
)
### END HIDDEN TESTS

# %% tags=["show"]
import io

kept = []
images = [image[..., 0] for image, _ in pool.take(50).as_numpy_iterator()]
for name in ("BMP", "GIF", "JPEG", "PNG", "WebP"):
    changed = 0
    for image in images:
        file = io.BytesIO()  # a file in memory
        PIL.Image.fromarray(image).save(file, format=name)
        changed += not np.array_equal(np.asarray(PIL.Image.open(file).convert("L")), image)
    print(f"{name:<5} changes {changed} of {len(images)} pictures")
    kept += [name] if changed == 0 else []
predicted("formats that keep every pixel", ", ".join(kept))

# %% [markdown]
# **Explain**: you see no difference between a digit and its JPEG. Can there be a difference for a model?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Yes. A model reads the numbers, and JPEG has changed some of them. Whether this matters must be measured. If the
# training digits are stored as JPEG and the test digits are not, the two differ in a way that has nothing to do with
# handwriting. A lossless format avoids the question.
#
# </details>

# %% [markdown]
# ## 5. A fixed scale
#
# Unless you set a scale, matplotlib chooses one for each picture: with `cmap="gray"`, the smallest value becomes black
# and the largest white. A faint digit and a bold one can then look equally bright. With `vmin=0` and `vmax=255`, a grey
# level looks the same in every picture.
#
# **Exercise 5 (2 points).** Write `show_digit(ax, image, label)`: grey, on the fixed scale 0 to 255, with the label as
# title. You can show ink white or black. The function
# [`imshow`](https://matplotlib.org/stable/api/_as_gen/matplotlib.axes.Axes.imshow.html) can help.

# %% nbgrader={"grade": false, "grade_id": "show_digit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def show_digit(ax, image, label):
    """Show one digit on a matplotlib axes.

    Args:
        ax: the axes to draw on.
        image: NumPy array, uint8 (28, 28, 1).
        label: the digit; it becomes the title, such as "7".

    Returns:
        the same axes.
    """
    ### BEGIN SOLUTION
    ax.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255)
    ax.set_title(str(label))
    ax.set_axis_off()
    return ax
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "show_digit_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("show_digit") as out:
    _labels = [int(label) for label in probes.rng("show_digit").permutation(10)[:3]]
    _figure, _axes = plt.subplots(1, 3)
    _same = [show_digit(_ax, *_pair) is _ax for _ax, _pair in zip(_axes, zip(probes.quarters(), _labels))]
    out.facts(pictures=sum(_ax.has_data() for _ax in _axes), returned=all(_same))
    out.facts(titles=["".join(_ax.get_title(_loc) for _loc in ("left", "center", "right")) for _ax in _axes])
    out.arrays(rgb=probes.quarters_shown(_figure, _axes))
    plt.close(_figure)

# %% nbgrader={"grade": true, "grade_id": "show_digit_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("show_digit")
checks.expect(
    work.fact("pictures", int) == 3,
    "show_digit draws on the axes that it is given",
    expected="a picture on each of three axes",
    got=f"a picture on {work.fact('pictures', int)} of them",
    why="`plt.imshow` draws on the newest axes; `ax.imshow` draws on these",
)
checks.expect(
    work.fact("returned", bool),
    "show_digit returns the axes that it drew on",
    expected="the axes that it was given",
    got="something else",
    why="the last line is missing: `return ax`",
)
rgb = work.array("rgb", (3, 2, 2, 3))
checks.expect(
    np.ptp(rgb, axis=-1).max() < 0.03,
    "a grey picture should look grey",
    got=f"colour {np.round(rgb[0, 0, 1], 2).tolist()} for a grey level of 110",
    why='matplotlib colours single-channel pictures unless cmap="gray"',
)
checks.passed("show_digit")
### BEGIN HIDDEN TESTS
from augcourse import probes

# Light may mean ink or paper, but 0 and 255 are the two ends, and a level looks the same in every picture.
shown = rgb.mean(axis=-1)
levels = probes.quarters()[:, [[7, 7], [21, 21]], [[7, 21], [7, 21]], 0]
looks = {level: shown[levels == level] for level in np.unique(levels)}
ends = [looks[0].mean(), looks[255].mean()]
steps = np.diff([look.mean() for look in looks.values()]) * np.sign(ends[1] - ends[0])
checks.expect(
    max(np.ptp(look) for look in looks.values()) < 0.03 and np.allclose(sorted(ends), [0, 1], atol=0.03),
    "a grey level should look the same in every picture, on a scale from 0 to 255",
    expected="0 and 255 as black and white or the other way round, and 110 in between, the same in every picture",
    got=f"0 and 255 as {ends[0]:.2f} and {ends[1]:.2f} of white, and 110 as {np.round(looks[110], 2).tolist()}",
    why="without vmin=0 and vmax=255 each picture is stretched on its own scale; "
    "or a picture is shown turned, mirrored or upside down",
)
checks.expect(
    steps.min() > 0.01,
    "each grey level should look different from its neighbours, from one end of the scale to the other",
    got={int(level): round(float(look.mean()), 2) for level, look in looks.items()},
    why="vmin is above 0 or vmax below 255, so that the ends of the scale look alike",
)
labels = [str(label) for label in probes.rng("show_digit").permutation(10)[:3]]
checks.expect(
    [title.strip() for title in work.fact("titles", list)] == labels,
    "the title is the label",
    expected=labels,
    got=work.fact("titles", list),
)
### END HIDDEN TESTS

# %% [markdown]
# The figure shows three digits, each beside a copy with its grey levels divided by 2. Compare the two rows.
# **Change one thing**: divide by 4.

# %% tags=["show"]
divisor = 2
fig, axes = plt.subplots(2, 6, figsize=(9, 3.4))
digits = list(validation.take(3).as_numpy_iterator())
pictures = [(picture, label) for image, label in digits for picture in (image, image // divisor)]
for above, below, (picture, label) in zip(*axes, pictures):
    above.imshow(picture[..., 0], cmap="gray")
    above.set_axis_off()
    show_digit(below, picture, label)
for ax, text in zip(axes[:, 0], ("no scale given", "show_digit")):
    ax.text(-0.1, 0.5, text, transform=ax.transAxes, rotation=90, ha="right", va="center")
show_figure(
    f"Three digits, each beside a copy with its grey levels divided by {divisor}. Upper row: every picture on a scale "
    "of its own. Lower row: drawn by show_digit."
)

# %% [markdown]
# ## Three things to remember
#
# 1. Split first, and do not use the test part to choose a model.
# 2. The course uses ten labels per class. Which ten you get is random, and the seed names the draw.
# 3. Look at dtype, range and scale before you look at results.
#
# **Next**: how many digits does a model recognise that learned from ten labels per class? That is step 2.

# %% [markdown]
# ## Five questions
#
# Write one letter for each question into the cell below. Each question has one right answer and gives one point.
#
# **1.** A student loads the pool and the validation part with `split=["train", "train[:20%]"]`. What is wrong?
#
# - **a** Nothing. `tfds.load` shuffles the digits, so that both parts are random.
# - **b** Every validation digit is also in the pool. The model is tested on digits that it may have learned from.
# - **c** The validation part has become too small.
# - **d** The classes of the pool are no longer balanced.
#
# **2.** You train twenty models and look at the accuracy of each on `"test"`. You keep the best model, and report this
# accuracy. What is wrong?
#
# - **a** Nothing. No model has learned from the test digits.
# - **b** Twenty models are too few for a good choice.
# - **c** You should have shuffled the test digits before each look.
# - **d** You chose with the test digits, so the reported accuracy is probably too high for new digits.
#
# **3.** Your training set is `pool.shuffle(100_000, seed=1).take(100)`, and every epoch reads it once. What does the
# model see?
#
# - **a** Other digits in each epoch, and not the same number of each class.
# - **b** The same hundred digits in each epoch, because the seed is fixed.
# - **c** Ten digits of each class, because `shuffle` mixes the classes.
# - **d** The first hundred digits of the pool, in another order.
#
# **4.** You save your digits as JPEG with Pillow's default options, and they look as before. What follows?
#
# - **a** Nothing changes for a model: what you cannot see, it cannot see.
# - **b** JPEG removes only colour, so grey pictures are safe.
# - **c** The model gets other numbers. Whether this matters for its accuracy must be measured.
# - **d** If you convert the opened pictures to `uint8`, the old values come back.
#
# **5.** The grey levels of one picture go from 0 to 120, those of another from 0 to 240.
# `imshow(picture, cmap="gray")` shows white ink in both. Why?
#
# - **a** The colour map `"gray"` has few grey levels, and 120 and 240 share one.
# - **b** Without `vmin` and `vmax`, `imshow` shows the largest value of each picture as white.
# - **c** `imshow` writes other values into the array, so that they go up to 255.
# - **d** `imshow` takes every grey level above 1 for white.

# %% nbgrader={"grade": false, "grade_id": "questions", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["fill-in"]
answers = {1: "?", 2: "?", 3: "?", 4: "?", 5: "?"}  # a letter instead of each question mark
### BEGIN SOLUTION
answers = {1: "b", 2: "d", 3: "a", 4: "c", 5: "b"}
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "questions_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("questions") as out:
    out.facts(answers={str(number): str(letter) for number, letter in answers.items()})

# %% nbgrader={"grade": true, "grade_id": "questions_test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
import io

import numpy as np
import PIL.Image

from augcourse import checks, data, handin, predictions, quiz

images, labels = data.load_arrays(data.POOL)
counts = np.bincount(labels, minlength=10)
taken = [np.random.default_rng(seed).permutation(labels)[:100] for seed in range(20)]
rarest = [np.bincount(few, minlength=10).min() for few in taken]
kept = []
for name in ("BMP", "GIF", "JPEG", "PNG", "WebP"):
    files = [io.BytesIO() for _ in range(50)]
    for file, image in zip(files, images):
        PIL.Image.fromarray(image[..., 0]).save(file, format=name)
    opened = [np.asarray(PIL.Image.open(file).convert("L")) for file in files]
    kept += [name] if np.array_equal(opened, images[:50, ..., 0]) else []
equal = np.ptp(counts) == 0
measured = f"yes, {counts[0]} of each" if equal else f"no, from {counts.min()} to {counts.max()} of a digit"
predictions.tell(
    {
        "are all ten digits equally frequent": measured,
        "digits of the rarest class if you shuffle and take 100": f"{np.mean(rarest):.1f} on average of 20 shuffles",
        "formats that keep every pixel": ", ".join(kept),
    }
)
parts = checks.Parts("questions", 5)
given = quiz.answers(handin.read("questions"), {1: "abcd", 2: "abcd", 3: "abcd", 4: "abcd", 5: "abcd"})
### BEGIN HIDDEN TESTS
quiz.mark(
    parts,
    given,
    {
        1: (
            "b",
            {
                "a": 'the order of the digits changes nothing here: "train" holds all digits of "train[:20%]"',
                "c": "the validation part is as large as before; ask which digits are in both parts",
                "d": "the counts of the classes are another matter; ask which digits are in both parts",
            },
        ),
        2: (
            "d",
            {
                "a": "no model learned from the test digits, but you chose with them: the best of twenty was lucky",
                "b": "more models make it worse: the best of many had more luck on these digits",
                "c": "an accuracy does not depend on the order of the digits",
            },
        ),
        3: (
            "a",
            {
                "b": "`shuffle` mixes anew in every pass, also with a seed, unless reshuffle_each_iteration is False",
                "c": "they are balanced on average only; look at the grey points in section 3",
                "d": "the buffer of `shuffle` holds the whole pool, so that the hundred can come from everywhere in it",
            },
        ),
        4: (
            "c",
            {
                "a": "a model reads the numbers, and JPEG has changed some of them",
                "b": "JPEG rounds the details of the brightness, too: section 4 counts grey pictures that it changed",
                "d": "the details were lost when the file was written; no conversion brings them back",
            },
        ),
        5: (
            "b",
            {
                "a": 'the colour map "gray" tells 120 and 240 apart, once both are shown on one scale',
                "c": "the array stays as it is; only the colours on the screen are chosen",
                "d": "then almost all grey levels would look white; `imshow` maps the largest value to white",
            },
        ),
    },
)
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# ## Going further
#
# This section is optional and has no marks.
#
# **How large are the errors of JPEG?** The option `quality` decides how much detail JPEG rounds away; Pillow's default
# is 75. From which quality on does no pixel change by more than 10 grey levels? Does 100 keep every pixel?

# %% tags=["show"]
images = [image[..., 0] for image, _ in pool.take(50).as_numpy_iterator()]
print("quality  pixels changed  mean error  largest error  bytes of a file")
for quality in (10, 50, 75, 90, 95, 100):
    errors, sizes = [], []
    for image in images:
        file = io.BytesIO()
        PIL.Image.fromarray(image).save(file, format="JPEG", quality=quality)
        sizes.append(file.tell())
        errors.append(np.abs(np.asarray(PIL.Image.open(file), int) - image))
    share = np.mean(np.array(errors) > 0)
    print(f"{quality:7}  {share:14.0%}  {np.mean(errors):10.2f}  {np.max(errors):13}  {np.mean(sizes):15.0f}")

# %% [markdown]
# **Your own handwriting.** Write a digit on white paper with a thick dark pen. Photograph it so that there is only
# paper around it. Put the file beside this notebook, as JPEG or PNG, and write its name into the last cell of this
# section. The two functions below do what the makers of MNIST did. They make the ink bright and the paper black, cut
# out the digit, make its longer side 20 pixels long, and put the centre of its ink into the middle of 28 × 28 pixels.
# Does the result look like the digits of the pool? In step 2 you train a model: it can classify your digit, too.

# %% tags=["show"]
import PIL.ImageFilter
import PIL.ImageOps


def ink_of(path):
    """The ink of a photograph of dark writing on bright paper.

    Args:
        path: a picture file that Pillow can open.

    Returns:
        float32 NumPy array (height, width): how much darker than the paper around it; 0 where there is only paper.
    """
    with PIL.Image.open(path) as file:
        photograph = PIL.ImageOps.exif_transpose(file).convert("L")  # upright, and grey
    photograph.thumbnail((400, 400))
    photograph = photograph.filter(PIL.ImageFilter.MedianFilter(5))  # without specks
    paper = photograph.filter(PIL.ImageFilter.GaussianBlur(60))  # bright and shaded places of the paper remain
    ink = np.asarray(paper, np.float32) - np.asarray(photograph, np.float32)
    return np.where(ink > 0.4 * ink.max(), ink, np.float32(0))


def centred(ink):
    """A digit as MNIST draws it.

    Args:
        ink: float32 NumPy array (height, width), 0 where there is no ink.

    Returns:
        uint8 (28, 28, 1): the longer side 20 pixels, the centre of the ink in the middle.
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(20 * side / max(ink.shape))) for side in ink.shape)
    small = np.asarray(PIL.Image.fromarray(ink).resize((width, height), PIL.Image.Resampling.BOX))
    row, column = np.argwhere(np.ones_like(small)).T @ small.ravel() / small.sum()  # the centre of the ink
    top, left = (int(np.clip(np.rint(13.5 - at), 0, 28 - n)) for at, n in ((row, height), (column, width)))
    picture = np.zeros((28, 28, 1), np.uint8)
    picture[top : top + height, left : left + width, 0] = np.rint(255 * small / small.max())
    return picture


# %% tags=["show"]
photograph = None  # instead of None: the name of your file, such as "seven.jpg"

if photograph is None:
    print("No photograph yet: write the name of your file above.")
else:
    mine = centred(ink_of(photograph))
    fig, axes = plt.subplots(1, 5, figsize=(8, 2))
    show_digit(axes[0], mine, "yours")
    for ax, (image, label) in zip(axes[1:], pool.take(4).as_numpy_iterator()):
        show_digit(ax, image, label)
    show_figure("Your own digit, and four digits of the pool beside it.")

# %% [markdown]
# ## Words
#
# - **draw**: one random choice of the labelled digits that a model learns from; its seed names it.
# - **probe**: an input that your function is tried on; when marks are given, the probes are fresh.
# - **hand-in**: what a locked cell writes down about your work, in the folder `handin/`; it is all that the grader
#   reads.

# %% [markdown]
# ## Read more
#
# - Yadav and Bottou (2019), [*Cold Case: The Lost MNIST Digits*](https://arxiv.org/abs/1905.10498): how the digits of
#   MNIST were made, and what happened to a test set that many people had looked at for many years.
# - Northcutt, Athalye and Mueller (2021),
#   [*Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks*](https://arxiv.org/abs/2103.14749):
#   wrong labels in well-known data sets, MNIST among them.
# - Pillow, [*Image file formats*](https://pillow.readthedocs.io/en/stable/handbook/image-file-formats.html): what each
#   format can store, and its options.
