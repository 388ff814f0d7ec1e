# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Step 2: How far do ten labels per class go?
#
# Here you build the [baseline](#Words): a small network that learns from ten labelled digits per class, without
# augmentation. Later models are compared with it. You also measure how much its result varies by chance.
#
# **You will be able to** prepare batches with `tf.data`, train a small convolutional network, read overfitting from its
# curves, and say how much results vary from [run](#Words) to run.
#
# **You need** only this notebook. **Time**: see START.md.
#
# Each exercise has your cell, a locked cell that writes your [hand-in](#Words), and a test. For the marks, they run
# again on fresh [probes](#Words). No exercise needs the solution of another.

# %% [markdown]
# **Where this runs.** In the course's own JupyterLab everything is installed. Anywhere else, a hosted notebook service
# included, upload or clone the course's folder and run `%pip install PATH-TO-THE-FOLDER` in a cell of its own, once;
# then restart the kernel. It needs Python 3.11 to 3.13, and no network after that.

# %%
try:
    from augcourse.start import begin
except ModuleNotFoundError:
    raise SystemExit("augcourse is not installed here: the cell above says how to install it.") from None

DATASET = begin("step2_baseline")

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from augcourse import compare, data, handin, measure, plots, probes, results
from augcourse import model as reference
from augcourse.lesson import show_figure
from augcourse.predictions import predict, predicted
from augcourse.settings import PROBE, SETTINGS

# %% [markdown]
# ## 1. From whole numbers to numbers from 0 to 1
#
# A digit is stored as whole numbers from 0 to 255, of type `uint8`. A result outside this range wraps around, without
# an error message. Networks calculate with floating-point numbers, so we turn every picture into `float32`, from 0
# to 1.
#
# **Predict** first.

# %%
predict("128 + 128 in uint8", ...)  # instead of the dots: a number

# %% [markdown]
# **Exercise 1 (1 point).** Write `normalise(image, label)`, to be used as `dataset.map(normalise)`.
# Documentation: [`tf.cast`](https://www.tensorflow.org/api_docs/python/tf/cast),
# [`map`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#map).

# %% nbgrader={"grade": false, "grade_id": "normalise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def normalise(image, label):
    """Scale one picture for the network.

    Args:
        image: uint8 tensor (28, 28, 1), from 0 to 255.
        label: int64 scalar.

    Returns:
        (image, label): float32 (28, 28, 1) from 0.0 to 1.0, and the label as it was.

    Example: the grey levels 0, 51 and 255 become 0.0, 0.2 and 1.0.
    """
    ### BEGIN SOLUTION
    return tf.cast(image, tf.float32) / 255.0, label
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "normalise_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("normalise") as out:
    _pairs = (probes.random_images("normalise", 20), probes.random_labels("normalise", 20))
    _mapped = tf.data.Dataset.from_tensor_slices(_pairs).map(normalise)
    _parts = tf.nest.flatten(_mapped.batch(20).get_single_element())
    out.facts(parts=len(_parts), form=type(_mapped.element_spec).__name__)
    out.arrays(**dict(zip(("images", "labels"), _parts)))

# %% nbgrader={"grade": true, "grade_id": "normalise_test", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("normalise")
checks.expect(
    work.fact("parts", int) == 2,
    "normalise returns a pair (image, label)",
    expected="2 parts",
    got=f"{work.fact('parts', int)} parts",
    why="the label was lost on the way; a mapped data set keeps only what its function returns",
)
checks.expect(
    work.fact("form", str) == "tuple",
    "normalise returns a pair (image, label)",
    expected="tuple",
    got=work.fact("form", str),
    why="Keras takes pairs for (input, answer); the parts of a dictionary would all be inputs",
)
images = work.array("images", (20, 28, 28, 1))
checks.expect(
    images.dtype == np.float32,
    "normalised pictures are float32",
    expected="float32",
    got=str(images.dtype),
    why="float64 doubles the work for nothing, and whole numbers cannot hold 0.5; look for `tf.cast`",
)
checks.expect(
    images.min() >= 0 and images.max() <= 1,
    "normalised pictures lie between 0 and 1",
    expected="0.0 to 1.0",
    got=f"{images.min():.1f} to {images.max():.1f}",
    why="cast changes the type and not the scale; and the scale starts at 0, not at -1",
)
checks.passed("normalise")
### BEGIN HIDDEN TESTS
from augcourse import probes

wanted = probes.random_images("normalise", 20) / 255
error = np.abs(images - wanted).max()
checks.expect(
    error < 1e-4,
    "0 becomes 0.0, 255 becomes 1.0, and everything else lies evenly between them",
    expected=f"{wanted.min():.4f} to {wanted.max():.4f}",
    got=f"{images.min():.4f} to {images.max():.4f}; the largest difference is {error:.4f}",
    why="the largest byte is 255, not 256, and every picture is scaled by the same number",
)
labels = work.array("labels", (20,), kind="iu")
checks.expect(
    np.array_equal(labels, probes.random_labels("normalise", 20)),
    "every picture keeps its label, unscaled",
    expected=probes.random_labels("normalise", 20).tolist(),
    got=labels.tolist(),
)
### END HIDDEN TESTS

# %% tags=["show"]
image, label = next(iter(tf.data.Dataset.from_tensor_slices(measure.labelled_digits(0))))
for name, picture in (("stored", image), ("normalised", normalise(image, label)[0])):
    values = np.asarray(picture)
    print(f"{name:<11}{values.dtype!s:<8} from {values.min():g} to {values.max():g}")
half = np.array([128], np.uint8)
predicted("128 + 128 in uint8", int((half + half)[0]))

# %% [markdown]
# ## 2. From single digits to batches
#
# A `tf.data` pipeline is a chain of stages. Each method returns a *new* data set with one more stage. Order matters.
#
# | stage | what it does | where it belongs |
# | --- | --- | --- |
# | `cache` | stores the first epoch, so that slow work is done once | before anything random |
# | `shuffle` | mixes every epoch anew; a full mix needs a buffer as large as the data | after `cache` |
# | `repeat` | starts again at the end | after `shuffle`; before it, epochs mix |
# | `batch` | groups examples | near the end |
# | `prefetch` | prepares the next batch during a training step | last |
#
# Validation batches contain every example once, in a fixed order.
#
# **Predict**: with `cache` after `shuffle`, is the order in epoch two the same or new?

# %%
predict("order in epoch two, with cache after shuffle", ...)  # instead of the dots: "same" or "new"

# %% [markdown]
# **Exercise 2 (3 points).** Write `make_batches(dataset, batch_size, training, seed)`. Points: whole epochs without end
# 1, their order 1, each example read once 0.5, validation 0.5. Documentation:
# [`cache`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#cache),
# [`shuffle`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#shuffle),
# [`repeat`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#repeat),
# [`batch`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#batch),
# [`prefetch`](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#prefetch).

# %% nbgrader={"grade": false, "grade_id": "make_batches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_batches(dataset, batch_size, training, seed):
    """Turn single examples into batches.

    Args:
        dataset: a finite `tf.data.Dataset` of pairs (image (28, 28, 1), label); it knows its `cardinality()`.
        batch_size: pairs per batch.
        training: True for training batches, False for validation batches.
        seed: names the order of the training examples: the same seed, the same order.

    Returns:
        `tf.data.Dataset` of pairs (images (batch, 28, 28, 1), labels (batch,)). `dataset` itself is read only
        once, whatever the number of epochs.
        Training: without end; every example once per epoch, fully mixed, in another order in every epoch.
        Validation: every example exactly once, in the order of `dataset`; the last batch may be smaller.
    """
    ### BEGIN SOLUTION
    dataset = dataset.cache()
    if training:
        dataset = dataset.shuffle(dataset.cardinality(), seed=seed)
        dataset = dataset.repeat()
    return dataset.batch(batch_size).prefetch(2)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "make_batches_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("make_batches") as out:
    _seed = int(probes.rng("make_batches").integers(1_000_000))
    for _name, _n, _size, _training, _s in (
        ("training", 301, 16, True, _seed),
        ("again", 301, 16, True, _seed),
        ("other", 301, 16, True, _seed + 1),
        ("validation", 101, 7, False, _seed),
    ):
        _pairs = (probes.numbered_images(_n), probes.random_labels("make_batches", _n))
        _dataset, _reads = probes.counted(tf.data.Dataset.from_tensor_slices(_pairs))
        _batches = make_batches(_dataset, _size, _training, _s)
        _found = probes.numbers_in(_batches, 57 if _training else 20)
        out.arrays(**{f"{_name}_{_part}": _values for _part, _values in _found.items()})
        if not _training:
            out.arrays(validation_later=probes.numbers_in(_batches, 20)["numbers"])
        out.facts(**{f"{_name}_read_once": len(_reads) <= _n})

# %% nbgrader={"grade": true, "grade_id": "make_batches_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("make_batches")
names = ("training", "again", "other", "validation")
numbers = {name: work.array(f"{name}_numbers", (None,), kind="iu") for name in names}
sizes = {name: work.array(f"{name}_sizes", (None,), kind="iu").tolist() for name in ("training", "validation")}
stored = np.arange(301)
epochs = [numbers["training"][start : start + 301] for start in (0, 301, 602)]
parts = checks.Parts("make_batches", 3)

with parts.part("training: whole epochs without end", 1):
    checks.expect(
        set(sizes["training"]) <= {16, 13} and sizes["training"].count(13) <= 3,
        "301 training examples in batches of 16",
        expected="batches of 16; only the last one of an epoch may be smaller",
        got=f"batches of {sorted(set(sizes['training']))}",
        why="`batch` is missing, or it does not use `batch_size`",
    )
    checks.expect(
        len(epochs[-1]) == 301,
        "training batches go on for ever",
        expected="three epochs of 301 examples, when three are asked for",
        got=f"{len(numbers['training'])} examples, then the end",
        why="`repeat` is missing, or its result was thrown away: which name holds the new data set?",
    )
    for epoch in epochs:
        whole = len(set(numbers["training"][:288].tolist())) == 288
        checks.expect(
            np.array_equal(np.sort(epoch), stored),
            "every training example comes once per epoch",
            expected="301 different examples in each epoch",
            got=f"{len(set(epoch.tolist()))} different examples",
            why="drop_remainder throws the last, smaller batch of every epoch away"
            if whole
            else "`repeat` stands before `shuffle`, so that two epochs are mixed into one",
        )
with parts.part("training: the order", 1):
    first = epochs[0]
    checks.expect(len(first) == 301, "one epoch of 301 training examples can be read", got=f"{len(first)} examples")
    checks.expect(
        not np.array_equal(first, stored),
        "training examples come in another order than they are stored in",
        expected="a shuffled order",
        got=f"examples {first[:6].tolist()} … first, as stored",
        why="`shuffle` is missing, or its result was thrown away: which name holds the new data set?",
    )
    checks.expect(
        np.mean(np.diff(first) == 1) < 0.3,
        "neighbours are separated, too",
        got=f"examples {first[:6].tolist()} … first",
        why="`shuffle` stands after `batch`, and mixes batches whose pictures stay together; or its buffer is tiny",
    )
    full = [epoch for epoch in epochs if len(epoch) == 301]
    forward = max((epoch - stored).max() for epoch in full)
    checks.expect(
        forward > 0.8 * 301,
        "any training example may come first",
        got=f"in {len(full)} epochs of 301 examples, none moved forward by more than {forward} places",
        why="the buffer of `shuffle` is smaller than the data set, so that late examples stay late",
    )
    checks.expect(
        len({tuple(epoch.tolist()) for epoch in full}) == len(full),
        "every epoch has an order of its own",
        expected="three different orders",
        got=f"two epochs begin with examples {first[:6].tolist()} …",
        why="`cache` stands after `shuffle` and repeats the first order, or reshuffle_each_iteration is False",
        mistake="frozen randomness",
    )
    checks.expect(
        np.array_equal(numbers["training"], numbers["again"]),
        "the same seed gives the same order",
        why="`seed` does not reach `shuffle`",
    )
    checks.expect(
        not np.array_equal(numbers["training"], numbers["other"]),
        "another seed gives another order",
        why="`seed` is not used: everybody trains in the same order",
    )
with parts.part("each example read once", 0.5):
    for name in ("training", "validation"):
        checks.expect(
            work.fact(f"{name}_read_once", bool),
            f"{name}: the examples are read once, not once per epoch",
            why="`cache` is missing: whatever stands before it is done again in every epoch",
        )
with parts.part("validation", 0.5):
    exam = numbers["validation"]
    checks.expect(
        len(exam) <= 101,
        "validation ends when every example was seen",
        expected="101 examples, then the end",
        got=f"at least {len(exam)} examples",
        why="`repeat` belongs to training alone",
    )
    checks.expect(
        len(exam) == 101,
        "validation shows every example",
        expected="101 examples",
        got=f"{len(exam)} examples",
        why="drop_remainder throws the last, smaller batch away, and with it a part of the exam",
    )
    for seen in (exam, work.array("validation_later", (101,), kind="iu")):
        checks.expect(
            np.array_equal(seen, np.arange(101)),
            "validation examples keep their order, whenever they are read",
            got=f"examples {seen[:6].tolist()} … first",
            why="validation is shuffled; an exam needs no luck",
        )
    checks.expect(
        sizes["validation"] == [*14 * [7], 3],
        "101 validation examples in batches of 7",
        expected="14 batches of 7, then one of 3",
        got=f"batches of {sizes['validation']}",
        why="`batch` is missing, or it does not use `batch_size`",
    )
### BEGIN HIDDEN TESTS
from augcourse import probes

for name, n, part, points in (
    ("training", 301, "training: whole epochs without end", 1),
    ("validation", 101, "validation", 0.5),
):
    with parts.part(part, points):
        wanted = probes.random_labels("make_batches", n)[numbers[name]]
        checks.expect(
            np.array_equal(work.array(f"{name}_labels", (None,), kind="iu"), wanted),
            f"{name}: every image keeps the label that it had",
            why="images and labels were reordered separately",
        )
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# **Run**: the first ten digits of three epochs.

# %% tags=["show"]
labelled = tf.data.Dataset.from_tensor_slices(measure.labelled_digits(0))
order = make_batches(labelled, 100, training=True, seed=0)
fig, axes = plt.subplots(3, 10, figsize=(10, 3.6))
for epoch, (row, (images, labels)) in enumerate(zip(axes, order.take(3).as_numpy_iterator()), start=1):
    plots.sample_grid(row, zip(images, labels))
    row[0].set_ylabel(f"epoch {epoch}")
show_figure("Three rows of ten digits with their labels: the first ten training digits of epochs 1, 2 and 3.")

# %% tags=["show"]
numbers = tf.data.Dataset.range(100).shuffle(100, seed=0).cache()
first, second = ([int(number) for number in numbers] for _ in range(2))
predicted("order in epoch two, with cache after shuffle", "same" if first == second else "new")

# %% [markdown]
# **Explain**: which stage makes the three rows differ? **Change one thing**: move `cache` behind `shuffle` in your
# function, run the figure again, and move it back.

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# `shuffle`. It stands after `cache`, so it mixes the stored digits anew in every epoch. With `cache` after `shuffle`,
# the first order is what is stored, and the three rows are equal. The same happens to every random stage before
# `cache`, an augmentation included: its first result is stored and comes again.
#
# </details>

# %% [markdown]
# ## 3. A small network
#
# Two blocks look for patterns. A **convolution** slides small filters over the picture. **Max pooling** keeps the
# largest value of every 2 × 2 square. Then two **dense** layers turn the patterns into one probability per digit.
#
# The **activation** `relu` is not linear. Without it, two dense layers in direct succession can compute only what one
# can. The last activation, **softmax**, makes ten positive numbers that sum to one.
#
# Models that we compare later start from the same weights. So the seed is an argument.
#
# **Exercise 3 (2 points).** Write `build_model(seed)`. Documentation:
# [`Sequential`](https://www.tensorflow.org/api_docs/python/tf/keras/Sequential),
# [`Conv2D`](https://www.tensorflow.org/api_docs/python/tf/keras/layers/Conv2D),
# [`MaxPool2D`](https://www.tensorflow.org/api_docs/python/tf/keras/layers/MaxPool2D),
# [`Flatten`](https://www.tensorflow.org/api_docs/python/tf/keras/layers/Flatten),
# [`Dense`](https://www.tensorflow.org/api_docs/python/tf/keras/layers/Dense),
# [`set_random_seed`](https://www.tensorflow.org/api_docs/python/tf/keras/utils/set_random_seed).

# %% nbgrader={"grade": false, "grade_id": "build_model", "locked": false, "schema_version": 3, "solution": true, "task": false}
def build_model(seed):
    """Build the course's network; do not compile it.

    Enters: float32 (n, 28, 28, 1) in 0..1. Layers, in this order, and no others that change an answer:
        1. convolution, 16 filters of 3 x 3, no padding, relu; then max pooling 2 x 2
        2. convolution, 32 filters of 3 x 3, no padding, relu; then max pooling 2 x 2
        3. flatten; then dense, 64 units, relu
        4. dense, 10 units, softmax
    Leaves: float32 (n, 10), probabilities.

    Args:
        seed: names the initial weights: the same seed, the same weights.

    Returns:
        a `keras.Model` with weights (it knows its input shape).
    """
    ### BEGIN SOLUTION
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.layers.Input(shape=(28, 28, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "build_model_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("build_model") as out:
    _seed = int(probes.rng("build_model").integers(1_000_000))
    _models = {"first": build_model(_seed), "again": build_model(_seed), "other": build_model(_seed + 1)}
    for _name, _model in _models.items():
        out.arrays(**{_name: np.concatenate([np.ravel(w) for w in _model.get_weights()] or [np.zeros(0)])})
    _first = _models["first"]
    _images = probes.digits("build_model", 50)[0].astype(np.float32) / 255
    out.arrays(probabilities=_first(_images, training=False), in_training=_first(_images, training=True))
    out.facts(trainable=sum(int(np.prod(w.shape)) for w in _first.trainable_weights))
    _constraints = [w for w in _first.weights if getattr(w, "constraint", None) is not None]
    out.facts(penalties=len(_first.losses), constraints=len(_constraints))
    out.weights(_first)

# %% nbgrader={"grade": true, "grade_id": "build_model_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("build_model")
first, again, other = (work.array(name, (None,), "float32") for name in ("first", "again", "other"))
checks.expect(
    len(first) == 56_714,
    "the network has the weights that its description implies",
    expected="56,714 weights",
    got=f"{len(first):,} weights",
    why="another number of filters or units, padding, a missing pooling, or no Input layer; compare layer by layer",
)
weights = work.weights()
probabilities = work.array("probabilities", (50, 10), "float32")
checks.expect(
    np.allclose(probabilities.sum(axis=1), 1, atol=1e-3) and probabilities.min() >= 0,
    "the ten outputs are probabilities",
    expected="positive numbers that sum to 1",
    got=f"numbers from {probabilities.min():.2f}, with a sum of {probabilities[0].sum():.2f} for the first digit",
    why="without softmax the last layer returns logits, and the loss of exercise 4 expects probabilities",
)
checks.expect(
    np.array_equal(first, again),
    "the same seed gives the same initial weights",
    why="the generators are not seeded, or seeded after the layers were made",
)
checks.expect(
    not np.array_equal(first, other),
    "another seed gives other initial weights",
    why="`seed` is not used: every model starts from the same weights",
)
checks.expect(
    work.fact("trainable", int) == 56_714,
    "training can change every weight",
    expected="56,714 trainable weights",
    got=f"{work.fact('trainable', int):,} trainable weights",
    why="a layer, or the whole model, has trainable=False",
)
in_training = work.array("in_training", (50, 10), "float32")
checks.expect(
    np.abs(in_training - probabilities).max() < 1e-3,
    "the network answers the same with training=True: the description has no layer that draws at random",
    expected="equal probabilities for 50 digits",
    got=f"probabilities that differ by up to {np.abs(in_training - probabilities).max():.3f}",
    why="a dropout, a noise layer or a random transformation; such layers only act during training",
)
checks.expect(
    work.fact("penalties", int) + work.fact("constraints", int) == 0,
    "nothing is added to the loss, and no weight is held back",
    expected="no regulariser and no constraint",
    got=f"{work.fact('penalties', int)} regularisers and {work.fact('constraints', int)} constraints",
    why="a regulariser changes what the network learns; the baseline that others compare with has none",
)
checks.passed("build_model")
### BEGIN HIDDEN TESTS
from augcourse import probes, train

wanted = train.predict(weights, probes.digits("build_model", 50)[0])
error = np.abs(probabilities - wanted).max()
checks.expect(
    error < 1e-3,
    "with the same weights, the network answers as the one that is described",
    expected="equal probabilities for 50 digits",
    got=f"probabilities that differ by up to {error:.3f}",
    why='a layer lacks its activation="relu" and stays linear, or the pooling is not max pooling',
)
### END HIDDEN TESTS

# %% tags=["show"]
for layer in build_model(0).layers:
    print(f"{type(layer).__name__:<14}{layer.output.shape!s:<22}{layer.count_params():>7,} weights")

# %% [markdown]
# **Explain**: which layer has most of the weights? How many weights are there per labelled digit?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# The first dense layer: 51,264 of 56,714. Each of its 64 units has one weight for each of 800 inputs, and a bias. All
# together that is about 567 weights per labelled digit. With so many weights the network can fit its 100 digits
# exactly, whether or not what it learned holds for other digits.
#
# </details>

# %% [markdown]
# ## 4. Train it for a fixed number of steps
#
# One **step** is one batch and one change of the weights. Models that we compare train for the same number of steps.
# Otherwise you could not tell what made the difference: the steps or the pictures.

# %%
print(f"{SETTINGS.steps} steps of {SETTINGS.batch_size} digits, Adam with learning rate {SETTINGS.learning_rate}")
print(f"one point of the learning curve after every {SETTINGS.epoch_steps} steps")

# %% [markdown]
# Repeated data have no end, so Keras must be told how long an epoch is: `steps_per_epoch`. Here an epoch is only the
# distance between two points of the learning curve.
#
# **Exercise 4 (3 points).** Write `train_baseline(model, train_batches, validation_batches, settings)`. Documentation:
# [`compile`](https://www.tensorflow.org/api_docs/python/tf/keras/Model#compile),
# [`fit`](https://www.tensorflow.org/api_docs/python/tf/keras/Model#fit),
# [`Adam`](https://www.tensorflow.org/api_docs/python/tf/keras/optimizers/Adam),
# [the loss](https://www.tensorflow.org/api_docs/python/tf/keras/losses/SparseCategoricalCrossentropy).

# %% nbgrader={"grade": false, "grade_id": "train_baseline", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_baseline(model, train_batches, validation_batches, settings):
    """Compile and fit the baseline, in place.

    Args:
        model: what `build_model` returns, not compiled; it answers with probabilities.
        train_batches: endless `tf.data.Dataset` of (float32 images, integer labels).
        validation_batches: finite `tf.data.Dataset` of the same pairs; only looked at, never learned from.
        settings: an `augcourse.settings.Settings`, such as `SETTINGS`.

    Returns:
        the dictionary of Keras's history: "loss", "accuracy", "val_loss", "val_accuracy", one value
        every `settings.epoch_steps` optimiser steps.

    Trains with Adam at `settings.learning_rate`, on the cross-entropy of integer labels, for exactly
    `settings.steps` steps.
    """
    ### BEGIN SOLUTION
    model.compile(
        optimizer=keras.optimizers.Adam(settings.learning_rate),
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


# %% nbgrader={"grade": false, "grade_id": "train_baseline_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
from collections.abc import Mapping

with handin.record("train_baseline") as out:
    _draw, _seed = (int(n) for n in probes.rng("train_baseline").integers(1_000_000, size=2))
    _model = reference.build_model(_seed)
    _batches = probes.training_batches(*measure.labelled_digits(_draw), _seed)
    _history = train_baseline(_model, _batches, probes.validation_batches(), PROBE)  # fewer steps: sooner done
    _optimizer = getattr(_model, "optimizer", None)
    _curves = dict(_history) if isinstance(_history, Mapping) else {}
    out.facts(returned=type(_history).__name__, curves=sorted(str(name) for name in _curves))
    if _optimizer is not None:  # a loop of one's own may have kept it for itself: then the weights alone tell
        out.facts(steps=int(_optimizer.iterations), learning_rate=float(_optimizer.learning_rate))
        _extras = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "amsgrad")
        _config = _optimizer.get_config()
        out.facts(optimizer=type(_optimizer).__name__, extras=[name for name in _extras if _config.get(name)])
    out.arrays(**{k: v for k, v in _curves.items() if k in ("loss", "accuracy", "val_loss", "val_accuracy")})
    out.weights(_model)

# %% nbgrader={"grade": true, "grade_id": "train_baseline_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin
from augcourse.settings import PROBE

work = handin.read("train_baseline")
if "steps" in work.facts:
    checks.expect(
        work.fact("steps", int) == PROBE.steps,
        "the model trains for exactly the steps in the settings that it is given",
        expected=f"{PROBE.steps} optimiser steps",
        got=f"{work.fact('steps', int)} optimiser steps",
        why="steps = steps_per_epoch × epochs; models that train for different numbers of steps cannot be compared. "
        "Or the numbers are those of SETTINGS, not of the argument `settings`",
    )
    checks.expect(
        np.isclose(work.fact("learning_rate", float), PROBE.learning_rate, rtol=1e-3),
        "the learning rate is the one in the settings",
        expected=PROBE.learning_rate,
        got=round(work.fact("learning_rate", float), 6),
        why="another learning rate, or an optimiser that was named by a string and took its own",
    )
    extras = work.fact("extras", list)
    checks.expect(
        work.fact("optimizer", str) == "Adam" and not extras,
        "the optimiser is Adam, with nothing added",
        expected="Adam",
        got=" and ".join([work.fact("optimizer", str), *(str(name) for name in extras)]),
        why="another optimiser or loss would be a second difference between the baseline and what it is compared with",
    )
checks.expect(
    {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(work.fact("curves", list)) or not work.fact("curves", list),
    "the dictionary holds the four curves",
    expected="loss, accuracy, val_loss and val_accuracy",
    got=", ".join(work.fact("curves", list)),
    why="without metrics=[\"accuracy\"] there is no accuracy, and without validation_data no val_…",
)
checks.expect(
    work.fact("curves", list),
    "train_baseline returns a dictionary of curves",
    expected="a dictionary, such as dict",
    got=work.fact("returned", str),
    why="`model.fit` returns an object; its attribute `history` is the dictionary",
)
points = PROBE.steps // PROBE.epoch_steps
names = ("loss", "accuracy", "val_loss", "val_accuracy")
loss, accuracy, val_loss, val_accuracy = (work.array(name, (points,), kind="f") for name in names)
weights = work.weights()
checks.passed("train_baseline")
### BEGIN HIDDEN TESTS
from dataclasses import replace

from augcourse import data, measure, probes, train

draw, seed = (int(n) for n in probes.rng("train_baseline").integers(1_000_000, size=2))
digits = measure.labelled_digits(draw)
twin = train.train(*digits, seed=seed, settings=PROBE)
early = train.train(*digits, seed=seed, settings=replace(PROBE, steps=PROBE.epoch_steps))
exam = data.load_arrays(data.VALIDATION)
checks.expect(
    abs(train.accuracy(weights, *exam) - val_accuracy[-1]) < 0.01,
    "the last point of val_accuracy is the accuracy on the validation digits",
    expected=f"{train.accuracy(weights, *exam):.3f}",
    got=f"{val_accuracy[-1]:.3f}",
    why="other batches than validation_batches were given as validation_data, or training went on after the curve",
)
checks.expect(
    train.accuracy(weights, *exam) < train.accuracy(twin.weights, *exam) + 0.05,
    "validation digits are looked at, never learned from",
    expected=f"validation accuracy near {train.accuracy(twin.weights, *exam):.3f}, as for the grader's own baseline",
    got=f"{train.accuracy(weights, *exam):.3f}",
    why="too good to be true: was the model fitted to validation_batches?",
)
images, labels = data.load_arrays(data.TEST)
answers, wanted = (train.predict(w, images).argmax(axis=1) for w in (weights, twin.weights))
agreement = np.mean(answers == wanted)
checks.expect(
    agreement >= 0.98,
    "trained as described, the model answers test digits as the grader's own baseline does, from the same start",
    expected=f"at least 98 % equal answers, and an accuracy near {np.mean(wanted == labels):.3f}",
    got=f"{100 * agreement:.1f} % equal answers, and an accuracy of {np.mean(answers == labels):.3f}",
    why="another optimiser or loss, another number of steps, or something else than train_batches was learned from",
)
flat, ends, start = (
    np.concatenate([np.ravel(array) for array in arrays])
    for arrays in (weights, twin.weights, train.initial_weights(seed))
)
apart = np.linalg.norm(flat - ends) / np.linalg.norm(ends - start)
# In 48 trainings on both data sets rounding moved the weights by 0.034 at most; the same twenty batches, used again and
# again, moved them by 0.065 at least, and a batch left out by 0.31.
checks.expect(
    apart < 0.05,
    "trained as described, the weights end where the grader's own baseline ends",
    expected="nearly the same weights",
    got=f"weights that lie {apart:.0%} of the whole way apart",
    why="another optimiser or loss, another number of steps, or batches that were left out, repeated or mixed anew",
)
curve = {"first": (twin.train_accuracy[0], train.accuracy(early.weights, *digits), accuracy[0])}
curve["last"] = (twin.train_accuracy[-1], train.accuracy(twin.weights, *digits), accuracy[-1])
for name, (during, after, said) in curve.items():
    checks.expect(
        min(during, after) - 0.1 < said < max(during, after) + 0.1,  # a loop may look at the last batch alone
        f"the {name} point of accuracy is the accuracy on the digits that were trained on",
        expected=f"about {during:.3f}, the mean over the steps before that point, or {after:.3f}, at its end",
        got=f"{said:.3f}",
        why="the curve was not measured in this training",
    )
checks.expect(
    abs(train.accuracy(early.weights, *exam) - val_accuracy[0]) < 0.05,
    "the first point of val_accuracy is the accuracy on the validation digits at that time",
    expected=f"about {train.accuracy(early.weights, *exam):.3f}",
    got=f"{val_accuracy[0]:.3f}",
    why="the curve was not measured in this training, or not every `settings.epoch_steps` steps",
)
right = train.predict(weights, exam[0])[np.arange(len(exam[1])), exam[1]]
entropy = -np.log(np.clip(right, 1e-7, 1)).mean()
checks.expect(
    abs(val_loss[-1] / entropy - 1) < 0.1 and 0 < loss[-1] < loss[0],
    "loss and val_loss are the mean cross-entropy, and loss falls",
    expected=f"a last point of val_loss near {entropy:.3f}, and a loss that falls",
    got=f"{val_loss[-1]:.3f}, and a loss from {loss[0]:.3f} to {loss[-1]:.3f}",
    why="another loss, or curves that were not measured in this training",
)
### END HIDDEN TESTS

# %% [markdown]
# Now use your own functions together. **Predict** first.

# %%
predict("accuracy on validation digits, in %", ...)  # instead of the dots: a number

# %% tags=["show"]
labelled = tf.data.Dataset.from_tensor_slices(measure.labelled_digits(0)).map(normalise)
held_out = tf.data.Dataset.from_tensor_slices(data.load_arrays(data.VALIDATION)).map(normalise)
validation_batches = make_batches(held_out, SETTINGS.batch_size, training=False, seed=0)
baseline = build_model(0)
train_batches = make_batches(labelled, SETTINGS.batch_size, training=True, seed=0)
history = train_baseline(baseline, train_batches, validation_batches, SETTINGS)

# %% tags=["show"]
plots.learning_curves(plt.subplots(figsize=(6, 3.2))[1], {"baseline": history}, SETTINGS.epoch_steps)
last = f"training {history['accuracy'][-1]:.1%}, validation {history['val_accuracy'][-1]:.1%}"
show_figure(f"Accuracy in % of the baseline against optimiser steps, for training and validation. At the end: {last}.")
print(f"last point: {last}")
predicted("accuracy on validation digits, in %", f"{100 * history['val_accuracy'][-1]:.1f}, in this run")

# %% [markdown]
# **Explain**: what does a distance between the curves mean? At the first point, validation may lie above training. Is
# that a bug?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Training well above validation is **overfitting**: part of what the model learned holds only for the digits that it
# was trained on. Validation above training at the first point need not be a bug. Keras averages a training point over
# all steps since the point before, while the model was still learning. It measures validation after the last of them.
#
# </details>

# %% [markdown]
# ## 5. A number for overfitting
#
# The **overfitting gap** is training accuracy minus validation accuracy. A single point of a curve varies by chance, so
# we take the mean of the last three points.
#
# **Exercise 5 (1 point).** Write `overfitting_gap(history)`, in **percentage points**: from 90 % to 95 % is 5 points.
# Documentation: [`numpy.mean`](https://numpy.org/doc/stable/reference/generated/numpy.mean.html).

# %% nbgrader={"grade": false, "grade_id": "overfitting_gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def overfitting_gap(history):
    """How much better a model is on the digits that it was trained on.

    Args:
        history: dictionary with "accuracy" and "val_accuracy", lists of at least three values in 0..1.

    Returns:
        mean of the last three training accuracies minus mean of the last three validation accuracies, in
        percentage points; positive when the model overfits.

    Example: training 0.2, 1.0, 1.0, 1.0 and validation 0.1, 0.8, 0.9, 0.7 give 20.0.
    """
    ### BEGIN SOLUTION
    training = np.mean(history["accuracy"][-3:])
    validation = np.mean(history["val_accuracy"][-3:])
    return 100 * (training - validation)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "overfitting_gap_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("overfitting_gap") as out:
    out.arrays(example=overfitting_gap({"accuracy": [0.2, 1.0, 1.0, 1.0], "val_accuracy": [0.1, 0.8, 0.9, 0.7]}))
    for _name, _curves in probes.two_gaps("overfitting_gap").items():
        out.arrays(**{_name: overfitting_gap({key: list(curve) for key, curve in _curves.items()})})

# %% nbgrader={"grade": true, "grade_id": "overfitting_gap_test", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("overfitting_gap")
example, *gaps = (float(work.array(name, ())) for name in ("example", "positive", "negative"))
slips = {
    -20: "the sign: training minus validation, so that overfitting is positive",
    0.2: "these are shares of one; percentage points are a hundred times as many",
    -0.2: "training minus validation, and in percentage points",
    30: "only the last point was used; a single point jumps",
    10: "the best points were used; they are chosen because they are lucky",
    17.5: "the whole curve was used, also where training had just begun",
}
checks.expect(
    np.isclose(example, 20, atol=1e-3),
    "the example in the docstring",
    expected=20.0,
    got=round(example, 4),
    why=next((slips[value] for value in slips if np.isclose(example, value, atol=1e-3)), "the mean of the last three"),
)
checks.passed("overfitting_gap")
### BEGIN HIDDEN TESTS
from augcourse import probes

for (name, curves), gap in zip(probes.two_gaps("overfitting_gap").items(), gaps, strict=True):
    wanted = 100 * (np.mean(curves["accuracy"][-3:]) - np.mean(curves["val_accuracy"][-3:]))
    checks.expect(
        np.isclose(gap, wanted, atol=2e-3),
        f"a {name} gap, of a history of {len(curves['accuracy'])} points",
        expected=round(wanted, 3),
        got=round(gap, 3),
        why="the last three points of each curve, wherever the curve ends"
        if name == "positive"
        else "a gap below zero stays below zero: the model is better on validation digits, and abs or max hides that",
    )
### END HIDDEN TESTS

# %% tags=["show"]
print(f"overfitting gap of your baseline: {overfitting_gap(history):+.1f} percentage points")

# %% [markdown]
# ## 6. How much of a result is chance?
#
# With another seed, or with other labelled digits, the same method can reach another accuracy. This is chance. The
# **seed** decides the initial weights and the order of the digits. The [draw](#Words) decides which ten digits of every
# class are labelled. **Predict** first.

# %%
predict("which moves the accuracy more", ...)  # instead of the dots: "seed" or "labels"

# %% [markdown]
# Say four runs gave accuracies of 80, 84, 84 and 84 %.
#
# - The **mean** is (80 + 84 + 84 + 84) / 4 = 83 %.
# - The **standard deviation** tells how far single runs lie from the mean:
#   $s = \sqrt{\sum_i (x_i - \bar x)^2 / (n - 1)}$.
#   The differences from the mean are −3, 1, 1, 1. Their squares sum to 12, so $s = \sqrt{12 / 3} = 2$ percentage
#   points. We divide by $n - 1$, because these runs lie closer to their own mean than to the mean of all possible runs.
# - The **standard error** tells how precisely the *mean* is known: $s / \sqrt n = 2 / \sqrt 4 = 1$ percentage point.
#
# With more runs the standard error gets smaller. The standard deviation does not: it only becomes better known.
#
# **Exercise 6 (2 points).** Write `spread(by_seed, by_draw)`. Documentation:
# [`numpy.std`](https://numpy.org/doc/stable/reference/generated/numpy.std.html), with `ddof`.

# %% nbgrader={"grade": false, "grade_id": "spread", "locked": false, "schema_version": 3, "solution": true, "task": false}
def spread(by_seed, by_draw):
    """How far results move when only the seed, or only the draw of the labels, changes.

    Args:
        by_seed: NumPy array (n,) of accuracies in 0..1: same labels, n seeds.
        by_draw: NumPy array (m,) of accuracies in 0..1: same seed, m draws of the labels.

    Returns:
        (seed_spread, draw_spread): the sample standard deviation (divided by n - 1) of each, in percentage
        points.

    Example: accuracies 0.80 and 0.82 have a spread of 1.414 points.
    """
    ### BEGIN SOLUTION
    return 100 * np.std(by_seed, ddof=1), 100 * np.std(by_draw, ddof=1)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "spread_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("spread") as out:
    _rng = probes.rng("spread")
    _by_seed, _by_draw = _rng.normal(0.85, 0.01, 5), _rng.normal(0.85, 0.02, 8)
    out.arrays(example=spread(np.array([0.80, 0.82]), np.array([0.70, 0.72, 0.74])))
    out.arrays(points=spread(_by_seed, _by_draw))

# %% nbgrader={"grade": true, "grade_id": "spread_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin

work = handin.read("spread")
example, points = (work.array(name, (2,), kind="f") for name in ("example", "points"))
slips = {
    0.02: "these are shares of one; percentage points are a hundred times as many",
    1.6330: "divided by n: np.std does so unless it is told otherwise",
    1.1547: "this is the standard error of the mean; luck does not shrink with more runs",
    4.0: "this is the variance; its unit is not percentage points",
    1.4142: "first the seeds, then the draws",
}
checks.expect(
    np.allclose(example, (1.4142, 2.0), atol=1e-3),
    "the spread of the seeds 0.80, 0.82 and of the draws 0.70, 0.72, 0.74, in percentage points",
    expected=[1.414, 2.0],
    got=np.round(example, 3).tolist(),
    why=next((why for value, why in slips.items() if np.isclose(example[1], value, atol=1e-3)), ""),
)
checks.passed("spread")
### BEGIN HIDDEN TESTS
from augcourse import probes

rng = probes.rng("spread")
wanted = [100 * np.std(rng.normal(0.85, 0.01, 5), ddof=1), 100 * np.std(rng.normal(0.85, 0.02, 8), ddof=1)]
checks.expect(
    np.allclose(points, wanted, rtol=1e-3),
    "the spread of five seeds and of eight draws, in percentage points",
    expected=np.round(wanted, 3).tolist(),
    got=np.round(points, 3).tolist(),
    why="the function must use the runs that it is given",
)
### END HIDDEN TESTS

# %% [markdown]
# These runs of the same baseline were stored beforehand. Each bar is one standard deviation to either side of the mean.

# %% tags=["show"]
stored = {name: 100 * runs for name, runs in results.accuracies("spread", DATASET).items()}
ax = plots.dots(plt.subplots(figsize=(7, 2))[1], stored, dict.fromkeys(stored, plots.BASELINE))
for y, runs in enumerate(stored.values()):
    ax.errorbar(runs.mean(), y + 0.3, xerr=runs.std(ddof=1), color=plots.NEUTRAL, capsize=4)
ax.set_xlabel("test accuracy in %")
means = ", ".join(f"{name} {runs.mean():.1f} ± {runs.std(ddof=1):.1f}" for name, runs in stored.items())
show_figure(f"Two rows of dots, one dot per run, against test accuracy in %. Mean ± standard deviation: {means}.")

# %% tags=["show"]
runs = results.accuracies("spread", DATASET)
seed_spread, draw_spread = spread(runs["same labels, other seeds"], runs["same seed, other labels"])
for name, deviation in zip(runs, (seed_spread, draw_spread)):
    print(f"{name}: standard deviation {deviation:.1f} percentage points, from {len(runs[name])} runs")
predicted("which moves the accuracy more", f"{'labels' if draw_spread > seed_spread else 'seed'}, in these runs")

# %% [markdown]
# So few runs tell a standard deviation only roughly: see *Going further*.
#
# **Explain**: a method was tested with many seeds, always on the same labelled digits. What is still unknown? **Change
# one thing**: in section 4, write `labelled_digits(1)`. Is the change large beside the standard deviations above?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Whether the method works with other labelled digits too: all these runs share one draw. A statement about ten labels
# per class needs several draws, each with its own seed. Two runs that differ by chance alone are often more than one
# standard deviation apart. So a single changed run shows nothing about a method.
#
# </details>

# %% [markdown]
# ## 7. What would more labels buy?
#
# Here is the same baseline with more labels per class. Every run is a point. **Predict** first.

# %%
predict("mean accuracy with 100 labels per class, in %", ...)  # instead of the dots: a number

# %% tags=["show"]
stored = results.accuracies("labels", DATASET)
per_class = (10, 30, 100)
runs = np.stack([stored[f"none, {n}"] for n in per_class], axis=1)
ax = plots.line_with_points(plt.subplots(figsize=(6, 3.2))[1], per_class, runs, "baseline", plots.BASELINE)
ax.set(xscale="log", xticks=per_class, xticklabels=per_class)
ax.set(xlabel="labelled digits per class", ylabel="test accuracy in %")
ax.minorticks_off()
means = ", ".join(f"{n}: {100 * column.mean():.1f}" for n, column in zip(per_class, runs.T))
show_figure(f"The baseline's test accuracy in % against labelled digits per class, a point per run. Means: {means}.")

# %% tags=["show"]
for n, column in zip(per_class, runs.T):
    said = compare.interval(100 * column)
    print(f"{n:>3} labels per class: mean {said.mean:.1f} %, 95 % interval {said.low:.1f} to {said.high:.1f}")
more = compare.interval(100 * (runs[:, 2] - runs[:, 0]))
print(f"from 10 to 100 labels: {more.mean:+.1f} points, 95 % interval {more.low:+.1f} to {more.high:+.1f}")
predicted("mean accuracy with 100 labels per class, in %", f"{100 * runs[:, 2].mean():.1f}")

# %% [markdown]
# The first printed line answers the question of this step, with the 95 % [interval](#Words) of the mean.
#
# ## Three things to remember
#
# 1. A comparison is fair when both models have the same labels, initial weights and number of steps.
# 2. In a pipeline, what stands before `cache` happens once. What stands after it happens in every epoch.
# 3. One run is one number. Report the mean and the standard deviation of several runs, and how many there are.

# %% [markdown]
# ## Five questions
#
# Write one letter for each question into the cell below. One choice is right; each question is worth one point.
#
# **1.** You train the same baseline with 12 draws, and later with 48 draws. What do you expect?
#
# - **a** The standard deviation and the standard error both become about half as large.
# - **b** The standard deviation stays about the same, and the standard error becomes about half as large.
# - **c** The standard deviation becomes about half as large, and the standard error stays about the same.
# - **d** Both stay about the same.
#
# **2.** A training pipeline is `dataset.shuffle(100, seed=0).cache().repeat().batch(50)`, for 100 digits. What does
# the model see?
#
# - **a** Every digit once. Then the batches end.
# - **b** A new order in every epoch, because `shuffle` mixes anew.
# - **c** The digits in the order in which they are stored.
# - **d** A mixed order, and the same one in every epoch.
#
# **3.** A model trains for 600 steps, with batches of 50, on 100 labelled digits. How often does it see each digit?
#
# - **a** 6 times
# - **b** 12 times
# - **c** 300 times
# - **d** 600 times
#
# **4.** At the end of a training, the training accuracy is 100 % and the validation accuracy 82 %. What follows?
#
# - **a** The model overfits; the gap is 18 percentage points.
# - **b** There is a bug: the two accuracies of one model must agree.
# - **c** The model answers 82 % of all digits right, because it saw them often enough.
# - **d** The true accuracy lies in the middle, at 91 %.
#
# **5.** Your baseline reached 82 % in one run. With a new layer, and another draw, one run reached 84 %. The standard
# deviation between draws is 2 percentage points. What follows?
#
# - **a** The new layer adds 2 percentage points.
# - **b** The new layer is useless.
# - **c** Chance alone often makes such a difference; train both models on several draws, in pairs.
# - **d** The difference is as large as the standard deviation, so it is not chance.

# %% nbgrader={"grade": false, "grade_id": "questions", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["fill-in"]
answers = {1: "?", 2: "?", 3: "?", 4: "?", 5: "?"}  # a letter instead of each question mark
### BEGIN SOLUTION
answers = {1: "b", 2: "d", 3: "c", 4: "a", 5: "c"}
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "questions_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("questions") as out:
    out.facts(answers={str(number): str(letter) for number, letter in answers.items()})

# %% nbgrader={"grade": true, "grade_id": "questions_test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
import contextlib

import numpy as np

from augcourse import checks, data, handin, predictions, quiz, results
from augcourse.errors import DataError

with contextlib.suppress(DataError):  # a data set of your own has no stored runs
    name = data.choose_dataset().name
    runs, half = results.accuracies("spread", name), np.array([128], np.uint8)
    by_seed, by_draw = (runs[row].std() for row in ("same labels, other seeds", "same seed, other labels"))
    many = results.accuracies("labels", name)["none, 100"].mean()
    predictions.tell(
        {
            "128 + 128 in uint8": int((half + half)[0]),
            "order in epoch two, with cache after shuffle": "same",
            "which moves the accuracy more": "labels" if by_draw > by_seed else "seed",
            "mean accuracy with 100 labels per class, in %": f"{100 * many:.1f}",
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
                "a": "the standard deviation describes single runs, and more runs do not make them more alike",
                "c": "the other way round: the standard error is the one that is divided by the root of n",
                "d": "the mean of four times as many runs is known better: its standard error is about half as large",
            },
        ),
        2: (
            "d",
            {
                "a": "`repeat` starts again at the end, so the batches do not end",
                "b": "`shuffle` stands before `cache`: it runs in the first epoch only, and its order is stored",
                "c": "`shuffle` mixes the digits once, before they are stored",
            },
        ),
        3: (
            "c",
            {
                "a": "that is steps divided by digits; but every step uses 50 digits",
                "b": "that is 600 / 50, how many points a curve has with a point every 50 steps; ask how many digits "
                "pass through all steps",
                "d": "every step uses 50 of the 100 digits, so a digit is seen in about every second step",
            },
        ),
        4: (
            "a",
            {
                "b": "the model has learned from the training digits alone, so the two accuracies may differ",
                "c": "it has never learned from validation digits; 82 % is measured on digits that are new to it",
                "d": "the training digits are no test: what counts for new digits is the accuracy on new digits",
            },
        ),
        5: (
            "c",
            {
                "a": "one run each cannot tell the layer from the draw, and both were changed",
                "b": "one run each cannot show that either",
                "d": "the standard deviation is the size of what chance usually does, not a limit that it stays below",
            },
        ),
    },
)
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# ## Going further
#
# This part is optional and gives no marks.
#
# **How well is a standard deviation known?** If the runs vary as a normal distribution does, the *chi-squared*
# distribution gives an interval for it. Look whether the two intervals overlap.

# %% tags=["show"]
from scipy import stats

for name, runs in results.accuracies("spread", DATASET).items():
    n, deviation = len(runs), 100 * runs.std(ddof=1)
    low, high = (deviation * ((n - 1) / stats.chi2.ppf(q, n - 1)) ** 0.5 for q in (0.975, 0.025))
    print(f"{name}: {deviation:.1f} percentage points, 95 % interval {low:.1f} to {high:.1f}")

# %% [markdown]
# **Which digits does your baseline get wrong?** Each picture has the true digit and the answer of the model. Ask of
# each: would a shifted, turned or thicker training digit have helped?

# %% tags=["show"]
images, labels = data.load_arrays(data.VALIDATION)
guesses = baseline.predict(images.astype("float32") / 255, verbose=0).argmax(axis=1)
wrong = np.flatnonzero(guesses != labels)
print(f"{len(wrong)} of {len(labels)} validation digits are wrong")
fig, axes = plt.subplots(2, 10, figsize=(10, 2.6))
plots.sample_grid(axes, [(images[i], f"{labels[i]} → {guesses[i]}") for i in wrong[:20]])
for ax in axes.flat:
    ax.set_axis_off()
show_figure(f"{len(wrong[:20])} validation digits that the baseline gets wrong, each with its label and the answer.")

# %% [markdown]
# **Does longer training help?** The stored runs below trained the baseline of ten labels per class for more steps. Each
# is compared with the shorter run of the same draw and seed. Only the number of steps differs.

# %% tags=["show"]
where = DATASET if DATASET != results.STRANGERS else data.DEFAULT
longer = results.accuracies("long", where)["none"] - results.accuracies("labels", where)["none, 10"]
said = compare.interval(100 * longer)
print(f"{where}, {results.LONG_STEPS} steps instead of {SETTINGS.steps}: mean change {said.mean:+.2f} points,")
print(f"95 % interval {said.low:+.2f} to {said.high:+.2f}, from {len(longer)} runs")

# %% [markdown]
# **Would regularisation do instead of augmentation?** *Dropout* sets a random share of the units to zero in each
# training step ([Srivastava et al. 2014](https://jmlr.org/papers/v15/srivastava14a.html)). It is another cure for
# overfitting. The figure compares three changes of the same baseline: dropout, a geometric augmentation
# [recipe](#Words), and both together. The share was chosen on the validation digits of `mnist_sample`, without
# augmentation. Every dot is the [gain](#Words) of one run, for dropout as for augmentation. Every line is the 95 %
# interval of the mean. Change one thing: add a `Dropout` layer before your own dense layers, and train once more. What
# can this one run tell you?

# %% tags=["show"]
where = DATASET if DATASET in data.OFFLINE else data.DEFAULT
gains = results.gains("sceptic", where)
names = {"regularised": "dropout", "geometric": "geometric recipe", "regularised, geometric": "both"}
shown = {names[row]: gains[row] for row in names}
plots.ablation(plt.subplots(figsize=(7, 2.2))[1], shown)
means = ", ".join(f"{name} {values.mean():+.1f}" for name, values in shown.items())
show_figure(f"Gains in percentage points, a row of dots with an interval for each change. Means: {means}.")
print(f"{where}, dropout of {results.REGULARISED.dropout:.0%}; mean gains in points: {means}")
said = compare.interval(gains["geometric"] - gains["regularised"])
print(f"recipe minus dropout, in pairs of runs: {said.mean:+.1f}, 95 % interval {said.low:+.1f} to {said.high:+.1f}")

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Very little: its change may be chance, as section 6 shows. To compare dropout with the recipe, subtract their gains
# run by run and look at the interval of the mean difference, as the last printed line does.
#
# </details>

# %% [markdown]
# ## Words
#
# - **draw**: one random choice of the labelled digits that a model learns from; its seed names it.
# - **run**: one draw and one seed, with both models trained on it.
# - **recipe**: what happens to a training picture: one albumentations pipeline for each digit.
# - **probe**: an input that your function is tried on; when marks are given, the probes are fresh.
# - **hand-in**: what a locked cell writes down about your work, in the folder `handin/`; it is all that the grader
#   reads.
# - **gain**: the accuracy of the augmented model minus that of the baseline in the same run, in percentage points.
# - **baseline**: the model trained without augmentation.
# - **interval**: the 95 % confidence interval of a mean.
#
# ## Read more
#
# - TensorFlow, [*Better performance with the tf.data API*](https://www.tensorflow.org/guide/data_performance): what
#   `cache`, `prefetch` and the other stages cost and save.
# - Zhang, Lipton, Li and Smola, *Dive into Deep Learning*,
#   [*Generalization*](https://d2l.ai/chapter_linear-regression/generalization.html): overfitting explained.
# - Bouthillier et al. 2021,
#   [*Accounting for Variance in Machine Learning Benchmarks*](https://arxiv.org/abs/2103.03098):
#   how much seeds, data splits and other choices move a result.
