"""Correct work that few would write, for steps 4 and 5: it keeps all marks."""

from .variant import Unusual

WORST = (
    "    totals = matrix.sum(axis=1)\n    digits = np.flatnonzero(totals)\n"
    "    recall = matrix[digits, digits] / totals[digits]\n    return digits[np.argsort(recall)]\n"
)
GAINS = "    gains = 100 * (np.asarray(augmented) - np.asarray(baseline))\n"
ERROR = "    error = gains.std(ddof=1) / np.sqrt(len(gains))\n"
REACH = "    reach = stats.t.ppf((1 + confidence) / 2, len(gains) - 1) * error\n"
LIMITS = "    return gains.mean(), gains.mean() - reach, gains.mean() + reach\n"
MCNEMAR = (
    "    only_baseline = np.sum(correct_baseline & ~correct_augmented)\n"
    "    only_augmented = np.sum(correct_augmented & ~correct_baseline)\n"
    "    return stats.binomtest(only_augmented, only_baseline + only_augmented, 0.5).pvalue\n"
)
TURN = (
    "        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), float(angle), 1.0)\n"
    "        turned = np.stack([cv2.warpAffine(image, turn, (width, height)) for image in images])\n"
)
ALL_ANGLES = (
    "    height, width = images.shape[1:3]\n    accuracies = []\n    for angle in angles:\n"
    + TURN
    + "        accuracies.append(np.mean(predict(turned.reshape(images.shape)) == labels))\n"
    "    return np.array(accuracies)\n"
)
BOTH = (
    "    baseline = train.train(images, labels, seed=seed, settings=settings)\n"
    "    augmented = train.train(images, labels, seed=seed, recipe=recipe, settings=settings)\n"
    "    return baseline, augmented\n"
)


def _compare(name: str, exercise: str, old: str, new: str) -> Unusual:
    return Unusual(name, "step5_compare", exercise, ((old, new),))


COMPARE = (
    _compare(
        "a-list-made-in-a-loop",
        "train_both",
        BOTH,
        "    return [train.train(images, labels, seed=seed, recipe=r, settings=settings) for r in (None, recipe)]\n",
    ),
    _compare(
        "a-sorted-list",
        "worst_first",
        WORST,
        "    occurring = [d for d in range(10) if matrix[d].sum() > 0]\n"
        "    return sorted(occurring, key=lambda d: matrix[d, d] / matrix[d].sum())\n",
    ),
    _compare(
        "nan-goes-last",
        "worst_first",
        WORST,
        '    with np.errstate(invalid="ignore"):\n'
        "        recall = np.diag(matrix) / matrix.sum(axis=1)\n"
        "    return np.argsort(recall)[: np.count_nonzero(~np.isnan(recall))]\n",
    ),
    _compare(
        "float32-gains",
        "paired_interval",
        GAINS,
        '    gains = 100 * (np.asarray(augmented, "float32") - np.asarray(baseline, "float32"))\n',
    ),
    _compare(
        "float32-throughout",
        "paired_interval",
        GAINS + ERROR + REACH + LIMITS,
        "    import tensorflow as tf\n\n"
        "    gains = 100 * (tf.cast(augmented, tf.float32) - tf.cast(baseline, tf.float32))\n"
        "    n, mean = len(gains), tf.reduce_mean(gains)\n"
        "    error = tf.sqrt(tf.reduce_sum((gains - mean) ** 2) / (n - 1) / n)\n"
        "    reach = tf.cast(stats.t.isf((1 - confidence) / 2, n - 1), tf.float32) * error\n"
        "    return mean.numpy(), (mean - reach).numpy(), (mean + reach).numpy()\n",
    ),
    _compare(
        "two-decimals",
        "paired_interval",
        LIMITS,
        "    return tuple(round(float(x), 2) for x in (gains.mean(), gains.mean() - reach, gains.mean() + reach))\n",
    ),
    _compare(
        "the-t-distribution-itself",
        "paired_interval",
        ERROR + REACH + LIMITS,
        "    low, high = stats.t.interval(confidence, len(gains) - 1, loc=gains.mean(), scale=stats.sem(gains))\n"
        "    return np.array([gains.mean(), low, high])\n",
    ),
    _compare(
        "a-paired-test",
        "paired_interval",
        GAINS + ERROR + REACH + LIMITS,
        "    test = stats.ttest_rel(augmented, baseline)\n"
        "    around = test.confidence_interval(confidence)\n"
        "    return 100 * np.mean(augmented - baseline), 100 * around.low, 100 * around.high\n",
    ),
    _compare(
        "summed-by-hand",
        "mcnemar",
        MCNEMAR,
        "    from math import comb\n\n"
        "    b = int(np.sum(correct_baseline > correct_augmented))\n"
        "    c = int(np.sum(correct_augmented > correct_baseline))\n"
        "    return min(1.0, 2 * sum(comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c))\n",
    ),
    _compare(
        "statsmodels-own",
        "mcnemar",
        MCNEMAR,
        "    from statsmodels.stats.contingency_tables import mcnemar as exact\n\n"
        "    table = np.histogram2d(correct_baseline, correct_augmented, bins=2)[0]\n"
        "    return exact(table, exact=True).pvalue\n",
    ),
    _compare(
        "a-float32-p",
        "mcnemar",
        "    return stats.binomtest(only_augmented, only_baseline + only_augmented, 0.5).pvalue\n",
        "    test = stats.binomtest(only_augmented, only_baseline + only_augmented)\n"
        "    return np.float32(test.pvalue)\n",
    ),
    _compare(
        "scipys-rotate",
        "robustness",
        ALL_ANGLES,
        "    from scipy.ndimage import rotate\n\n"
        "    return np.array(\n"
        "        [np.mean(predict(rotate(images, a, axes=(1, 2), reshape=False, order=1)) == labels) for a in angles]\n"
        "    )\n",
    ),
    _compare(
        "scipys-spline",
        "robustness",
        ALL_ANGLES,
        "    from scipy.ndimage import rotate\n\n"
        "    return np.array([np.mean(predict(rotate(images, a, (1, 2), reshape=False)) == labels) for a in angles])\n",
    ),
    _compare(
        "pillows-rotate",
        "robustness",
        TURN,
        "        from PIL import Image\n\n"
        "        turned = np.stack([np.asarray(Image.fromarray(i[..., 0]).rotate(float(angle))) for i in images])\n",
    ),
    _compare(
        "albumentations-fixed-angle",
        "robustness",
        TURN,
        "        import albumentations as A\n\n"
        "        still = A.Affine(rotate=(float(angle), float(angle)), border_mode=0, fill=0, p=1.0)\n"
        '        turned = np.stack([still(image=image)["image"] for image in images])\n',
    ),
    _compare(
        "nearest-neighbours-by-hand",
        "robustness",
        TURN,
        "        row, column = np.mgrid[:height, :width] - (height - 1) / 2\n"
        "        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))\n"
        "        y, x = (np.rint(p + (height - 1) / 2).astype(int)\n"
        "                for p in (sin * column + cos * row, cos * column - sin * row))\n"
        "        seen = (y >= 0) & (y < height) & (x >= 0) & (x < width)\n"
        "        turned = np.where(seen, images[:, y.clip(0, height - 1), x.clip(0, width - 1), 0], 0)\n"
        "        turned = turned.astype(np.uint8)\n",
    ),
    _compare(
        "cubic-one-picture-at-a-time",
        "robustness",
        "        turned = np.stack([cv2.warpAffine(image, turn, (width, height)) for image in images])\n"
        "        accuracies.append(np.mean(predict(turned.reshape(images.shape)) == labels))\n",
        "        right = 0\n"
        "        for image, label in zip(images, labels):\n"
        "            turned = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC)[None, ..., None]\n"
        "            right += int(predict(turned)[0] == label)\n"
        "        accuracies.append(np.float32(right / len(labels)))\n",
    ),
    _compare(
        "all-angles-at-once",
        "robustness",
        "        accuracies.append(np.mean(predict(turned.reshape(images.shape)) == labels))\n"
        "    return np.array(accuracies)\n",
        "        accuracies.append(turned.reshape(images.shape))\n"
        "    said = predict(np.concatenate(accuracies)).reshape(len(angles), len(labels))\n"
        "    return (said == labels).mean(axis=1).tolist()\n",
    ),
    _compare(
        "upper-case-letters-with-spaces",
        "questions",
        'answers = {1: "b", 2: "d", 3: "c", 4: "a", 5: "b"}\n',
        'answers = dict(enumerate(["B ", " d", "C", "a", "B"], start=1))\n',
    ),
)

AUGMENT = """    transform = recipe.stream(seed)

    def change(image, label):
        changed = tf.numpy_function(transform, [image, label], tf.uint8)
        changed.set_shape((28, 28, 1))
        return changed, label

    return dataset.map(change)
"""
PIPELINES = """    n = int(digits.cardinality())
    validation, training = digits.take(n // 5), digits.skip(n // 5)
    training = training.cache()
    training = reference_augment(training, recipe, seed)
    training = training.shuffle(n, seed=seed)
    training = training.map(normalise).batch(SETTINGS.batch_size)
    validation = validation.map(normalise).batch(SETTINGS.batch_size)
    return training, validation
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
        optimizer=tf.keras.optimizers.Adam(settings.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
"""
    + FIT
)
PERCENT = """    def percent(pictures, truth):
        probabilities = model.predict(pictures.astype("float32") / 255.0, verbose=0)
        return 100 * np.mean(probabilities.argmax(axis=1) == truth)

    return float(percent(images, labels) - percent(validation_images, validation_labels))
"""
WARP = """    warp = A.Affine(
        rotate=(-12, 12),
        translate_percent=(-0.1, 0.1),
        scale=(0.9, 1.1),
        shear=(-8, 8),
        border_mode=cv2.BORDER_CONSTANT,
        fill=0,
        p=1.0,
    )
    return A.Compose([warp])
"""
BY_HAND = """    warp = A.Affine(
        rotate=(-15, 15),
        translate_percent={"x": (-0.1, 0.1), "y": (-0.1, 0.1)},
        scale=(0.9, 1.1),
        shear={"x": (-10, 10), "y": (-10, 10)},
        border_mode=cv2.BORDER_CONSTANT,
        fill=0,
        p=1.0,
    )
    bright = A.RandomBrightnessContrast(brightness_limit=(-0.3, 0.3), contrast_limit=(0, 0), p=1.0)
"""


def _train(name: str, exercise: str, old: str, new: str) -> Unusual:
    return Unusual(name, "step4_train", exercise, ((old, new),))


TRAIN = (
    _train(
        "a-generator",
        "augment",
        AUGMENT,
        "    transform = recipe.stream(seed)\n\n"
        "    def pairs():\n"
        "        for image, label in dataset.as_numpy_iterator():\n"
        "            yield transform(image, label), label\n\n"
        "    return tf.data.Dataset.from_generator(pairs, output_signature=dataset.element_spec)\n",
    ),
    _train(
        "a-new-stream-in-every-epoch",
        "augment",
        AUGMENT,
        "    epochs = iter(range(seed, seed + 1_000_000_000, 1_000_000))\n\n"
        "    def pairs():\n"
        "        transform = recipe.stream(next(epochs))\n"
        "        for image, label in dataset:\n"
        "            yield transform(image.numpy(), int(label)), label\n\n"
        "    return tf.data.Dataset.from_generator(pairs, output_signature=dataset.element_spec)\n",
    ),
    _train(
        "in-batches-of-sixteen",
        "augment",
        AUGMENT,
        "    transform = recipe.stream(seed)\n\n"
        "    def many(images, labels):\n"
        "        return np.stack([transform(image, label) for image, label in zip(images, labels)])\n\n"
        "    def change(images, labels):\n"
        "        changed = tf.numpy_function(many, [images, labels], tf.uint8)\n"
        "        changed.set_shape(images.shape)\n"
        "        return changed, labels\n\n"
        "    return dataset.batch(16).map(change).unbatch()\n",
    ),
    _train(
        "both-through-python",
        "augment",
        AUGMENT,
        "    transform = recipe.stream(seed)\n\n"
        "    def change(image, label):\n"
        "        both = tf.numpy_function(lambda i, d: (transform(i, d), d), [image, label], (tf.uint8, tf.int64))\n"
        "        return tf.ensure_shape(both[0], image.shape), tf.ensure_shape(both[1], ())\n\n"
        "    return dataset.map(change).prefetch(tf.data.AUTOTUNE)\n",
    ),
    _train(
        "a-py-function",
        "augment",
        AUGMENT,
        "    transform = recipe.stream(seed)\n\n"
        "    def change(image, label):\n"
        "        changed = tf.py_function(lambda i, d: transform(i.numpy(), int(d)), [image, label], tf.uint8)\n"
        "        return tf.reshape(changed, (28, 28, 1)), label\n\n"
        "    return dataset.cache().map(change, num_parallel_calls=1)\n",
    ),
    _train(
        "pictures-and-labels-zipped",
        "augment",
        AUGMENT,
        "    transform = recipe.stream(seed)\n"
        "    pictures = dataset.map(lambda i, d: tf.numpy_function(transform, [i, d], tf.uint8))\n"
        "    pictures = pictures.map(lambda i: tf.ensure_shape(i, (28, 28, 1)))\n"
        "    return tf.data.Dataset.zip(pictures, dataset.map(lambda i, d: d))\n",
    ),
    _train(
        "read-once-into-arrays",
        "pipelines",
        PIPELINES,
        "    images, labels = (np.array(part) for part in zip(*digits.as_numpy_iterator()))\n"
        "    cut = len(labels) // 5\n"
        "    held_out = (images[:cut] / np.float32(255), labels[:cut])\n"
        "    validation = tf.data.Dataset.from_tensor_slices(held_out).batch(SETTINGS.batch_size)\n"
        "    training = tf.data.Dataset.from_tensor_slices((images[cut:], labels[cut:]))\n"
        "    training = reference_augment(training.shuffle(len(labels) - cut, seed=seed), recipe, seed)\n"
        "    return training.batch(SETTINGS.batch_size).map(normalise).prefetch(2), validation\n",
    ),
    _train(
        "shuffled-before-augmenting",
        "pipelines",
        PIPELINES,
        "    n = int(digits.cardinality())\n"
        "    training = digits.skip(n // 5).cache().shuffle(n - n // 5, seed=seed, reshuffle_each_iteration=True)\n"
        "    training = reference_augment(training, recipe, seed)\n"
        "    both = (training, digits.take(n // 5).cache())\n"
        "    return tuple(part.batch(SETTINGS.batch_size).map(normalise, tf.data.AUTOTUNE) for part in both)\n",
    ),
    _train(
        "split-by-number",
        "pipelines",
        PIPELINES,
        "    n = len(digits)\n"
        "    numbered = digits.enumerate().cache()\n"
        "    validation = numbered.filter(lambda i, pair: i < n // 5).map(lambda i, pair: pair)\n"
        "    training = numbered.filter(lambda i, pair: i >= n // 5).map(lambda i, pair: pair)\n"
        "    training = reference_augment(training, recipe, seed).map(normalise).shuffle(10_000, seed=seed)\n"
        "    return training.batch(SETTINGS.batch_size), validation.map(normalise).batch(SETTINGS.batch_size)\n",
    ),
    _train(
        "every-epoch-from-a-generator",
        "pipelines",
        PIPELINES,
        "    pairs, size, rng = list(digits.as_numpy_iterator()), SETTINGS.batch_size, np.random.default_rng(seed)\n"
        "    transform, cut = recipe.stream(seed), len(pairs) // 5\n\n"
        "    def batches(chosen, change):\n"
        "        for start in range(0, len(chosen), size):\n"
        "            part = [pairs[i] for i in chosen[start : start + size]]\n"
        "            images = np.stack([change(image, label) for image, label in part])\n"
        "            yield images.astype(np.float32) / 255, np.array([label for _, label in part])\n\n"
        "    spec = (tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None,), tf.int64))\n"
        "    training = tf.data.Dataset.from_generator(\n"
        "        lambda: batches(cut + rng.permutation(len(pairs) - cut), transform), output_signature=spec\n"
        "    )\n"
        "    validation = tf.data.Dataset.from_generator(\n"
        "        lambda: batches(np.arange(cut), lambda image, _: image), output_signature=spec\n"
        "    )\n"
        "    return training, validation\n",
    ),
    _train(
        "a-loop-and-a-defaultdict",
        "train_augmented",
        FIT,
        "    from collections import defaultdict\n\n"
        "    history, taken = defaultdict(list), iter(train_batches)\n"
        "    for _ in range(settings.steps // settings.epoch_steps):\n"
        "        for _ in range(settings.epoch_steps):\n"
        "            said = model.train_on_batch(*next(taken), return_dict=True)\n"
        "        history['accuracy'].append(said['accuracy'])\n"
        "        history['val_accuracy'].append(\n"
        "            model.evaluate(validation_batches, verbose=0, return_dict=True)['accuracy']\n"
        "        )\n"
        "    return history\n",
    ),
    _train(
        "a-tape",
        "train_augmented",
        COMPILE_AND_FIT,
        "    adam, loss_of = tf.keras.optimizers.Adam(settings.learning_rate), tf.keras.losses.get(\n"
        "        'sparse_categorical_crossentropy'\n"
        "    )\n"
        "    model.compile(adam, loss_of, metrics=['accuracy'])\n"
        "    right, history = [], {'accuracy': [], 'val_accuracy': []}\n"
        "    for step, (images, labels) in enumerate(train_batches.take(settings.steps), start=1):\n"
        "        with tf.GradientTape() as tape:\n"
        "            said = model(images, training=True)\n"
        "            loss = tf.reduce_mean(loss_of(labels, said))\n"
        "        slopes = tape.gradient(loss, model.trainable_variables)\n"
        "        adam.apply_gradients(zip(slopes, model.trainable_variables))\n"
        "        right.append(np.mean(np.argmax(said, axis=1) == labels))\n"
        "        if step % settings.epoch_steps == 0:\n"
        "            exam = [np.argmax(model(x), axis=1) == y for x, y in validation_batches]\n"
        "            history['val_accuracy'].append(np.concatenate(exam).mean(dtype='float32'))\n"
        "            history['accuracy'].append(np.mean(right))\n"
        "            right.clear()\n"
        "    return history\n",
    ),
    _train(
        "a-new-iterator-for-every-point",
        "train_augmented",
        FIT,
        "    history = model.fit(\n"
        "        train_batches.take(settings.epoch_steps),\n"
        "        epochs=settings.steps // settings.epoch_steps,\n"
        "        validation_data=validation_batches,\n"
        "        verbose=0,\n"
        "    )\n"
        "    return history.history\n",
    ),
    _train(
        "one-fit-for-every-point",
        "train_augmented",
        FIT,
        "    curves = {'accuracy': (), 'val_accuracy': ()}\n"
        "    for _ in range(settings.steps // settings.epoch_steps):\n"
        "        part = model.fit(train_batches, steps_per_epoch=settings.epoch_steps, verbose=0)\n"
        "        curves['accuracy'] += (part.history['accuracy'][-1],)\n"
        "        curves['val_accuracy'] += (model.evaluate(validation_batches, verbose=0)[1],)\n"
        "    return curves\n",
    ),
    _train(
        "a-look-at-a-batch-before",
        "train_augmented",
        FIT,
        "    images, labels = next(iter(train_batches))\n"
        "    assert images.shape[1:] == (28, 28, 1) and labels.dtype == tf.int64\n"
        "    model.evaluate(validation_batches, verbose=0)\n" + FIT,
    ),
    _train(
        "more-in-the-history",
        "train_augmented",
        "    return history.history\n",
        "    return {**{k: np.array(v) for k, v in history.history.items()}, 'steps': settings.steps, 'by': 'me'}\n",
    ),
    _train(
        "another-metric-object",
        "train_augmented",
        'metrics=["accuracy"]',
        'metrics=[tf.keras.metrics.SparseCategoricalAccuracy(name="accuracy")]',
    ),
    _train(
        "keras-evaluates",
        "honest_gap",
        PERCENT,
        "    known = model.evaluate(images / 255.0, labels, verbose=0, return_dict=True)['accuracy']\n"
        "    unseen = model.evaluate(validation_images / 255.0, validation_labels, verbose=0)[1]\n"
        "    return 100 * known - 100 * unseen\n",
    ),
    _train(
        "float32-tensors",
        "honest_gap",
        PERCENT,
        "    def right(x, y):\n"
        "        said = tf.argmax(model(tf.image.convert_image_dtype(x, tf.float32)), axis=-1)\n"
        "        return tf.reduce_mean(tf.cast(said == y, tf.float32))\n\n"
        "    return float(100 * (right(images, labels) - right(validation_images, validation_labels)))\n",
    ),
    _train("the-same-numbers-by-hand", "my_recipe", WARP, BY_HAND + "    return A.Compose([warp, bright])\n"),
    _train(
        "a-recipe-of-ones-own",
        "my_recipe",
        WARP,
        BY_HAND + "    return Recipe.of({digit: A.Compose([warp, bright]) for digit in range(10)})\n",
    ),
    _train(
        "ten-pipelines-and-two-flips",
        "my_recipe",
        "    return A.Compose([warp])\n",
        "    return {d: A.Compose([warp, *[A.HorizontalFlip(p=0.5)] * (d in (0, 8))]) for d in range(10)}\n",
    ),
    _train(
        "a-chain-of-small-transforms",
        "my_recipe",
        WARP,
        "    black = {'border_mode': cv2.BORDER_CONSTANT, 'fill': 0, 'p': 1.0}\n"
        "    moves = A.ShiftScaleRotate(shift_limit=0.1, scale_limit=0.1, rotate_limit=12, **black)\n"
        "    return A.Compose([moves, A.Affine(shear=(-8, 8), **black)])\n",
    ),
    _train(
        "grey-half-of-the-time",
        "forgets_the_pen",
        "    return A.Compose([any_hue])\n",
        "    return {digit: A.Compose([A.ToGray(p=0.5)]) for digit in range(10)}\n",
    ),
    _train(
        "channels-in-any-order",
        "forgets_the_pen",
        "    return A.Compose([any_hue])\n",
        "    return A.Compose([A.OneOf([A.ChannelShuffle(p=1.0), any_hue, A.ToGray(p=1.0)], p=1.0)])\n",
    ),
    _train(
        "capital-letters",
        "questions",
        'answers = {1: "b", 2: "d", 3: "a", 4: "c", 5: "b"}',
        'answers = dict(zip(range(1, 6), ["B ", "D", " a", "C", "b"]))',
    ),
)

UNUSUAL: tuple[Unusual, ...] = (*TRAIN, *COMPARE)
"""Of both steps; `unusual.py` has it by step."""
