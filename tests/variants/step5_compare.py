from .variant import Variant

BASELINE = "    baseline = train.train(images, labels, seed=seed, settings=settings)\n"
AUGMENTED = "    augmented = train.train(images, labels, seed=seed, recipe=recipe, settings=settings)\n"
MCNEMAR = "    return stats.binomtest(only_augmented, only_baseline + only_augmented, 0.5).pvalue\n"
CLIPPED_GAINS = "gains = 100 * np.maximum(0, np.asarray(augmented) - np.asarray(baseline))"

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
    # Subtler ones.
    Variant(
        "one-arm-with-dropout",
        "train_both",
        (
            (
                AUGMENTED,
                "    from dataclasses import replace\n\n"
                + AUGMENTED.replace("settings=settings", "settings=replace(settings, dropout=0.2)"),
            ),
        ),
        "more than the recipe",
    ),
    Variant(
        "sorted-digits",
        "train_both",
        (
            (
                BASELINE,
                "    order = np.argsort(labels)[::-1]\n    images, labels = images[order], labels[order]\n" + BASELINE,
            ),
        ),
        "more than the recipe",
    ),
    Variant(
        "never-recognised-left-out",
        "worst_first",
        (("digits = np.flatnonzero(totals)", "digits = np.flatnonzero(np.diag(matrix))"),),
        "belongs at the top",
    ),
    Variant(
        "by-count",
        "worst_first",
        (("matrix[digits, digits] / totals[digits]", "matrix[digits, digits]"),),
        "sorted by counts",
    ),
    Variant(
        "most-mistakes-first",
        "worst_first",
        (("matrix[digits, digits] / totals[digits]", "matrix[digits, digits] - totals[digits]"),),
        "something other than recall",
    ),
    Variant(
        "size-of-the-gain", "paired_interval", (("gains = 100 * (np", "gains = 100 * np.abs(np"),), "may be a loss"
    ),
    Variant(
        "never-a-loss",
        "paired_interval",
        (("gains = 100 * (np.asarray(augmented) - np.asarray(baseline))", CLIPPED_GAINS),),
        "may be a loss|lies on both sides",
    ),
    Variant(
        "turned-round",
        "paired_interval",
        (("(np.asarray(augmented) - np.asarray(baseline))", "(np.asarray(baseline) - np.asarray(augmented))"),),
        "baseline minus augmented",
    ),
    Variant(
        "population-sd",
        "paired_interval",
        (("error = gains.std(ddof=1)", "error = gains.std()"),),
        "ddof=1",
    ),
    Variant(
        "six-runs-for-ever",
        "paired_interval",
        (("len(gains) - 1)", "5)"),),
        "degrees of freedom|another width",
    ),
    Variant(
        "one-sided-quantile",
        "paired_interval",
        (("stats.t.ppf((1 + confidence) / 2,", "stats.t.ppf(confidence,"),),
        "one-sided quantile",
    ),
    Variant(
        "unpaired-welch",
        "paired_interval",
        (
            (
                "    return gains.mean(), gains.mean() - reach, gains.mean() + reach\n",
                "    spread = stats.ttest_ind(augmented, baseline).confidence_interval(confidence)\n"
                "    return gains.mean(), 100 * spread.low, 100 * spread.high\n",
            ),
        ),
        "were not paired",
    ),
    Variant(
        "doubled-tail",
        "mcnemar",
        (
            (
                MCNEMAR,
                "    least = min(only_baseline, only_augmented)\n"
                "    return 2 * stats.binom.cdf(least, only_baseline + only_augmented, 0.5)\n",
            ),
        ),
        "one tail was doubled",
    ),
    Variant(
        "mid-p",
        "mcnemar",
        (
            (
                MCNEMAR,
                "    n, least = only_baseline + only_augmented, min(only_baseline, only_augmented)\n"
                "    return min(1.0, 2 * stats.binom.cdf(least, n, 0.5) - stats.binom.pmf(least, n, 0.5))\n",
            ),
        ),
        "is not exact",
    ),
    Variant(
        "edge-repeated",
        "robustness",
        (("turn, (width, height))", "turn, (width, height), borderMode=cv2.BORDER_REPLICATE)"),),
        "repeats or mirrors the edge",
    ),
    Variant(
        "edge-mirrored",
        "robustness",
        (("turn, (width, height))", "turn, (width, height), borderMode=cv2.BORDER_REFLECT_101)"),),
        "repeats or mirrors the edge",
    ),
    Variant(
        "edge-wrapped",
        "robustness",
        (("turn, (width, height))", "turn, (width, height), borderMode=cv2.BORDER_WRAP)"),),
        "repeats or mirrors the edge",
    ),
    Variant(
        "grey-outside",
        "robustness",
        (("turn, (width, height))", "turn, (width, height), borderValue=128)"),),
        "filled with grey",
    ),
    Variant(
        "half-a-pixel-off",
        "robustness",
        (("((width - 1) / 2, (height - 1) / 2)", "(width / 2, height / 2)"),),
        "27 / 2",
    ),
    Variant(
        "about-another-point",
        "robustness",
        (("((width - 1) / 2, (height - 1) / 2)", "(13, 12)"),),
        "about their centre",
    ),
    Variant("made-smaller", "robustness", (("float(angle), 1.0", "float(angle), 0.9"),), "made smaller|another size"),
    Variant("made-larger", "robustness", (("float(angle), 1.0", "float(angle), 1.15"),), "was enlarged|another size"),
    Variant(
        "angles-in-order",
        "robustness",
        (("    for angle in angles:\n        turn =", "    for angle in sorted(angles):\n        turn ="),),
        "the accuracy at every angle",
    ),
    Variant(
        "one-question-wrong",
        "questions",
        (('4: "a", 5: "b"}', '4: "b", 5: "b"}'),),
        "nothing about another draw",
        4.0,
    ),
    Variant("question-left-open", "questions", (('3: "c", 4: "a"', '3: "?", 4: "a"'),), "3: a, b, c, d"),
    Variant(
        "two-questions-wrong",
        "questions",
        (('{1: "b", 2: "d"', '{1: "a", 2: "B"'),),
        "a picture is not a run",
        3.0,
    ),
)
