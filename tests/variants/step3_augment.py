from .variant import Variant

ROTATE = "return A.Rotate(limit=(-max_degrees, max_degrees), border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)"
FLIP = "return A.HorizontalFlip(p=0.5)\n"
BRIGHTNESS = "return A.RandomBrightnessContrast(brightness_limit=(-limit, limit), contrast_limit=(0, 0), p=1.0)"
SATURATION = "saturation=factor, hue=(0, 0), p=1.0)"
SURVIVORS = 'survivors = {"horizontal flip": {0, 8}, "vertical flip": {0, 8}, "half turn": {0, 8}}'
ANSWERS = 'answers = {1: "c", 2: "a", 3: "d", 4: "b", 5: "d"}'
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
        "rotation-by-one-angle",
        "rotation",
        ((ROTATE, "return A.Affine(rotate=max_degrees, p=1.0)"),),
        "given as one number",
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
        "flips-keep-everything",
        "keeps_label",
        ((SURVIVORS, 'survivors = {"vertical flip": {0, 8}, "half turn": {0, 8}}'),),
        "horizontal flip: look again at .*[\\s\\S]*what would a stranger call",
        keeps=2.2,
    ),
    Variant(
        "a-turned-6-is-a-9",
        "keeps_label",
        ((SURVIVORS, SURVIVORS.replace('"half turn": {0, 8}', '"half turn": {0, 6, 8, 9}')),),
        r"half turn: look again at \[6, 9\]",
        keeps=2.2,
    ),
    Variant(
        "nothing-survives",
        "keeps_label",
        ((SURVIVORS, 'survivors = {"horizontal flip": set(), "vertical flip": set(), "half turn": set()}'),),
        "symmetrical",
        keeps=0.6,
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
        "rotation-with-a-mirror",
        "rotation",
        (
            (
                ROTATE,
                "return A.Sequential([A.HorizontalFlip(), A.Affine(rotate=(-max_degrees, max_degrees), p=1)], p=1)",
            ),
        ),
        "not a mirror image",
    ),
    Variant(
        "rotation-with-a-half-turn",
        "rotation",
        (
            (
                ROTATE,
                "turn = [A.Affine(rotate=(d - max_degrees, d + max_degrees), p=1.0) for d in (0, 180)]\n"
                "    return A.OneOf(turn, p=1.0)",
            ),
        ),
        "stronger is better",
    ),
    Variant(
        "rotation-with-a-scale",
        "rotation",
        ((ROTATE, "return A.Affine(rotate=(-max_degrees, max_degrees), scale=(0.9, 1.1), p=1.0)"),),
        "changes no length",
    ),
    Variant(
        "rotation-with-a-shear",
        "rotation",
        ((ROTATE, "return A.Affine(rotate=(-max_degrees, max_degrees), shear=(-10, 10), p=1.0)"),),
        "changes no length",
    ),
    Variant(
        "rotation-that-keeps-the-corners",
        "rotation",
        ((ROTATE, "return A.SafeRotate(limit=(-max_degrees, max_degrees), border_mode=0, fill=0, p=1.0)"),),
        "SafeRotate",
    ),
    Variant(
        "rotation-by-two-angles",
        "rotation",
        (
            (
                ROTATE,
                "turn = [A.Affine(rotate=(d, d), p=1.0) for d in (-max_degrees, max_degrees)]\n"
                "    return A.OneOf(turn, p=1.0)",
            ),
        ),
        "fixed angles",
    ),
    Variant(
        "rotation-three-times-of-four",
        "rotation",
        ((ROTATE, "return A.Affine(rotate=(-max_degrees, max_degrees), p=0.7)"),),
        "p is 0.5 until you say otherwise",
    ),
    Variant(
        "rotation-with-light",
        "rotation",
        (
            (
                ROTATE,
                "turn = A.Affine(rotate=(-max_degrees, max_degrees), p=1.0)\n"
                "    return A.Sequential([A.RandomBrightnessContrast(p=1.0), turn], p=1.0)",
            ),
        ),
        "changes no grey level",
    ),
    Variant(
        "brightness-in-a-circle",
        "brightness",
        (
            (
                BRIGHTNESS,
                "class Add(A.ImageOnlyTransform):\n"
                "        def apply(self, img, **params):\n"
                "            amount = int(255 * self.py_random.uniform(-limit, limit))\n"
                "            return img + np.array(amount % 256, np.uint8)\n\n"
                "    return Add(p=1.0)",
            ),
        ),
        "cut off at 0 and 255",
    ),
    Variant(
        "brightness-with-a-mirror",
        "brightness",
        (
            (
                BRIGHTNESS,
                "light = A.RandomBrightnessContrast((-limit, limit), (0, 0), p=1.0)\n"
                "    return A.Sequential([light, A.HorizontalFlip(p=0.5)], p=1.0)",
            ),
        ),
        "mirrored, turned or shifted",
    ),
    Variant(
        "brightness-by-two-amounts",
        "brightness",
        (
            (
                BRIGHTNESS,
                "both = [A.RandomBrightnessContrast((v, v), (0, 0), p=1.0) for v in (-limit, limit)]\n"
                "    return A.OneOf(both, p=1.0)",
            ),
        ),
        "fixed amounts",
    ),
    Variant(
        "brightness-now-and-then",
        "brightness",
        ((BRIGHTNESS, "return A.RandomBrightnessContrast((-limit, limit), (0, 0), p=0.75)"),),
        "p is 0.5 until you say otherwise",
    ),
    Variant(
        "saturation-by-two-factors",
        "saturation",
        (
            (
                "return A.ColorJitter(brightness=(1, 1), contrast=(1, 1), saturation=factor, hue=(0, 0), p=1.0)",
                "return A.OneOf([A.ColorJitter((1, 1), (1, 1), (f, f), (0, 0), p=1.0) for f in factor], p=1.0)",
            ),
        ),
        "fixed factors",
    ),
    Variant(
        "change-in-one-application",
        "saturation",
        (("for _ in range(20)]", "for _ in range(1)]"),),
        "applies the transform 20 times",
    ),
    Variant(
        "change-of-the-last",
        "saturation",
        (("for output in outputs)", "for output in outputs[-1:])"),),
        "changes one pixel of a coloured picture",
    ),
    Variant(
        "change-of-one-channel",
        "saturation",
        (
            (
                "np.abs(output.astype(int) - image.astype(int)).max()",
                "np.abs(output.astype(int) - image.astype(int)).mean(axis=-1).max()",
            ),
        ),
        "changes one pixel of a coloured picture",
    ),
    Variant(
        "one-wrong-answer",
        "keeps_label",
        ((SURVIVORS, SURVIVORS.replace('"half turn": {0, 8}', '"half turn": {0, 6, 8}')),),
        r"half turn \(0.4 points\): half turn: look again at \[6\]",
        keeps=2.6,
    ),
    Variant(
        "every-picture-keeps-its-label",
        "keeps_label",
        (
            ("    return digit in survivors.get(transform, set(range(10)))\n", "    return True\n"),
            ("    if digit in contested.get(transform, set()):\n        return None\n", ""),
        ),
        "horizontal flip: look again at",
        keeps=0.6,
    ),
    Variant(
        "recipe-half-of-the-time",
        "recipe",
        (("turn = A.Affine(rotate=(-15, 15), p=1.0)", "turn = A.Affine(rotate=(-15, 15))"),),
        "p is 0.5 until you say otherwise",
    ),
    Variant(
        "recipe-light-half-of-the-time",
        "recipe",
        (
            (
                "light = A.RandomBrightnessContrast(brightness_limit=(-0.3, 0.3), contrast_limit=(0, 0), p=1.0)",
                "light = A.RandomBrightnessContrast(brightness_limit=(-0.3, 0.3), contrast_limit=(0, 0))",
            ),
        ),
        "p is 0.5 until you say otherwise",
    ),
    Variant(
        "recipe-with-contrast",
        "recipe",
        (("(brightness_limit=(-0.3, 0.3), contrast_limit=(0, 0), p=1.0)", "(brightness_limit=(-0.3, 0.3), p=1.0)"),),
        "contrast stays",
    ),
    Variant(
        "recipe-upside-down",
        "recipe",
        (("flips = [A.HorizontalFlip(p=0.5)] if digit", "flips = [A.VerticalFlip(p=0.5)] if digit"),),
        "turns the picture upside down",
    ),
    Variant(
        "recipe-flip-among-others",
        "recipe",
        ((PIPELINE, "return A.Compose([A.OneOf([turn, *flips], p=1.0), light, colour])"),),
        "betrays their label",
    ),
    Variant(
        "recipe-always-mirrored",
        "recipe",
        (("flips = [A.HorizontalFlip(p=0.5)] if digit", "flips = [A.HorizontalFlip(p=1.0)] if digit"),),
        "pictures of a 0 that are mirrored",
    ),
    Variant(
        "recipe-with-a-shift",
        "recipe",
        (
            (
                "turn = A.Affine(rotate=(-15, 15), p=1.0)",
                "turn = A.Affine(rotate=(-15, 15), translate_px=(-3, 3), p=1.0)",
            ),
        ),
        "nothing but the classic four",
    ),
    Variant(
        "question-about-the-cache",
        "questions",
        ((ANSWERS, ANSWERS.replace('4: "b"', '4: "a"')),),
        r"question 4 \(1 point\): a is not right: validation digits stay as they are",
        keeps=4,
    ),
    Variant(
        "questions-two-wrong",
        "questions",
        ((ANSWERS, ANSWERS.replace('1: "c"', '1: "a"').replace('5: "d"', '5: "a"')),),
        r"question 1 .*no range[\s\S]*question 5 .*the brightness tells",
        keeps=3,
    ),
    Variant(
        "question-left-open",
        "questions",
        ((ANSWERS, ANSWERS.replace('3: "d"', '3: "?"')),),
        "every question has one letter",
    ),
    Variant(
        "question-answered-with-a-word",
        "questions",
        ((ANSWERS, ANSWERS.replace('2: "a"', '2: "unequal training"')),),
        "a word instead of a letter",
    ),
)
