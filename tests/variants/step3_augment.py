from .variant import Variant

ROTATE = "return A.Rotate(limit=(-max_degrees, max_degrees), border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)"
FLIP = "return A.HorizontalFlip(p=0.5)\n"
BRIGHTNESS = "return A.RandomBrightnessContrast(brightness_limit=(-limit, limit), contrast_limit=(0, 0), p=1.0)"
SATURATION = "saturation=factor, hue=(0, 0), p=1.0)"
SHIFT = (
    'return A.Affine(translate_percent={"x": distance, "y": distance}, border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)'
)
SURVIVORS = 'survivors = {"horizontal flip": {0, 8}, "vertical flip": {0, 8}, "half turn": {0, 8}}'
PIPELINE = "return A.Compose([turn, *flips, light, colour])"

VARIANTS = (
    Variant(
        "rotation-half-of-the-time",
        "rotation",
        ((ROTATE, "return A.Rotate(limit=max_degrees)"),),
        "p is 0.5 until you say otherwise",
    ),
    Variant(
        "rotation-mirrors-the-border",
        "rotation",
        ((ROTATE, "return A.Rotate(limit=max_degrees, border_mode=cv2.BORDER_REFLECT_101, p=1.0)"),),
        "border is mirrored",
    ),
    Variant(
        "rotation-too-strong",
        "rotation",
        ((ROTATE, "return A.Rotate(limit=3 * max_degrees, p=1.0)"),),
        "stronger is better",
    ),
    Variant(
        "rotation-to-one-side",
        "rotation",
        ((ROTATE, "return A.Affine(rotate=(0, max_degrees), p=1.0)"),),
        "both sides",
    ),
    Variant(
        "rotation-about-a-corner",
        "rotation",
        ((ROTATE, "return A.Affine(rotate=(-max_degrees, max_degrees), translate_px=(-4, 4), p=1.0)"),),
        "about the centre",
    ),
    Variant("flip-upside-down", "flip", ((FLIP, "return A.VerticalFlip(p=0.5)\n"),), "top and bottom are exchanged"),
    Variant("flip-always", "flip", ((FLIP, "return A.HorizontalFlip(p=1.0)\n"),), "never sees the original"),
    Variant(
        "brightness-with-contrast",
        "brightness",
        ((BRIGHTNESS, "return A.RandomBrightnessContrast(brightness_limit=limit, p=1.0)"),),
        "contrast changes too",
    ),
    Variant(
        "brightness-too-strong",
        "brightness",
        ((BRIGHTNESS, "return A.RandomBrightnessContrast((-2 * limit, 2 * limit), (0, 0), p=1.0)"),),
        "stronger is better",
    ),
    Variant(
        "brightness-of-floats",
        "brightness",
        (
            (
                BRIGHTNESS,
                "return A.Compose([A.ToFloat(p=1.0), A.RandomBrightnessContrast((-limit, limit), (0, 0), p=1.0)])",
            ),
        ),
        "come back as uint8",
    ),
    Variant(
        "brightness-of-the-mean",
        "brightness",
        (
            (
                BRIGHTNESS,
                "return A.RandomBrightnessContrast((-limit, limit), (0, 0), brightness_by_max=False, p=1.0)",
            ),
        ),
        "the picture's mean",
    ),
    Variant(
        "saturation-with-all-of-the-jitter",
        "saturation",
        (
            (
                "return A.ColorJitter(brightness=(1, 1), contrast=(1, 1), saturation=factor, hue=(0, 0), p=1.0)",
                "return A.ColorJitter(saturation=factor, p=1.0)",
            ),
        ),
        "ranges of its own",
    ),
    Variant(
        "saturation-with-hue",
        "saturation",
        ((SATURATION, "saturation=factor, hue=(-0.1, 0.1), p=1.0)"),),
        "the hue should stay",
    ),
    Variant("saturation-never", "saturation", ((SATURATION, "saturation=factor, hue=(0, 0), p=0.0)"),), "p=0"),
    Variant(
        "change-in-a-circle",
        "saturation",
        (("np.abs(output.astype(int) - image.astype(int)).max()", "np.abs(output - image).max()"),),
        "run in a circle",
    ),
    Variant(
        "shift-sideways-only",
        "shift",
        ((SHIFT, 'return A.Affine(translate_percent={"x": distance}, p=1.0)'),),
        "only one of x and y",
    ),
    Variant(
        "shift-wraps-around",
        "shift",
        (
            (
                SHIFT,
                "return A.Affine(translate_percent=distance, border_mode=cv2.BORDER_WRAP, p=1.0)",
            ),
        ),
        "wrapped around",
    ),
    Variant(
        "shift-too-far",
        "shift",
        (("distance = (-max_fraction, max_fraction)", "distance = (-2 * max_fraction, 2 * max_fraction)"),),
        "stronger is better",
    ),
    Variant(
        "shift-and-scale",
        "shift",
        ((SHIFT, "return A.Affine(translate_percent=distance, scale=(0.8, 1.2), p=1.0)"),),
        "neither turns nor scales",
    ),
    Variant(
        "flips-keep-everything",
        "keeps_label",
        ((SURVIVORS, 'survivors = {"vertical flip": {0, 8}, "half turn": {0, 8}}'),),
        "horizontal flip: look again at .*[\\s\\S]*what would a stranger call",
    ),
    Variant(
        "a-turned-6-is-a-9",
        "keeps_label",
        ((SURVIVORS, SURVIVORS.replace('"half turn": {0, 8}', '"half turn": {0, 6, 8, 9}')),),
        r"half turn: look again at \[6, 9\]",
    ),
    Variant(
        "nothing-survives",
        "keeps_label",
        ((SURVIVORS, 'survivors = {"horizontal flip": set(), "vertical flip": set(), "half turn": set()}'),),
        "symmetrical",
    ),
    Variant(
        "recipe-flips-every-digit",
        "recipe",
        (("flips = [A.HorizontalFlip(p=0.5)] if digit in (0, 1, 8) else []", "flips = [A.HorizontalFlip(p=0.5)]"),),
        "a label that no longer fits",
    ),
    Variant(
        "recipe-betrays-the-label",
        "recipe",
        ((PIPELINE, "return A.Compose([turn, *flips, *([light] if digit in (0, 1, 8) else []), colour])"),),
        "betrays their label",
    ),
    Variant(
        "recipe-half-turn",
        "recipe",
        (("turn = A.Affine(rotate=(-15, 15), p=1.0)", "turn = A.Affine(rotate=(-180, 180), p=1.0)"),),
        "stronger is better",
    ),
    Variant(
        "recipe-does-nothing",
        "recipe",
        ((PIPELINE, "return A.Compose([*flips])"),),
        "rotation is missing",
    ),
    Variant(
        "recipe-without-saturation",
        "recipe",
        ((PIPELINE, "return A.Compose([turn, *flips, light])"),),
        "saturation is missing",
    ),
    Variant(
        "two-bugs-swapped",
        "name_the_bugs",
        (
            ('        "C": "frozen flip",\n', '        "C": "augmented validation",\n'),
            ('        "E": "augmented validation",\n', '        "E": "frozen flip",\n'),
        ),
        "another bug: C, E",
    ),
)
