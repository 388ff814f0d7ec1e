# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Step 3: Which pictures still mean the same?
#
# Augmentation makes new pictures from a few labelled digits, and every new picture keeps the old label. That is right
# only if a reader would still give it this label. You write four transformations, decide for which digits they keep
# the label, and combine them in a [recipe](#Words).
#
# **You will be able to** write and test a random transformation with albumentations, say for which digits it keeps the
# label, write a recipe in which every label still fits, and find bugs in augmentation code.
#
# **You need** steps 1 and 2 only for the words *pool*, [draw](#Words) and [baseline](#Words). **Time**: see START.md.
#
# Each exercise has three cells: yours, a locked one that tries your function on [probes](#Words) and writes the
# [hand-in](#Words), and a test.

# %% [markdown]
# **Where this runs.** In the course's own JupyterLab everything is installed. Anywhere else, a hosted notebook service
# included, upload or clone the course's folder and run `%pip install PATH-TO-THE-FOLDER` in a cell of its own, once;
# then restart the kernel. It needs Python 3.11 to 3.13, and no network after that.

# %%
try:
    from augcourse.start import begin
except ModuleNotFoundError:
    raise SystemExit("augcourse is not installed here: the cell above says how to install it.") from None

DATASET = begin("step3_augment")

# %%
import time
import warnings

import albumentations as A
import cv2
import ipywidgets
import keras
import matplotlib.pyplot as plt
import numpy as np

from augcourse import augment, compare, data, handin, measure, plots, probes, results
from augcourse.digits import ink
from augcourse.lesson import show_figure, train
from augcourse.predictions import predict, predicted
from augcourse.train import predict as probabilities_of

# %% [markdown]
# ## 1. Rotation
#
# An albumentations transform says what to do, how strongly at most, and with which probability `p`. The call
# `transform(image=image)["image"]` draws a strength at random. A picture is a `uint8` NumPy array.
#
# Ask three questions of a rotation. How often does it happen? (The default of every transform in this step is
# `p=0.5`.) How far does it turn, and to both sides? What fills the corners? Our paper is black, so they must be black.
#
# **Exercise 1 (2 points).** Write `rotation(max_degrees)` with
# [`A.Affine`](https://albumentations.ai/explore/transform/Affine/docs/) or
# [`A.Rotate`](https://albumentations.ai/explore/transform/Rotate/docs/). The web pages may describe a newer version:
# `help(A.Affine)` describes the one that is installed.

# %% nbgrader={"grade": false, "grade_id": "rotation", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rotation(max_degrees):
    """A random rotation about the centre of the picture.

    Args:
        max_degrees: the angle is drawn evenly from -max_degrees to max_degrees.

    Returns:
        an albumentations transform that turns every picture (p=1), keeps its shape and dtype, and fills
        with black what comes in from outside.

    Example: rotation(15)(image=image)["image"] is the digit, leaning to one side.
    """
    ### BEGIN SOLUTION
    return A.Rotate(limit=(-max_degrees, max_degrees), border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "rotation_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("rotation") as out:
    _limit = int(probes.rng("rotation").integers(18, 31))
    out.arrays(spots=probes.augmented("rotation", rotation(_limit), probes.landmarks(), 300))
    _noise = probes.rng("rotation").integers(50, 256, (28, 28, 1)).astype(np.uint8)
    out.arrays(noise=probes.augmented("rotation", rotation(_limit), _noise, 300))
    _paper = np.full((28, 28, 1), 200, np.uint8)
    out.arrays(paper=probes.augmented("rotation", rotation(_limit), _paper, 160))

# %% nbgrader={"grade": true, "grade_id": "rotation_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("rotation")
turned, noise = (work.array(name, (300, 28, 28, 1), "uint8") for name in ("spots", "noise"))
paper = work.array("paper", (160, 28, 28, 1), "uint8")
still = np.mean((noise == probes.rng("rotation").integers(50, 256, (28, 28, 1))).all((1, 2, 3)))
checks.expect(
    still < 0.15,
    "every picture should be turned",
    expected="p=1: hardly a picture stays as it was",
    got=f"{still:.0%} of the pictures stayed as they were",
    why="a transform only happens with probability p, and p is 0.5 until you say otherwise",
)
black = np.mean(paper.min((1, 2, 3)) == 0)
checks.expect(
    black > 0.5,
    "what comes in from outside should be black",
    expected="black corners on a turned bright picture",
    got=f"{black:.0%} of the turned bright pictures show any black",
    why="the border is mirrored, repeated or filled with another level; `border_mode` and `fill` decide",
)
checks.passed("rotation")
### BEGIN HIDDEN TESTS
limit = int(probes.rng("rotation").integers(18, 31))
found = probes.warps(turned)
checks.expect(
    not found.lost.any(),
    "three spots in a picture are still there after a rotation",
    got=f"{np.sum(found.lost)} of 300 pictures in which they cannot be found",
    why="something else than a rotation happens, too",
)
checks.expect(
    not found.mirrored.any(),
    "a rotation is not a mirror image",
    got=f"{found.mirrored.mean():.0%} of the pictures are mirrored",
    why="a flip is part of the transform; `flip` is an exercise of its own",
)
checks.expect(
    not found.distorted.any(),
    "a rotation changes no length",
    expected="the shape and the size as they were",
    got=f"lengths from {found.stretch.min():.0%} to {found.stretch.max():.0%} of what they were",
    why="scale or shear belong to the transform, too: `A.SafeRotate` and `A.ShiftScaleRotate` scale",
)
drift = np.abs(found.shift).max()
checks.expect(
    drift < 1,
    "the rotation is about the centre of the picture",
    expected="the centre of the picture stays where it is",
    got=f"it moved by up to {drift:.1f} pixels",
    why="the picture is also shifted, or turned about a corner",
)
checks.expect(
    np.abs(found.contrast / 255 - 1).max() < 0.1 and np.median(turned, axis=(1, 2, 3)).max() == 0,
    "a rotation changes no grey level",
    expected="black paper and white spots",
    got=f"spots of {found.contrast.min():.0f} to {found.contrast.max():.0f} levels above the paper",
    why="brightness, contrast or blur belong to the transform, too",
)
checks.expect(
    np.abs(found.angle).max() < limit + 2,
    f"rotation({limit}) turns by at most {limit} degrees",
    expected=f"angles within ±{limit}",
    got=f"angles from {found.angle.min():.0f} to {found.angle.max():.0f}",
    mistake="stronger is better",
)
checks.expect(
    found.angle.min() < -0.7 * limit and found.angle.max() > 0.7 * limit,
    f"rotation({limit}) turns to both sides, and sometimes nearly as far as it may",
    expected=f"angles from about {-limit} to about {limit}",
    got=f"angles from {found.angle.min():.0f} to {found.angle.max():.0f}",
    why="a range was given as one number or with one sign, or max_degrees is not used",
)
weak = np.mean(np.abs(found.angle) < limit / 2)
checks.expect(
    probes.unevenness(found.angle, limit, 2.5) < 0.13,
    f"rotation({limit}) draws the angle evenly from {-limit} to {limit}",
    expected="about half of the angles in the inner half of the range",
    got=f"{weak:.0%}",
    why="a few fixed angles instead of a range, or small angles more often than large ones",
)
### END HIDDEN TESTS

# %% [markdown]
# **Run**: does any turned digit look like another digit? **Change one thing**: 15 becomes 45, then 90.

# %% tags=["show"]
images, labels = data.load_arrays(data.POOL)
digits = [images[np.flatnonzero(labels == digit)[0]] for digit in (0, 2, 3, 4, 5, 6, 7, 9)]


def transformed(transform, pictures, seed=0):
    """The pictures after one pass through a transform."""
    compose = A.Compose([transform], seed=seed)
    return [compose(image=picture)["image"] for picture in pictures]


fig, axes = plt.subplots(3, 8, figsize=(9, 3.4))
turned_digits = {f"turned, seed {seed}": transformed(rotation(15), digits, seed) for seed in (1, 2)}
plots.gallery(axes, digits, turned_digits)
show_figure("Eight digits in a row, and below them the same digits after a random rotation, with two seeds.")

# %% [markdown]
# ## 2. Flip
#
# A horizontal flip exchanges left and right. A cat in a mirror is still a cat; is a 2 still a 2? A flip has no
# strength, only a probability: with `p=1` the model never sees the original.
#
# **Exercise 2 (2 points).** Write `flip()` with
# [`A.HorizontalFlip`](https://albumentations.ai/explore/transform/HorizontalFlip/docs/).

# %% nbgrader={"grade": false, "grade_id": "flip", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flip():
    """A random mirror image.

    Returns:
        an albumentations transform that exchanges left and right with probability one half, and otherwise
        leaves the picture as it is.
    """
    ### BEGIN SOLUTION
    return A.HorizontalFlip(p=0.5)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "flip_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("flip") as out:
    _noise = probes.rng("flip").integers(0, 256, (28, 28, 1)).astype(np.uint8)
    out.arrays(flipped=probes.augmented("flip", flip(), _noise, 200))

# %% nbgrader={"grade": true, "grade_id": "flip_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

flipped = handin.read("flip").array("flipped", (200, 28, 28, 1), "uint8")
picture = probes.rng("flip").integers(0, 256, (28, 28, 1)).astype(np.uint8)
same, mirrored, upside_down = (
    (flipped == other).all((1, 2, 3)) for other in (picture, picture[:, ::-1], picture[::-1])
)
checks.expect(
    not upside_down.any(),
    "left and right should be exchanged",
    got="top and bottom are exchanged",
    why="`VerticalFlip` turns the picture upside down",
)
checks.expect(
    (same | mirrored).all(),
    "every picture is either the original or its mirror image, pixel for pixel",
    got=f"{np.sum(~(same | mirrored))} of 200 pictures are neither",
)
checks.passed("flip")
### BEGIN HIDDEN TESTS
share = mirrored.mean()
checks.expect(
    0.35 < share < 0.65,
    "a flip should happen about half of the time",
    expected="about 50 % of the pictures mirrored",
    got=f"{share:.0%} mirrored",
    why="with p=1 the model never sees the original, with p=0 never the mirror image",
)
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Brightness
#
# To change the brightness is to *add* the same amount to every pixel; to change the contrast is to *multiply*.
# `A.RandomBrightnessContrast` does both, unless you switch one off. Its limits are shares of the full scale: 255 for
# `uint8`, 1.0 for floats. Levels outside the scale are cut off: darkened black paper stays black, and a float picture
# with levels up to 255 ends at 1.0.
#
# **Exercise 3 (2 points).** Write `brightness(limit)` with
# [`A.RandomBrightnessContrast`](https://albumentations.ai/explore/transform/RandomBrightnessContrast/docs/).

# %% nbgrader={"grade": false, "grade_id": "brightness", "locked": false, "schema_version": 3, "solution": true, "task": false}
def brightness(limit):
    """A random change of brightness, and of nothing else.

    Args:
        limit: the amount is drawn evenly from -limit to limit, as a share of the full scale 255.

    Returns:
        an albumentations transform that adds the same amount to every pixel of a uint8 picture (p=1), cut
        off at 0 and 255, and returns uint8.

    Example: with limit 0.2, a pixel of level 100 ends between 49 and 151.
    """
    ### BEGIN SOLUTION
    return A.RandomBrightnessContrast(brightness_limit=(-limit, limit), contrast_limit=(0, 0), p=1.0)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "brightness_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("brightness") as out:
    _limit = round(float(probes.rng("brightness").uniform(0.15, 0.3)), 2)
    _levels = probes.mixed_levels("brightness")
    out.arrays(brightened=probes.augmented("brightness", brightness(_limit), _levels, 300))

# %% nbgrader={"grade": true, "grade_id": "brightness_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

brightened = handin.read("brightness").array("brightened", (300, 28, 28, 1))
checks.expect(
    brightened.dtype == np.uint8,
    "a uint8 picture should come back as uint8",
    expected="uint8",
    got=f"{brightened.dtype}, from {brightened.min():.3g} to {brightened.max():.3g}",
    why="a conversion such as ToFloat is left over; the next transform would meet a picture on another scale",
)
before = probes.mixed_levels("brightness").astype(float)
# The lower half of the picture never meets an end of the scale: what is added there is added everywhere.
cut = (brightened == 0) | (brightened == 255)
added = np.ma.masked_array(brightened - before, cut)
amount = np.ma.filled(np.ma.median(added[:, 14:].reshape(300, -1), axis=1), 0)
wrong = np.abs(brightened - np.clip(before + amount[:, None, None, None], 0, 255))
uneven = wrong[:, 14:].max()
in_order = np.sort(brightened.reshape(300, -1)) - np.sort(before.ravel())
checks.expect(
    uneven <= 3 or np.ptp(in_order[:, 200:-200], axis=1).max() > 3,
    "every pixel should stay where it is",
    expected="other levels in the same places",
    got="the same levels in other places",
    why="the picture is also mirrored, turned or shifted",
)
checks.expect(
    uneven <= 3,
    "every pixel of a picture should get the same amount",
    expected="the same amount for dark and for bright pixels",
    got=f"amounts that differ by {uneven:.0f} grey levels within one picture",
    why="the contrast changes too (contrast_limit is 0.2 until you say otherwise), or levels are multiplied",
)
checks.expect(
    wrong.max() <= 3,
    "what would leave the scale should be cut off at 0 and 255",
    expected="black that is darkened stays 0, white that is brightened stays 255",
    got=f"levels that are {wrong.max():.0f} away from that",
    why="uint8 arithmetic runs in a circle: 250 + 10 is 4, unless it is cut off (np.clip, or albumentations itself)",
)
checks.passed("brightness")
### BEGIN HIDDEN TESTS
limit = round(float(probes.rng("brightness").uniform(0.15, 0.3)), 2)
levels = 255 * limit
checks.expect(
    np.abs(amount).max() <= levels + 2,
    f"brightness({limit}) adds at most {limit} of the full scale",
    expected=f"within ±{levels:.0f} grey levels",
    got=f"from {amount.min():+.0f} to {amount.max():+.0f}",
    mistake="stronger is better",
)
checks.expect(
    amount.min() < -0.7 * levels and amount.max() > 0.7 * levels,
    f"brightness({limit}) darkens and brightens, sometimes nearly as much as it may",
    expected=f"from about {-levels:.0f} to about {levels:+.0f} grey levels",
    got=f"from {amount.min():+.0f} to {amount.max():+.0f}",
    why="one sign only, a limit that is not used, or a share of the picture's mean instead of the full scale",
)
still = np.mean((brightened == before).all((1, 2, 3)))
checks.expect(
    still < 0.1,
    "every picture should change",
    expected="p=1: hardly a picture stays as it was",
    got=f"{still:.0%} of the pictures stayed as they were",
    why="p is 0.5 until you say otherwise",
)
weak = np.mean(np.abs(amount) < levels / 2)
checks.expect(
    probes.unevenness(amount, levels, 2) < 0.12,
    f"brightness({limit}) draws the amount evenly from {-levels:.0f} to {levels:+.0f} grey levels",
    expected="about half of the amounts in the inner half of the range",
    got=f"{weak:.0%}",
    why="a few fixed amounts instead of a range, or small amounts more often than large ones",
)
### END HIDDEN TESTS

# %% tags=["show"]
fig, axes = plt.subplots(3, 8, figsize=(9, 3.4))
changed = {f"±0.3, seed {seed}": transformed(brightness(0.3), digits, seed) for seed in (1, 2)}
plots.gallery(axes, digits, changed)
show_figure("Eight digits in a row, and below them the same digits after a random change of brightness, twice.")

# %% [markdown]
# ## 4. Saturation, and a proof
#
# Saturation says how far a colour is from grey. A factor of 0 makes a picture grey; a factor of 1 leaves it as it is.
# [`A.ColorJitter`](https://albumentations.ai/explore/transform/ColorJitter/docs/) changes it, together with brightness,
# contrast and hue. A factor of `(1, 1)` switches brightness or contrast off, a shift of `(0, 0)` the hue.
#
# Our digits are grey. What does saturation do to them? Measure it: `largest_change` says how far a transform ever
# moves any pixel. Be careful: `uint8` arithmetic wraps around, so `np.uint8(3) - np.uint8(5)` is 254.

# %%
# Predict: how far does saturation(0.5) ever move a pixel of a grey digit?
predict("saturation on grey digits", ...)  # instead of the dots: a number of grey levels, 0 to 255

# %% [markdown]
# **Exercise 4 (3 points).** Write `saturation(limit)` and `largest_change(transform, image)`
# ([`np.abs`](https://numpy.org/doc/stable/reference/generated/numpy.absolute.html),
# [`astype`](https://numpy.org/doc/stable/reference/generated/numpy.ndarray.astype.html)).

# %% nbgrader={"grade": false, "grade_id": "saturation", "locked": false, "schema_version": 3, "solution": true, "task": false}
def saturation(limit):
    """A random change of saturation, and of nothing else.

    Args:
        limit: the factor is drawn evenly from 1 - limit to 1 + limit.

    Returns:
        an albumentations transform that multiplies the saturation of every picture (p=1) by the factor;
        hue stays, and what is grey stays as it is, in pictures with one channel or three.
    """
    ### BEGIN SOLUTION
    factor = (1 - limit, 1 + limit)
    return A.ColorJitter(brightness=(1, 1), contrast=(1, 1), saturation=factor, hue=(0, 0), p=1.0)
    ### END SOLUTION


def largest_change(transform, image):
    """The largest change that a transform makes to any pixel.

    Args:
        transform: an albumentations transform.
        image: NumPy array, uint8, one channel or three.

    Returns:
        the largest absolute difference in grey levels, 0 to 255, over all pixels and 20 applications.
    """
    ### BEGIN SOLUTION
    outputs = [transform(image=image)["image"] for _ in range(20)]
    return max(int(np.abs(output.astype(int) - image.astype(int)).max()) for output in outputs)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "saturation_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("saturation") as out:
    _limit = float(probes.rng("saturation").choice([0.3, 0.4, 0.5]))
    out.arrays(chart=probes.augmented("saturation", saturation(_limit), probes.colour_chart("saturation"), 240))
    _digit = probes.digits("saturation", 1)[0][0]
    for _name, _level in (("darker", -0.2), ("brighter", 0.2)):
        _step = A.RandomBrightnessContrast(brightness_limit=(_level, _level), contrast_limit=(0, 0), p=1.0)
        out.facts(**{_name: float(largest_change(_step, _digit))})
    out.facts(grey=float(largest_change(saturation(_limit), _digit)))
    _pixel = probes.one_pixel("saturation", 20)
    out.facts(pixel=float(largest_change(_pixel, probes.colour_chart("saturation"))), calls=_pixel.calls)

# %% nbgrader={"grade": true, "grade_id": "saturation_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("saturation")
chart = work.array("chart", (240, 28, 28, 3), "uint8").astype(float)
before = probes.colour_chart("saturation").astype(float)
moved = np.abs(chart - before)
checks.expect(
    moved.max() > 2,
    "a coloured picture should change",
    got="not a single pixel changed in 240 applications",
    why="p=0, or a range that only contains the factor 1",
)
grey_moved = moved[:, :, :9].max()
checks.expect(
    grey_moved <= 2,
    "grey parts of a coloured picture should stay as they are",
    got=f"grey pixels that moved by {grey_moved:.0f} levels",
    why="brightness, contrast or hue change too: ColorJitter has ranges of its own for them until you say "
    "(1, 1) and (0, 0); HueSaturationValue adds colour where there was none",
)
for name in ("darker", "brighter"):
    change = work.fact(name, float)
    checks.expect(
        abs(change - 51) < 1.5,
        f"largest_change of a step to {name} by a fifth of the scale",
        expected="51 grey levels",
        got=f"{change:g}",
        why="uint8 differences run in a circle (3 - 5 gives 254): convert before you subtract",
    )
checks.expect(
    work.fact("calls", int) == 20,
    "largest_change applies the transform 20 times",
    expected="20 applications",
    got=f"{work.fact('calls', int)} applications",
    why="a random transform changes little in one application and much in another",
)
checks.passed("saturation")
### BEGIN HIDDEN TESTS
import matplotlib.colors

largest = int(probes.one_pixel("saturation", 20).amounts.max())
checks.expect(
    abs(work.fact("pixel", float) - largest) < 0.5,
    "largest_change of a transform that changes one pixel of a coloured picture, by another amount each time",
    expected=f"{largest}, the largest of the 20",
    got=f"{work.fact('pixel', float):g}",
    why="only one application, one channel or a mean was looked at, or changes to darker do not count",
)

limit = float(probes.rng("saturation").choice([0.3, 0.4, 0.5]))
hue, hue_before = (360 * matplotlib.colors.rgb_to_hsv(x / 255)[..., 9:, 0] for x in (chart, before))
turned = np.abs((hue - hue_before + 180) % 360 - 180).mean((1, 2)).max()
checks.expect(
    turned < 5,
    "the hue should stay: red stays red",
    expected="a hue that turns by less than 5 degrees",
    got=f"{turned:.0f} degrees",
    why="ColorJitter also shifts the hue, by up to half of the circle, until you say hue=(0, 0)",
)
factor = (np.ptp(chart, axis=-1)[..., 9:] / np.ptp(before, axis=-1)[:, 9:]).mean(1)
pale, strong = factor[:, :9].mean(1), factor[:, 9:].mean(1)
checks.expect(
    np.abs(pale - strong).max() < 0.1,
    "pale and strong colours should be scaled by the same factor",
    got=f"factors that differ by up to {np.abs(pale - strong).max():.2f} in one picture",
    why="the saturation is added to, not multiplied",
)
checks.expect(
    1 - limit - 0.06 < strong.min() < 1 - 0.7 * limit and 1 + 0.7 * limit < strong.max() < 1 + limit + 0.06,
    f"saturation({limit}) scales by factors from {1 - limit:.1f} to {1 + limit:.1f}",
    got=f"factors from {strong.min():.2f} to {strong.max():.2f}",
    why="another range: 1 leaves the saturation as it is, 0 takes all colour away",
)
checks.expect(
    probes.unevenness(strong - 1, limit, 0.04) < 0.13,
    f"saturation({limit}) draws the factor evenly from {1 - limit:.1f} to {1 + limit:.1f}",
    expected="about half of the factors in the inner half of the range",
    got=f"{np.mean(np.abs(strong - 1) < limit / 2):.0%}",
    why="a few fixed factors instead of a range",
)
checks.expect(
    work.fact("grey", float) == 0,
    "the saturation of a grey digit cannot change",
    expected="largest change 0",
    got=f"{work.fact('grey', float):g}",
)
still = np.mean(moved.max((1, 2, 3)) <= 1)
checks.expect(
    still < 0.2,
    "every picture should change",
    expected="p=1: hardly a picture stays as it was",
    got=f"{still:.0%} of the pictures stayed as they were",
    why="p is 0.5 until you say otherwise",
)
### END HIDDEN TESTS

# %% [markdown]
# **Run the proof** on a hundred validation digits, grey and in coloured ink.

# %% tags=["show"]
validation, validation_labels = data.load_arrays(data.VALIDATION)
printed = ink.tinted(validation[:100], (200, 130, 90))
moved = {}
for name, pictures in (("grey", validation[:100]), ("tinted", printed)):
    moved[name] = max(largest_change(saturation(0.5), picture) for picture in pictures)
    print(f"{name:>6} digits: largest change of any pixel {moved[name]} of 255 grey levels")
predicted("saturation on grey digits", f"{moved['grey']} grey levels")

# %% [markdown]
# **Explain**: why can no factor change a grey digit?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# In a grey pixel red, green and blue are equal. Saturation scales how far the three values are from grey. These
# distances are zero, and zero times any factor is zero. A picture with one channel has no colour at all, and
# `A.ColorJitter` leaves its saturation alone.
#
# </details>

# %% [markdown]
# ## 5. Coloured ink
#
# Now ten coloured pens write the digits. In training, each class has a favourite pen in 80 % of its pictures, so a
# model can learn the pen instead of the digit. In the test, any pen writes any digit.

# %% tags=["show"]
by_class = [np.flatnonzero(labels == digit)[:5] for digit in range(10)]
order = np.concatenate(by_class)
training_ink = ink.favourite_pen(images[order], labels[order], seed=0)
test_ink = ink.any_pen(images[order[::5]], seed=0)

fig, axes = plt.subplots(6, 10, figsize=(9, 5))
for row in range(6):
    for digit in range(10):
        plots.show(axes[row, digit], test_ink[digit] if row == 5 else training_ink[5 * digit + row])
    axes[row, 0].set_ylabel("test" if row == 5 else "training", rotation=0, ha="right", va="center", fontsize=9)
show_figure(
    "Six rows of digits in coloured ink, one class per column. In the five training rows, four of the five digits of "
    "a class have the same colour. In the last row, the test, the colours are drawn at random."
)

# %% [markdown]
# Three recipes are tried. `geometric` turns, moves, scales and shears a digit and changes its brightness. The others
# change the saturation: by factors from 0.5 to 1.5, or from 0, which is grey, to 1.

# %%
# Predict: which of the three helps most, in the mean over the stored runs?
predict("best on coloured ink", ...)  # "geometric", "saturation 0.5 to 1.5" or "saturation 0 to 1"

# %% [markdown]
# Every dot is the [gain](#Words) of one [run](#Words), every bar the [interval](#Words) of the mean.

# %% tags=["show"]
def told(name, gains):
    """A mean gain with its interval, as a line of text."""
    found = compare.interval(gains)
    mean, low, high = (round(value, 1) + 0.0 for value in (found.mean, found.low, found.high))
    return f"{name}: {mean:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}, {len(gains)} runs"


# The stored runs are those of this data set, or of the default one where there are none.
INKED = DATASET if DATASET in data.OFFLINE else data.DEFAULT
STUDIED = DATASET if DATASET in results.DATASETS else data.DEFAULT

# %% tags=["show"]
on_ink = results.gains("ink", INKED)
tried = {name: on_ink[name] for name in ("geometric", "saturation 0.5 to 1.5", "saturation 0 to 1")}
fig, ax = plt.subplots(figsize=(8, 1.8))
plots.ablation(ax, tried)
lines = [told(name, gains) for name, gains in tried.items()]
show_figure("Gains of three recipes on coloured ink, in percentage points, each run a dot. " + "; ".join(lines) + ".")
without = {"grey digits": results.accuracies("ablation", INKED), "coloured ink": results.accuracies("ink", INKED)}
shares = [f"{100 * rows['none'].mean():.1f} % on {name}" for name, rows in without.items()]
print(f"Accuracy of the baseline ({INKED}):", " and ".join(shares))
print(*lines, sep="\n")
predicted("best on coloured ink", max(tried, key=lambda name: tried[name].mean()))

# %% [markdown]
# **Explain**: what can a factor near 0 do that a factor of 0.5 cannot?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# At factor 0 the picture is grey. It shows the digit, but not the pen, so that in these pictures the pen says nothing
# about the label. At factor 0.5 the ink is paler, but the ten pens can still be told apart. A rotation or a shift
# leaves the colour of the ink as it is.
#
# </details>

# %% [markdown]
# ## 6. Cover the label
#
# Cover the label, show the new picture to a reader, and ask which digit it is. If the reader names another one or
# cannot decide, the label no longer fits, and training on this picture teaches a mistake.
#
# **Run**: in which rows do all ten digits keep their label?

# %% tags=["show"]
everyone = [images[np.flatnonzero(labels == digit)[5]] for digit in range(10)]
by_a_tenth = A.Affine(translate_percent={"x": (-0.1, 0.1), "y": (-0.1, 0.1)}, p=1.0)
rows = {
    "shift ±10 %": transformed(by_a_tenth, everyone),
    "horizontal flip": [digit[:, ::-1] for digit in everyone],
    "vertical flip": [digit[::-1] for digit in everyone],
    "half turn": [digit[::-1, ::-1] for digit in everyone],
}
fig, axes = plt.subplots(5, 10, figsize=(10, 5))
plots.gallery(axes, everyone, rows)
show_figure("The digits 0 to 9, and below them shifted by up to a tenth, mirrored, upside down, and turned by 180°.")

# %% [markdown]
# **Exercise 5 (3 points).** Write `keeps_label(transform, digit)`. Some cases are *contested*: a 1 with a flag does not
# survive a mirror, a 1 that is a plain stroke does. Answer `None` where it depends on the handwriting. **Only
# uncontested cases are graded**, and there the answer is `True` or `False`. The picture must show *the same digit*, not
# just *some* digit. The mild transformations are worth 0.6 points together, each of the others 0.8, or half of that
# with one wrong answer.

# %% nbgrader={"grade": false, "grade_id": "keeps_label", "locked": false, "schema_version": 3, "solution": true, "task": false}
def keeps_label(transform, digit):
    """Whether a stranger would still call the transformed picture by its old label.

    Args:
        transform: "rotation ±15°", "half turn", "horizontal flip", "vertical flip", "brightness" or "shift".
        digit: 0 to 9.

    Returns:
        True, False, or None where it depends on the handwriting.
    """
    ### BEGIN SOLUTION
    survivors = {"horizontal flip": {0, 8}, "vertical flip": {0, 8}, "half turn": {0, 8}}
    contested = {"horizontal flip": {1, 4}, "vertical flip": {1, 3}, "half turn": {1, 2, 5}}
    if digit in contested.get(transform, set()):
        return None
    return digit in survivors.get(transform, set(range(10)))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "keeps_label_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
_TRANSFORMS = ("rotation ±15°", "half turn", "horizontal flip", "vertical flip", "brightness", "shift")
with handin.record("keeps_label") as out:
    out.facts(answers={name: [keeps_label(name, digit) for digit in range(10)] for name in _TRANSFORMS})

# %% nbgrader={"grade": true, "grade_id": "keeps_label_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from augcourse import checks, handin

answers = handin.read("keeps_label").fact("answers", dict)
parts = checks.Parts("keeps_label", 3)
mild = ("rotation ±15°", "brightness", "shift")
for name in (*mild, "half turn", "horizontal flip", "vertical flip"):
    row = answers.get(name)
    checks.expect(
        isinstance(row, list) and len(row) == 10 and all(answer in (True, False, None) for answer in row),
        f"{name}: an answer for every digit",
        expected="True, False or None",
        got=row,
    )
answers = {name: [row if row is None else bool(row) for row in answers[name]] for name in answers}
with parts.part("rotation ±15°, brightness and shift", 0.6):
    for name in mild:
        lost = [digit for digit in range(10) if answers[name][digit] is not True]
        checks.expect(
            not lost,
            f"{name}, as mild as in the galleries above, keeps every label",
            got=f"another answer for {lost}",
            why="a leaning, darker or shifted digit is still read by everybody",
        )
### BEGIN HIDDEN TESTS
survives = (0, 8)
destroyed = {
    "horizontal flip": (2, 3, 5, 6, 7, 9),
    "vertical flip": (2, 4, 5, 6, 7, 9),
    "half turn": (3, 4, 6, 7, 9),
}
for name, lost in destroyed.items():
    kept = [digit for digit in lost if answers[name][digit] is not False]
    given_up = [digit for digit in survives if answers[name][digit] is not True]
    # One wrong answer of a row costs half of it, more cost the row.
    with parts.part(name, 0.4 if len(kept + given_up) == 1 else 0.8):
        checks.expect(
            not kept,
            f"{name}: look again at {kept}",
            expected="False: the picture shows another digit, or none",
            got={digit: answers[name][digit] for digit in kept},
            mistake="stronger is better",
        )
        checks.expect(
            not given_up,
            f"{name}: look again at {given_up}",
            expected="True: a digit that is symmetrical stays the same",
            got={digit: answers[name][digit] for digit in given_up},
        )
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# ## 7. What a wrong label costs
#
# Rotation, flip, brightness and saturation all occur in
# [TensorFlow's tutorial](https://www.tensorflow.org/tutorials/images/data_augmentation); we call them *the classic
# four*. Stored runs tried each alone, and a rotation by any angle. Two of these five lose labels: the flip of every
# digit, and the rotation by any angle.

# %%
# Predict: which of the four has the highest mean gain alone, on grey digits?
predict("best of the classic four", ...)  # "rotation", "flip", "brightness" or "saturation"

# %% tags=["show"]
stored = results.gains("ablation", STUDIED)
four = {
    "rotation": stored["rotation ±15°"],
    "flip": stored["horizontal flip"],
    "brightness": stored["brightness ±0.3"],
    "saturation": stored["saturation ±0.5"],
}
alone = {**four, "rotation by any angle": stored["rotation ±180°"]}
fig, ax = plt.subplots(figsize=(8, 2.6))
plots.ablation(ax, alone)
lines = [told(name, gains) for name, gains in alone.items()]
show_figure("Gains of five transformations, in percentage points, each run a dot. " + "; ".join(lines) + ".")
print(*lines, sep="\n")
predicted("best of the classic four", max(four, key=lambda name: four[name].mean()))

# %% [markdown]
# **Explain** the two rows whose labels are lost, and the row whose gain is zero in every run.

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# On every data set of this course the two intervals lie below zero: a picture whose label does not fit teaches a
# mistake, and the model pays for it. Saturation gains exactly zero in every run: it changes no grey picture, so that
# both models of a run learn from the same pictures. You proved it in section 4.
#
# </details>

# %% [markdown]
# Does it help to flip only digits that survive? A *safe flip* mirrors 0, 1 and 8.

# %%
# Predict: what do the stored runs say of the safe flip, without anything else?
predict("safe flip", ...)  # "helps", "harms" or "cannot tell": the interval contains zero

# %% tags=["show"]
mirror = results.gains("mirror", STUDIED)
added = {"safe flip, added to rotation": mirror["rotation and safe flip"] - mirror["rotation"]}
compared = {"safe flip": mirror["safe flip"], "rotation": mirror["rotation"], **added}
fig, ax = plt.subplots(figsize=(8, 1.8))
plots.ablation(ax, compared)
lines = [told(name, gains) for name, gains in compared.items()]
show_figure("Gains of the safe flip, of rotation, and of both over rotation, each run a dot. " + "; ".join(lines) + ".")
print(*lines, sep="\n")
safe = compare.interval(mirror["safe flip"])
predicted("safe flip", "helps" if safe.low > 0 else "harms" if safe.high < 0 else "cannot tell")

# %% [markdown]
# **Explain**: what do these runs say of the safe flip, and what do they not say?

# %% [markdown] tags=["answer"]
# <details><summary>Model answer</summary>
#
# Read the interval. If it lies above zero, the runs say that the safe flip helps; if it lies below zero, that it harms.
# If it contains zero, they say neither. They do not say that the safe flip is useless, because the interval contains
# small gains as well as small losses. More runs would make it narrower.
#
# </details>

# %% [markdown]
# *Does it keep the label?* and *does it help?* are two questions. You answer the first by eye, the second with runs.
#
# ## 8. A recipe
#
# A recipe has one pipeline, `A.Compose([…])`, for each digit. Only *flips* may differ between digits. Suppose that you
# brighten only 0, 1 and 8. Then every bright picture in training is a 0, a 1 or an 8, and a model can learn the
# brightness instead of the digit, like the pen in section 5. The recipe **betrays the label**.
#
# **Exercise 6 (3 points).** Write `recipe()`: the classic four, with flips only where the label survives
# ([`A.Compose`](https://albumentations.ai/docs/api-reference/albumentations/core/composition)). Do not use your
# functions from above, so that a mistake there costs nothing here.

# %% nbgrader={"grade": false, "grade_id": "recipe", "locked": false, "schema_version": 3, "solution": true, "task": false}
def recipe():
    """The classic four, flipping only where the label survives.

    Returns:
        dict from each digit 0..9 to an `A.Compose` that turns by up to ±15°, changes the brightness by up to
        ±0.3 of the full scale and the saturation by a factor in 1 ± 0.5, all of them always (p=1) and for
        every digit alike; and that mirrors left-right, with p=0.5, only the digits whose mirror image is the
        same digit. (Digit 1 is contested: do as you think right.) It does nothing else.
    """
    ### BEGIN SOLUTION
    def pipeline(digit):
        flips = [A.HorizontalFlip(p=0.5)] if digit in (0, 1, 8) else []
        turn = A.Affine(rotate=(-15, 15), p=1.0)
        light = A.RandomBrightnessContrast(brightness_limit=(-0.3, 0.3), contrast_limit=(0, 0), p=1.0)
        colour = A.ColorJitter(brightness=(1, 1), contrast=(1, 1), saturation=(0.5, 1.5), hue=(0, 0), p=1.0)
        return A.Compose([turn, *flips, light, colour])

    return {digit: pipeline(digit) for digit in range(10)}
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "recipe_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("recipe") as out:
    out.recipe(recipe())

# %% nbgrader={"grade": true, "grade_id": "recipe_test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
from augcourse import checks, handin, probes

found = handin.read("recipe").recipe()
found.apply(*probes.digits("recipe", 20), seed=0)
mirrored = found.flipped_digits()
wrong = [digit for digit in mirrored if digit not in (0, 1, 8)]
checks.expect(
    not wrong,
    "only digits that survive a mirror may be flipped",
    expected="flips for 0 and 8, and for 1 if you like",
    got=f"flips for {list(mirrored)}",
    why=f"a label that no longer fits: what would a stranger call a mirrored {wrong[0] if wrong else ''}?",
)
checks.expect(
    {0, 8} <= set(mirrored),
    "digits that survive a mirror should be flipped",
    expected="flips for 0 and 8, and for 1 if you like",
    got=f"flips for {list(mirrored) or 'no digit'}",
)
checks.passed("recipe")
### BEGIN HIDDEN TESTS
import numpy as np

transform = found.stream(int(probes.rng("recipe").integers(1_000_000)))
paper, ink = (110, 95, 85), (170, 155, 145)
spots = probes.landmarks(paper, ink)
pictures = np.stack([[transform(spots, digit) for _ in range(60)] for digit in range(10)])
warped = probes.warps(pictures.reshape(600, 28, 28, 3))
mirror = warped.mirrored.reshape(10, 60)
for digit in range(10):
    wanted = "about half" if digit in (0, 8) else "some, or none" if digit == 1 else "none"
    checks.expect(
        digit == 1 or (0.2 < mirror[digit].mean() < 0.8 if digit in (0, 8) else not mirror[digit].any()),
        f"the pictures of a {digit} that are mirrored",
        expected=wanted,
        got=f"{mirror[digit].mean():.0%}",
        why="a flip has p=0.5, and stands in the pipelines of the digits whose mirror image is the same digit, alone",
    )
checks.expect(
    np.abs(warped.angle).max() < 17.5 and not warped.lost.any(),
    "a digit may be turned by at most 15 degrees, and mirrored left-right alone",
    got=f"angles up to {np.nanmax(np.abs(warped.angle)):.0f} degrees",
    why="`VerticalFlip` turns the picture upside down" if mirror.any() and np.abs(warped.angle).max() > 160 else "",
    mistake="stronger is better",
)
checks.expect(
    not warped.distorted.any() and np.abs(warped.shift).max() < 1.5,
    "nothing but the classic four should happen",
    expected="no scale, no shear and no shift",
    got=f"lengths from {warped.stretch.min():.0%} to {warped.stretch.max():.0%}, shifts by up to "
    f"{np.abs(warped.shift).max():.1f} pixels",
    why="what else helps is the question of step 4",
)
light = np.median(pictures.reshape(600, -1, 3).mean(axis=2), axis=1) - np.mean(paper)
colour = np.ptp(np.median(pictures.reshape(600, -1, 3), axis=1), axis=1) / np.ptp(paper)
checks.expect(
    np.abs(warped.contrast / 60 - 1).max() < 0.15,
    "brightness is added, and the contrast stays",
    expected="spots that stay 60 levels brighter than the paper",
    got=f"{warped.contrast.min():.0f} to {warped.contrast.max():.0f} levels",
    why="contrast_limit is 0.2 until you say otherwise, and ColorJitter has a contrast of its own",
)
for name, values, limit, slack, unit in (
    ("rotation", warped.angle, 15, 1, "degrees"),
    ("brightness", light, 76.5, 3, "grey levels"),
    ("saturation", colour - 1, 0.5, 0.08, "of the saturation"),
):
    low, high = np.quantile(values, (0.02, 0.98))
    checks.expect(
        low < -0.7 * limit and high > 0.7 * limit,
        f"the {name} of every digit should change to both sides, by up to {limit:g} {unit}",
        expected=f"from about {-limit:g} to about {limit:g}",
        got=f"from {low:.2g} to {high:.2g}",
        why=f"the {name} is missing or weaker than asked for; on grey digits nobody sees a missing saturation",
    )
    checks.expect(
        low > -1.1 * limit - slack and high < 1.1 * limit + slack,
        f"the {name} of every digit should change by up to {limit:g} {unit} and no more",
        expected=f"from about {-limit:g} to about {limit:g}",
        got=f"from {low:.2g} to {high:.2g}",
        mistake="stronger is better",
    )
    checks.expect(
        probes.unevenness(values, limit, slack) < 0.1,
        f"the {name} should change in every picture (p=1), by an amount drawn evenly from its range",
        expected="about half of the amounts in the inner half of the range",
        got=f"{np.mean(np.abs(values) < limit / 2):.0%}",
        why="p is 0.5 until you say otherwise, or a few fixed amounts stand in the place of a range",
    )
### END HIDDEN TESTS

# %% [markdown]
# **Run** your recipe five times on six digits. Cover the top row, and read.

# %% tags=["show"]
pick = (0, 2, 4, 6, 8, 9)
chosen = np.array([np.flatnonzero(labels == digit)[4] for digit in pick])
mine = augment.Recipe.of(recipe())
rows = {f"seed {seed}": list(mine.apply(images[chosen], labels[chosen], seed)) for seed in range(5)}
fig, axes = plt.subplots(6, 6, figsize=(6, 6))
plots.gallery(axes, list(images[chosen]), rows)
show_figure("The digits 0, 2, 4, 6, 8 and 9, and below each of them five pictures that the recipe made of it.")

# %% [markdown]
# ## Three things to remember
#
# 1. Cover the label: a transformation is allowed where a reader still says the same digit. That depends on the class.
# 2. Test what a transform does: how often, how far, to which side, and what fills the border.
# 3. Whether a transformation keeps the label is one question; whether it helps is another.
#
# **Next**: step 4 trains with your recipe.

# %% [markdown]
# ## Five questions
#
# Each question shows code that raises no error, and something is wrong with it.
#
# **1.** Every training picture should be turned by a random angle of up to 15° to either side. What does this do?
#
# ```python
# turn = A.Compose([A.Affine(rotate=15)])
# ```
#
# - **a** It turns every picture, by an angle between −15° and 15°.
# - **b** It turns every picture by exactly 15°.
# - **c** It turns about half of the pictures, each by exactly 15°.
# - **d** It turns about half of the pictures, each by an angle between 0° and 15°.
#
# **2.** In each excerpt a baseline and an augmented model are compared; `plain` and `varied` have the same number of
# batches. What is wrong with both?
#
# ```python
# # excerpt 1: one model trains on batches(training), the other on batches(training, recipe)
# def batches(dataset, recipe=None):
#     if recipe is None:
#         return dataset.batch(50)
#     return dataset.shuffle(1000).map(recipe).batch(50)
#
#
# # excerpt 2
# baseline.fit(plain, epochs=10, validation_data=validation)
# augmented.fit(varied, epochs=60, validation_data=validation)
# ```
#
# - **a** The two models differ in more than the augmentation.
# - **b** The augmented pictures are not cached, so they change from epoch to epoch.
# - **c** An augmented data set has more pictures per epoch, so the augmented model takes more steps in every epoch.
# - **d** Both models are evaluated on the same validation digits.
#
# **3.** What is wrong here? (`turn` turns every picture by a random angle.)
#
# ```python
# pictures = np.concatenate([images, *(turn(images) for _ in range(9))])
# answers = np.tile(labels, 10)
# x_train, x_val, y_train, y_val = train_test_split(pictures, answers, test_size=0.2, stratify=answers)
# ```
#
# - **a** `stratify` is not allowed when labels are repeated.
# - **b** `np.tile` puts the labels in another order than the pictures.
# - **c** A fifth is too much for validation when there are ten times as many pictures.
# - **d** Versions of the same digit can be in training and in validation.
#
# **4.** Which line is right about both excerpts?
#
# ```python
# # excerpt 1
# training = training.map(random_flip).cache().shuffle(1000).repeat().batch(50)
# validation = validation.batch(50)
#
#
# # excerpt 2
# def prepare(dataset):
#     return dataset.map(random_shift).map(normalise).batch(50)
#
# training, validation = prepare(training.shuffle(1000)), prepare(validation)
# ```
#
# - **a** 1: the validation digits should be flipped, too. 2: nothing is wrong.
# - **b** 1: a digit is flipped in all epochs or in none. 2: the validation digits are shifted at random.
# - **c** 1: `shuffle` after `cache` gives the same order in every epoch. 2: the validation digits should be shuffled.
# - **d** 1: `repeat` before `batch` loses pictures. 2: the shift belongs after `normalise`.
#
# **5.** A brighter digit is still the same digit. What is wrong with this recipe?
#
# ```python
# def pipeline(digit):
#     light = [A.RandomBrightnessContrast((0.1, 0.4), (0, 0), p=1.0)] if digit in {0, 1, 8} else []
#     return A.Compose([A.Affine(rotate=(-15, 15), p=1.0), *light])
# ```
#
# - **a** Nothing: every picture keeps its label.
# - **b** The model sees no original 0, 1 or 8, so it cannot learn these digits.
# - **c** Brightness must come before rotation.
# - **d** In training, a bright picture is always a 0, a 1 or an 8.

# %% nbgrader={"grade": false, "grade_id": "questions", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["fill-in"]
answers = {1: "?", 2: "?", 3: "?", 4: "?", 5: "?"}  # a letter instead of each question mark
### BEGIN SOLUTION
answers = {1: "c", 2: "a", 3: "d", 4: "b", 5: "d"}
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "questions_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("questions") as out:
    out.facts(answers={str(number): str(letter) for number, letter in answers.items()})

# %% nbgrader={"grade": true, "grade_id": "questions_test", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, compare, data, handin, predictions, quiz, recipes, results

dataset = data.choose_dataset().name
studied = dataset if dataset in results.DATASETS else data.DEFAULT
inked = dataset if dataset in data.OFFLINE else data.DEFAULT
alone, on_ink = results.gains("ablation", studied), results.gains("ink", inked)
safe = compare.interval(results.gains("mirror", studied)["safe flip"])
grey = np.arange(784).astype(np.uint8).reshape(28, 28, 1)
names = {
    "shift": "shift ±10 %",
    "rotation": "rotation ±15°",
    "flip": "horizontal flip",
    "brightness": "brightness ±0.3",
    "saturation": "saturation ±0.5",
}
tried = ("geometric", "saturation 0.5 to 1.5", "saturation 0 to 1")
predictions.tell(
    {
        "saturation on grey digits": int(np.abs(recipes.saturation()(image=grey)["image"] - grey.astype(int)).max()),
        "best on coloured ink": max(tried, key=lambda name: on_ink[name].mean()),
        "best of the classic four": max([*names][1:], key=lambda name: alone[names[name]].mean()),
        "safe flip": "helps" if safe.low > 0 else "harms" if safe.high < 0 else "cannot tell",
        "shift or rotation": max(("shift", "rotation"), key=lambda name: alone[names[name]].mean()),
    }
)
parts = checks.Parts("questions", 5)
given = quiz.answers(handin.read("questions"), {1: "abcd", 2: "abcd", 3: "abcd", 4: "abcd", 5: "abcd"})
### BEGIN HIDDEN TESTS
one = {
    "a": "one number is no range for A.Affine, and `p` is 0.5 by default",
    "b": "`p` is 0.5 by default, so about half of the pictures stay as they are",
    "d": "for A.Affine, one number is the angle itself; a range has two numbers",
}
two = {
    "b": "fresh pictures in every epoch are what augmentation is for; look at how each model is trained",
    "c": "a map returns one picture for each picture, so an epoch has as many steps as before",
    "d": "the same exam for both models is what you want; look at how each of them is trained",
}
three = {
    "a": "stratify only keeps the shares of the classes equal; look at which pictures the two parts hold",
    "b": "ten blocks of pictures in the same order, and ten blocks of labels in the same order: they fit",
    "c": "the share is the same as without copies; look at which pictures the two parts hold",
}
four = {
    "a": "validation digits stay as they are; in 2 they do not: where is random_shift called?",
    "c": "shuffle draws a new order in every epoch; look at where the random flip and the random shift happen",
    "d": "repeat before batch loses nothing; look at where the random flip and the random shift happen",
}
five = {
    "a": "each label fits, but in training the brightness tells which labels are possible",
    "b": "a brightened digit still shows its form; what else does it show that tells the label?",
    "c": "the order is not the point: which digits are ever brightened?",
}
quiz.mark(parts, given, {1: ("c", one), 2: ("a", two), 3: ("d", three), 4: ("b", four), 5: ("d", five)})
### END HIDDEN TESTS
parts.points()

# %% [markdown]
# ## Going further
#
# Optional, without marks.
#
# ### Shift
#
# "A convolution does not care where the digit stands." One convolution is **equivariant**: if the input moves, the
# feature map moves with it. But our network ends in dense layers, which read *positions*, so that it is not
# **invariant**: a moved digit may get another answer
# ([Azulay and Weiss 2019](https://arxiv.org/abs/1805.12177) show this for large networks). Does it help to train on
# moved digits?

# %%
# Predict: which has the higher mean gain alone, on grey digits?
predict("shift or rotation", ...)  # "shift" or "rotation"

# %% tags=["show"]
def shift(max_fraction):
    """Move every picture by a random share of its side, on black paper."""
    distance = (-max_fraction, max_fraction)
    return A.Affine(translate_percent={"x": distance, "y": distance}, border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)


fig, axes = plt.subplots(3, 8, figsize=(9, 3.4))
moved_digits = {f"shifted, seed {seed}": transformed(shift(0.1), digits, seed) for seed in (1, 2)}
plots.gallery(axes, digits, moved_digits)
show_figure("Eight digits in a row, and below them the same digits after a random shift, with two seeds.")

# %% tags=["show"]
both = {"shift": stored["shift ±10 %"], "rotation": stored["rotation ±15°"]}
both["shift minus rotation"] = both["shift"] - both["rotation"]
for name, gains in both.items():
    print(told(name, gains))
predicted("shift or rotation", max(("shift", "rotation"), key=lambda name: both[name].mean()))

# %% [markdown]
# ### Turn a digit until a model changes its answer
#
# The next cell trains the baseline on one draw and asks it about a digit that it has not seen, at ten angles. This is
# one model and one digit: look at it, but conclude nothing. At which angle would *you* change your answer?

# %% tags=["show"]
few_images, few_labels = measure.labelled_digits(0, DATASET)
baseline = train(few_images, few_labels, seed=0)
subject = validation[np.flatnonzero(validation_labels == 6)[0]]


def turned_by(image, angle):
    """The picture, turned by exactly this many degrees."""
    return A.Affine(rotate=(angle, angle), p=1.0)(image=image)["image"]


def ask(image):
    """What the baseline calls a picture, and with which probability."""
    probabilities = probabilities_of(baseline.weights, image[None])[0]
    return int(probabilities.argmax()), float(probabilities.max())

# %% tags=["show"]
fig, axes = plt.subplots(1, 10, figsize=(10, 1.7))
said = {angle: ask(turned_by(subject, angle))[0] for angle in range(0, 200, 20)}
for ax, (angle, answer) in zip(axes, said.items(), strict=True):
    plots.show(ax, turned_by(subject, angle), f"says {answer}")
    ax.set_xlabel(f"{angle}°")
show_figure("One 6 at ten angles from 0° to 180°, with the answer of the baseline: " + str([*said.values()]) + ".")

# %% [markdown]
# **Change one thing**: turn it yourself. (The slider needs a running notebook.) Replace the 6 in the cell that trains.

# %% tags=["show"]
def turn(angle):
    """Show the digit at this angle, with the baseline's answer."""
    picture = turned_by(subject, angle)
    answer, probability = ask(picture)
    _, ax = plt.subplots(figsize=(2.4, 2.6))
    plots.show(ax, picture, f"{angle}°: the baseline says {answer} ({probability:.0%})")
    show_figure(f"A digit at {angle}°, which the baseline calls a {answer}.")


ipywidgets.interact(turn, angle=ipywidgets.IntSlider(value=0, min=-180, max=180, step=5, description="degrees"));

# %% [markdown]
# ### No warning is no proof
#
# `A.HueSaturationValue` warns about a picture with one channel; `A.ColorJitter` does not.

# %% tags=["show"]
for transform in (A.HueSaturationValue(p=1.0), saturation(0.5)):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        transform(image=digits[0])
    print(type(transform).__name__, "warns:" if caught else "is silent.", *(str(w.message) for w in caught))

# %% [markdown]
# ### Keras layers and RandAugment
#
# Keras has augmentation layers of its own, such as
# [`RandomRotation`](https://www.tensorflow.org/api_docs/python/tf/keras/layers/RandomRotation). Such a layer takes
# a whole batch and changes it only in training. Its limits are shares of a full turn, and its default border is
# a reflection.
# [`RandAugment`](https://keras.io/api/layers/preprocessing_layers/image_augmentation/rand_augment/)
# ([Cubuk et al. 2019](https://arxiv.org/abs/1909.13719)) draws operations from a fixed list: you choose only how
# many and how strong. The next cell passes 100 digits twice through each of the three. It measures how long the second
# pass takes, and counts the pictures that differ from the first pass.

# %% tags=["show"]
batch = images[:100]
albumentations_rotation = A.Compose([A.Rotate(limit=(-15, 15), p=1.0)], seed=0)
keras_rotation = keras.layers.RandomRotation(15 / 360, fill_mode="constant", seed=0)
rand_augment = keras.layers.RandAugment(value_range=(0, 255), num_ops=2, factor=0.5, seed=0)
ways = {
    "albumentations Rotate": lambda: np.stack([albumentations_rotation(image=image)["image"] for image in batch]),
    "Keras RandomRotation": lambda: np.asarray(keras_rotation(batch, training=True)),
    "Keras RandAugment": lambda: np.asarray(rand_augment(batch, training=True)),
}
passes = {}
for name, way in ways.items():
    first, start = way(), time.perf_counter()
    second, seconds = way(), time.perf_counter() - start
    passes[name] = second
    fresh = np.mean((first != second).any((1, 2, 3)))
    print(f"{name}: {1000 * seconds:.0f} ms for 100 digits, {fresh:.0%} of them other pictures than in the first pass")

# %% tags=["show"]
fig, axes = plt.subplots(4, 8, figsize=(9, 4.4))
plots.gallery(axes, list(batch[:8]), {name: list(pictures[:8].astype(np.uint8)) for name, pictures in passes.items()})
show_figure("Eight digits in a row, and below them after albumentations' Rotate, RandomRotation and RandAugment.")

# %% [markdown]
# Cover the labels in the last row. Do they all still fit?

# %% [markdown]
# ## Words
#
# - **draw**: one random choice of the labelled digits that a model learns from; its seed names it.
# - **run**: one draw and one seed, with both models trained on it.
# - **recipe**: what happens to a training picture: one albumentations pipeline for each digit.
# - **probe**: an input that your function is tried on; when marks are given, the probes are fresh.
# - **hand-in**: what a locked cell writes down about your work, in the folder `handin/`; it is all that the grader
#   reads.
# - **gain**: the accuracy of the augmented model minus that of the baseline in the same run, in percentage points.
# - **baseline**: the model trained without augmentation.
# - **interval**: the 95 % confidence interval of a mean.

# %% [markdown]
# ## Read more
#
# - C. Shorten and T. M. Khoshgoftaar, [A survey on image data augmentation for deep
#   learning](https://doi.org/10.1186/s40537-019-0197-0), 2019: which transformations there are.
# - R. Balestriero, L. Bottou and Y. LeCun, [The effects of regularization and data augmentation are class
#   dependent](https://arxiv.org/abs/2204.03632), 2022: a gain in the mean can be a loss for a class.
# - M. Arjovsky, L. Bottou, I. Gulrajani and D. Lopez-Paz, [Invariant risk
#   minimization](https://arxiv.org/abs/1907.02893), 2019: section 5 is made after its Coloured MNIST.
