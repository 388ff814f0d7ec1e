"""Probes: numbered pictures can be told apart after what a pipeline may do to them, and seeds are obeyed."""

from __future__ import annotations

from dataclasses import replace

import albumentations as A
import cv2
import numpy as np
import pytest

from augcourse import probes, recipes
from augcourse.settings import SETTINGS


def test_numbers_can_be_read_back():
    assert np.array_equal(probes.numbers_of(probes.numbered_images(700)), np.arange(700))


def test_numbers_survive_scaling_to_the_unit_interval():
    assert np.array_equal(probes.numbers_of(probes.numbered_images(300) / np.float32(255)), np.arange(300))


def test_numbers_survive_brightness():
    bright = recipes.named("brightness ±0.3").apply(probes.numbered_images(300), np.zeros(300, int), 1)
    assert np.array_equal(probes.numbers_of(bright), np.arange(300))


def test_the_probe_seed_changes_the_probes_and_nothing_else_does(monkeypatch):
    def draw(exercise="x"):
        return probes.rng(exercise).integers(1 << 30)

    monkeypatch.setenv(probes.VARIABLE, "1")
    first = draw()
    assert draw() == first
    assert draw("y") != first
    monkeypatch.setenv(probes.VARIABLE, "2")
    assert draw() != first


def test_an_absent_class_is_absent():
    labels = probes.random_labels("x", 500, absent=4)
    assert 4 not in labels
    assert len(set(labels.tolist())) == 9


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_digests_do_not_depend_on_the_form_of_an_element(as_dictionary):
    import tensorflow as tf

    images = probes.numbered_images(5)
    content = {"image": images, "label": np.arange(5)} if as_dictionary else (images, np.arange(5))
    dataset = tf.data.Dataset.from_tensor_slices(content)
    assert np.array_equal(probes.digests(dataset), probes.digests_of(images))


# The colour chart


def chart(monkeypatch, seed=1):
    monkeypatch.setenv(probes.VARIABLE, str(seed))
    return probes.colour_chart("x")


def saturation(picture):
    """float64 (rows, columns): how far the channels lie apart, as a share of the brightest."""
    values = picture.astype(float)
    return np.ptp(values, axis=2) / values.max(axis=2)


def test_a_colour_chart_is_a_picture_with_three_channels(monkeypatch):
    picture = chart(monkeypatch)
    assert picture.shape == (28, 28, 3)
    assert picture.dtype == np.uint8


def test_a_colour_chart_goes_from_grey_by_pale_to_strong(monkeypatch):
    columns = saturation(chart(monkeypatch))
    assert not columns[:, :9].any()
    assert columns[:, :9].max() < columns[:, 9:18].min()
    assert columns[:, 9:18].max() < columns[:, 18:].min()


def test_a_colour_chart_gets_brighter_from_top_to_bottom(monkeypatch):
    assert (np.diff(chart(monkeypatch).astype(int), axis=0) >= 0).all()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_a_colour_chart_has_room_for_half_and_for_half_as_much_again(monkeypatch, factor, seed):
    """Saturation is scaled about the grey of a pixel, as television weighs its channels (ITU-R BT.601)."""
    picture = chart(monkeypatch, seed).astype(float)
    grey = picture @ [0.299, 0.587, 0.114]
    scaled = factor * picture + (1 - factor) * grey[..., None]
    assert scaled.min() >= 0
    assert scaled.max() <= 255


def test_the_colour_of_a_chart_follows_the_seed(monkeypatch):
    assert len({chart(monkeypatch, seed).tobytes() for seed in range(10)}) > 1
    assert np.array_equal(chart(monkeypatch), chart(monkeypatch))


def warped(transform, n=60, paper=0, ink=255):
    picture = probes.landmarks(paper, ink)
    return probes.warps(probes.augmented("x", transform, picture, n))


def test_landmarks_that_nothing_happened_to_are_where_they_were():
    found = probes.warps(probes.landmarks()[None])
    assert np.allclose(found.matrix, np.eye(2), atol=0.01)
    assert np.allclose(found.shift, 0, atol=0.05)
    assert found.contrast == 255


@pytest.mark.parametrize(("turns", "mirror"), [(0, True), (1, False), (2, False), (2, True), (3, False)])
def test_quarter_turns_and_mirrors_of_landmarks_are_told_apart(turns, mirror):
    picture = np.rot90(probes.landmarks(), turns)
    found = probes.warps((picture[:, ::-1] if mirror else picture)[None])
    assert found.mirrored[0] == mirror
    assert abs((found.angle[0] - turns * 90 * (1 if mirror else -1) + 180) % 360 - 180) < 1
    assert not found.distorted[0]


@pytest.mark.parametrize("interpolation", [0, 1, 2])
def test_a_rotation_of_landmarks_is_measured_whatever_the_interpolation(interpolation):
    found = warped(A.Rotate((-25, 25), interpolation=interpolation, border_mode=0, p=1))
    assert -26 < found.angle.min() < -15
    assert 15 < found.angle.max() < 26
    assert not found.distorted.any()
    assert np.abs(found.shift).max() < 0.5


@pytest.mark.parametrize("transform", [A.Affine(scale=(0.9, 0.9), p=1), A.Affine(shear=(12, 12), p=1)])
def test_a_scale_and_a_shear_distort_landmarks(transform):
    assert warped(transform).distorted.all()


def test_landmarks_are_found_again_in_another_light_and_in_colour():
    light = A.RandomBrightnessContrast((-0.3, 0.3), (0, 0), p=1)
    found = warped(A.Compose([A.Rotate((10, 10), border_mode=0, p=1), light]), paper=(110, 95, 85), ink=(170, 155, 145))
    assert np.allclose(found.angle, found.angle[0], atol=1)
    assert np.allclose(found.contrast, 60, atol=2)


def test_landmarks_that_are_gone_are_lost():
    assert probes.warps(np.zeros((2, 28, 28, 1), np.uint8)).lost.all()


def test_even_draws_are_even_and_fixed_amounts_are_not():
    even = np.random.default_rng(0).uniform(-3, 3, 300)
    assert probes.unevenness(even, 3, 0.3) < 0.1
    assert probes.unevenness(np.trunc(even), 3, 1.0) < 0.1
    for fixed in (np.sign(even) * 3, np.abs(even), even * 0, even / 2, np.where(even > 0, even, 0)):
        assert probes.unevenness(fixed, 3, 0.3) > 0.12


def test_mixed_levels_have_both_ends_above_and_room_below():
    levels = probes.mixed_levels("x")
    assert (levels[:14].min(), levels[:14].max()) == (0, 255)
    assert 90 <= levels[14:].min() < levels[14:].max() <= 165


def test_one_pixel_changes_by_the_amounts_in_turn():
    picture = probes.colour_chart("x")
    transform = probes.one_pixel("x", 20)
    changes = [np.abs(transform(image=picture)["image"].astype(int) - picture) for _ in range(20)]
    assert [change.sum() for change in changes] == transform.amounts.tolist()
    assert transform.calls == 20
    assert transform.amounts.argmax() >= 5


def test_a_data_set_without_end_has_no_digests():
    import tensorflow as tf

    with pytest.raises(ValueError, match="repeats for ever"):
        probes.digests(tf.data.Dataset.from_tensor_slices((probes.numbered_images(2), [0, 1])).repeat())


def test_every_pass_over_watched_batches_has_another_order_and_is_counted():
    settings = replace(SETTINGS, steps=4, batch_size=3)
    images, labels = probes.numbered_images(7)[1:], np.arange(6)
    dataset, passes = probes.watched_batches(images, labels, 5, settings)
    for number in range(2):
        shown = np.concatenate([probes.numbers_of(pictures) for pictures, _ in dataset.take(4).as_numpy_iterator()])
        assert np.array_equal(shown - 1, probes.batches_of_pass(number, 6, 5, settings).ravel())
    assert len(passes) == 2
    assert min(passes) >= 4
    first, second = (probes.batches_of_pass(number, 6, 5, settings) for number in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("passes", "wanted"),
    [
        ([5], [[0, 0]]),
        ([1, 4], [[1, 1]]),
        ([2, 3], [[0, 1]]),
        ([1, 3, 2], [[1, 2]]),
        ([4, 2], [[0, 0], [0, 1]]),
        ([3], []),
    ],
)
def test_batches_come_from_one_pass_or_from_a_new_one_for_every_point(passes, wanted):
    settings = replace(SETTINGS, steps=4, epoch_steps=2, batch_size=3)
    found = probes.orders_read(passes, 6, 0, settings)
    rows = [probes.batches_of_pass(k, 6, 0, settings) for k in range(3)]
    expected = [np.concatenate([rows[a][:2], rows[b][2:] if a == b else rows[b][:2]]) for a, b in wanted]
    assert [order.tolist() for order in found] == [order.tolist() for order in expected]


def test_a_training_along_given_batches_ends_where_the_courses_own_ends():
    from augcourse.train import image_order, train

    settings = replace(SETTINGS, steps=4, epoch_steps=2, batch_size=10)
    images, labels = probes.random_images("x", 20), np.arange(20) % 10
    mine = probes.trained_on(images, labels, image_order(20, 3, settings), 3, settings)
    twin = train(images, labels, seed=3, settings=settings)
    assert probes.distance(mine.weights, twin.weights) < 1e-6
    other = probes.trained_on(images, labels, image_order(20, 4, settings), 3, settings)
    assert probes.distance(other.weights, twin.weights) > 1e-3


@pytest.mark.parametrize("centre", [13.5, 14.0, 12.0])
@pytest.mark.parametrize("interpolation", [cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC])
def test_spots_tell_about_which_point_they_were_turned(centre, interpolation):
    spots, angles = probes.spots("x", 6)
    turns = [cv2.getRotationMatrix2D((centre, centre), float(angle), 1) for angle in angles]
    turned = [cv2.warpAffine(i, m, (28, 28), flags=interpolation) for i, m in zip(spots, turns, strict=True)]
    found, off = probes.turned_about(spots, np.stack(turned)[..., None], angles)
    assert off < 0.4
    assert np.abs(found - centre).max() < 0.3


def test_a_turn_the_other_way_fits_no_centre():
    spots, angles = probes.spots("x", 6)
    turns = [cv2.getRotationMatrix2D((13.5, 13.5), -float(angle), 1) for angle in angles]
    turned = np.stack([cv2.warpAffine(i, m, (28, 28)) for i, m in zip(spots, turns, strict=True)])[..., None]
    assert probes.turned_about(spots, turned, angles)[1] > 0.4
    assert probes.turned_about(spots, turned, -angles)[1] < 0.4


def test_a_noted_predict_keeps_what_became_of_a_picture_and_refuses_other_shapes():
    noted = probes.Noted(probes.white())
    assert noted(np.stack([probes.white()] * 2)).tolist() == [0, 0]
    noted(np.stack([probes.landmarks(), probes.white()]))
    noted(probes.white()[None])
    assert np.array_equal(noted.picture, probes.landmarks())
    with pytest.raises(ValueError, match="uint8 pictures"):
        noted(probes.white())


def test_a_matrix_with_gaps_lacks_one_digit_and_one_recognition():
    matrix = probes.matrix_with_gaps("x", absent=6)
    totals = matrix.sum(axis=1)
    assert np.flatnonzero(totals == 0).tolist() == [6]
    assert np.sum((np.diag(matrix) == 0) & (totals > 0)) == 1


@pytest.mark.parametrize("changed", [np.fliplr, np.flipud, lambda image: np.roll(image, 5, axis=0)])
def test_an_exam_that_was_moved_or_mirrored_is_read_wrongly(changed):
    reader, ((easy, labels), _) = probes.brightness_reader(), probes.two_exams("x")

    def right(images):
        return np.mean(reader.predict(images / np.float32(255), verbose=0).argmax(1) == labels)

    assert 0.84 < right(easy) < 0.96
    assert right(np.stack([changed(image) for image in easy])) < 0.5


def test_labels_come_with_their_digests_in_one_pass():
    import tensorflow as tf

    images, labels = probes.numbered_images(6), np.arange(6)
    mixed = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(6)
    digests, beside = probes.labelled_digests(mixed)
    assert np.array_equal(digests, probes.digests_of(images)[beside])


@pytest.mark.parametrize("turned", [np.flipud, np.fliplr, lambda image: np.rot90(image, 2), lambda image: image.T])
def test_a_turned_picture_of_quarters_shows_some_level_in_two_ways(turned):
    levels = probes.quarters()[:, ::14, ::14, 0]
    shown = np.stack([turned(each) for each in levels])
    assert max(np.ptp(shown[levels == level]) for level in np.unique(levels)) > 20


def test_quarters_are_read_as_they_are_drawn():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    for ax, picture in zip(axes, probes.quarters(), strict=True):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
    shown = probes.quarters_shown(figure, axes)
    assert np.allclose(shown, probes.quarters()[:, ::14, ::14] / 255, atol=0.01)


def test_one_gap_is_positive_and_one_is_negative():
    for name, sign in (("positive", 1), ("negative", -1)):
        curves = probes.two_gaps("x")[name]
        assert sign * (np.mean(curves["accuracy"][-3:]) - np.mean(curves["val_accuracy"][-3:])) > 0.04
