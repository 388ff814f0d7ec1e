from .variant import Variant

SHUFFLE = "dataset = dataset.shuffle(dataset.cardinality(), seed=seed)"

VARIANTS = (
    Variant(
        "cast-only",
        "normalise",
        (("return tf.cast(image, tf.float32) / 255.0, label", "return tf.cast(image, tf.float32), label"),),
        "cast changes the type",
    ),
    Variant(
        "divided-by-256", "normalise", (("tf.float32) / 255.0, label", "tf.float32) / 256.0, label"),), "255, not 256"
    ),
    Variant(
        "float64",
        "normalise",
        (("tf.cast(image, tf.float32) / 255.0, label", "tf.cast(image, tf.float64) / 255.0, label"),),
        "float64 doubles the work",
    ),
    Variant(
        "label-lost",
        "normalise",
        (("return tf.cast(image, tf.float32) / 255.0, label", "return tf.cast(image, tf.float32) / 255.0"),),
        "the label was lost",
    ),
    Variant("never-shuffled", "make_batches", ((SHUFFLE, ""),), "`shuffle` is missing"),
    Variant(
        "shuffle-thrown-away",
        "make_batches",
        ((SHUFFLE, SHUFFLE.removeprefix("dataset = ")),),
        "which name holds the new data set",
    ),
    Variant(
        "order-frozen-by-cache",
        "make_batches",
        (("    dataset = dataset.cache()\n", ""), (SHUFFLE, SHUFFLE + ".cache()")),
        "frozen randomness",
    ),
    Variant(
        "repeat-before-shuffle",
        "make_batches",
        (("dataset = dataset.shuffle(", "dataset = dataset.repeat().shuffle("),),
        "two epochs are mixed into one",
    ),
    Variant(
        "small-buffer",
        "make_batches",
        (("dataset.shuffle(dataset.cardinality(),", "dataset.shuffle(10,"),),
        "late examples",
    ),
    Variant("no-cache", "make_batches", (("    dataset = dataset.cache()\n", ""),), "`cache` is missing"),
    Variant(
        "order-seed-ignored", "make_batches", (("cardinality(), seed=seed)", "cardinality(), seed=0)"),), "same order"
    ),
    Variant(
        "remainder-dropped",
        "make_batches",
        (("return dataset.batch(batch_size)", "return dataset.batch(batch_size, drop_remainder=True)"),),
        "a part of the exam",
    ),
    Variant(
        "validation-shuffled",
        "make_batches",
        ((f"    if training:\n        {SHUFFLE}\n", f"    {SHUFFLE}\n    if training:\n"),),
        "an exam needs no luck",
    ),
    Variant(
        "logits", "build_model", (('keras.layers.Dense(10, activation="softmax")', "keras.layers.Dense(10)"),), "logits"
    ),
    Variant(
        "linear-convolution",
        "build_model",
        (('keras.layers.Conv2D(32, 3, activation="relu")', "keras.layers.Conv2D(32, 3)"),),
        "stays linear",
    ),
    Variant(
        "fewer-filters",
        "build_model",
        (("keras.layers.Conv2D(16, 3,", "keras.layers.Conv2D(8, 3,"),),
        "number of filters",
    ),
    Variant(
        "weights-seed-ignored",
        "build_model",
        (("keras.utils.set_random_seed(seed)", "keras.utils.set_random_seed(0)"),),
        "every model starts from the same weights",
    ),
    Variant(
        "tenth-of-the-steps",
        "train_baseline",
        (("steps_per_epoch=settings.epoch_steps", "steps_per_epoch=settings.epoch_steps // 10"),),
        "10 optimiser steps",
    ),
    Variant(
        "three-times-the-steps",
        "train_baseline",
        (("epochs=settings.steps //", "epochs=3 * settings.steps //"),),
        "cannot be compared",
    ),
    Variant(
        "own-settings",
        "train_baseline",
        (("epochs=settings.steps //", "epochs=SETTINGS.steps //"),),
        "of SETTINGS, not of the argument",
    ),
    Variant(
        "learned-from-validation",
        "train_baseline",
        (
            (
                "        train_batches,\n        steps_per_epoch",
                "        validation_batches.repeat(),\n        steps_per_epoch",
            ),
        ),
        "too good to be true",
    ),
    Variant(
        "ten-times-the-learning-rate",
        "train_baseline",
        (("Adam(settings.learning_rate)", "Adam(10 * settings.learning_rate)"),),
        "another learning rate",
    ),
    Variant(
        "another-optimiser",
        "train_baseline",
        (("keras.optimizers.Adam(settings.learning_rate)", "keras.optimizers.SGD(settings.learning_rate)"),),
        "another optimiser or loss",
    ),
    Variant(
        "no-validation",
        "train_baseline",
        (("        validation_data=validation_batches,\n", ""),),
        "expected an array named val_accuracy",
    ),
    Variant(
        "gap-reversed",
        "overfitting_gap",
        (("100 * (training - validation)", "100 * (validation - training)"),),
        "the sign",
    ),
    Variant(
        "gap-as-a-share",
        "overfitting_gap",
        (("return 100 * (training - validation)", "return training - validation"),),
        "shares of one",
    ),
    Variant(
        "gap-of-the-last-points",
        "overfitting_gap",
        (
            ('np.mean(history["accuracy"][-3:])', 'history["accuracy"][-1]'),
            ('np.mean(history["val_accuracy"][-3:])', 'history["val_accuracy"][-1]'),
        ),
        "a single point jumps",
    ),
    Variant(
        "divided-by-n",
        "spread",
        (
            (
                "return 100 * np.std(by_seed, ddof=1), 100 * np.std(by_draw, ddof=1)",
                "return 100 * np.std(by_seed), 100 * np.std(by_draw)",
            ),
        ),
        "divided by n",
    ),
    Variant(
        "standard-error",
        "spread",
        (
            (
                "return 100 * np.std(by_seed, ddof=1), 100 * np.std(by_draw, ddof=1)",
                "return [100 * np.std(a, ddof=1) / len(a) ** 0.5 for a in (by_seed, by_draw)]",
            ),
        ),
        "standard error",
    ),
)
