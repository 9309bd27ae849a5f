"""Datasets take turns by their weights, and each shows all of its images before it repeats any."""

import itertools

import numpy as np
import pytest

from data.input.image_order import ImageOrder


def images(order, count, start=0):
    return [int(next(order.candidates(position))) for position in range(start, start + count)]


def datasets(sizes, weights, count):
    """The dataset of each of the first images of the stream."""
    order = ImageOrder(0, list(zip(sizes, weights, strict=True)))
    ends = list(itertools.accumulate(sizes))
    return np.searchsorted(ends, images(order, count), side="right")


def largest_error(sizes, weights, count):
    """The most by which the images of a dataset in any part of the stream miss its share."""
    drawn = datasets(sizes, weights, count)
    surplus = [
        np.cumsum([0.0, *((drawn == dataset) - weight / sum(weights))])
        for dataset, weight in enumerate(weights)
    ]
    return max(np.ptp(each) for each in surplus)


def test_one_dataset_is_a_permutation_for_each_pass():
    expected = [np.random.default_rng([5, epoch]).permutation(4) for epoch in range(3)]
    assert images(ImageOrder(5, [(4, 1.0)]), 12) == np.concatenate(expected).tolist()


def test_datasets_take_turns():
    assert datasets([10, 10], [3, 1], 8).tolist() == [0, 0, 1, 0] * 2
    assert datasets([10, 10], [1, 1], 6).tolist() == [0, 1] * 3


@pytest.mark.parametrize("weights", [(3, 1), (1, 3), (0.7, 0.3), (1, 1), (1000, 1), (0.1, 0.77)])
def test_any_part_of_the_stream_has_the_share_of_each_of_two_datasets(weights):
    assert largest_error([7, 30], weights, 4000) < 1.0


@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 2, 4), (0.3, 100, 0.2), (2, 3, 5, 7)])
def test_each_further_dataset_adds_less_than_one_image(weights):
    sizes = [7, 30, 11, 5][: len(weights)]
    assert largest_error(sizes, weights, 4000) < len(weights) - 1


def test_shares_stay_exact_far_along_the_stream():
    order = ImageOrder(0, [(50, 0.1), (200_000, 0.2)])
    start = 3 * 10**12
    assert sum(number < 50 for number in images(order, 300, start)) == pytest.approx(100, abs=1)


def test_each_dataset_shows_all_of_its_images_before_it_repeats_any():
    drawn = images(ImageOrder(0, [(6, 3.0), (4, 1.0)]), 96)
    first, second = ([n for n in drawn if n in part] for part in (range(6), range(6, 10)))
    assert (len(first), len(second)) == (72, 24)
    for numbers, images_of_dataset in ((first, range(6)), (second, range(6, 10))):
        passes = np.reshape(numbers, [-1, len(images_of_dataset)])
        assert np.sort(passes).tolist() == [list(images_of_dataset)] * len(passes)
        assert len(np.unique(passes, axis=0)) > 1


def test_datasets_of_one_size_have_orders_of_their_own():
    drawn = images(ImageOrder(0, [(20, 1.0), (20, 1.0)]), 40)
    assert drawn[0::2] != [number - 20 for number in drawn[1::2]]


@pytest.mark.parametrize("start", [1, 7, 50])
def test_order_starts_at_any_position(start):
    mixture = [(6, 2.5), (4, 1.0), (9, 1.5)]
    whole = images(ImageOrder(3, mixture), 80)
    assert images(ImageOrder(3, mixture), 80 - start, start) == whole[start:]


def test_other_seed_gives_another_order():
    mixture = [(30, 2.0), (30, 1.0)]
    assert images(ImageOrder(1, mixture), 20) != images(ImageOrder(2, mixture), 20)


def test_skipped_images_are_replaced_by_others_of_their_dataset():
    order = ImageOrder(0, [(6, 3.0), (4, 1.0)])
    for position in range(12):
        first, *others = (number < 6 for number in order.candidates(position))
        assert set(others) == {first}
