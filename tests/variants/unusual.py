"""Unusual but correct work, by step: each keeps all marks of its exercise.

A student who has read other tutorials, knows another library or writes a loop is as right as one who writes what the
instructor wrote.
"""

from .unusual_late import COMPARE, TRAIN
from .variant import Unusual

STEP1 = "step1_explore"
STEP2 = "step2_baseline"
STEP3 = "step3_augment"

SPLITS = """    pool, validation = tfds.load(name, split=["train[20%:]", "train[:20%]"], as_supervised=True)
    return pool, validation
"""
COUNTS = """    labels = [int(label) for _, label in dataset.as_numpy_iterator()]
    return np.bincount(labels, minlength=10)
"""
FEW = """    images, labels = (np.stack(column) for column in zip(*dataset.as_numpy_iterator()))
    rng = np.random.default_rng(seed)
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(labels == digit), per_class, replace=False) for digit in range(10)]
    )
    return tf.data.Dataset.from_tensor_slices((images[chosen], labels[chosen]))
"""
SAVE = """    name = f"{path}.png"
    PIL.Image.fromarray(image[..., 0]).save(name)
    return name
"""
OPEN = """    with PIL.Image.open(name) as picture:
        return np.asarray(picture)
"""
SHOW = """    ax.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255)
    ax.set_title(str(label))
    ax.set_axis_off()
    return ax
"""

EXPLORE = (
    Unusual(
        "dictionaries-mapped-to-pairs",
        STEP1,
        "load_splits",
        (
            (
                SPLITS,
                """    parts = (tfds.load(name, split=part) for part in ("train[20%:]", "train[:20%]"))
    return tuple(part.map(lambda e: (e["image"], e["label"])) for part in parts)
""",
            ),
        ),
    ),
    Unusual(
        "read-instructions",
        STEP1,
        "load_splits",
        (
            (
                SPLITS,
                """    pool = tfds.core.ReadInstruction("train", from_=20, unit="%")
    validation = tfds.core.ReadInstruction("train", to=20, unit="%")
    return tfds.builder(name).as_dataset(split=[pool, validation], as_supervised=True)
""",
            ),
        ),
    ),
    Unusual(
        "splits-shuffled-and-kept",
        STEP1,
        "load_splits",
        (
            (
                SPLITS,
                """    pool = tfds.load(name, split="train[20%:]", as_supervised=True)
    validation = tfds.load(name, split="train[:20%]", as_supervised=True)
    return [pool.shuffle(10_000), validation.cache()]
""",
            ),
        ),
    ),
    Unusual(
        "counts-in-floats",
        STEP1,
        "class_counts",
        (
            (
                COUNTS,
                """    counts = np.zeros(10)
    for _, label in dataset:
        counts[int(label)] += 1
    return counts
""",
            ),
        ),
    ),
    Unusual(
        "counts-by-one-hot",
        STEP1,
        "class_counts",
        ((COUNTS, "    return dataset.reduce(tf.zeros(10), lambda n, pair: n + tf.one_hot(pair[1], 10)).numpy()\n"),),
    ),
    Unusual(
        "counts-by-a-counter",
        STEP1,
        "class_counts",
        (
            (
                COUNTS,
                """    import collections

    seen = collections.Counter(int(label) for _, label in dataset.as_numpy_iterator())
    return [seen[digit] for digit in range(10)]
""",
            ),
        ),
    ),
    Unusual(
        "counts-by-a-histogram",
        STEP1,
        "class_counts",
        (
            (
                COUNTS,
                """    batches = dataset.map(lambda image, label: label).batch(64)
    labels = np.concatenate(list(batches.as_numpy_iterator()))
    return np.histogram(labels, bins=np.arange(11))[0]
""",
            ),
        ),
    ),
    Unusual(
        "draw-by-a-frozen-shuffle",
        STEP1,
        "few_shot",
        (
            (
                FEW,
                """    mixed = dataset.shuffle(100_000, seed=seed, reshuffle_each_iteration=False)
    drawn = mixed.filter(lambda image, label: label == 0).take(per_class)
    for digit in range(1, 10):
        drawn = drawn.concatenate(mixed.filter(lambda image, label, d=digit: label == d).take(per_class))
    return drawn
""",
            ),
        ),
    ),
    Unusual(
        "draw-by-a-generator",
        STEP1,
        "few_shot",
        (
            (
                FEW,
                """    pairs = list(dataset.as_numpy_iterator())

    def draw():
        import random

        order = random.Random(seed).sample(range(len(pairs)), len(pairs))
        left = dict.fromkeys(range(10), per_class)
        for place in order:
            image, label = pairs[place]
            if left[int(label)] > 0:
                left[int(label)] -= 1
                yield image, label

    return tf.data.Dataset.from_generator(draw, output_signature=dataset.element_spec)
""",
            ),
        ),
    ),
    Unusual(
        "draw-by-sorting",
        STEP1,
        "few_shot",
        (
            (
                FEW,
                """    images, labels = (np.array(list(part)) for part in zip(*dataset.as_numpy_iterator()))
    order = np.random.RandomState(seed).permutation(len(labels))
    chosen = [order[labels[order] == digit][:per_class] for digit in range(10)]
    rows = np.sort(np.concatenate(chosen))
    return tf.data.Dataset.from_tensor_slices((images, labels)).enumerate().filter(
        lambda i, pair: tf.reduce_any(i == rows)
    ).map(lambda i, pair: pair)
""",
            ),
        ),
    ),
    Unusual(
        "bitmap",
        STEP1,
        "save_sample",
        ((SAVE, '    PIL.Image.fromarray(image.squeeze()).save(str(path) + ".bmp")\n    return str(path) + ".bmp"\n'),),
    ),
    Unusual(
        "rgb-and-back",
        STEP1,
        "save_sample",
        (
            (
                SAVE,
                '    PIL.Image.fromarray(image.repeat(3, axis=-1)).save(f"{path}.tiff")\n    return f"{path}.tiff"\n',
            ),
            (OPEN, "    return np.array(PIL.Image.open(name).convert('L'))\n"),
        ),
    ),
    Unusual(
        "saved-by-matplotlib",
        STEP1,
        "save_sample",
        (
            (
                SAVE,
                '    name = f"{path}.png"\n    plt.imsave(name, np.repeat(image, 3, axis=-1))\n    return name\n',
            ),
            (OPEN, "    return np.array(PIL.Image.open(name))[..., 0]\n"),
        ),
    ),
    Unusual(
        "shown-in-three-channels",
        STEP1,
        "show_digit",
        ((SHOW, "    ax.imshow(np.repeat(image, 3, axis=-1))\n    ax.set_title(label)\n    return ax\n"),),
    ),
    Unusual(
        "shown-as-ink-on-paper",
        STEP1,
        "show_digit",
        ((', cmap="gray", vmin=0, vmax=255', ', cmap="gray_r", vmin=0, vmax=255'),),
    ),
    Unusual(
        "shown-in-greys-with-a-title-on-the-left",
        STEP1,
        "show_digit",
        (
            (
                SHOW,
                """    norm = plt.Normalize(0, 255)
    ax.imshow(image, cmap="Greys", norm=norm, interpolation="bilinear")
    ax.set_title(f"{label}", loc="left")
    return ax
""",
            ),
        ),
    ),
    Unusual(
        "shown-as-shares",
        STEP1,
        "show_digit",
        (
            (
                SHOW,
                """    ax.matshow(image.squeeze() / 255, cmap=plt.cm.binary_r, vmin=0, vmax=1)
    ax.set(title=str(label), xticks=[], yticks=[])
    return ax
""",
            ),
        ),
    ),
    Unusual(
        "letters-in-capitals",
        STEP1,
        "questions",
        (('{1: "b", 2: "d", 3: "a"', '{1: "B ", 2: " D", 3: "A"'),),
    ),
    Unusual(
        "shown-as-a-mesh",
        STEP1,
        "show_digit",
        (
            (
                SHOW,
                """    ax.pcolormesh(image[..., 0], cmap="gray", vmin=0, vmax=255)
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_title(str(label))
    return ax
""",
            ),
        ),
    ),
)

NORMALISE = "    return tf.cast(image, tf.float32) / 255.0, label\n    ### END"
BATCHES = """    dataset = dataset.cache()
    if training:
        dataset = dataset.shuffle(dataset.cardinality(), seed=seed)
        dataset = dataset.repeat()
    return dataset.batch(batch_size).prefetch(2)
"""
MODEL = """    keras.utils.set_random_seed(seed)
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
"""
FIT = """    history = model.fit(
        train_batches,
        steps_per_epoch=settings.epoch_steps,
        epochs=settings.steps // settings.epoch_steps,
        validation_data=validation_batches,
        verbose=0,
    )
    return history.history
"""
COMPILE_AND_FIT = (
    """    model.compile(
        optimizer=keras.optimizers.Adam(settings.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
"""
    + FIT
)
GAP = """    training = np.mean(history["accuracy"][-3:])
    validation = np.mean(history["val_accuracy"][-3:])
    return 100 * (training - validation)
"""
SPREAD = "    return 100 * np.std(by_seed, ddof=1), 100 * np.std(by_draw, ddof=1)\n"

BASELINE = (
    Unusual(
        "normalised-by-a-layer",
        STEP2,
        "normalise",
        ((NORMALISE, "    return keras.layers.Rescaling(1 / 255)(image), tf.cast(label, tf.int32)\n    ### END"),),
    ),
    Unusual(
        "normalised-in-numpy",
        STEP2,
        "normalise",
        (
            (
                NORMALISE,
                """    scaled = tf.numpy_function(lambda x: (x / 255).astype(np.float32), [image], tf.float32)
    scaled.set_shape(image.shape)
    return scaled, label
    ### END""",
            ),
        ),
    ),
    Unusual(
        "batch-before-repeat",
        STEP2,
        "make_batches",
        (
            (
                BATCHES,
                """    kept = dataset.cache()
    if not training:
        return kept.batch(batch_size)
    return kept.shuffle(10_000, seed=seed).batch(batch_size).repeat()
""",
            ),
        ),
    ),
    Unusual(
        "repeat-then-drop-the-remainder",
        STEP2,
        "make_batches",
        (
            (
                BATCHES,
                """    if training:
        mixed = dataset.cache().shuffle(1000, seed=seed, reshuffle_each_iteration=True)
        return mixed.repeat().batch(batch_size, drop_remainder=True)
    return dataset.batch(batch_size).cache()
""",
            ),
        ),
    ),
    Unusual(
        "batches-from-memory",
        STEP2,
        "make_batches",
        (
            (
                BATCHES,
                """    images, labels = (np.array(part) for part in zip(*dataset.as_numpy_iterator()))
    if not training:
        return tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)

    def epochs():
        rng = np.random.default_rng(seed)
        while True:
            yield from rng.permutation(len(labels))

    order = tf.data.Dataset.from_generator(epochs, output_signature=tf.TensorSpec((), tf.int64))
    return order.batch(batch_size).map(lambda rows: (tf.gather(images, rows), tf.gather(labels, rows)))
""",
            ),
        ),
    ),
    Unusual(
        "functional-model",
        STEP2,
        "build_model",
        (
            (
                MODEL,
                """    tf.keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((28, 28, 1))
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, (3, 3), padding="valid")(x)
        x = keras.layers.MaxPool2D((2, 2), strides=2)(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.Dense(64)(keras.layers.Reshape((800,))(x))
    x = keras.layers.Dense(10)(keras.activations.relu(x))
    return keras.Model(inputs, keras.layers.Softmax()(x))
""",
            ),
        ),
    ),
    Unusual(
        "model-of-its-own-class",
        STEP2,
        "build_model",
        (
            (
                MODEL,
                """    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            glorot = keras.initializers.GlorotUniform(seed=seed)
            relu = {"activation": "relu", "kernel_initializer": glorot}
            self.steps = [
                keras.layers.Conv2D(16, 3, **relu),
                keras.layers.MaxPooling2D(),
                keras.layers.Conv2D(32, 3, **relu),
                keras.layers.MaxPooling2D(),
                keras.layers.Flatten(),
                keras.layers.Dense(64, **relu),
                keras.layers.Dense(10, activation="softmax", kernel_initializer=glorot),
            ]

        def call(self, x):
            for step in self.steps:
                x = step(x)
            return x

    network = Network()
    network(np.zeros((1, 28, 28, 1), np.float32))
    return network
""",
            ),
        ),
    ),
    Unusual(
        "dropout-of-nothing",
        STEP2,
        "build_model",
        (("keras.layers.Flatten(),\n", "keras.layers.Flatten(),\n            keras.layers.Dropout(0.0),\n"),),
    ),
    Unusual(
        "loop-with-a-defaultdict",
        STEP2,
        "train_baseline",
        (
            (
                FIT,
                """    import collections

    history = collections.defaultdict(list)
    batches = iter(train_batches)
    for _ in range(settings.steps // settings.epoch_steps):
        model.reset_metrics()
        for _ in range(settings.epoch_steps):
            during = model.train_on_batch(*next(batches), return_dict=True)
        after = model.evaluate(validation_batches, verbose=0, return_dict=True)
        for name in ("loss", "accuracy"):
            history[name].append(during[name])
            history["val_" + name].append(after[name])
    return history
""",
            ),
        ),
    ),
    Unusual(
        "loop-with-a-tape",
        STEP2,
        "train_baseline",
        (
            (
                COMPILE_AND_FIT,
                """    optimizer = keras.optimizers.Adam(learning_rate=settings.learning_rate)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy()
    history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    loss, right = keras.metrics.Mean(), keras.metrics.SparseCategoricalAccuracy()

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            answers = model(images, training=True)
            value = cross_entropy(labels, answers)
        optimizer.apply_gradients(zip(tape.gradient(value, model.trainable_variables), model.trainable_variables))
        loss.update_state(value)
        right.update_state(labels, answers)

    for number, (images, labels) in enumerate(train_batches.take(settings.steps), start=1):
        step(images, labels)
        if number % settings.epoch_steps == 0:
            exam = list(validation_batches)
            truth = tf.concat([labels for _, labels in exam], 0)
            answers = tf.concat([model(images) for images, _ in exam], 0)
            history["loss"].append(float(loss.result()))
            history["accuracy"].append(float(right.result()))
            history["val_loss"].append(float(cross_entropy(truth, answers)))
            history["val_accuracy"].append(float(np.mean(np.argmax(answers, 1) == truth)))
            loss.reset_state()
            right.reset_state()
    return history
""",
            ),
        ),
    ),
    Unusual(
        "fit-with-callbacks",
        STEP2,
        "train_baseline",
        (
            ('loss="sparse_categorical_crossentropy"', "loss=keras.losses.SparseCategoricalCrossentropy()"),
            (
                '        metrics=["accuracy"],\n',
                '        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],\n',
            ),
            (
                "        verbose=0,\n    )\n",
                "        verbose=0,\n        callbacks=[keras.callbacks.TerminateOnNaN()],\n    )\n",
            ),
        ),
    ),
    Unusual(
        "gap-in-float32",
        STEP2,
        "overfitting_gap",
        (
            (
                GAP,
                """    ends = [tf.reduce_mean(tf.constant(history[name][-3:])) for name in ("accuracy", "val_accuracy")]
    return (ends[0] - ends[1]) * 100
""",
            ),
        ),
    ),
    Unusual(
        "gap-by-hand",
        STEP2,
        "overfitting_gap",
        (
            (
                GAP,
                """    pairs = list(zip(history["accuracy"], history["val_accuracy"]))[-3:]
    return sum(100 * training - 100 * validation for training, validation in pairs) / 3
""",
            ),
        ),
    ),
    Unusual(
        "spread-by-statistics",
        STEP2,
        "spread",
        (
            (
                SPREAD,
                """    import statistics

    return [100 * statistics.stdev(map(float, runs)) for runs in (by_seed, by_draw)]
""",
            ),
        ),
    ),
    Unusual(
        "spread-in-float32",
        STEP2,
        "spread",
        (
            (
                SPREAD,
                "    percent = (100 * np.float32(runs) for runs in (by_seed, by_draw))\n"
                "    return np.array([runs.std(ddof=1) for runs in percent])\n",
            ),
        ),
    ),
    Unusual(
        "letters-typed-in-haste",
        STEP2,
        "questions",
        (
            (
                'answers = {1: "b", 2: "d", 3: "c", 4: "a", 5: "c"}',
                'answers = dict(enumerate(["B ", "D", "c", " a", "C"], 1))',
            ),
        ),
    ),
)

ROTATE = "    return A.Rotate(limit=(-max_degrees, max_degrees), border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)\n"
FLIP = "    return A.HorizontalFlip(p=0.5)\n"
LIGHT = "    return A.RandomBrightnessContrast(brightness_limit=(-limit, limit), contrast_limit=(0, 0), p=1.0)\n"
JITTER = """    factor = (1 - limit, 1 + limit)
    return A.ColorJitter(brightness=(1, 1), contrast=(1, 1), saturation=factor, hue=(0, 0), p=1.0)
"""
CHANGE = """    outputs = [transform(image=image)["image"] for _ in range(20)]
    return max(int(np.abs(output.astype(int) - image.astype(int)).max()) for output in outputs)
"""
FLIPS = "flips = [A.HorizontalFlip(p=0.5)] if digit in (0, 1, 8) else []"

AUGMENT = (
    Unusual("rotation-by-a-number", STEP3, "rotation", ((ROTATE, "    return A.Rotate(max_degrees, p=1)\n"),)),
    Unusual(
        "rotation-to-the-nearest-pixel",
        STEP3,
        "rotation",
        ((ROTATE, "    return A.Rotate(max_degrees, interpolation=cv2.INTER_NEAREST, border_mode=0, p=1)\n"),),
    ),
    Unusual(
        "rotation-to-either-side",
        STEP3,
        "rotation",
        (
            (
                ROTATE,
                "    sides = ((-max_degrees, 0), (0, max_degrees))\n"
                "    return A.OneOf([A.Affine(rotate=side, interpolation=2, p=1) for side in sides], p=1)\n",
            ),
        ),
    ),
    Unusual(
        "rotation-by-the-old-name",
        STEP3,
        "rotation",
        (
            (
                ROTATE,
                "    return A.ShiftScaleRotate(\n"
                "        shift_limit=0, scale_limit=0, rotate_limit=max_degrees, border_mode=0, fill=0, p=1\n    )\n",
            ),
        ),
    ),
    Unusual(
        "flip-or-nothing",
        STEP3,
        "flip",
        ((FLIP, "    return A.OneOf([A.HorizontalFlip(p=1), A.NoOp(p=1)], p=1)\n"),),
    ),
    Unusual("flip-in-a-pipeline", STEP3, "flip", ((FLIP, "    return A.Compose([A.HorizontalFlip(p=1)], p=0.5)\n"),)),
    Unusual(
        "brightness-of-its-own-class",
        STEP3,
        "brightness",
        (
            (
                LIGHT,
                """    class Add(A.ImageOnlyTransform):
        def apply(self, img, **params):
            amount = round(255 * self.py_random.uniform(-limit, limit))
            return np.clip(img.astype(int) + amount, 0, 255).astype(np.uint8)

    return Add(p=1)
""",
            ),
        ),
    ),
    Unusual(
        "brightness-as-constant-noise",
        STEP3,
        "brightness",
        (
            (
                LIGHT,
                """    ranges = {"ranges": [(-limit, limit)]}
    return A.AdditiveNoise(noise_type="uniform", spatial_mode="constant", noise_params=ranges, p=1)
""",
            ),
        ),
    ),
    Unusual(
        "brightness-darker-or-brighter",
        STEP3,
        "brightness",
        (
            (
                LIGHT,
                "    sides = ((-limit, 0), (0, limit))\n"
                "    return A.OneOf([A.RandomBrightnessContrast(side, (0, 0), p=1) for side in sides], p=1)\n",
            ),
        ),
    ),
    Unusual(
        "saturation-by-a-number",
        STEP3,
        "saturation",
        ((JITTER, "    return A.ColorJitter(brightness=0, contrast=0, saturation=limit, hue=0, p=1)\n"),),
    ),
    Unusual(
        "change-in-a-loop",
        STEP3,
        "saturation",
        (
            (
                CHANGE,
                """    largest = 0
    for _ in range(20):
        difference = cv2.absdiff(transform(image=image)["image"].squeeze(), image.squeeze())
        largest = max(largest, difference.max())
    return largest
""",
            ),
        ),
    ),
    Unusual(
        "change-in-floats",
        STEP3,
        "saturation",
        (
            (
                CHANGE,
                """    pipeline = A.Compose([transform])
    outputs = np.stack([pipeline(image=image)["image"] for _ in range(20)]).astype("float32")
    return np.abs(outputs - image).max()
""",
            ),
        ),
    ),
    Unusual(
        "a-mirrored-4-is-a-4",
        STEP3,
        "keeps_label",
        (
            ('survivors = {"horizontal flip": {0, 8}', 'survivors = {"horizontal flip": {0, 4, 8}'),
            ('contested = {"horizontal flip": {1, 4}', 'contested = {"horizontal flip": {1}'),
        ),
    ),
    Unusual(
        "contested-cells-decided",
        STEP3,
        "keeps_label",
        (
            (
                "        return None\n    return digit in survivors",
                "        return digit == 1\n    return digit in survivors",
            ),
        ),
    ),
    Unusual(
        "answers-in-numpy",
        STEP3,
        "keeps_label",
        (
            (
                "    return digit in survivors.get(transform, set(range(10)))\n",
                "    return np.isin(digit, list(survivors.get(transform, range(10)))).any()\n",
            ),
        ),
    ),
    Unusual(
        "flips-with-p-of-zero",
        STEP3,
        "recipe",
        ((FLIPS, "flips = [A.HorizontalFlip(p=0.5 if digit in (0, 8) else 0.0)]"),),
    ),
    Unusual(
        "flips-that-do-nothing-elsewhere",
        STEP3,
        "recipe",
        ((FLIPS, "flips = [A.OneOf([A.HorizontalFlip(p=1), A.NoOp(p=1)], p=1) if digit in (0, 8) else A.NoOp()]"),),
    ),
    Unusual(
        "one-jitter-after-a-rotation",
        STEP3,
        "recipe",
        (
            ("turn = A.Affine(rotate=(-15, 15), p=1.0)", "turn = A.Rotate((-15, 15), border_mode=0, p=1)"),
            (
                "return A.Compose([turn, *flips, light, colour])",
                "return A.Compose([*flips, A.Sequential([colour, light], p=1), turn])",
            ),
        ),
    ),
    Unusual(
        "one-pipeline-per-kind",
        STEP3,
        "recipe",
        (
            (
                "    return {digit: pipeline(digit) for digit in range(10)}\n",
                "    plain, mirrored = pipeline(3), pipeline(8)\n"
                "    return {digit: mirrored if digit in (0, 8) else plain for digit in range(10)}\n",
            ),
        ),
    ),
    Unusual(
        "capital-letters",
        STEP3,
        "questions",
        (('answers = {1: "c", 2: "a",', 'answers = {1: "C ", 2: " A",'),),
    ),
)

UNUSUAL = {STEP1: EXPLORE, STEP2: BASELINE, STEP3: AUGMENT, "step4_train": TRAIN, "step5_compare": COMPARE}
"""Step → its unusual work. Each step has a tuple of its own."""
