"""Datasets are found, joined and limited, reproducibly."""

import os

import pytest
from PIL import Image

import data.datasets.find_images
from data.datasets.find_images import find_images
from data.datasets.folder import demo_images
from errors import InputError
from tests.data.datasets.found import (
    coco,
    find_lists,
    numbered,
    one_line,
    skipped_counts,
    tiny_imagenet,
    touch,
)


def both(lists):
    """Returns the names of the training images and of the validation images."""
    return list(lists.training.names()), list(lists.validation.names())


def together(lists):
    return set(lists.training.names()) | set(lists.validation.names())


def error_of(names, **options):
    with pytest.raises(InputError) as caught:
        find_lists(names, **options)
    return one_line(caught)


# --- one dataset ------------------------------------------------------------------------------


def test_options_have_defaults(tmp_path):
    folder = touch(tmp_path, numbered(400))
    lists = find_images([folder])
    assert both(lists) == both(find_lists([folder], validation_share=0.05, seed=0, max_images=None))
    assert 5 <= len(lists.validation) <= 40


def test_validation_images_are_mixed(tmp_path):
    # A validation on fewer images uses the first ones, which should be from all subfolders.
    folder = touch(tmp_path, numbered(200, "a/") + numbered(200, "b/"))
    _, validation = both(find_lists([folder], validation_share=0.5))
    first = [path.removeprefix(f"{folder}/")[0] for path in validation[:40]]
    assert 10 <= first.count("a") <= 30
    assert validation == both(find_lists([folder], validation_share=0.5))[1]


def test_validation_images_of_datasets_are_mixed(tmp_path):
    names = [touch(tmp_path / name, numbered(200)) for name in "ab"]
    _, validation = both(find_lists(names, validation_share=0.5))
    first = [path.removeprefix(f"{tmp_path}/")[0] for path in validation[:40]]
    assert 10 <= first.count("a") <= 30


def test_minimum_colorfulness_decides_what_is_gray(tmp_path):
    for folder, color in (("color", (200, 100, 50)), ("gray", (100, 100, 110))):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (8, 8), color).save(tmp_path / folder / "a.png")
    assert len(find_lists([str(tmp_path)])) == 2
    lists = find_lists([str(tmp_path)], minimum_colorfulness=10.0)
    assert both(lists) == ([f"{tmp_path}/color/a.png"], [])


def test_dataset_of_every_kind_is_found(tmp_path):
    tiny = tiny_imagenet(tmp_path / "tiny")
    objects = coco(tmp_path / "coco", {"a.jpg": "cat", "b.jpg": "dog"}, {"c.jpg": "cat"})
    folder = touch(tmp_path / "photos", numbered(4))
    sizes = {name: len(find_images([name])) for name in (tiny, objects, folder, "demo")}
    assert sizes == {tiny: 12, objects: 3, folder: 4, "demo": len(demo_images())}
    assert len(find_images(list(sizes))) == sum(sizes.values())


def test_builder_of_tensorflow_datasets_is_found_by_name(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        data.datasets.find_images,
        "tfds_set",
        lambda *arguments: (
            calls.append(arguments) or data.datasets.find_images.demo_set(*arguments)
        ),
    )
    find_lists(["tfds:flowers:1.0.0"], data_dir=str(tmp_path), validation_share=0.3, seed=4)
    [(name, where, options)] = calls
    assert (name, where) == ("tfds:flowers:1.0.0", "flowers:1.0.0")
    assert (options.data_dir, options.seed) == (str(tmp_path), 4)


def test_categories_select_images_of_coco_only(tmp_path):
    objects = coco(tmp_path / "coco", {"a.jpg": "cat", "b.jpg": "dog"}, {"c.jpg": "cat"})
    folder = touch(tmp_path / "photos", numbered(4))
    lists = find_lists([objects, folder], categories=["Dog"])
    assert len(lists) == 5
    assert f"{tmp_path}/coco/train/b.jpg" in together(lists)


def test_nothing_is_decoded(tmp_path, monkeypatch):
    names = [touch(tmp_path / "photos", numbered(20)), tiny_imagenet(tmp_path / "tiny"), "demo"]
    opened = []
    monkeypatch.setattr(Image, "open", opened.append)
    lists = find_lists(names, max_images=10)
    lists.table()
    assert opened == []


# --- several datasets --------------------------------------------------------------------------


def test_datasets_are_joined(tmp_path):
    split = touch(tmp_path / "a", ["train/a.jpg", "val/b.jpg"])
    plain = touch(tmp_path / "b", numbered(30))
    joined = both(find_images([split, plain]))
    separate = [both(find_images([name])) for name in (split, plain)]
    assert joined[0] == separate[0][0] + separate[1][0]
    assert sorted(joined[1]) == sorted(separate[0][1] + separate[1][1])


def test_demo_can_be_joined_with_a_folder(tmp_path):
    folder = touch(tmp_path, numbered(20))
    assert len(find_images(["demo", folder])) == len(demo_images()) + 20


def test_datasets_that_overlap_have_no_image_on_both_sides(tmp_path):
    folder = touch(tmp_path, numbered(10) + numbered(50, "deep/"))
    for names in ([folder, f"{folder}/deep"], [f"{folder}/deep", folder]):
        training, validation = both(find_lists(names, validation_share=0.5))
        assert len(set(training) | set(validation)) == len(training) + len(validation) == 60


def test_validation_image_of_one_dataset_is_a_training_image_of_none(tmp_path):
    folder = touch(tmp_path, ["train/a.jpg", "train/b.jpg", "val/c.jpg", "val/d.jpg"])
    for names in ([folder, f"{folder}/val"], [f"{folder}/val", folder]):
        training, validation = both(find_lists(names, validation_share=0.0))
        assert sorted(training) == [f"{folder}/train/a.jpg", f"{folder}/train/b.jpg"]
        assert sorted(validation) == [f"{folder}/val/c.jpg", f"{folder}/val/d.jpg"]


def test_images_in_another_dataset_are_skipped_and_counted(tmp_path):
    folder = touch(tmp_path, numbered(40))
    whole = both(find_images([folder]))
    lists = find_images([folder, folder])
    assert [sorted(side) for side in both(lists)] == [sorted(side) for side in whole]
    assert [skipped_counts(dataset) for dataset in lists.sets] == [{}, {"in another dataset": 40}]
    assert [len(dataset.training) for dataset in lists.sets] == [len(whole[0]), 0]


@pytest.mark.parametrize("other", ["photos", "./photos/", "deep/../photos", "{here}/photos"])
def test_folder_by_another_name_is_the_same(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    touch(tmp_path / "photos", numbered(40))
    lists = find_lists(["photos", other.format(here=tmp_path)], validation_share=0.3)
    assert len(lists) == 40
    assert {name.removeprefix("photos/") for name in together(lists)} == set(numbered(40))


def test_folder_through_a_link_is_the_same(tmp_path):
    folder = touch(tmp_path / "photos", numbered(10) + numbered(50, "deep/"))
    (tmp_path / "link").symlink_to("photos/deep", target_is_directory=True)
    training, validation = both(find_lists([folder, f"{tmp_path}/link"], validation_share=0.5))
    sides = [{os.path.realpath(name) for name in side} for side in (training, validation)]
    assert not sides[0] & sides[1]
    assert len(training) + len(validation) == 60


def test_demo_may_be_repeated(tmp_path):
    folder = touch(tmp_path, numbered(20))
    lists = find_images(["demo", folder, "demo"])
    assert len(lists) == len(demo_images()) + 20
    assert [dataset.name for dataset in lists.sets] == ["demo", folder, "demo"]
    assert skipped_counts(lists.sets[2]) == {"in another dataset": len(demo_images())}


def test_folder_may_share_images_with_coco(tmp_path):
    objects = coco(tmp_path / "coco", {"a.jpg": "cat", "b.jpg": "dog"}, {"c.jpg": "cat"})
    lists = find_lists([objects, f"{tmp_path}/coco"], validation_share=0.0)
    assert both(lists) == (
        [f"{tmp_path}/coco/train/a.jpg", f"{tmp_path}/coco/train/b.jpg"],
        [f"{tmp_path}/coco/val/c.jpg"],
    )


@pytest.mark.parametrize("name", ["two words", "größe", "[a]*?", "\udcff", "#1", "a:b"], ids=ascii)
def test_datasets_may_have_unusual_names(tmp_path, name):
    names = [touch(tmp_path / parent / name, numbered(9)) for parent in ("a", "b")]
    lists = find_images(names)
    assert len(together(lists)) == len(lists) == 18
    lists.table().encode("utf-8")


def test_one_bad_name_among_good_ones_is_an_error(tmp_path):
    assert "nowhere" in error_of([touch(tmp_path, numbered(3)), "nowhere"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dmeo", "did you mean demo?"),
        ("cooc:somewhere", "did you mean coco?"),
        ("tiny-imagenet", "tiny-imagenet:DIR"),
        ("coco:", "coco:DIR"),
        ("coco:nowhere", "nowhere is not a folder"),
        ("tiny-imagenet:nowhere", "nowhere is not a folder"),
    ],
)
def test_bad_name_is_an_error(name, shown):
    message = error_of(["demo", name])
    assert message.startswith(f"{name}: ")
    assert shown in message


@pytest.mark.parametrize("kind", ["", "coco:", "tiny-imagenet:"])
def test_line_break_in_a_name_is_escaped(tmp_path, kind):
    assert "break" in error_of([f"{kind}{tmp_path}/line\nbreak"])


# --- max_images --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 7, 50])
def test_max_images_limits_both_sides_in_proportion(tmp_path, count):
    folder = touch(tmp_path, numbered(200))
    whole = both(find_lists([folder], validation_share=0.2))
    limited = both(find_lists([folder], validation_share=0.2, max_images=count))
    assert len(limited[0]) + len(limited[1]) == count
    assert set(limited[0]) < set(whole[0])
    assert set(limited[1]) < set(whole[1])
    assert len(limited[1]) == max(1, round(count * len(whole[1]) / 200))


@pytest.mark.parametrize("count", [20, 21, 10**9])
def test_max_images_above_the_number_of_images_changes_nothing(tmp_path, count):
    folder = touch(tmp_path, numbered(20))
    lists = find_lists([folder], max_images=count)
    assert both(lists) == both(find_images([folder]))
    assert skipped_counts(lists.sets[0]) == {}


def test_max_images_may_skip_a_single_image(tmp_path):
    folder = touch(tmp_path, numbered(20))
    lists = find_lists([folder], max_images=19)
    assert len(together(lists)) == 19
    assert skipped_counts(lists.sets[0]) == {"beyond max_images": 1}


def test_max_images_are_drawn_and_not_the_first(tmp_path):
    folder = touch(tmp_path, numbered(200))
    limited = both(find_lists([folder], max_images=20))
    first = {f"{folder}/{name}" for name in numbered(20)}
    assert limited == both(find_lists([folder], max_images=20))
    assert limited != both(find_lists([folder], max_images=20, seed=1))
    assert set(limited[0] + limited[1]) != first


@pytest.mark.parametrize("sizes", [(2, 18), (18, 2), (1, 1)])
def test_max_images_leaves_one_image_on_each_side(tmp_path, sizes):
    folder = touch(tmp_path, numbered(sizes[0], "train/") + numbered(sizes[1], "validation/"))
    limited = find_lists([folder], max_images=2)
    assert len(limited.training) == 1
    assert len(limited.validation) == 1


def test_single_image_without_validation_is_used_for_training(tmp_path):
    limited = find_lists([touch(tmp_path, numbered(9))], max_images=1, validation_share=0.0)
    assert (len(limited.training), len(limited.validation)) == (1, 0)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_max_images_may_all_be_for_validation(tmp_path, count):
    objects = coco(
        tmp_path, {"a.jpg": "cat"}, {"b.jpg": "dog", "c.jpg": "dog", "d.jpg": "dog", "e.jpg": "dog"}
    )
    lists = find_lists([objects], categories=["dog"], max_images=count)
    assert (len(lists.training), len(lists.validation)) == (0, count)


def test_max_images_limits_all_datasets_together(tmp_path):
    names = [touch(tmp_path / name, numbered(200)) for name in "abc"]
    lists = find_lists(names, max_images=90, validation_share=0.2)
    used = [len(dataset.training) + len(dataset.validation) for dataset in lists.sets]
    assert sum(used) == len(lists) == 90
    assert min(used) >= 10
    assert [skipped_counts(dataset) for dataset in lists.sets] == [
        {"beyond max_images": 200 - count} for count in used
    ]


def test_limited_datasets_contain_the_images_that_are_used(tmp_path):
    names = [touch(tmp_path / name, numbered(50)) for name in "ab"]
    lists = find_lists([*names, "demo"], max_images=30, validation_share=0.2)
    for side in ("training", "validation"):
        by_set = [name for dataset in lists.sets for name in getattr(dataset, side).names()]
        assert sorted(by_set) == sorted(getattr(lists, side).names())
