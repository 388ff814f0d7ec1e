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
ANY_HUE = "    return A.Compose([any_hue])\n"
ANSWERS = 'answers = {1: "b", 2: "d", 3: "a", 4: "c", 5: "b"}'
TRAINING_BATCH = "training = training.map(normalise).batch(SETTINGS.batch_size)"
VALIDATION_BATCH = "validation = validation.map(normalise).batch(SETTINGS.batch_size)"
ADAM = "tf.keras.optimizers.Adam(settings.learning_rate)"
HALF_AND_HALF = """        tf.data.Dataset.zip(train_batches, validation_batches.repeat()).flat_map(
            lambda one, other: tf.data.Dataset.from_tensors(one).concatenate(tf.data.Dataset.from_tensors(other))
        ),
"""

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
    Variant(
        "cache-after-augment", "pipelines", ((CACHE, ""), (AUGMENT, AUGMENT + CACHE)), "frozen randomness", keeps=2
    ),
    Variant("no-cache", "pipelines", ((CACHE, ""),), "there is no `cache`", keeps=2),
    Variant(
        "augmented-validation",
        "pipelines",
        ((AUGMENT, AUGMENT + AUGMENT.replace("training", "validation")),),
        "augmented validation data",
        keeps=2.5,
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
        keeps=2.5,
    ),
    Variant(
        "copied-then-split",
        "pipelines",
        ((SPLIT, "    digits = digits.shuffle(125, seed=1, reshuffle_each_iteration=False).repeat(2)\n" + SPLIT),),
        "augmented, then split",
        keeps=2,
    ),
    Variant(
        "not-shuffled",
        "pipelines",
        (("    training = training.shuffle(n, seed=seed)\n", ""),),
        "`shuffle` is missing",
        keeps=2.5,
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
        "same few batches were used again",
    ),
    Variant(
        "hardly-learning",
        "train_augmented",
        (("Adam(settings.learning_rate)", "Adam(settings.learning_rate / 1000)"),),
        "learning rate is the one of the settings",
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
                "    warp = A.Affine(rotate=(-15, 15), border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)\n"
                "    bright = A.RandomBrightnessContrast(brightness_limit=(-0.3, 0.3), contrast_limit=(0, 0), p=1.0)\n"
                "    return A.Compose([warp, A.HorizontalFlip(p=0.5), bright])\n",
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
    # Subtler ones.
    Variant(
        "a-generator-that-starts-anew",
        "augment",
        (
            (
                STREAM + CALL + SET_SHAPE + "        return changed, label\n\n" + MAP,
                "    def pairs():\n"
                "        transform = recipe.stream(seed)\n"
                "        for image, label in dataset.as_numpy_iterator():\n"
                "            yield transform(image, label), label\n\n"
                "    return tf.data.Dataset.from_generator(pairs, output_signature=dataset.element_spec)\n",
            ),
        ),
        "frozen randomness",
    ),
    Variant(
        "a-generator-that-is-used-up",
        "augment",
        (
            (
                STREAM + CALL + SET_SHAPE + "        return changed, label\n\n" + MAP,
                "    transform = recipe.stream(seed)\n"
                "    pairs = ((transform(image, label), label) for image, label in dataset.as_numpy_iterator())\n"
                "    return tf.data.Dataset.from_generator(lambda: pairs, output_signature=dataset.element_spec)\n",
            ),
        ),
        "can be read only once",
    ),
    Variant("endless", "augment", ((MAP, "    return dataset.map(change).repeat()\n"),), "taken for more rows"),
    Variant(
        "remainder-dropped",
        "augment",
        ((MAP, "    return dataset.map(change).batch(16, drop_remainder=True).unbatch()\n"),),
        "a last batch that is not full",
    ),
    Variant(
        "side-by-side",
        "augment",
        ((MAP, "    return dataset.map(change, num_parallel_calls=4)\n"),),
        "runs in parallel",
    ),
    Variant(
        "fixed-seed", "augment", (("stream(seed)\n\n    def change", "stream(0)\n\n    def change"),), "fixed number"
    ),
    Variant(
        "half-frozen",
        "augment",
        (
            (
                MAP,
                "    changed = dataset.map(change)\n"
                "    return changed.take(20).cache().concatenate(changed.skip(20))\n",
            ),
        ),
        "frozen randomness",
    ),
    Variant(
        "two-frozen-epochs",
        "augment",
        (
            (
                STREAM + CALL + SET_SHAPE + "        return changed, label\n\n" + MAP,
                "    transform, epoch = recipe.stream(seed), []\n"
                "    pairs = list(dataset.as_numpy_iterator())\n"
                "    frozen = [[(transform(image, label), label) for image, label in pairs] for _ in range(2)]\n\n"
                "    def one_epoch():\n"
                "        epoch.append(1)\n"
                "        yield from frozen[len(epoch) % 2]\n\n"
                "    return tf.data.Dataset.from_generator(one_epoch, output_signature=dataset.element_spec)\n",
            ),
        ),
        "frozen randomness",
    ),
    Variant(
        "label-cast",
        "augment",
        (("        return changed, label\n\n" + MAP, "        return changed, tf.cast(label, tf.int32)\n\n" + MAP),),
        "the label was cast",
    ),
    Variant(
        "label-without-a-shape",
        "augment",
        ((CALL, CALL + "        label = tf.numpy_function(lambda digit: digit, [label], tf.int64)\n"),),
        "lost static shape",
    ),
    Variant(
        "remainder-dropped-from-training",
        "pipelines",
        ((TRAINING_BATCH, TRAINING_BATCH.replace("batch_size)", "batch_size, drop_remainder=True)")),),
        "drop_remainder",
        keeps=2,
    ),
    Variant(
        "remainder-dropped-from-validation",
        "pipelines",
        ((VALIDATION_BATCH, VALIDATION_BATCH.replace("batch_size)", "batch_size, drop_remainder=True)")),),
        "drop_remainder",
        keeps=2,
    ),
    Variant(
        "half-a-buffer",
        "pipelines",
        (("shuffle(n, seed=seed)", "shuffle(n // 2, seed=seed)"),),
        "buffer of `shuffle`",
        keeps=2.5,
    ),
    Variant(
        "a-buffer-of-a-batch",
        "pipelines",
        (("shuffle(n, seed=seed)", "shuffle(SETTINGS.batch_size, seed=seed)"),),
        "buffer of `shuffle`",
        keeps=2.5,
    ),
    Variant(
        "batches-shuffled",
        "pipelines",
        (
            ("    training = training.shuffle(n, seed=seed)\n", ""),
            (TRAINING_BATCH, TRAINING_BATCH.replace("batch_size)", "batch_size).shuffle(n, seed=seed)")),
        ),
        "side by side|whole batches|batches of SETTINGS",
        keeps=2.5,
    ),
    Variant(
        "shuffled-once",
        "pipelines",
        (("shuffle(n, seed=seed)", "shuffle(n, seed=seed, reshuffle_each_iteration=False)"),),
        "the same order twice",
        keeps=2.5,
    ),
    Variant(
        "shuffled-before-cache",
        "pipelines",
        (
            ("    training = training.shuffle(n, seed=seed)\n", ""),
            (CACHE, "    training = training.shuffle(n, seed=seed).cache()\n"),
        ),
        "the same order twice",
        keeps=2.5,
    ),
    Variant("fixed-shuffle", "pipelines", (("shuffle(n, seed=seed)", "shuffle(n, seed=7)"),), "a fixed number", 2.5),
    Variant(
        "fixed-recipe", "pipelines", ((AUGMENT, AUGMENT.replace("seed)", "7)")),), "gets a fixed number instead", 2.5
    ),
    Variant(
        "unseeded-shuffle",
        "pipelines",
        (("shuffle(n, seed=seed)", "shuffle(n)"),),
        "does not reach `shuffle`",
        keeps=2.5,
    ),
    Variant(
        "unseeded-recipe",
        "pipelines",
        ((AUGMENT, AUGMENT.replace("seed)", "np.random.randint(1_000_000))")),),
        "not `reference_augment`",
        keeps=2.5,
    ),
    Variant(
        "rounded-fifth",
        "pipelines",
        (("digits.take(n // 5), digits.skip(n // 5)", "digits.take(round(n / 5)), digits.skip(round(n / 5))"),),
        "no digit may be in both|first fifth",
        keeps=2,
    ),
    Variant(
        "last-fifth",
        "pipelines",
        (("digits.take(n // 5), digits.skip(n // 5)", "digits.skip(n - n // 5), digits.take(n - n // 5)"),),
        "first fifth",
        keeps=2,
    ),
    Variant(
        "three-epochs-in-one",
        "pipelines",
        ((CACHE, CACHE + "    training = training.repeat(3)\n"),),
        "more rows",
        keeps=2,
    ),
    Variant(
        "two-copies-for-ever",
        "pipelines",
        ((AUGMENT, AUGMENT + "    training = training.cache()\n"),),
        "frozen randomness",
        keeps=2,
    ),
    Variant(
        "other-batches",
        "pipelines",
        ((TRAINING_BATCH, TRAINING_BATCH.replace("SETTINGS.batch_size", "32")),),
        "batches of SETTINGS.batch_size",
        keeps=2.5,
    ),
    Variant(
        "half-validation-digits",
        "train_augmented",
        (("        train_batches,\n", HALF_AND_HALF),),
        "validation digits were learned from",
    ),
    Variant(
        "validation-in-every-batch",
        "train_augmented",
        (
            (
                "        train_batches,\n",
                "        tf.data.Dataset.zip(train_batches, validation_batches.repeat()).map(\n"
                "            lambda one, other: tuple(tf.concat([a[:25], b[:25]], 0) for a, b in zip(one, other))\n"
                "        ),\n",
            ),
        ),
        "validation digits were learned from",
    ),
    Variant(
        "twenty-batches-for-ever",
        "train_augmented",
        (("        train_batches,\n", "        train_batches.take(20).cache().repeat(),\n"),),
        "same few batches were used again|used more than once",
    ),
    Variant(
        "one-batch-left-out",
        "train_augmented",
        (("        train_batches,\n", "        train_batches.skip(1),\n"),),
        "left out",
    ),
    Variant(
        "every-batch-twice",
        "train_augmented",
        (
            (
                "        train_batches,\n",
                "        train_batches.flat_map(lambda x, y: tf.data.Dataset.from_tensors((x, y)).repeat(2)),\n",
            ),
        ),
        "same few batches were used again|used more than once",
    ),
    Variant("nadam", "train_augmented", ((ADAM, ADAM.replace("Adam", "Nadam")),), "compiled with Adam"),
    Variant("adamw", "train_augmented", ((ADAM, ADAM.replace("Adam", "AdamW")),), "compiled with Adam"),
    Variant("sgd", "train_augmented", ((ADAM, ADAM.replace("Adam", "SGD")),), "compiled with Adam"),
    Variant("named-by-a-string", "train_augmented", ((ADAM, '"adam"'),), "a rate of its own"),
    Variant("rate-of-the-course", "train_augmented", ((ADAM, ADAM.replace("settings", "SETTINGS")),), "learning rate"),
    Variant(
        "another-momentum", "train_augmented", ((ADAM, ADAM.replace("rate)", "rate, beta_1=0.5)")),), "the optimiser or"
    ),
    Variant(
        "points-of-the-course",
        "train_augmented",
        (
            ("steps_per_epoch=settings.epoch_steps", "steps_per_epoch=SETTINGS.epoch_steps // 5"),
            (EPOCHS, EPOCHS.replace("settings.epoch_steps", "(SETTINGS.epoch_steps // 5)")),
        ),
        "one point every",
    ),
    Variant(
        "another-loss",
        "train_augmented",
        (
            (
                'loss="sparse_categorical_crossentropy"',
                "loss=lambda t, p: tf.square(1 - tf.gather(p, tf.cast(t, tf.int32), axis=1, batch_dims=1))",
            ),
        ),
        "or the loss",
    ),
    Variant(
        "a-frozen-layer",
        "train_augmented",
        (("    model.compile(\n", "    model.layers[0].trainable = False\n    model.compile(\n"),),
        "or the loss",
    ),
    Variant(
        "an-invented-history",
        "train_augmented",
        (
            (
                "    return history.history\n",
                "    points = settings.steps // settings.epoch_steps\n"
                "    return {name: np.linspace(0.5, 0.99, points) for name in history.history}\n",
            ),
        ),
        "not that of this training",
    ),
    Variant(
        "an-invented-beginning",
        "train_augmented",
        (
            (
                "    return history.history\n",
                "    curve = history.history\n"
                "    return {**curve, 'val_accuracy': [0.1] * (len(curve['loss']) - 1) + curve['val_accuracy'][-1:]}\n",
            ),
        ),
        "not that of this training",
    ),
    Variant(
        "validation-curve-twice",
        "train_augmented",
        (
            (
                "    return history.history\n",
                "    curve = history.history\n"
                "    return {**curve, 'accuracy': [v + 0.2 for v in curve['val_accuracy']]}\n",
            ),
        ),
        "not that of this training|these are percent",
    ),
    Variant(
        "curves-of-another-exam",
        "train_augmented",
        (("validation_data=validation_batches", "validation_data=train_batches.take(2)"),),
        "validation_data is something else",
    ),
    Variant(
        "history-object",
        "train_augmented",
        (("    return history.history\n", "    return history\n"),),
        "attribute `history` is the dictionary",
    ),
    Variant("cut-off-at-zero", "honest_gap", ((PERCENT, f"max(0, {PERCENT})"),), "validation above training is a bug"),
    Variant("cut-off-below", "honest_gap", ((PERCENT, f"-abs({PERCENT})"),), "turned round|validation above training"),
    Variant("rounded", "honest_gap", ((f"float({PERCENT})", f"float(round({PERCENT}))"),), "shown as they are"),
    Variant(
        "not-normalised",
        "honest_gap",
        ((" / 255.0, verbose=0", ", verbose=0"),),
        "validation above training|shown as|percentage points",
    ),
    Variant(
        "mirrored-exam",
        "honest_gap",
        (("model.predict(pictures.astype", "model.predict(pictures[:, :, ::-1].astype"),),
        "shown as they are|percentage points|turned round|above training",
    ),
    Variant(
        "first-batch-of-each",
        "honest_gap",
        (
            (
                "        probabilities = model",
                "        pictures, truth = pictures[:32], truth[:32]\n        probabilities = model",
            ),
        ),
        "shown as they are|validation above training|percentage points",
    ),
    Variant("ready-made", "my_recipe", ((COMPOSE, "    return recipes.geometric()\n"),), "written by you"),
    Variant("best-known", "my_recipe", ((COMPOSE, "    return recipes.best_known()\n"),), "written by you"),
    Variant("by-name", "my_recipe", ((COMPOSE, '    return recipes.named("geometric")\n'),), "written by you"),
    Variant(
        "out-of-the-table", "my_recipe", ((COMPOSE, '    return recipes.NAMED["shift ±10 %"]()\n'),), "written by you"
    ),
    Variant(
        "a-pipeline-taken-out",
        "my_recipe",
        ((COMPOSE, "    return A.from_dict(recipes.best_known().pipelines[0])\n"),),
        "written by you",
    ),
    Variant(
        "transforms-taken-out",
        "my_recipe",
        (
            (
                COMPOSE,
                "    return A.Compose([*A.from_dict(recipes.geometric(1.2).pipelines[3]).transforms, A.NoOp()])\n",
            ),
        ),
        "written by you",
    ),
    Variant(
        "imported-under-another-name",
        "my_recipe",
        (
            (
                COMPOSE,
                "    from augcourse.recipes import geometric as mine\n\n"
                "    return dict.fromkeys(range(10), A.from_dict(mine().pipelines[0]))\n",
            ),
        ),
        "written by you",
    ),
    Variant(
        "made-before",
        "my_recipe",
        (
            ("def my_recipe():\n", "READY = recipes.geometric()\n\n\ndef my_recipe():\n"),
            (COMPOSE, "    return READY\n"),
        ),
        "written by you",
    ),
    Variant(
        "nothing-at-p-0",
        "my_recipe",
        (("        p=1.0,\n    )\n" + COMPOSE, "        p=0.0,\n    )\n" + COMPOSE),),
        "does nothing",
    ),
    # A pen that is not forgotten.
    Variant(
        "the-tutorials-saturation",
        "forgets_the_pen",
        (
            (
                ANY_HUE,
                "    still = {'brightness': (1, 1), 'contrast': (1, 1), 'hue': (0, 0)}\n"
                "    return A.Compose([A.ColorJitter(saturation=(0.5, 1.5), **still, p=1.0)])\n",
            ),
        ),
        "how far from its own colour",
    ),
    Variant(
        "moved-and-not-coloured",
        "forgets_the_pen",
        (
            (
                ANY_HUE,
                "    warp = A.Affine(rotate=(-15, 15), translate_percent=(-0.1, 0.1), scale=(0.9, 1.1), p=1.0)\n"
                "    return A.Compose([warp])\n",
            ),
        ),
        "leave its colour",
    ),
    Variant(
        "the-pen-as-it-is", "forgets_the_pen", ((ANY_HUE, "    return A.Compose([A.NoOp()])\n"),), "leave its colour"
    ),
    Variant(
        "a-ready-made-hue",
        "forgets_the_pen",
        ((ANY_HUE, "    return A.Compose([recipes.any_hue()])\n"),),
        "written by you",
    ),
    Variant(
        "one-grey-channel",
        "forgets_the_pen",
        ((ANY_HUE, "    return A.Compose([A.ToGray(num_output_channels=1, p=1.0)])\n"),),
        r"expected uint8 images of shape \(28, 28, 3\)",
    ),
    Variant("one-wrong-answer", "questions", ((ANSWERS, ANSWERS.replace('1: "b"', '1: "a"')),), "question 1", keeps=4),
    Variant(
        "two-wrong-answers",
        "questions",
        ((ANSWERS, ANSWERS.replace('2: "d"', '2: "b"').replace('5: "b"', '5: "c"')),),
        "runs in the first epoch only[\\s\\S]*what only one class gets",
        keeps=3,
    ),
    Variant(
        "a-question-left-open", "questions", ((ANSWERS, ANSWERS.replace('4: "c"', '4: "?"')),), "every question has one"
    ),
    Variant(
        "a-number-as-an-answer", "questions", ((ANSWERS, ANSWERS.replace('1: "b"', "1: 2")),), "every question has one"
    ),
)
