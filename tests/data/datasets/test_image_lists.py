"""The images of joined datasets: their labels, how often each is drawn, and the table."""

import pytest
from PIL import Image

from data.datasets.find_images import find_images
from errors import InputError
from tests.data.datasets.found import (
    CLASSES,
    coco,
    find_lists,
    numbered,
    one_line,
    tiny_imagenet,
    touch,
)


@pytest.mark.parametrize("max_images", [None, 5])
def test_labels_go_with_their_images(tmp_path, max_images):
    names = [tiny_imagenet(tmp_path / name) for name in "ab"]
    lists = find_lists(names, max_images=max_images)
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
    lists = find_lists(names, max_images=30).weighted([3, 1])
    training = list(lists.training.names())
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
    lists = find_lists([folder, f"{folder}/deep"], validation_share=0.3)
    with pytest.raises(InputError, match=words) as caught:
        lists.weighted(weights)
    one_line(caught)


def test_table_lists_every_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training = {"a.jpg": "cat", "b.jpg": "dog", "c.jpg": "cat", "d.jpg": "cat", "e.jpg": "cat"}
    coco(tmp_path / "set", training, {"f.jpg": "cat"})
    (tmp_path / "set" / "train" / "a.jpg").unlink()
    lists = find_lists(["coco:set", "set/train"], categories=["cat"], max_images=3)
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
