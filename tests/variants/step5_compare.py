from .variant import Variant

BASELINE = "    baseline = train.train(images, labels, seed=seed, settings=settings)\n"
AUGMENTED = "    augmented = train.train(images, labels, seed=seed, recipe=recipe, settings=settings)\n"
MCNEMAR = "    return stats.binomtest(only_augmented, only_baseline + only_augmented, 0.5).pvalue\n"

VARIANTS = (
    # Comparing models trained for different numbers of steps.
    Variant(
        "other-steps",
        "train_both",
        ((BASELINE, BASELINE.replace("settings=settings", "settings=type(settings)(steps=200)")),),
        "compares patience",
    ),
    Variant(
        "own-settings",
        "train_both",
        (
            (BASELINE, BASELINE.replace(", settings=settings", "")),
            (AUGMENTED, AUGMENTED.replace(", settings=settings", "")),
        ),
        "took its own",
    ),
    Variant(
        "recipe-forgotten",
        "train_both",
        ((AUGMENTED, AUGMENTED.replace(", recipe=recipe", "")),),
        "never reached",
    ),
    Variant(
        "other-seed",
        "train_both",
        ((AUGMENTED, AUGMENTED.replace("seed=seed", "seed=seed + 1")),),
        "more than the recipe",
    ),
    Variant(
        "other-digits",
        "train_both",
        ((BASELINE, BASELINE.replace("images, labels", "*measure.labelled_digits(seed)")),),
        "more than the recipe",
    ),
    Variant(
        "swapped-arms",
        "train_both",
        (("return baseline, augmented\n", "return augmented, baseline\n"),),
        "swapped",
    ),
    Variant(
        "transposed",
        "confusion",
        (("np.add.at(matrix, (labels, predictions), 1)", "np.add.at(matrix, (predictions, labels), 1)"),),
        "transposed",
    ),
    Variant(
        "counted-once",
        "confusion",
        (("np.add.at(matrix, (labels, predictions), 1)", "matrix[labels, predictions] += 1"),),
        "counts a repeated pair only once",
    ),
    Variant(
        "normalised",
        "confusion",
        (("    return matrix\n", "    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)\n"),),
        "these are shares",
    ),
    Variant(
        "best-first",
        "worst_first",
        (("digits[np.argsort(recall)]", "digits[np.argsort(-recall)]"),),
        "best first",
    ),
    Variant(
        "precision",
        "worst_first",
        (("matrix[digits, digits] / totals[digits]", "matrix[digits, digits] / matrix.sum(axis=0)[digits]"),),
        "which is precision",
    ),
    Variant(
        "absent-digit",
        "worst_first",
        (("digits = np.flatnonzero(totals)", "digits = np.arange(10)"),),
        "0 of 0",
    ),
    Variant(
        "unpaired",
        "paired_interval",
        (
            (
                "error = gains.std(ddof=1) / np.sqrt(len(gains))",
                "error = 100 * np.sqrt((np.var(baseline, ddof=1) + np.var(augmented, ddof=1)) / len(gains))",
            ),
        ),
        "were not paired",
    ),
    Variant(
        "sd-for-se",
        "paired_interval",
        (("error = gains.std(ddof=1) / np.sqrt(len(gains))", "error = gains.std(ddof=1)"),),
        "standard error",
    ),
    Variant(
        "normal-quantile",
        "paired_interval",
        (("stats.t.ppf((1 + confidence) / 2, len(gains) - 1)", "stats.norm.ppf((1 + confidence) / 2)"),),
        "normal quantile",
    ),
    Variant(
        "one-run",
        "paired_interval",
        (
            (
                "    return gains.mean(), gains.mean() - reach, gains.mean() + reach\n",
                "    return gains[0], gains[0], gains[0]\n",
            ),
        ),
        "another seed, and ten other labels",
    ),
    Variant(
        "shares-for-points",
        "paired_interval",
        (("gains = 100 * (np", "gains = 1 * (np"),),
        "percentage points",
    ),
    Variant(
        "all-images",
        "mcnemar",
        ((MCNEMAR, MCNEMAR.replace("only_baseline + only_augmented", "len(correct_baseline)")),),
        "only discordant ones",
    ),
    Variant(
        "one-sided",
        "mcnemar",
        ((MCNEMAR, MCNEMAR.replace("0.5", '0.5, alternative="greater"')),),
        "one-sided",
    ),
    Variant(
        "chi-square",
        "mcnemar",
        (
            (
                MCNEMAR,
                "    discordant = only_baseline + only_augmented\n"
                "    return stats.chi2.sf((abs(only_baseline - only_augmented) - 1) ** 2 / discordant, 1)\n",
            ),
        ),
        "is not exact",
    ),
    Variant(
        "turned-again",
        "robustness",
        (
            (
                "turned.reshape(images.shape)) == labels))\n",
                "turned.reshape(images.shape)) == labels))\n        images = turned.reshape(images.shape)\n",
            ),
        ),
        "start from the original",
    ),
    Variant("clockwise", "robustness", (("float(angle), 1.0", "-float(angle), 1.0"),), "turn clockwise"),
    Variant(
        "percent",
        "robustness",
        (("return np.array(accuracies)", "return 100 * np.array(accuracies)"),),
        "are percent",
    ),
    Variant(
        "labels-forgotten",
        "robustness",
        (("turned.reshape(images.shape)) == labels)", "turned.reshape(images.shape)) == predict(images))"),),
        "labels decide",
    ),
    Variant(
        "linear-in-labels",
        "labels_worth",
        (
            (
                "float(np.exp(np.interp(reached, accuracies, np.log(labels_per_class))))",
                "float(np.interp(reached, accuracies, labels_per_class))",
            ),
        ),
        "against their logarithm",
    ),
    Variant(
        "swapped-axes",
        "labels_worth",
        (
            (
                "np.exp(np.interp(reached, accuracies, np.log(labels_per_class)))",
                "np.exp(np.interp(reached, np.log(labels_per_class), accuracies))",
            ),
        ),
        "x and y are swapped",
    ),
    Variant(
        "drawn-on",
        "labels_worth",
        (
            (
                "np.exp(np.interp(reached, accuracies, np.log(labels_per_class)))",
                "np.exp(np.polyval(np.polyfit(accuracies[-2:], np.log(labels_per_class[-2:]), 1), reached))",
            ),
        ),
        "beyond its last point",
    ),
)
