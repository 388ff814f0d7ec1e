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
    Variant("never-shuffled", "make_batches", ((SHUFFLE, ""),), "`shuffle` is missing", keeps=2),
    Variant(
        "shuffle-thrown-away",
        "make_batches",
        ((SHUFFLE, SHUFFLE.removeprefix("dataset = ")),),
        "which name holds the new data set",
        keeps=2,
    ),
    Variant(
        "order-frozen-by-cache",
        "make_batches",
        (("    dataset = dataset.cache()\n", ""), (SHUFFLE, SHUFFLE + ".cache()")),
        "frozen randomness",
        keeps=1.5,
    ),
    Variant(
        "repeat-before-shuffle",
        "make_batches",
        (("dataset = dataset.shuffle(", "dataset = dataset.repeat().shuffle("),),
        "two epochs are mixed into one",
        keeps=2,
    ),
    Variant(
        "small-buffer",
        "make_batches",
        (("dataset.shuffle(dataset.cardinality(),", "dataset.shuffle(10,"),),
        "late examples",
        keeps=2,
    ),
    Variant("no-cache", "make_batches", (("    dataset = dataset.cache()\n", ""),), "`cache` is missing", keeps=2.5),
    Variant(
        "order-seed-ignored",
        "make_batches",
        (("cardinality(), seed=seed)", "cardinality(), seed=0)"),),
        "same order",
        keeps=2,
    ),
    Variant(
        "remainder-dropped",
        "make_batches",
        (("return dataset.batch(batch_size)", "return dataset.batch(batch_size, drop_remainder=True)"),),
        "a part of the exam",
        keeps=2.5,
    ),
    Variant(
        "validation-shuffled",
        "make_batches",
        ((f"    if training:\n        {SHUFFLE}\n", f"    {SHUFFLE}\n    if training:\n"),),
        "an exam needs no luck",
        keeps=2.5,
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
        "without validation_data",
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
    Variant(
        "half-precision",
        "normalise",
        (("tf.cast(image, tf.float32) / 255.0, label", "tf.cast(tf.cast(image, tf.half) / 255.0, tf.float32), label"),),
        "lies evenly between",
    ),
    Variant(
        "a-dictionary-of-two",
        "normalise",
        (
            (
                "return tf.cast(image, tf.float32) / 255.0, label",
                'return {"image": tf.cast(image, tf.float32) / 255.0, "label": label}',
            ),
        ),
        "Keras takes pairs",
    ),
    Variant(
        "each-picture-on-its-own-scale",
        "normalise",
        (
            (
                "return tf.cast(image, tf.float32) / 255.0, label",
                "image = tf.cast(image, tf.float32); return image / tf.reduce_max(image), label",
            ),
        ),
        "scaled by the same number",
    ),
    Variant(
        "epochs-without-their-end",
        "make_batches",
        (("        dataset = dataset.repeat()\n", "        return dataset.batch(batch_size, True).repeat()\n"),),
        "smaller batch of every epoch away",
        keeps=2,
    ),
    Variant(
        "buffer-of-half",
        "make_batches",
        (("dataset.shuffle(dataset.cardinality(),", "dataset.shuffle(dataset.cardinality() // 2,"),),
        "late examples",
        keeps=2,
    ),
    Variant(
        "batches-shuffled-whole",
        "make_batches",
        (
            (SHUFFLE, "dataset = dataset.batch(batch_size).shuffle(dataset.cardinality(), seed=seed).repeat()"),
            ("        dataset = dataset.repeat()\n", "        return dataset\n"),
        ),
        "after `batch`",
        keeps=2,
    ),
    Variant(
        "one-order-for-all-epochs",
        "make_batches",
        (("cardinality(), seed=seed)", "cardinality(), seed=seed, reshuffle_each_iteration=False)"),),
        "reshuffle_each_iteration is False",
        keeps=2,
    ),
    Variant(
        "another-order-in-every-call",
        "make_batches",
        (("cardinality(), seed=seed)", "cardinality())"),),
        "does not reach `shuffle`",
        keeps=2,
    ),
    Variant(
        "one-epoch-only",
        "make_batches",
        (("        dataset = dataset.repeat()\n", "        dataset.repeat()\n"),),
        "go on for ever",
        keeps=2,
    ),
    Variant(
        "batches-of-sixteen",
        "make_batches",
        (("return dataset.batch(batch_size)", "return dataset.batch(16)"),),
        "101 validation examples in batches of 7",
        keeps=2.5,
    ),
    Variant(
        "labels-come-late",
        "make_batches",
        (
            (
                "        dataset = dataset.repeat()\n",
                "        dataset = dataset.repeat()\n"
                "        return dataset.batch(batch_size).map(lambda image, label: (image, label[::-1]))\n",
            ),
        ),
        "reordered separately",
        keeps=2,
    ),
    Variant(
        "dropout",
        "build_model",
        (("keras.layers.Flatten(),\n", "keras.layers.Flatten(),\n            keras.layers.Dropout(0.3),\n"),),
        "a dropout",
    ),
    Variant(
        "noise",
        "build_model",
        (("keras.layers.Flatten(),\n", "keras.layers.Flatten(),\n            keras.layers.GaussianNoise(0.1),\n"),),
        "a noise layer",
    ),
    Variant(
        "random-flip-inside",
        "build_model",
        (
            (
                "keras.layers.Input(shape=(28, 28, 1)),\n",
                'keras.layers.Input(shape=(28, 28, 1)),\n            keras.layers.RandomFlip("horizontal"),\n',
            ),
        ),
        "random transformation",
    ),
    Variant(
        "frozen-convolution",
        "build_model",
        (
            (
                'keras.layers.Conv2D(16, 3, activation="relu")',
                'keras.layers.Conv2D(16, 3, activation="relu", trainable=False)',
            ),
        ),
        "trainable=False",
    ),
    Variant(
        "regularised",
        "build_model",
        (
            (
                'keras.layers.Dense(64, activation="relu")',
                'keras.layers.Dense(64, activation="relu", kernel_regularizer="l2")',
            ),
        ),
        "a regulariser changes",
    ),
    Variant(
        "activity-regularised",
        "build_model",
        (
            (
                "keras.layers.Flatten(),\n",
                "keras.layers.Flatten(),\n            keras.layers.ActivityRegularization(l1=1e-4),\n",
            ),
        ),
        "a regulariser changes",
    ),
    Variant(
        "held-back",
        "build_model",
        (
            (
                'keras.layers.Dense(64, activation="relu")',
                'keras.layers.Dense(64, activation="relu", kernel_constraint="unit_norm")',
            ),
        ),
        "no weight is held back",
    ),
    Variant(
        "average-pooling",
        "build_model",
        (
            (
                'keras.layers.Conv2D(32, 3, activation="relu"),\n            keras.layers.MaxPooling2D(),',
                'keras.layers.Conv2D(32, 3, activation="relu"),\n            keras.layers.AveragePooling2D(2),',
            ),
        ),
        "not max pooling",
    ),
    Variant(
        "invented-training-curve",
        "train_baseline",
        (
            (
                "    return history.history\n    ### END",
                '    return {**history.history, "accuracy": [0.2, 0.3]}\n    ### END',
            ),
        ),
        "not measured in this training",
    ),
    Variant(
        "invented-start",
        "train_baseline",
        (
            (
                "    return history.history\n    ### END",
                '    last = history.history["val_accuracy"][-1]\n'
                '    return {**history.history, "val_accuracy": [last / 3, last]}\n    ### END',
            ),
        ),
        "the first point of val_accuracy",
    ),
    Variant(
        "weight-decay",
        "train_baseline",
        (("keras.optimizers.Adam(settings.learning_rate)", "keras.optimizers.AdamW(settings.learning_rate)"),),
        "another optimiser",
    ),
    Variant(
        "root-mean-square",
        "train_baseline",
        (("keras.optimizers.Adam(settings.learning_rate)", "keras.optimizers.RMSprop(settings.learning_rate)"),),
        "another optimiser",
    ),
    Variant(
        "clipped",
        "train_baseline",
        (("Adam(settings.learning_rate)", "Adam(settings.learning_rate, clipnorm=0.1)"),),
        "Adam and clipnorm",
    ),
    Variant(
        "same-batches-again",
        "train_baseline",
        (
            (
                "        train_batches,\n        steps_per_epoch",
                "        train_batches.take(20).cache().repeat(),\n        steps_per_epoch",
            ),
        ),
        "repeated or mixed anew|other batches|train_batches was learned from",
    ),
    Variant(
        "half-validation",
        "train_baseline",
        (
            (
                "        train_batches,\n        steps_per_epoch",
                "        tf.data.Dataset.sample_from_datasets(\n"
                "            [train_batches, validation_batches.unbatch().batch(50).repeat()], [0.5, 0.5]\n"
                "        ),\n        steps_per_epoch",
            ),
        ),
        "too good to be true|train_batches was learned from|mixed anew",
    ),
    Variant(
        "no-loss-curves",
        "train_baseline",
        (
            (
                "    return history.history\n    ### END",
                '    return {name: history.history[name] for name in ("accuracy", "val_accuracy")}\n    ### END',
            ),
        ),
        "the four curves",
    ),
    Variant(
        "history-object",
        "train_baseline",
        (("    return history.history\n    ### END", "    return history\n    ### END"),),
        "its attribute `history`",
    ),
    Variant(
        "gap-without-sign",
        "overfitting_gap",
        (("return 100 * (training - validation)", "return 100 * abs(training - validation)"),),
        "below zero",
    ),
    Variant(
        "gap-never-negative",
        "overfitting_gap",
        (("return 100 * (training - validation)", "return 100 * max(0, training - validation)"),),
        "below zero",
    ),
    Variant(
        "gap-by-the-median",
        "overfitting_gap",
        (('np.mean(history["val_accuracy"][-3:])', 'np.median(history["val_accuracy"][-3:])'),),
        "wherever the curve ends|last three",
    ),
    Variant(
        "gap-in-whole-points",
        "overfitting_gap",
        (("return 100 * (training - validation)", "return round(100 * (training - validation))"),),
        "a positive gap",
    ),
    Variant(
        "spread-of-five",
        "spread",
        (("100 * np.std(by_draw, ddof=1)", "100 * np.std(by_draw[:5], ddof=1)"),),
        "runs that it is given",
    ),
    Variant(
        "spread-of-all-runs",
        "spread",
        (
            (
                "return 100 * np.std(by_seed, ddof=1), 100 * np.std(by_draw, ddof=1)",
                "return 100 * np.std(by_seed, ddof=1), 100 * np.std(np.append(by_draw, by_draw.mean()), ddof=1)",
            ),
        ),
        "spread of the seeds",
    ),
    Variant(
        "order-thought-new",
        "questions",
        (('answers = {1: "b", 2: "d",', 'answers = {1: "b", 2: "b",'),),
        r"question 2[\s\S]*runs in the first epoch only",
        keeps=4,
    ),
    Variant(
        "one-run-is-proof-and-both-halve",
        "questions",
        (('answers = {1: "b", 2: "d", 3: "c", 4: "a", 5: "c"}', 'answers = {1: "a", 2: "d", 3: "c", 4: "a", 5: "a"}'),),
        "cannot tell the layer from the draw",
        keeps=3,
    ),
    Variant(
        "a-question-left-open",
        "questions",
        (('3: "c", 4: "a", 5: "c"}', '3: "?", 4: "a", 5: "c"}'),),
        "every question has one letter",
    ),
    Variant(
        "a-word-for-a-letter",
        "questions",
        (('3: "c", 4: "a", 5: "c"}', '3: "300 times", 4: "a", 5: "c"}'),),
        "3: a, b, c, d",
    ),
)
