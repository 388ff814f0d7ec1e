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
# Ten labelled digits per class are few. Augmentation makes new pictures out of them, and every new picture keeps the
# label of the old one. That is a promise: *whoever sees the new picture still calls it by the same name*. In this
# step you write five transformations, find out for which digits each of them keeps the promise, and put them together.
#
# **You will be able to** write a random transformation with albumentations and check that it does what it says,
# tell which digits survive it, build a recipe that never lies about a label, and recognise five famous bugs.
#
# **You need** steps 1 and 2 only for the words *pool*, *draw* and *baseline*. **Time**: about 50 minutes; every
# cell answers in seconds.
#
# Each exercise has three cells: yours, a locked one that runs your function on probes and writes down what
# came out, and a test.

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
import warnings

import albumentations as A
import cv2
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

from augcourse import augment, data, handin, measure, plots, probes, results, train

# %% [markdown]
# ## 1. Rotation
#
# An albumentations transform is a description: what to do, how strongly *at most*, and with which probability `p`.
# Call it with a picture, and it draws a strength of its own: `transform(image=image)["image"]`. A picture is a NumPy
# array, `uint8` in, `uint8` out.
#
# Three questions decide whether a rotation is the one that you meant. How often does it happen? (Most
# transforms have `p=0.5` until you say otherwise.) How far does it go, and to both sides? And what does it put where
# there was no picture before? A digit lies on black paper: nothing but black belongs there.
#
# **Predict**: by how many degrees can you turn a 7 before you hesitate to call it one?
#
# **Exercise 1 (2 points).** Write `rotation(max_degrees)`. Look at `A.Affine` or `A.Rotate`.

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
# **Run**: eight digits, and the same eight turned twice. Does any of them look like another digit?
# **Change one thing**: 15 becomes 45, then 90.

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
plt.show()

# %% [markdown]
# ## 2. Flip
#
# A horizontal flip exchanges left and right. For cats it is the safest transformation of all, so it stands in
# almost every tutorial. **Predict**: is it as safe for digits?
#
# A flip is its own inverse and has no strength: only a probability. With `p=1` the model would never see the original
# again.
#
# **Exercise 2 (2 points).** Write `flip()`.

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
# To brighten is to *add* the same amount to every pixel; to raise the contrast is to *multiply*. albumentations
# keeps both in one transform, `A.RandomBrightnessContrast`, and does both unless you switch one off. Its limits are shares
# of the full scale, for which it must know where the scale ends: at 255 for `uint8`, at 1.0 for floats. A float
# picture that runs to 255 is white after the first touch.
#
# **Predict**: the paper is 0, the ink is 255. What can darkening do to the paper, and brightening to the ink?
#
# **Exercise 3 (2 points).** Write `brightness(limit)`.

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
changed = {"flipped, p = ½": transformed(flip(), digits), "brightness ±0.3": transformed(brightness(0.3), digits)}
plots.gallery(axes, digits, changed)
plt.show()

# %% [markdown]
# ## 4. Saturation, and a proof
#
# Saturation says how far a colour is from grey. Scale it by 0, and all colour is gone; scale it by 1.5, and everything
# glows. `A.ColorJitter` does it, together with brightness, contrast and hue, unless you tell it to leave those alone: a
# factor of `(1, 1)` and a hue shift of `(0, 0)` change nothing.
#
# Our digits are grey. Many tutorials adjust their saturation all the same. **Predict**: what will that do?
#
# You need not trust an opinion about it: measure. The second function, `largest_change`, tells how far a transform
# ever moves any pixel. Careful: `uint8` arithmetic runs in a circle. `np.uint8(3) - np.uint8(5)` is not −2.
#
# **Exercise 4 (3 points).** Write `saturation(limit)` and `largest_change(transform, image)`.

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
# **Run the proof**: a hundred digits of the validation part, twenty times each, grey and printed in coloured ink.

# %% tags=["show"]
validation, validation_labels = data.load_arrays(data.VALIDATION)
printed = probes.tinted(validation[:100], (200, 130, 90))
for name, pictures in (("grey", validation[:100]), ("tinted", printed)):
    change = max(largest_change(saturation(0.5), picture) for picture in pictures)
    print(f"{name:>6} digits: largest change of any pixel {change} of 255 grey levels")

# %% tags=["show"]
coloured = [probes.tinted(digit, (200, 130, 90)) for digit in digits]
fig, axes = plt.subplots(4, 8, figsize=(9, 4.4))
rows = {"grey, saturation ±0.5": transformed(saturation(0.5), digits), "tinted": coloured}
rows["tinted, saturation ±0.5"] = transformed(saturation(0.5), coloured)
plots.gallery(axes, digits, rows)
plt.show()

# %% [markdown]
# **Explain**: a grey pixel has no colour that could be scaled. On grey digits, saturation costs time and does nothing. It
# belongs in a recipe for colour pictures, where colour may mislead a model; the course's results measure that on digits
# in coloured ink.
#
# Does a library tell you so? Not always. `A.HueSaturationValue` warns about a picture with one channel, `A.ColorJitter`
# does not. *No warning* is not the same as *works*.

# %% tags=["show"]
for transform in (A.HueSaturationValue(p=1.0), saturation(0.5)):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        transform(image=digits[0])
    print(type(transform).__name__, "warns:" if caught else "is silent.", *(str(w.message) for w in caught))

# %% [markdown]
# ## 5. Shift
#
# "A convolution does not care where the digit stands." True for one convolution, and its word is
# **equivariant**: shift the input, and the feature map shifts along. But our network ends in dense layers, which read
# *positions*. It is not **invariant**. **Predict**: which transformation will help the model most, rotation or shift?
# You find out at the end of this step.
#
# Older code uses `A.ShiftScaleRotate`, which is deprecated: `A.Affine` does the same, and does nothing that you do
# not name, except that its `p` is 0.5.
#
# **Exercise 5 (2 points).** Write `shift(max_fraction)`.

# %% nbgrader={"grade": false, "grade_id": "shift", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shift(max_fraction):
    """A random shift, sideways and up or down at once.

    Args:
        max_fraction: both distances are drawn from -max_fraction to max_fraction, as a share of the
            picture's side.

    Returns:
        an albumentations transform that moves every picture (p=1), neither turns nor scales it, keeps shape
        and dtype, and fills with black what comes in from outside.

    Example: shift(0.1) moves a picture of 28 pixels by up to about 3 pixels along each axis.
    """
    ### BEGIN SOLUTION
    distance = (-max_fraction, max_fraction)
    return A.Affine(translate_percent={"x": distance, "y": distance}, border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "shift_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("shift") as out:
    _fraction = float(probes.rng("shift").choice([0.1, 0.12, 0.14]))
    out.arrays(bar=probes.augmented("shift", shift(_fraction), probes.bar(), 240))
    out.arrays(spots=probes.augmented("shift", shift(_fraction), probes.landmarks(), 100))
    _paper = np.full((28, 28, 1), 200, np.uint8)
    out.arrays(paper=probes.augmented("shift", shift(_fraction), _paper, 100))

# %% nbgrader={"grade": true, "grade_id": "shift_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from augcourse import checks, handin, probes

work = handin.read("shift")
spots, paper = (work.array(name, (100, 28, 28, 1), "uint8") for name in ("spots", "paper"))
moved = work.array("bar", (240, 28, 28, 1), "uint8")
found = probes.poses(moved)
still = np.mean((moved == probes.bar()).all((1, 2, 3)))
for axis, distance in (("sideways", found.x - 13.5), ("up and down", found.y - 13.5)):
    checks.expect(
        np.ptp(distance) > 1 or still > 0.9,
        "a shift goes along both axes",
        got=f"nothing moves {axis}",
        why="only one of x and y was given a range",
    )
checks.expect(
    still < 0.25,
    "every picture should be moved",
    expected="p=1: hardly a picture stays where it was",
    got=f"{still:.0%} of the pictures stayed where they were",
    why="a transform only happens with probability p, and p is 0.5 until you say otherwise",
)
black = np.mean(paper.min((1, 2, 3)) == 0)
checks.expect(
    black > 0.5,
    "what comes in from outside should be black",
    expected="a black edge on a shifted bright picture",
    got=f"{black:.0%} of the shifted bright pictures show any black",
    why="the border is mirrored or wrapped around; `border_mode` and `fill` decide",
)
checks.passed("shift")
### BEGIN HIDDEN TESTS
fraction = float(probes.rng("shift").choice([0.1, 0.12, 0.14]))
for axis, distance in (("sideways", found.x - 13.5), ("up and down", found.y - 13.5)):
    says = f"shift({fraction}) moves a picture {axis} by up to {28 * fraction:.1f} pixels"
    got = f"from {distance.min():+.1f} to {distance.max():+.1f} pixels"
    checks.expect(np.abs(distance).max() < 28 * fraction + 1.1, says, got=got, mistake="stronger is better")
    checks.expect(
        distance.min() < -0.5 * 28 * fraction and distance.max() > 0.5 * 28 * fraction,
        f"{says}, in both directions",
        got=got,
        why="a range with one sign, or a fraction that is not used",
    )
for axis, distance in (("sideways", found.x - 13.5), ("up and down", found.y - 13.5)):
    checks.expect(
        probes.unevenness(distance, 28 * fraction, 1.0) < 0.1,
        f"shift({fraction}) draws the distance {axis} evenly from both directions and everything between",
        expected="small and large distances alike, in whole pixels or finer",
        got=f"{np.mean(np.abs(distance) < 14 * fraction):.0%} of the distances in the inner half of the range",
        why="a few fixed distances instead of a range",
    )
together = abs(np.corrcoef(found.x, found.y)[0, 1])
checks.expect(
    together < 0.6,
    "the two distances are drawn independently of each other",
    got="pictures that only move along a diagonal",
    why="one number was drawn and used for both x and y",
)
warped = probes.warps(spots)
checks.expect(
    not warped.mirrored.any() and not warped.distorted.any() and np.abs(warped.angle).max() < 3,
    "a shift neither turns nor scales nor mirrors",
    got=f"angles up to {np.nanmax(np.abs(warped.angle)):.0f} degrees, lengths from {np.nanmin(warped.stretch):.0%} to "
    f"{np.nanmax(warped.stretch):.0%}, {warped.mirrored.mean():.0%} of the pictures mirrored",
    why="ShiftScaleRotate and RandomResizedCrop do more than shift",
)
checks.expect(
    np.abs(warped.contrast / 255 - 1).max() < 0.1,
    "a shift changes no grey level",
    got=f"spots of {warped.contrast.min():.0f} to {warped.contrast.max():.0f} levels above the paper",
    why="brightness, contrast or blur belong to the transform, too",
)
### END HIDDEN TESTS

# %% tags=["show"]
fig, axes = plt.subplots(3, 8, figsize=(9, 3.4))
moved_digits = {f"shifted, seed {seed}": transformed(shift(0.1), digits, seed) for seed in (1, 2)}
plots.gallery(axes, digits, moved_digits)
plt.show()

# %% [markdown]
# ## 6. Cover the label
#
# Now the question of this step. Cover the label, show the transformed picture to a stranger, and ask what it is. If the
# stranger says something else, or hesitates, the label no longer fits, and training on it *teaches a mistake*.
#
# Here is one digit of each class, three times. **Predict** before you look closely: how many survive each row?

# %% tags=["show"]
everyone = [images[np.flatnonzero(labels == digit)[5]] for digit in range(10)]
rows = {
    "horizontal flip": [digit[:, ::-1] for digit in everyone],
    "vertical flip": [digit[::-1] for digit in everyone],
    "half turn": [digit[::-1, ::-1] for digit in everyone],
}
fig, axes = plt.subplots(4, 10, figsize=(10, 4))
plots.gallery(axes, everyone, rows)
plt.show()

# %% [markdown]
# A digit does not jump from *yes* to *no*: somewhere on the way it changes its mind. The next cell trains the
# baseline on one draw and asks it about a digit that it never saw, turned by more and more degrees.

# %% tags=["show"]
few_images, few_labels = measure.labelled_digits(0, DATASET)
baseline = train.train(few_images, few_labels, seed=0)
subject = validation[np.flatnonzero(validation_labels == 6)[0]]

# %% tags=["show"]
def turned_by(image, angle):
    """The picture, turned counter-clockwise by exactly this many degrees."""
    return A.Affine(rotate=(angle, angle), p=1.0)(image=image)["image"]


def ask(image):
    """What the baseline calls a picture, and how sure it is."""
    probabilities = train.predict(baseline.weights, image[None])[0]
    return int(probabilities.argmax()), float(probabilities.max())


# %% tags=["show"]
fig, axes = plt.subplots(1, 10, figsize=(10, 1.7))
for ax, angle in zip(axes, range(0, 200, 20)):
    answer, _ = ask(turned_by(subject, angle))
    plots.show(ax, turned_by(subject, angle), f"says {answer}")
    ax.set_xlabel(f"{angle}°")
plt.show()

# %% [markdown]
# **Change one thing**: turn it yourself. (The slider lives in a running notebook; on a page it stands still.) At
# which angle would *you* change your mind? Try another digit: replace the 6 three cells above.

# %% tags=["show"]
def turn(angle):
    """Show the digit at this angle, with the baseline's opinion."""
    picture = turned_by(subject, angle)
    answer, sure = ask(picture)
    fig, ax = plt.subplots(figsize=(2.4, 2.6))
    plots.show(ax, picture, f"{angle}°: the baseline says {answer} ({sure:.0%} sure)")
    plt.show()


ipywidgets.interact(turn, angle=ipywidgets.IntSlider(value=0, min=-180, max=180, step=5, description="degrees"));

# %% [markdown]
# **Exercise 6 (3 points).** Write `keeps_label(transform, digit)`. Some cells are *contested*: a 1 with a flag does not
# survive a mirror, a 1 that is a plain stroke does; whether a 3 survives being turned upside down depends on the hand
# that wrote it. Answer `None` where it depends on the handwriting. **Only uncontested cells are graded**, and for those the
# answer is `True` or `False`. One rule for all: the picture must still show *the same digit*, and not merely *some* digit.
# The mild transformations are worth 0.6 points together, each of the other three 0.8, and half of that with one wrong answer.

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
# ## 7. What a broken promise costs
#
# Does it matter to the model? Measured, not claimed: stored runs of one transformation at a time, with the baseline as
# zero. Every dot is a pair of runs (the same ten labels per class, the same seed, with and without), every bar a 95 %
# interval of the mean. **Predict** the order first.

# %% tags=["show"]
gains = results.gains("ablation", DATASET)
alone = ("shift ±10 %", "rotation ±15°", "brightness ±0.3", "saturation ±0.5", "horizontal flip", "rotation ±180°")
fig, ax = plt.subplots(figsize=(8, 3))
plots.ablation(ax, {name: gains[name] for name in alone})
plt.show()

# %% [markdown]
# **Explain** what you see, from the bottom up. Where the label is lost, the model pays. One row has no spread at all:
# pair for pair, both models gave exactly the same answers. You proved why in section 4. And which transformation gained
# most? Is it one of the four that the classic tutorial names?
#
# A second question hides in the first: if flipping *every* digit hurts, does flipping only the digits that survive help?

# %% tags=["show"]
fig, ax = plt.subplots(figsize=(8, 2))
plots.ablation(ax, results.gains("mirror", DATASET))
plt.show()

# %% [markdown]
# Look at the first row, then compare the last two: what does the safe flip add?
#
# **Keeping the label is not the same as being useful.** A picture that nobody would ever write teaches nothing about
# those that people do write. A transformation must pass two tests: it must keep the label, *and* its pictures must look
# like ones that the model will meet. The first you can judge by eye. The second you measure, in step 4.
#
# ## 8. A recipe
#
# A **recipe** is all of it together: for each digit one pipeline, `A.Compose([…])`. Only *flips* may differ from digit to
# digit. Why only those? Suppose that you brighten 0, 1 and 8 and nothing else. Every bright picture in training is then a
# 0, a 1 or an 8, and the model learns to read the label off the brightness. The recipe **betrays the label**, and a
# clean test never shows it: only the first badly lit photograph does.
#
# **Exercise 7 (3 points).** Write `recipe()`: the classic four, told honestly. Use albumentations directly (`A.…`)
# rather than your functions from above, so that a mistake up there costs nothing down here.

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
# **Run**: your recipe on six digits, five times each. Cover the top row, and read.

# %% tags=["show"]
pick = (0, 2, 4, 6, 8, 9)
chosen = np.array([np.flatnonzero(labels == digit)[4] for digit in pick])
mine = augment.Recipe.of(recipe())
rows = {f"seed {seed}": list(mine.apply(images[chosen], labels[chosen], seed)) for seed in range(5)}
fig, axes = plt.subplots(6, 6, figsize=(6, 6))
plots.gallery(axes, list(images[chosen]), rows)
plt.show()

# %% [markdown]
# ## 9. Five famous bugs
#
# All five are easily written, and none of them raises an error. Some make the results look *better* than they are.
# Here they are, one excerpt each.
#
# **A**
# ```python
# def batches(dataset, recipe=None):
#     if recipe is None:
#         return dataset.batch(50)
#     return dataset.shuffle(1000).map(recipe).batch(50)
# ```
#
# **B**
# ```python
# pictures = np.concatenate([images, *(turn(images) for _ in range(9))])
# answers = np.tile(labels, 10)
# x_train, x_val, y_train, y_val = train_test_split(pictures, answers, test_size=0.2, stratify=answers)
# ```
#
# **C**
# ```python
# training = training.map(random_flip).cache().shuffle(1000).repeat().batch(50)
# validation = validation.batch(50)
# ```
#
# **D**
# ```python
# baseline.fit(plain, epochs=10, validation_data=validation)
# augmented.fit(varied, epochs=60, validation_data=validation)
# ```
#
# **E**
# ```python
# def prepare(dataset):
#     return dataset.map(random_shift).map(normalise).batch(50)
#
# training, validation = prepare(training.shuffle(1000)), prepare(validation)
# ```
#
# Ask of every excerpt: what happens in the *second* epoch? Which pictures does the validation part hold? Do the two
# models differ in one thing only?
#
# **Exercise 8 (2 points).** Write `name_the_bugs()`: match each letter with one of these names.

# %%
BUGS = (
    "frozen flip",
    "augmented validation",
    "baseline never shuffled",
    "augmented before splitting",
    "unequal training",
)

# %% nbgrader={"grade": false, "grade_id": "name_the_bugs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def name_the_bugs():
    """Match the five excerpts with their bugs.

    Returns:
        dict from each letter, "A" to "E", to one of the names in `BUGS`; every name occurs once.
    """
    ### BEGIN SOLUTION
    return {
        "A": "baseline never shuffled",
        "B": "augmented before splitting",
        "C": "frozen flip",
        "D": "unequal training",
        "E": "augmented validation",
    }
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "name_the_bugs_handin", "locked": true, "schema_version": 3, "solution": false, "task": false}
with handin.record("name_the_bugs") as out:
    out.facts(names=dict(name_the_bugs()))

# %% nbgrader={"grade": true, "grade_id": "name_the_bugs_test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from augcourse import checks, handin

names = handin.read("name_the_bugs").fact("names", dict)
bugs = {
    "frozen flip",
    "augmented validation",
    "baseline never shuffled",
    "augmented before splitting",
    "unequal training",
}
checks.expect(sorted(names) == list("ABCDE"), "one answer per excerpt", expected="A to E", got=sorted(names))
checks.expect(
    {str(name) for name in names.values()} == bugs,
    "every name in BUGS belongs to one excerpt",
    got=sorted(str(name) for name in names.values()),
    why="a name occurs twice, or is spelt otherwise than in BUGS",
)
checks.passed("name_the_bugs")
### BEGIN HIDDEN TESTS
answers = {
    "A": ("baseline never shuffled", "which model never meets its pictures in another order?"),
    "B": ("augmented before splitting", "could a validation digit have a twin in training?"),
    "C": ("frozen flip", "is the first digit of epoch two the same as of epoch one?"),
    "D": ("unequal training", "how many steps did either model take?"),
    "E": ("augmented validation", "do two evaluations of the same weights agree?"),
}
wrong = [letter for letter in "ABCDE" if names[letter] != answers[letter][0]]
checks.expect(
    not wrong,
    f"these excerpts have another bug: {', '.join(wrong)}",
    got={letter: names[letter] for letter in wrong},
    why="; ".join(f"{letter}: {answers[letter][1]}" for letter in wrong),
)
### END HIDDEN TESTS

# %% [markdown]
# ## Three things to remember
#
# 1. Cover the label: a transformation is allowed where a stranger would still say the same, and that depends on the class.
# 2. Check what a transform *does*: how often, how far, to which side, and what it puts at the border. Silence proves nothing.
# 3. Keeping the label is necessary, being useful is another matter, and a recipe that differs by class in more than flips
#    betrays the label.
#
# **Next**: the recipe goes into the training pipeline, where one line in the wrong place costs most of the gain. That is step 4.
