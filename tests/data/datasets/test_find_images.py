"""Datasets are found, joined and limited, reproducibly."""

import json
import os

import pytest
from PIL import Image

import data.datasets.find_images
from data.datasets.dataset_options import DatasetOptions
from data.datasets.find_images import find_images
from data.datasets.folder import demo_images
from errors import InputError
from tests.data.datasets.found import numbered, skipped_counts, touch

CLASSES = ("n01443537", "n01629819", "n01944390")


def find(names, **options):
    return find_images(names, DatasetOptions(**options))


def both(lists):
    """Returns the names of the training images and of the validation images."""
    return list(lists.training.names()), list(lists.validation.names())


def together(lists):
    return set(lists.training.names()) | set(lists.validation.names())


def tiny_imagenet(folder, classes=CLASSES):
    """Writes three training images and one validation image of each class."""
    for wordnet_id in classes:
        touch(folder / "train" / wordnet_id / "images", numbered(3, f"{wordnet_id}_"))
        touch(folder / "val" / "images", [f"val_{wordnet_id}.jpg"])
    lines = [f"val_{wordnet_id}.jpg\t{wordnet_id}\n" for wordnet_id in classes]
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))
    (folder / "wnids.txt").write_text("\n".join(classes))
    (folder / "words.txt").touch()
    return f"tiny-imagenet:{folder}"


def coco(folder, training, validation):
    """Writes images, given by name with the category of the one object in each."""
    for part, contents in (("train", training), ("val", validation)):
        annotations = {
            "images": [{"id": name, "file_name": name} for name in contents],
            "annotations": [
                {"image_id": name, "category_id": category} for name, category in contents.items()
            ],
            "categories": [{"id": name, "name": name} for name in ("cat", "dog")],
        }
        (folder / "annotations").mkdir(parents=True, exist_ok=True)
        path = folder / "annotations" / f"instances_{part}.json"
        path.write_text(json.dumps(annotations))
        (folder / part).mkdir()
        touch(folder / part, contents)
    return f"coco:{folder}"


def error_of(names, **options):
    with pytest.raises(InputError) as caught:
        find(names, **options)
    return one_line(caught)


def one_line(caught):
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message


# --- one dataset ------------------------------------------------------------------------------


def test_options_have_defaults(tmp_path):
    folder = touch(tmp_path, numbered(400))
    lists = find_images([folder])
    assert both(lists) == both(find([folder], validation_share=0.05, seed=0, max_images=None))
    assert 5 <= len(lists.validation) <= 40


def test_validation_images_are_mixed(tmp_path):
    # A validation on fewer images uses the first ones, which should be from all subfolders.
    folder = touch(tmp_path, numbered(200, "a/") + numbered(200, "b/"))
    _, validation = both(find([folder], validation_share=0.5))
    first = [path.removeprefix(f"{folder}/")[0] for path in validation[:40]]
    assert 10 <= first.count("a") <= 30
    assert validation == both(find([folder], validation_share=0.5))[1]


def test_validation_images_of_datasets_are_mixed(tmp_path):
    names = [touch(tmp_path / name, numbered(200)) for name in "ab"]
    _, validation = both(find(names, validation_share=0.5))
    first = [path.removeprefix(f"{tmp_path}/")[0] for path in validation[:40]]
    assert 10 <= first.count("a") <= 30


def test_minimum_colorfulness_decides_what_is_gray(tmp_path):
    for folder, color in (("color", (200, 100, 50)), ("gray", (100, 100, 110))):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (8, 8), color).save(tmp_path / folder / "a.png")
    assert len(find([str(tmp_path)])) == 2
    lists = find([str(tmp_path)], minimum_colorfulness=10.0)
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
    find(["tfds:flowers:1.0.0"], data_dir=str(tmp_path), validation_share=0.3, seed=4)
    [(name, where, options)] = calls
    assert (name, where) == ("tfds:flowers:1.0.0", "flowers:1.0.0")
    assert (options.data_dir, options.seed) == (str(tmp_path), 4)


def test_categories_select_images_of_coco_only(tmp_path):
    objects = coco(tmp_path / "coco", {"a.jpg": "cat", "b.jpg": "dog"}, {"c.jpg": "cat"})
    folder = touch(tmp_path / "photos", numbered(4))
    lists = find([objects, folder], categories=["Dog"])
    assert len(lists) == 5
    assert f"{tmp_path}/coco/train/b.jpg" in together(lists)


def test_nothing_is_decoded(tmp_path, monkeypatch):
    names = [touch(tmp_path / "photos", numbered(20)), tiny_imagenet(tmp_path / "tiny"), "demo"]
    opened = []
    monkeypatch.setattr(Image, "open", opened.append)
    lists = find(names, max_images=10)
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
        training, validation = both(find(names, validation_share=0.5))
        assert len(set(training) | set(validation)) == len(training) + len(validation) == 60


def test_validation_image_of_one_dataset_is_a_training_image_of_none(tmp_path):
    folder = touch(tmp_path, ["train/a.jpg", "train/b.jpg", "val/c.jpg", "val/d.jpg"])
    for names in ([folder, f"{folder}/val"], [f"{folder}/val", folder]):
        training, validation = both(find(names, validation_share=0.0))
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
    lists = find(["photos", other.format(here=tmp_path)], validation_share=0.3)
    assert len(lists) == 40
    assert {name.removeprefix("photos/") for name in together(lists)} == set(numbered(40))


def test_folder_through_a_link_is_the_same(tmp_path):
    folder = touch(tmp_path / "photos", numbered(10) + numbered(50, "deep/"))
    (tmp_path / "link").symlink_to("photos/deep", target_is_directory=True)
    training, validation = both(find([folder, f"{tmp_path}/link"], validation_share=0.5))
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
    lists = find([objects, f"{tmp_path}/coco"], validation_share=0.0)
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
    whole = both(find([folder], validation_share=0.2))
    limited = both(find([folder], validation_share=0.2, max_images=count))
    assert len(limited[0]) + len(limited[1]) == count
    assert set(limited[0]) < set(whole[0])
    assert set(limited[1]) < set(whole[1])
    assert len(limited[1]) == max(1, round(count * len(whole[1]) / 200))


@pytest.mark.parametrize("count", [20, 21, 10**9])
def test_max_images_above_the_number_of_images_changes_nothing(tmp_path, count):
    folder = touch(tmp_path, numbered(20))
    lists = find([folder], max_images=count)
    assert both(lists) == both(find_images([folder]))
    assert skipped_counts(lists.sets[0]) == {}


def test_max_images_may_skip_a_single_image(tmp_path):
    folder = touch(tmp_path, numbered(20))
    lists = find([folder], max_images=19)
    assert len(together(lists)) == 19
    assert skipped_counts(lists.sets[0]) == {"beyond max_images": 1}


def test_max_images_are_drawn_and_not_the_first(tmp_path):
    folder = touch(tmp_path, numbered(200))
    limited = both(find([folder], max_images=20))
    first = {f"{folder}/{name}" for name in numbered(20)}
    assert limited == both(find([folder], max_images=20))
    assert limited != both(find([folder], max_images=20, seed=1))
    assert set(limited[0] + limited[1]) != first


@pytest.mark.parametrize("sizes", [(2, 18), (18, 2), (1, 1)])
def test_max_images_leaves_one_image_on_each_side(tmp_path, sizes):
    folder = touch(tmp_path, numbered(sizes[0], "train/") + numbered(sizes[1], "validation/"))
    limited = find([folder], max_images=2)
    assert len(limited.training) == 1
    assert len(limited.validation) == 1


def test_single_image_without_validation_is_used_for_training(tmp_path):
    limited = find([touch(tmp_path, numbered(9))], max_images=1, validation_share=0.0)
    assert (len(limited.training), len(limited.validation)) == (1, 0)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_max_images_may_all_be_for_validation(tmp_path, count):
    objects = coco(
        tmp_path, {"a.jpg": "cat"}, {"b.jpg": "dog", "c.jpg": "dog", "d.jpg": "dog", "e.jpg": "dog"}
    )
    lists = find([objects], categories=["dog"], max_images=count)
    assert (len(lists.training), len(lists.validation)) == (0, count)


def test_max_images_limits_all_datasets_together(tmp_path):
    names = [touch(tmp_path / name, numbered(200)) for name in "abc"]
    lists = find(names, max_images=90, validation_share=0.2)
    used = [len(dataset.training) + len(dataset.validation) for dataset in lists.sets]
    assert sum(used) == len(lists) == 90
    assert min(used) >= 10
    assert [skipped_counts(dataset) for dataset in lists.sets] == [
        {"beyond max_images": 200 - count} for count in used
    ]


def test_limited_datasets_contain_the_images_that_are_used(tmp_path):
    names = [touch(tmp_path / name, numbered(50)) for name in "ab"]
    lists = find([*names, "demo"], max_images=30, validation_share=0.2)
    for side in ("training", "validation"):
        by_set = [name for dataset in lists.sets for name in getattr(dataset, side).names()]
        assert sorted(by_set) == sorted(getattr(lists, side).names())


# --- labels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_images", [None, 5])
def test_labels_go_with_their_images(tmp_path, max_images):
    names = [tiny_imagenet(tmp_path / name) for name in "ab"]
    lists = find(names, max_images=max_images)
    lists.check_labels()
    assert lists.training.classes == lists.validation.classes == CLASSES
    for source in (lists.training, lists.validation):
        assert source
        for number in range(len(source)):
            assert source.classes[source.label(number)] in source.name(number)


def test_datasets_of_the_same_classes_may_list_them_in_another_order(tmp_path):
    names = [tiny_imagenet(tmp_path / "a"), tiny_imagenet(tmp_path / "b", CLASSES[::-1])]
    lists = find_images(names)
    lists.check_labels()
    assert lists.training.classes == CLASSES


def test_every_dataset_needs_classes(tmp_path):
    folder = touch(tmp_path / "photos", numbered(3))
    for names in ([folder], [tiny_imagenet(tmp_path / "tiny"), folder], ["demo", folder]):
        lists = find_images(names)
        with pytest.raises(InputError) as caught:
            lists.check_labels()
        without = "demo" if "demo" in names else folder
        assert f"labels are required, but {without} has none" in one_line(caught)


def test_classes_must_be_the_same(tmp_path):
    names = [tiny_imagenet(tmp_path / "a"), tiny_imagenet(tmp_path / "b", CLASSES[:2])]
    lists = find_images(names)
    with pytest.raises(InputError) as caught:
        lists.check_labels()
    assert f"{names[0]} and {names[1]} have different classes (3 and 2)" in one_line(caught)
    assert {lists.training.label(number) for number in range(len(lists.training))} == {-1}


def test_dataset_without_labels_is_reported_in_one_line(tmp_path):
    lists = find_images([touch(tmp_path / "line\nbreak", numbered(3))])
    with pytest.raises(InputError) as caught:
        lists.check_labels()
    one_line(caught)


# --- the table ---------------------------------------------------------------------------------


def test_table_of_one_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "photos", numbered(1200, "train/") + numbered(3, "val/") + ["a.jpg"])
    assert find_images(["photos"]).table().splitlines() == [
        "dataset  training  validation  skipped",
        "photos      1,200           3        1  1 outside train and val",
    ]


def test_table_of_several_datasets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "a", numbered(12, "train/") + numbered(3, "val/") + numbered(4, "test/"))
    touch(tmp_path / "a longer name", numbered(2, "train/") + numbered(1, "val/"))
    assert find_images(["a", "a longer name", "a/val"]).table().splitlines() == [
        "dataset        training  validation  skipped",
        "a                    12           3        4  4 outside train and val",
        "a longer name         2           1        0",
        "a/val                 0           0        3  3 in another dataset",
        "total                14           4        7",
    ]


def test_table_of_weighted_datasets_shows_their_shares(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "a", numbered(12, "train/") + numbered(3, "val/"))
    touch(tmp_path / "b", numbered(2, "train/") + numbered(1, "val/"))
    assert find_images(["a", "b"]).weighted([1, 2]).table().splitlines() == [
        "dataset  training   share  validation  skipped",
        "a              12   33.3%           3        0",
        "b               2   66.7%           1        0",
        "total          14  100.0%           4        0",
    ]


def test_weighted_datasets_are_in_the_order_of_the_training_images(tmp_path):
    names = [touch(tmp_path / name, numbered(count)) for name, count in (("a", 50), ("b", 20))]
    lists = find(names, max_images=30).weighted([3, 1])
    training, _ = both(lists)
    (size, weight), (other_size, other_weight) = lists.mixture
    assert (weight, other_weight, size + other_size) == (3, 1, len(training))
    assert all(name.startswith(names[0]) for name in training[:size])
    assert all(name.startswith(names[1]) for name in training[size:])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0], "give one weight for each of the 2 datasets; received 1"),
        ([1.0, 0.0], "received the weight 0.0; give a number above 0"),
        ([1.0, 2.0], r"no training image of .*deep is left to draw \(\d in another dataset\)"),
    ],
)
def test_weights_that_do_not_fit_the_datasets_are_an_error(tmp_path, weights, words):
    folder = touch(tmp_path, numbered(6, "deep/"))
    lists = find([folder, f"{folder}/deep"], validation_share=0.3)
    with pytest.raises(InputError, match=words) as caught:
        lists.weighted(weights)
    one_line(caught)


def test_table_lists_every_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training = {"a.jpg": "cat", "b.jpg": "dog", "c.jpg": "cat", "d.jpg": "cat", "e.jpg": "cat"}
    coco(tmp_path / "set", training, {"f.jpg": "cat"})
    (tmp_path / "set" / "train" / "a.jpg").unlink()
    lists = find(["coco:set", "set/train"], categories=["cat"], max_images=3)
    first, second, last = lists.table().splitlines()[1:]
    assert "1 without cat; 1 annotated, but missing" in first
    assert "in another dataset" in first + second
    assert "beyond max_images" in first + second
    assert last.split()[0] == "total"
    assert sum(map(int, last.split()[1:3])) == 3


def test_table_lists_paired_grayscale(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, mode in (("train_color", "RGB"), ("train_black", "L")):
        (tmp_path / "set" / folder).mkdir(parents=True)
        for number in range(4):
            image = Image.new("RGB", (8, 8), (200, 100, 10 * number)).convert(mode)
            image.save(tmp_path / "set" / folder / f"{number}.png")
    _, row = find_images(["set"]).table().splitlines()
    assert row.split(maxsplit=3)[0] == "set"
    assert row.endswith("4  4 no color, paired with train_color")


def test_table_escapes_unusual_names(tmp_path):
    folder = touch(tmp_path / "line\nbreak \udcff", numbered(3))
    heading, row = find_images([folder]).table().splitlines()
    assert "line\\nbreak \\xff" in row
    heading.encode("ascii")
    row.encode("utf-8")


def test_columns_of_the_table_are_aligned(tmp_path):
    names = [touch(tmp_path / "x" / name, numbered(12)) for name in ("a", "bcd", "größe")]
    heading, *rows = find_images([*names, "demo"]).table().splitlines()
    ends = [heading.index(column) + len(column) for column in ("training", "validation")]
    for row in rows:
        for end in ends:
            assert row[end - 1].isdigit()
            assert row[end : end + 2] == "  "
