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
        "twin in training",
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
)
