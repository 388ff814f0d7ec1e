"""Probes: numbered pictures can be told apart after what a pipeline may do to them, and seeds are obeyed."""

from __future__ import annotations

import numpy as np
import pytest

from augcourse import probes, recipes


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
