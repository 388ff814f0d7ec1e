"""Coloured ink: pure, black on black, as many favourite pens as asked, and pens at test time that know no label."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from augcourse.digits import ink

LABELS = np.repeat(np.arange(10), 10)
GREY = np.random.default_rng(0).integers(0, 256, (100, 28, 28, 1), dtype=np.uint8)


def full(n):
    """n pictures, full ink all over."""
    return np.full((n, 28, 28, 1), 255, np.uint8)


def pens_of(pictures):
    """int64 (n,): the pens that wrote pictures of full ink."""
    colours = pictures[:, 0, 0, None, :].astype(float)
    return np.abs(colours - ink.PENS).sum(axis=2).argmin(axis=1)


def both_ways(images, seed=3):
    return {"any pen": ink.any_pen(images, seed), "favourite pen": ink.favourite_pen(images, LABELS, seed)}


@pytest.mark.parametrize("way", ["any pen", "favourite pen"])
def test_pictures_have_three_channels_and_the_type_of_grey_ones(way):
    written = both_ways(GREY)[way]
    assert written.shape == (100, 28, 28, 3)
    assert written.dtype == np.uint8


@pytest.mark.parametrize("way", ["any pen", "favourite pen"])
def test_equal_arguments_give_equal_pictures(way):
    assert np.array_equal(both_ways(GREY)[way], both_ways(GREY)[way])


@pytest.mark.parametrize("way", ["any pen", "favourite pen"])
def test_another_seed_gives_other_pictures(way):
    assert not np.array_equal(both_ways(GREY, 3)[way], both_ways(GREY, 4)[way])


@pytest.mark.parametrize("way", ["any pen", "favourite pen"])
def test_grey_pictures_and_labels_stay_as_they_were(way):
    grey, labels = GREY.copy(), LABELS.copy()
    both_ways(GREY)[way][:] = 0
    assert np.array_equal(GREY, grey)
    assert np.array_equal(LABELS, labels)


@pytest.mark.parametrize("way", ["any pen", "favourite pen"])
def test_black_stays_black(way):
    black = (GREY == 0)[..., 0]
    assert black.any()
    assert not both_ways(GREY)[way][black].any()


@pytest.mark.parametrize("way", ["any pen", "favourite pen"])
def test_no_channel_is_brighter_than_the_grey_picture(way):
    assert (both_ways(GREY)[way] <= GREY).all()


@pytest.mark.parametrize("way", ["any pen", "favourite pen"])
def test_the_grey_picture_can_be_read_from_the_brightest_channel(way):
    assert np.array_equal(both_ways(GREY)[way].max(axis=3, keepdims=True), GREY)


@pytest.mark.parametrize("pen", range(10))
def test_full_ink_has_the_colour_of_its_pen(pen):
    written = ink.tinted(full(1), ink.PENS[pen])
    assert (written == np.rint(ink.PENS[pen])).all()


def test_half_of_the_grey_level_is_half_of_the_ink():
    half = ink.tinted(np.full((28, 28, 1), 51, np.uint8), [255.0, 100.0, 0.0])
    assert half[0, 0].tolist() == [51, 20, 0]


def test_ten_pens_have_ten_colours():
    assert len({tuple(np.rint(pen)) for pen in ink.PENS}) == 10


def test_an_ink_per_column_paints_columns():
    inks = np.zeros((28, 3))
    inks[14:] = 255
    columns = ink.tinted(full(1)[0], inks)
    assert not columns[:, :14].any()
    assert (columns[:, 14:] == 255).all()


@settings(max_examples=50, deadline=None)
@given(share=st.floats(0, 1), per_class=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_each_class_has_its_favourite_pen_in_exactly_the_share_that_was_asked_for(share, per_class, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(10), per_class))
    own = pens_of(ink.favourite_pen(full(len(labels)), labels, seed, share)) == labels
    assert np.bincount(labels[own], minlength=10).tolist() == [round(share * per_class)] * 10


def test_eight_of_ten_digits_have_their_favourite_pen_unless_it_is_said_otherwise():
    own = pens_of(ink.favourite_pen(full(100), LABELS, 0)) == LABELS
    assert np.bincount(LABELS[own]).tolist() == [8] * 10


def test_who_gets_another_pen_follows_the_seed():
    first, other = (pens_of(ink.favourite_pen(full(100), LABELS, seed)) == LABELS for seed in (0, 1))
    assert (first != other).any()


def test_the_other_pens_of_a_class_are_about_equally_frequent():
    pens = pens_of(ink.favourite_pen(full(3000), np.full(3000, 4), 0, share=0.1))
    counts = np.bincount(pens, minlength=10)
    assert counts[4] == 300
    assert stats.chisquare(np.delete(counts, 4)).pvalue > 0.01


def test_any_pen_uses_all_ten_about_equally():
    counts = np.bincount(pens_of(ink.any_pen(full(5000), 2019)), minlength=10)
    assert stats.chisquare(counts).pvalue > 0.01


def test_the_pens_of_a_test_follow_its_seed_and_not_what_is_written():
    assert list(inspect.signature(ink.any_pen).parameters) == ["images", "seed"]
    bright = np.random.default_rng(1).integers(200, 256, (100, 28, 28, 1), dtype=np.uint8)
    one, other = (ink.any_pen(images, 7).astype(float) / images for images in (full(100), bright))
    assert np.abs(one - other).max() < 0.01
