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
# Before a model learns from pictures, you look at them. In this step you load two splits of a digit data set,
# count the classes, draw the ten labelled digits per class that the whole course trains on, and carry a
# picture to a file and back without changing a single pixel.
#
# **You will be able to** load a named split with TensorFlow Datasets, tell a balanced from an unbalanced
# sample, draw a reproducible few-shot set, and show a grey picture on an honest scale.
#
# **You need** nothing but this notebook. **Time**: about 30 minutes; every cell answers in seconds.
#
# Each exercise has three cells: yours, a locked one that runs your function on probes and writes down what
# came out (in the folder `handin/`), and a test. The test's visible part tells you at once what is not right
# yet. When marks are given, the same cells run again on fresh probes.

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

# %% [markdown]
# ## 1. Two splits that never share a digit
#
# `tfds.load` reads a data set by its name. Older tutorials write `tfds.split(…)` and `tfds.as_supervised()`;
# neither exists. What exists are two arguments: `split=`, which names a part of the data and may slice it, as in
# `"train[20%:]"`, and `as_supervised=True`, which yields pairs `(image, label)` instead of dictionaries.
#
# The course uses three parts. The **pool**, `"train[20%:]"`, is where labelled digits come from. The
# **validation** part, `"train[:20%]"`, is what you look at while you work. `"test"` belongs to the grader: a
# number that you have looked at a hundred times is no longer a test.
#
# This is what the data set says of itself:

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
    mistake="augmented, then split",
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
# Brightness runs from 0 (paper) to 255 (ink), whole numbers, one byte per pixel: `uint8`. Keep that in mind;
# several classic bugs begin with a picture that silently became something else.

# %% tags=["show"]
pool, validation = load_splits(DATASET)
fig, axes = plt.subplots(2, 10, figsize=(10, 2.4))
plots.sample_grid(axes, [(image, int(label)) for image, label in pool.take(20).as_numpy_iterator()])
plt.show()

# %% [markdown]
# **Predict**: are all ten digits equally frequent? Write a guess down before you count.
#
# **Exercise 2 (1 point).** Write `class_counts(dataset)`. A class that does not occur counts 0: it still has a place.

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
ax = plots.class_balance(plt.subplots(figsize=(6, 2.8))[1], class_counts(pool), "pool")
plt.show()

# %% [markdown]
# ## 3. Ten labels per class
#
# The course trains on *ten labelled digits per class*, not on all of them. **Why so few?** With 60,000 labelled
# digits a small network is right 99 times in 100, and the effect of augmentation drowns in noise. With ten per
# class there is much to gain, every experiment takes seconds, and it is the honest setting: labels cost
# somebody's hours.
#
# Which ten you are given is a matter of luck. One choice is called a **draw**, and its seed names it, so that
# you, your neighbour and the grader can speak of the same digits.
#
# **Exercise 3 (3 points).** Write `few_shot(dataset, per_class, seed)`. *Predict*: what goes wrong if you simply
# shuffle and take the first hundred?

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
# **Explain**: here are three draws of one digit per class. Would you rather be taught by the first or by the
# third? **Change one thing**: other seeds.

# %% tags=["show"]
fig, axes = plt.subplots(3, 10, figsize=(10, 3.2))
for row, seed in zip(axes, (0, 1, 2)):
    plots.sample_grid(row, sorted(few_shot(pool, 1, seed).as_numpy_iterator(), key=lambda pair: pair[1]))
    row[0].set_ylabel(f"draw {seed}")
plt.show()

# %% [markdown]
# ## 4. To a file and back
#
# The first augmentation that most people do to their data happens by accident: they save it.
#
# **Exercise 4 (2 points).** Write `save_sample(image, path)` and `open_sample(path)` with PIL, so that what comes
# back is what went in, *pixel for pixel*. *Predict*: which file formats keep every pixel?

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

# %% [markdown]
# ## 5. An honest picture
#
# matplotlib stretches each picture to the full scale unless told otherwise: a faint digit and a bold one then look
# the same, and in step 3 *brightness would seem to do nothing*.
#
# **Exercise 5 (2 points).** Write `show_digit(ax, image, label)`: grey, on the fixed scale 0 to 255, with the label as title.
# Whether ink is shown white or black is up to you.

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

# %% tags=["show"]
fig, axes = plt.subplots(1, 6, figsize=(9, 1.8))
for ax, (image, label) in zip(axes, validation.take(6).as_numpy_iterator()):
    show_digit(ax, image, label)
plt.show()

# %% [markdown]
# ## Three things to remember
#
# 1. Split first, and keep the test part out of sight.
# 2. Ten labels per class make effects large and experiments short; which ten you drew is luck, and the seed names it.
# 3. Look at dtype, range and scale before you look at results.
#
# **Next**: how far do ten labels per class go? That is step 2.
