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
# Before anything can be called better, there must be something to be better *than*. In this step you build the
# **baseline**: a small network, ten labelled digits per class, no augmentation. Then you ask how much of its
# result is luck.
#
# **You will be able to** feed a network with `tf.data` without freezing its randomness, build and train a small
# convolutional network, read overfitting off its curves, and say how far a result moves when nothing but chance
# changes.
#
# **You need** nothing but this notebook; step 1 explains the draws of labelled digits that it uses. **Time**:
# about 45 minutes; the longest cell trains for a few seconds.
#
# Each exercise has three cells: yours, a locked one that runs your function on probes and writes down what
# came out (in the folder `handin/`), and a test. The test's visible part tells you at once what is not right
# yet. When marks are given, the same cells run again on fresh probes. No exercise builds on another one of
# yours: if one resists, go on.

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

from augcourse import data, handin, measure, plots, probes, results
from augcourse import model as reference
from augcourse.settings import PROBE, SETTINGS

# %% [markdown]
# ## 1. From bytes to numbers that a network likes
#
# A digit is stored as whole numbers from 0 to 255. A network multiplies them by small weights and adds them up;
# with inputs of that size its first steps would be wild. So the pictures are scaled to the range 0 to 1.
#
# **Predict**: what is 128, as a `uint8`, divided by 255 with `//`? What is 128 plus 128?
#
# **Exercise 1 (1 point).** Write `normalise(image, label)`. It will be used as `dataset.map(normalise)`.

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
print(f"in uint8, 128 // 255 is {(half // 255)[0]} and 128 + 128 is {(half + half)[0]}")

# %% [markdown]
# ## 2. A belt that never stops
#
# A `tf.data` pipeline is a belt: every method returns a *new* belt with one more station. What a station does
# depends on where it stands.
#
# | station | what it does | where it stands |
# | --- | --- | --- |
# | `cache` | keeps what came by, so that files and slow maps are visited once | before anything random |
# | `shuffle` | mixes anew in every epoch, if its buffer holds everything | after `cache` |
# | `repeat` | starts again at the end | after `shuffle`: otherwise epochs blur |
# | `batch` | packs | near the end |
# | `prefetch` | prepares the next batch while the network learns | last |
#
# Validation is an exam: the same questions for everybody, each of them once, in a fixed order.
#
# **Predict**: what happens to the order of the pictures in epoch two if `cache` stands *after* `shuffle`?
#
# **Exercise 2 (3 points).** Write `make_batches(dataset, batch_size, training, seed)`. Its parts earn points of their own:
# whole epochs without end 1, their order 1, reading each example only once 0.5, validation 0.5.

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
# **Run**: the first ten pictures of three epochs. **Explain**: which station makes the rows differ? **Change one
# thing**: move `cache` behind `shuffle` in your function, run again, and move it back.

# %% tags=["show"]
labelled = tf.data.Dataset.from_tensor_slices(measure.labelled_digits(0))
order = make_batches(labelled, 100, training=True, seed=0)
fig, axes = plt.subplots(3, 10, figsize=(10, 3.6))
for epoch, (row, (images, labels)) in enumerate(zip(axes, order.take(3).as_numpy_iterator()), start=1):
    plots.sample_grid(row, zip(images, labels))
    row[0].set_ylabel(f"epoch {epoch}")
plt.show()

# %% [markdown]
# ## 3. A small network
#
# Two blocks look for patterns: a **convolution** slides small filters over the picture, and **max pooling** keeps
# the strongest answer of every 2 × 2 square. Then two **dense** layers turn patterns into one probability per digit.
#
# The *activation* between two layers is what makes depth worth having: without it, two dense layers in a row can do
# no more than one. The last one, **softmax**, makes ten numbers that are positive and sum to one.
#
# The step's comparisons will be fair only if both models start from the same weights: hence the seed.
# `keras.utils.set_random_seed` sets every generator that Keras draws from.
#
# **Exercise 3 (2 points).** Write `build_model(seed)`.

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
# **Explain**: which layer holds most of the weights? How many weights are there for each labelled digit?
#
# ## 4. Train it, for a number of steps that is written down
#
# One **step** is one batch and one change of the weights. Every model of this course trains for the same number of
# steps: if one trained longer, you could not tell what made the difference, the steps or the pictures. The cell shows
# the number: it stands in the settings that both models share.

# %%
print(f"{SETTINGS.steps} steps of {SETTINGS.batch_size} digits, Adam with learning rate {SETTINGS.learning_rate}")
print(f"one point of the learning curve after every {SETTINGS.epoch_steps} steps")

# %% [markdown]
# A data set that repeats has no end, so Keras must be told how long an epoch is: `steps_per_epoch`. What Keras
# then calls an epoch is only the distance between two points of the learning curve.
#
# The settings are an argument of the function, for they belong to the experiment and not to the training loop: the
# check below hands in settings with fewer steps, so that it is soon done.
#
# **Predict**: how many points will the curve of the settings above have?
#
# **Exercise 4 (3 points).** Write `train_baseline(model, train_batches, validation_batches, settings)`.

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
# Now your own pieces, put together. **Predict** two numbers first: how many of the training digits will the model
# know in the end, and how many of the validation digits?

# %% tags=["show"]
labelled = tf.data.Dataset.from_tensor_slices(measure.labelled_digits(0)).map(normalise)
held_out = tf.data.Dataset.from_tensor_slices(data.load_arrays(data.VALIDATION)).map(normalise)
validation_batches = make_batches(held_out, SETTINGS.batch_size, training=False, seed=0)
baseline = build_model(0)
train_batches = make_batches(labelled, SETTINGS.batch_size, training=True, seed=0)
history = train_baseline(baseline, train_batches, validation_batches, SETTINGS)

# %% tags=["show"]
ax = plots.learning_curves(plt.subplots(figsize=(6, 3.2))[1], {"baseline": history}, SETTINGS.epoch_steps)
plt.show()
print(f"last point: training {history['accuracy'][-1]:.1%}, validation {history['val_accuracy'][-1]:.1%}")

# %% [markdown]
# **Explain**: one curve reaches the ceiling and the other does not. What did the model learn by heart? And if
# validation lies *above* training at the first point: is that a bug? Keras averages a training point over all steps
# since the point before, but measures validation after the last of them.
#
# Now look at the mistakes (true digit → answer). Which of them could have been prevented by having seen the same
# digit a little to the left, thicker, or turned? That question is the whole course.

# %% tags=["show"]
images, labels = data.load_arrays(data.VALIDATION)
answers = baseline.predict(images.astype("float32") / 255, verbose=0).argmax(axis=1)
wrong = np.flatnonzero(answers != labels)[:20]
fig, axes = plt.subplots(2, 10, figsize=(10, 2.6))
plots.sample_grid(axes, [(images[i], f"{labels[i]} → {answers[i]}") for i in wrong])
plt.show()

# %% [markdown]
# ## 5. A number for the gap
#
# Overfitting is the part of the training accuracy that does not carry over. A single point of a curve jumps, and
# the best point is chosen *because* it is lucky; the mean of the last few points does neither.
#
# **Exercise 5 (1 point).** Write `overfitting_gap(history)`, in **percentage points**: from 90 % to 95 % is five
# points.

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
# ## 6. Two rows of dots
#
# You have trained once and you have a number. Train again with another seed, or with other labelled digits, and you
# get another number. Nobody did anything better or worse: that is chance, and it has a size.
#
# Two things are drawn by lot. The **seed** decides the initial weights and the order of the pictures. The **draw**
# decides which ten digits of every class you were given.
#
# **Predict** before you go on: which of the two moves the result more?
#
# The size of chance is the **standard deviation** of the runs. A few runs are only a sample of all possible runs,
# and their mean was computed from the same few numbers: dividing by *n* − 1 instead of *n* makes up for that. (The
# *standard error* is something else: how well the *mean* of the runs is known. It shrinks with every further run;
# luck does not.)
#
# **Exercise 6 (2 points).** Write `spread(by_seed, by_draw)`.

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
# Training so often would take a while, so these runs were made beforehand: the same baseline, on test digits. Compare
# the *widths* of the two rows. Your own run is the dot below them, on validation digits. That is another exam, and one
# dot has no width: it says how *your* model did, and nothing about chance.

# %% tags=["show"]
stored = results.accuracies("spread", DATASET)
rows = {**stored, "your run, validation digits": history["val_accuracy"][-1:]}
fig, ax = plt.subplots(figsize=(7, 2.4))
plots.dots(ax, {name: 100 * np.asarray(runs) for name, runs in rows.items()}, dict.fromkeys(rows, plots.BASELINE))
ax.set_xlabel("accuracy in %")
plt.show()

# %% tags=["show"]
seed_spread, draw_spread = spread(stored["same labels, other seeds"], stored["same seed, other labels"])
print(f"other seeds:  standard deviation {seed_spread:.1f} percentage points")
print(f"other labels: standard deviation {draw_spread:.1f} percentage points")

# %% [markdown]
# **Explain**: what would you have to change, the seed or the labels, to learn whether a method is good and not just
# lucky? **Change one thing**: in your own run of section 4, take draw 1 instead of draw 0. Did your dot move further
# than you would have called "an improvement" a minute ago?
#
# ## 7. What would more labels buy?
#
# The obvious cure for too few labels is more labels. Here is the same baseline with ten and with more labels per
# class, every run a point. **Predict**: from which number on is labelling no longer worth the hour?

# %% tags=["show"]
stored = results.accuracies("labels", DATASET)
per_class = (10, 30, 100)
runs = np.stack([stored[f"none, {n}"] for n in per_class], axis=1)
fig, ax = plt.subplots(figsize=(6, 3.2))
plots.line_with_points(ax, per_class, runs, "baseline", plots.BASELINE)
ax.set(xscale="log", xticks=per_class, xticklabels=per_class, xlabel="labelled digits per class")
ax.set_ylabel("test accuracy in %")
ax.minorticks_off()
plt.show()

# %% [markdown]
# Keep this picture in mind. In step 5 it comes back with a second line, and you can read off how many labels your
# augmentation is worth.
#
# ## Three things to remember
#
# 1. A baseline is only worth what it is compared under: same labels, same start, same number of steps.
# 2. Order matters on the belt: what stands before `cache` happens once, what stands after it happens in every epoch.
# 3. One run is one dot. Which labels you were given and which seed you took both move it; look at the row, not the dot.
#
# **Next**: which pictures still mean the same after you changed them? That is step 3.
