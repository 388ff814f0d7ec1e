from .variant import Variant

VARIANTS = (
    Variant(
        "dictionaries",
        "load_splits",
        (('"train[:20%]"], as_supervised=True)', '"train[:20%]"])'),),
        "as_supervised",
    ),
    Variant(
        "overlapping-splits",
        "load_splits",
        (('split=["train[20%:]", "train[:20%]"]', 'split=["train", "train[:20%]"]'),),
        "the two slices overlap",
    ),
    Variant(
        "test-as-validation",
        "load_splits",
        (('split=["train[20%:]", "train[:20%]"]', 'split=["train[20%:]", "test"]'),),
        "`test` belongs to the grader",
    ),
    Variant(
        "no-minlength",
        "class_counts",
        (("return np.bincount(labels, minlength=10)", "return np.bincount(labels)"),),
        "minlength",
    ),
    Variant(
        "first-batch-only",
        "class_counts",
        (
            (
                "for _, label in dataset.as_numpy_iterator()",
                "for _, label in dataset.take(50).as_numpy_iterator()",
            ),
        ),
        "only a part",
    ),
    Variant(
        "unbalanced-draw",
        "few_shot",
        (
            (
                "rng.choice(np.flatnonzero(labels == digit), per_class, replace=False) for digit in range(10)",
                "rng.choice(len(labels), 10 * per_class, replace=False)",
            ),
        ),
        "choose within each class",
    ),
    Variant(
        "seed-ignored",
        "few_shot",
        (("rng = np.random.default_rng(seed)", "rng = np.random.default_rng(0)"),),
        "not used",
    ),
    Variant(
        "not-reproducible",
        "few_shot",
        (("rng = np.random.default_rng(seed)", "rng = np.random.default_rng()"),),
        "same seed must give the same",
    ),
    Variant("jpeg", "save_sample", (('f"{path}.png"', 'f"{path}.jpg"'),), "PNG keeps every pixel"),
    Variant("stretched", "show_digit", ((', cmap="gray", vmin=0, vmax=255', ', cmap="gray"'),), "its own scale"),
    Variant(
        "viridis",
        "show_digit",
        ((', cmap="gray", vmin=0, vmax=255', ", vmin=0, vmax=255"),),
        "colours single-channel",
    ),
    Variant(
        "pair-reversed",
        "load_splits",
        (
            (
                "    return pool, validation\n    ### END",
                "    return [p.map(lambda image, label: (label, image)) for p in (pool, validation)]\n    ### END",
            ),
        ),
        "image and label are exchanged",
    ),
    Variant(
        "scaled-while-loading",
        "load_splits",
        (
            (
                "    return pool, validation\n    ### END",
                "    return [p.map(lambda i, l: (tf.cast(i, tf.float32) / 255, l)) for p in (pool, validation)]\n"
                "    ### END",
            ),
        ),
        "converted or scaled",
    ),
    Variant(
        "parts-exchanged",
        "load_splits",
        (("    return pool, validation\n    ### END", "    return validation, pool\n    ### END"),),
        "exchanged",
    ),
    Variant(
        "labels-shifted",
        "load_splits",
        (
            (
                "    return pool, validation\n    ### END",
                "    return pool.map(lambda image, label: (image, (label + 1) % 10)), validation\n    ### END",
            ),
        ),
        "label that it has in the data set",
    ),
    Variant(
        "shares-of-classes",
        "class_counts",
        (("return np.bincount(labels, minlength=10)", "return np.bincount(labels, minlength=10) / len(labels)"),),
        "shares, not counts",
    ),
    Variant(
        "absent-class-closed-up",
        "class_counts",
        (
            (
                "return np.bincount(labels, minlength=10)",
                "found = np.unique(labels, return_counts=True)[1]; return np.pad(found, (0, 10 - len(found)))",
            ),
        ),
        "closed up",
    ),
    Variant(
        "counts-in-bytes",
        "class_counts",
        (("return np.bincount(labels, minlength=10)", "return np.bincount(labels, minlength=10).astype(np.uint8)"),),
        "fit into their dtype",
    ),
    Variant(
        "first-thousand-only",
        "class_counts",
        (("for _, label in dataset.as_numpy_iterator()", "for _, label in dataset.take(1000).as_numpy_iterator()"),),
        "only a part",
    ),
    Variant(
        "draw-changes-with-every-pass",
        "few_shot",
        (
            (
                "    return tf.data.Dataset.from_tensor_slices((images[chosen], labels[chosen]))\n",
                "    parts = [\n"
                "        dataset.filter(lambda i, l, d=d: l == d).shuffle(600, seed=seed).take(per_class)\n"
                "        for d in range(10)\n"
                "    ]\n"
                "    drawn = parts[0]\n"
                "    for part in parts[1:]:\n"
                "        drawn = drawn.concatenate(part)\n"
                "    return drawn\n",
            ),
        ),
        "mixes anew in every pass",
    ),
    Variant(
        "draw-without-end",
        "few_shot",
        (("(images[chosen], labels[chosen]))\n", "(images[chosen], labels[chosen])).repeat()\n"),),
        "belongs to the training batches",
    ),
    Variant(
        "draw-of-floats",
        "few_shot",
        (("(images[chosen], labels[chosen]))\n", "(images[chosen] / 255, labels[chosen]))\n"),),
        "images stay as they are stored",
    ),
    Variant(
        "draw-from-the-first-only",
        "few_shot",
        (("zip(*dataset.as_numpy_iterator()))\n    rng", "zip(*dataset.take(300).as_numpy_iterator()))\n    rng"),),
        "whole data set",
    ),
    Variant(
        "labels-left-behind",
        "few_shot",
        (
            (
                "(images[chosen], labels[chosen]))\n",
                "(images[chosen], np.sort(rng.permutation(labels[chosen]))[::-1]))\n",
            ),
        ),
        "reordered separately",
    ),
    Variant(
        "with-replacement",
        "few_shot",
        (("per_class, replace=False)", "per_class)"),),
        "(drawing with replacement|7 different examples)",
    ),
    Variant(
        "stretched-when-saved",
        "save_sample",
        (
            (
                "    PIL.Image.fromarray(image[..., 0]).save(name)\n",
                '    plt.imsave(name, image[..., 0], cmap="gray")\n',
            ),
            ("        return np.asarray(picture)\n", '        return np.asarray(picture.convert("L"))\n'),
        ),
        "stretched to the full scale",
    ),
    Variant(
        "always-the-same-file",
        "save_sample",
        (('    name = f"{path}.png"\n', '    name = "digit.png"\n'),),
        "would overwrite the first",
    ),
    Variant(
        "few-grey-levels",
        "save_sample",
        (
            (
                "PIL.Image.fromarray(image[..., 0]).save(name)",
                "PIL.Image.fromarray(image[..., 0]).quantize(32).save(name)",
            ),
            ("        return np.asarray(picture)\n", '        return np.asarray(picture.convert("L"))\n'),
        ),
        "every pixel should come back",
    ),
    Variant(
        "shown-upside-down",
        "show_digit",
        ((', cmap="gray", vmin=0, vmax=255', ', cmap="gray", vmin=0, vmax=255, origin="lower"'),),
        "upside down",
    ),
    Variant(
        "shown-mirrored",
        "show_digit",
        (("ax.imshow(image[..., 0], cmap", "ax.imshow(image[:, ::-1, 0], cmap"),),
        "mirrored",
    ),
    Variant(
        "ends-look-alike",
        "show_digit",
        ((', cmap="gray", vmin=0, vmax=255', ', cmap="gray", vmin=0, vmax=200'),),
        "ends of the scale look alike",
    ),
    Variant(
        "scale-of-the-picture",
        "show_digit",
        ((', cmap="gray", vmin=0, vmax=255', ', cmap="gray", vmin=0, vmax=image.max()'),),
        "its own scale",
    ),
    Variant(
        "shown-on-the-newest-axes",
        "show_digit",
        (("    ax.imshow(image[..., 0], cmap", "    plt.imshow(image[..., 0], cmap"),),
        "draws on the newest axes",
    ),
    Variant(
        "axes-not-returned",
        "show_digit",
        (("    ax.set_axis_off()\n    return ax\n", "    ax.set_axis_off()\n"),),
        "return ax",
    ),
    Variant(
        "title-fixed",
        "show_digit",
        (("    ax.set_title(str(label))\n", '    ax.set_title("7")\n'),),
        "title is the label",
    ),
    Variant(
        "one-question-wrong", "questions", (('2: "d", 3: "a"', '2: "d", 3: "b"'),), "mixes anew in every pass", 4.0
    ),
    Variant("question-left-open", "questions", (('3: "a", 4: "c"', '3: "a", 4: "?"'),), "4: a, b, c, d"),
    Variant("answer-in-words", "questions", (('{1: "b", 2: "d"', '{1: "the overlap", 2: "d"'),), "a word instead"),
)
