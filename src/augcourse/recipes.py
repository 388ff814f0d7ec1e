"""The named recipes that lessons, results and calibration speak of, and the knobs that they are made of."""

from __future__ import annotations

from collections.abc import Callable

import albumentations as A
import cv2

from augcourse.augment import Recipe
from augcourse.settings import CLASSES

__all__ = ["NAMED", "ON_INK", "SURVIVES_A_MIRROR", "geometric", "named"]

SURVIVES_A_MIRROR = (0, 1, 8)
"""The digits that most hands write so that the mirror image is the same digit."""


def affine(
    *, rotate: float = 0.0, shift: float = 0.0, scale: float = 0.0, shear: float = 0.0, p: float = 1.0
) -> A.Affine:
    """One affine warp on black ground: degrees, share of the image, share of the size, degrees; each ±."""
    return A.Affine(
        rotate=(-rotate, rotate),
        translate_percent={"x": (-shift, shift), "y": (-shift, shift)},
        scale=(1 - scale, 1 + scale),
        shear={"x": (-shear, shear), "y": (-shear, shear)},
        border_mode=cv2.BORDER_CONSTANT,
        fill=0,
        p=p,
    )


def brightness(limit: float = 0.3, *, p: float = 1.0) -> A.RandomBrightnessContrast:
    """Add up to ± limit of the full scale to every pixel."""
    return A.RandomBrightnessContrast(brightness_limit=(-limit, limit), contrast_limit=(0, 0), p=p)


def saturation(limit: float = 0.5) -> A.ColorJitter:
    """Scale the saturation by a factor in 1 ± limit; nothing happens to a grey image."""
    return A.ColorJitter(brightness=(1, 1), contrast=(1, 1), saturation=(1 - limit, 1 + limit), hue=(0, 0), p=1.0)


def geometric(strength: float = 1.0) -> Recipe:
    """Rotation ±15°, shift ±10 %, scale ±10 % and shear ±10°, times a strength, and brightness ±0.3."""
    warp = affine(rotate=15 * strength, shift=0.1 * strength, scale=min(0.1 * strength, 0.9), shear=10 * strength)
    return Recipe.of(A.Compose([warp, brightness()]))


def elastic(alpha: float = 60.0, *, p: float = 0.7) -> A.ElasticTransform:
    """Shift every pixel along a smooth random field (Simard, Steinkraus and Platt 2003), by a few pixels at most."""
    return A.ElasticTransform(alpha=alpha, sigma=4, p=p)


def pen() -> A.OneOf:
    """A thicker pen, a thinner one or the same, equally often."""
    wider, thinner = (A.Morphological(scale=(2, 2), operation=kind, p=1.0) for kind in ("dilation", "erosion"))
    return A.OneOf([wider, thinner, A.NoOp()], p=1.0)


def best_known() -> Recipe:
    """What we know to gain most: a strong affine warp, an elastic one, and another pen."""
    return Recipe.of(A.Compose([affine(rotate=20, shift=0.1, scale=0.2, shear=20), elastic(), pen()]))


def _single(transform: A.BasicTransform) -> Callable[[], Recipe]:
    return lambda: Recipe.of(A.Compose([transform]))


def _four(mirrored: tuple[int, ...]) -> Recipe:
    def pipeline(digit: int) -> A.Compose:
        flips = [A.HorizontalFlip(p=0.5)] if digit in mirrored else []
        return A.Compose([affine(rotate=15), *flips, brightness(), saturation()])

    return Recipe.of({digit: pipeline(digit) for digit in range(CLASSES)})


def towards_grey(least: float = 0.0) -> A.ColorJitter:
    """Scale the saturation by a factor from `least` to 1: from grey ink, where it is 0, to the ink as it is."""
    return A.ColorJitter(brightness=(1, 1), contrast=(1, 1), saturation=(least, 1), hue=(0, 0), p=1.0)


def any_hue() -> A.HueSaturationValue:
    """Turn the hue all the way round the colour circle; saturation and value stay."""
    return A.HueSaturationValue(hue_shift_limit=(-90, 90), sat_shift_limit=(0, 0), val_shift_limit=(0, 0), p=1.0)


ON_INK: dict[str, Callable[[], Recipe]] = {
    "saturation 0.5 to 1.5": _single(saturation()),
    "saturation 0 to 1": _single(towards_grey()),
    "half of the pictures grey": _single(A.ToGray(p=0.5)),
    "any hue": _single(any_hue()),
}
"""Name → recipe for pictures in coloured ink."""

NAMED: dict[str, Callable[[], Recipe]] = {
    "rotation ±15°": _single(affine(rotate=15)),
    "horizontal flip": _single(A.HorizontalFlip(p=0.5)),
    "brightness ±0.3": _single(brightness()),
    "saturation ±0.5": _single(saturation()),
    "shift ±10 %": _single(affine(shift=0.1)),
    "the tutorial's four": lambda: _four(tuple(range(CLASSES))),
    "the label-aware four": lambda: _four(SURVIVES_A_MIRROR),
    "rotation ±180°": _single(affine(rotate=180)),
    "geometric": geometric,
    "the best known": best_known,
}
"""Name → recipe; the names are those of the tables and figures."""


def named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        KeyError: no such name.
    """
    return NAMED[name]()
