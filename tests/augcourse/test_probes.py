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
