from .variant import Variant

MAP = "    return dataset.map(change)\n"
STREAM = "    transform = recipe.stream(seed)\n\n    def change(image, label):\n"
CALL = "        changed = tf.numpy_function(transform, [image, label], tf.uint8)\n"
SET_SHAPE = "        changed.set_shape((28, 28, 1))\n"
SPLIT = "    n = int(digits.cardinality())\n"
CACHE = "    training = training.cache()\n"
AUGMENT = "    training = reference_augment(training, recipe, seed)\n"
PERCENT = "percent(images, labels) - percent(validation_images, validation_labels)"
EPOCHS = "epochs=settings.steps // settings.epoch_steps,"
ROTATE = "        rotate=(-12, 12),\n"
COMPOSE = "    return A.Compose([warp])\n"

VARIANTS = (
    Variant("lost-static-shape", "augment", ((SET_SHAPE, ""),), "`set_shape`"),
    Variant(
        "result-thrown-away",
        "augment",
        ((MAP, "    dataset.map(change)\n    return dataset\n"),),
        "map's result thrown away",
    ),
    Variant("cached-inside", "augment", ((MAP, "    return dataset.map(change).cache()\n"),), "frozen randomness"),
    Variant(
        "one-stream-per-picture",
        "augment",
        (
            (STREAM, "    def change(image, label):\n"),
            (
                CALL,
                "        def once(picture, digit):\n"
                "            return recipe.stream(seed)(picture, digit)\n\n"
                "        changed = tf.numpy_function(once, [image, label], tf.uint8)\n",
            ),
        ),
        "frozen randomness",
    ),
    Variant(
        "more-rows",
        "augment",
        ((MAP, "    return dataset.concatenate(dataset.map(change))\n"),),
        "augmentation taken for more rows",
    ),
    Variant(
        "float-into-uint8",
        "augment",
        (
            (
                CALL,
                "        scaled = tf.cast(image, tf.float32) / 255.0\n"
                "        changed = tf.cast(tf.numpy_function(transform, [scaled, label], tf.float32), tf.uint8)\n",
            ),
        ),
        "float image into a uint8 transform",
    ),
    Variant(
        "normalised-before",
        "augment",
        (
            (
                CALL,
                "        scaled = tf.cast(image, tf.float32) / 255.0\n"
                "        changed = tf.numpy_function(transform, [scaled, label], tf.float32)\n",
            ),
        ),
        "float image into a uint8 transform",
    ),
    Variant(
        "labels-shuffled",
        "augment",
        (
            (
                MAP,
                "    labels = dataset.map(lambda image, label: label).shuffle(48, seed=1)\n"
                "    return tf.data.Dataset.zip(dataset.map(change).map(lambda image, label: image), labels)\n",
            ),
        ),
        "every label stays where it was",
    ),
    Variant(
        "same-label-for-all",
        "augment",
        ((CALL, "        changed = tf.numpy_function(transform, [image, tf.zeros_like(label)], tf.uint8)\n"),),
        "pipeline of its own label",
    ),
    Variant(
        "seed-ignored",
        "augment",
        ((STREAM, STREAM.replace("(seed)", "(np.random.randint(1_000_000))")),),
        "`seed` does not reach",
    ),
    Variant("cache-after-augment", "pipelines", ((CACHE, ""), (AUGMENT, AUGMENT + CACHE)), "frozen randomness"),
    Variant("no-cache", "pipelines", ((CACHE, ""),), "there is no `cache`"),
    Variant(
        "augmented-validation",
        "pipelines",
        ((AUGMENT, AUGMENT + AUGMENT.replace("training", "validation")),),
        "augmented validation data",
    ),
    Variant(
        "augmented-then-split",
        "pipelines",
        (
            (AUGMENT, ""),
            (CACHE, ""),
            (SPLIT, SPLIT + "    digits = reference_augment(digits.cache(), recipe, seed)\n"),
        ),
        "augmented validation data",
    ),
    Variant(
        "copied-then-split",
        "pipelines",
        ((SPLIT, "    digits = digits.shuffle(125, seed=1, reshuffle_each_iteration=False).repeat(2)\n" + SPLIT),),
        "augmented, then split",
    ),
    Variant(
        "not-shuffled",
        "pipelines",
        (("    training = training.shuffle(n, seed=seed)\n", ""),),
        "`shuffle` is missing",
    ),
    Variant(
        "three-times-the-steps",
        "train_augmented",
        ((EPOCHS, EPOCHS.replace("epochs=", "epochs=3 * ")),),
        "different numbers of steps",
    ),
    Variant(
        "own-settings",
        "train_augmented",
        ((EPOCHS, EPOCHS.replace("settings.steps", "SETTINGS.steps")),),
        "of SETTINGS, not of the argument",
    ),
    Variant(
        "sixty-steps",
        "train_augmented",
        (("steps_per_epoch=settings.epoch_steps", "steps_per_epoch=5"),),
        "different numbers of steps",
    ),
    Variant(
        "trained-on-validation",
        "train_augmented",
        (("        train_batches,\n", "        validation_batches.repeat(),\n"),),
        "validation digits were learned from",
    ),
    Variant(
        "frozen-batches",
        "train_augmented",
        (("        train_batches,\n", "        train_batches.take(2).cache().repeat(),\n"),),
        "beats the baseline of the same",
    ),
    Variant(
        "hardly-learning",
        "train_augmented",
        (("Adam(settings.learning_rate)", "Adam(settings.learning_rate / 1000)"),),
        "hardly at all",
    ),
    Variant("turned-round", "honest_gap", ((PERCENT, f"-({PERCENT})"),), "turned round"),
    Variant("shares-not-points", "honest_gap", (("return 100 * np.mean", "return np.mean"),), "percentage points"),
    Variant("never-negative", "honest_gap", ((PERCENT, f"abs({PERCENT})"),), "validation above training is a bug"),
    Variant(
        "augmented-exam",
        "honest_gap",
        (
            (
                PERCENT,
                PERCENT.replace("percent(images", "percent(recipes.geometric().apply(images, labels, seed=0)"),
            ),
        ),
        "validation above training is a bug",
    ),
    Variant("upside-down", "my_recipe", ((ROTATE, "        rotate=(-180, 180),\n"),), "stronger is better"),
    Variant(
        "the-tutorials-four",
        "my_recipe",
        (
            (
                COMPOSE,
                '    return A.Compose(A.from_dict(recipes.named("the tutorial\'s four").pipelines[0]).transforms)\n',
            ),
        ),
        "is no longer that digit",
    ),
    Variant(
        "betrays-the-label",
        "my_recipe",
        (
            (
                COMPOSE,
                "    bright = A.RandomBrightnessContrast(brightness_limit=(0.2, 0.4), p=1.0)\n"
                "    return {d: A.Compose([warp, bright] if d in (0, 1, 8) else [warp]) for d in range(10)}\n",
            ),
        ),
        "betrays their label",
    ),
    Variant("does-nothing", "my_recipe", ((COMPOSE, "    return A.Compose([A.NoOp()])\n"),), "does nothing"),
)
