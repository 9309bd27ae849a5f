"""A dataset without a split of its own is split by names, reproducibly."""

import pytest

from data.datasets.dataset_options import DatasetOptions
from data.datasets.image_files import ImageFiles
from data.datasets.split_by_name import split_by_name


def numbered(count, prefix=""):
    return [f"{prefix}{number:04}.jpg" for number in range(count)]


def split(names, share=0.05, seed=0, folder="photos"):
    """Returns the names of the training images and of the validation images."""
    source = ImageFiles(folder, names)
    sides = split_by_name(source, names, DatasetOptions(share, seed=seed))
    return tuple([name.removeprefix(folder + "/") for name in side.names()] for side in sides)


def test_split_is_disjoint_and_complete():
    training, validation = split(numbered(200), 0.3)
    assert sorted(training + validation) == numbered(200)


def test_order_is_preserved():
    training, validation = split(numbered(200), 0.3)
    assert training == sorted(training)
    assert validation == sorted(validation)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_split_is_about_the_share(share):
    _, validation = split(numbered(2000), share)
    assert len(validation) == pytest.approx(2000 * share, abs=80)


def test_split_does_not_change_from_version_to_version():
    # A training that is resumed must find every image on the same side.
    _, validation = split(numbered(40), 0.1)
    assert validation == ["0001.jpg", "0003.jpg", "0005.jpg"]
    _, validation = split(["größe.jpg", "\udcff.jpg", "a b.jpg", "line\nbreak.jpg"], 0.5, seed=7)
    assert validation == ["a b.jpg", "line\nbreak.jpg"]


def test_split_depends_on_the_seed():
    assert split(numbered(100), 0.2, seed=1) != split(numbered(100), 0.2, seed=2)


def test_split_depends_on_the_names_and_not_on_the_order():
    _, there = split(numbered(100), 0.2)
    _, back = split(numbered(100)[::-1], 0.2)
    assert there == back[::-1]


def test_split_depends_on_the_names_that_are_passed():
    source = ImageFiles("photos", numbered(100))
    names = numbered(100, "elsewhere/")
    _, validation = split_by_name(source, names, DatasetOptions(0.2))
    _, expected = split(names, 0.2)
    assert [name.replace("photos", "elsewhere") for name in validation.names()] == expected
    assert [name.removeprefix("elsewhere/") for name in expected] != split(numbered(100), 0.2)[1]


def test_a_larger_share_holds_out_more_of_the_same():
    held_out = [set(split(numbered(200), share)[1]) for share in (0.1, 0.3, 0.6)]
    assert held_out[0] < held_out[1] < held_out[2]


def test_split_is_stable_when_images_are_added():
    before = split(numbered(100))
    after = split(numbered(100) + numbered(300, "a/") + numbered(300, "z"))
    assert set(before[0]) < set(after[0])
    assert set(before[1]) < set(after[1])


def test_split_is_stable_when_images_are_removed():
    before = split(numbered(200))
    after = split((before[0] + before[1])[1::3])
    assert set(after[0]) < set(before[0])
    assert set(after[1]) < set(before[1])


@pytest.mark.parametrize("trial", range(10))
def test_no_training_image_of_a_small_set_is_ever_held_out(trial):
    # If the share holds out no image of a small dataset, one image is held out nevertheless. It may
    # move to training when images are added, but no training image may move to validation.
    few = numbered(5, f"{trial}_")
    before = split(few)
    after = split(few + numbered(50, f"more{trial}_"))
    assert len(before[1]) == 1
    assert set(before[0]) < set(after[0])


@pytest.mark.parametrize("share", [0.001, 0.999])
@pytest.mark.parametrize("count", [2, 3, 20])
def test_each_side_has_at_least_one_image(share, count):
    training, validation = split(numbered(count), share)
    assert training
    assert validation
    assert len(training + validation) == count


@pytest.mark.parametrize("share", [0.05, 0.5, 0.999])
def test_single_image_is_used_for_training(share):
    assert split(["a.jpg"], share) == (["a.jpg"], [])


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_empty_source_is_split_into_empty_sides(share):
    assert split([], share) == ([], [])


def test_share_of_zero_holds_out_none():
    assert split(numbered(50), 0.0) == (numbered(50), [])


def test_labels_go_with_their_images():
    names = numbered(50)
    source = ImageFiles("photos", names, range(50), tuple(names))
    for side in split_by_name(source, names, DatasetOptions(0.3)):
        assert side.classes == tuple(names)
        for number in range(len(side)):
            assert side.name(number) == f"photos/{names[side.label(number)]}"
