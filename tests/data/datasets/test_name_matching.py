"""Files are matched to the images that they were made from, by names and folders."""

import random

import pytest

from data.datasets.name_matching import match_by_name
from errors import InputError


def error_of(names, paths):
    with pytest.raises(InputError) as caught:
        match_by_name(names, paths)
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".jpg", ".JPEG", ".png", ".tiff", ".WebP", ".heic"])
def test_endings_do_not_matter(ending):
    assert match_by_name(["photos/aunt.jpg"], [f"aunt{ending}"]) == [f"aunt{ending}"]


@pytest.mark.parametrize(
    "name",
    [
        "val_0",
        "n01443537_12",
        "000000000139",
        "train_batch#12",
        "IMG_0001 (1)",
        "1999.07.04 beach",
        "v1.2.3",
        "aunt.jpg",
        "ends with a dot.",
        ".5",
        "100%",
        "[a]*?",
        " spaces ",
        "tab\tand\nline",
        "Größe",
        "祖母",
        "\udcff\udcfe",
    ],
)
def test_unusual_names_match(name):
    names = [f"/sets/photos/{name}.JPEG", f"/sets/photos/{name}2.JPEG"]
    paths = [f"{name}2.png", f"{name}.png"]
    assert match_by_name(names, paths) == paths[::-1]


def test_ending_may_follow_that_of_the_image():
    assert match_by_name(["photos/1.jpg"], ["1.jpg.png"]) == ["1.jpg.png"]


def test_name_of_a_dataset_record_has_no_ending():
    names = [f"oxford_flowers102/2.1.1/train#{number}" for number in (1, 12)]
    assert match_by_name(names, ["train#12.png", "train#1.png"]) == ["train#1.png", "train#12.png"]


def test_images_in_a_file_with_an_ending_are_distinguished():
    names = [f"/sets/imagenet64/val_data.npz#{number}" for number in (1, 12)]
    paths = ["val_data.npz#12.png", "val_data.npz#1.png"]
    assert match_by_name(names, paths) == paths[::-1]


@pytest.mark.parametrize(
    "path", ["10.png", "01.png", "1_fake.png", "1 (1).png", "1/2.png", "1", "a1.png"]
)
def test_only_equal_names_match(path):
    found = match_by_name(["photos/1.jpg"], [path])
    assert found == [path if path == "1" else None]


@pytest.mark.parametrize("notation", ["./cats/1.jpg", "cats//1.jpg", "/a/../b/cats/1.jpg"])
def test_notation_of_a_path_does_not_matter(notation):
    assert match_by_name([notation], ["dogs/1.png", "./cats//1.png"]) == ["./cats//1.png"]


# --- several candidates ------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["", "photos/", "../photos/", "/home/me/my photos/"])
def test_mirrored_tree_matches_completely(root):
    stems = [
        f"{year}/{month}/IMG_{number}" for year in "ab" for month in "xyz" for number in range(9)
    ]
    paths = [f"{stem}.png" for stem in stems]
    shuffled = random.Random(0).sample(paths, len(paths))
    assert match_by_name([f"{root}{stem}.jpg" for stem in stems], shuffled) == paths


def test_flat_files_match_nested_images():
    names = [f"tiny/train/n{number % 3}/images/n{number % 3}_{number}.JPEG" for number in range(9)]
    paths = [f"n{number % 3}_{number}.png" for number in range(9)]
    assert match_by_name(names, paths[::-1]) == paths


def test_nested_files_match_flat_images():
    names = ["photos/1.jpg", "photos/2.jpg"]
    paths = ["results/latest/2.png", "results/latest/1.png"]
    assert match_by_name(names, paths) == paths[::-1]


def test_files_in_folders_of_another_root_match():
    names = ["photos/cats/1.jpg", "photos/dogs/1.jpg"]
    paths = ["results/dogs/1.png", "results/cats/1.png"]
    assert match_by_name(names, paths) == paths[::-1]


def test_more_folders_decide_where_one_does_not():
    names = ["a/x/1.jpg", "b/x/1.jpg"]
    assert match_by_name(names, ["b/x/1.png", "a/x/1.png"]) == ["a/x/1.png", "b/x/1.png"]


def test_folders_count_from_the_file_upwards():
    assert match_by_name(["a/b/x/1.jpg"], ["a/b/y/1.png", "c/x/1.png"]) == ["c/x/1.png"]


@pytest.mark.parametrize(
    "stems", [["IMG_1", "2019/IMG_1"], ["2019/IMG_1", "beach/2019/IMG_1", "IMG_1"]]
)
@pytest.mark.parametrize("root", ["", "shoebox/", "/home/me/shoebox/"])
def test_mirrored_tree_with_a_name_on_several_levels_matches_completely(root, stems):
    paths = [f"{stem}.png" for stem in stems]
    assert match_by_name([f"{root}{stem}.jpg" for stem in stems], paths[::-1]) == paths


def test_ending_decides_where_nothing_else_does():
    names = ["photos/IMG_1.heic", "photos/IMG_1.jpg"]
    assert match_by_name(names, ["IMG_1.jpg", "IMG_1.heic"]) == ["IMG_1.heic", "IMG_1.jpg"]


# --- missing and ambiguous matches ---------------------------------------------------------------


def test_missing_file_is_none_and_others_are_found():
    names = ["photos/1.jpg", "photos/2.jpg", "photos/3.jpg"]
    assert match_by_name(names, ["3.png", "1.png"]) == ["1.png", None, "3.png"]


def test_files_without_an_image_are_ignored():
    assert match_by_name(["photos/1.jpg"], ["0.png", "1.png", "sheet.png"]) == ["1.png"]


def test_empty_lists_have_no_matches():
    assert match_by_name([], []) == match_by_name([], ["1.png"]) == []
    assert match_by_name(["1.jpg", "2.jpg"], []) == [None, None]


@pytest.mark.parametrize("names", [["a/1.jpg", "b/1.jpg"], ["b/1.jpg", "a/1.jpg"]])
def test_file_that_two_images_claim_goes_to_the_one_in_its_folders(names):
    found = dict(zip(names, match_by_name(names, ["b/1.png"]), strict=True))
    assert found == {"a/1.jpg": None, "b/1.jpg": "b/1.png"}


def test_no_file_is_matched_twice():
    rng = random.Random(0)
    names = [f"photos/{folder}/{number}.jpg" for folder in "abcd" for number in range(25)]
    paths = [f"{rng.choice('abcd')}/{number}.png" for number in range(25)]
    found = [path for path in match_by_name(names, paths) if path is not None]
    assert sorted(found) == sorted(paths)


@pytest.mark.parametrize("paths", [["x/1.png", "y/1.png"], ["b/a/1.png", "c/a/1.png"]])
def test_two_files_that_match_an_image_equally_are_an_error(paths):
    message = error_of(["photos/a/1.jpg"], paths)
    assert all(name in message for name in ("photos/a/1.jpg", *paths))


@pytest.mark.parametrize("path", ["1.png", "x/1.png"])
@pytest.mark.parametrize("names", [["a/1.jpg", "b/1.jpg"], ["a/1.jpg", "a/1.png"]])
def test_file_that_matches_two_images_equally_is_an_error(names, path):
    message = error_of([*names, "a/2.jpg"], [path, "2.png"])
    assert all(name in message for name in (path, *names))


def test_error_of_an_ambiguous_match_says_to_move_the_file():
    assert "put it into" in error_of(["cats/1.jpg", "dogs/1.jpg"], ["1.png"])
    assert "put them into" in error_of(["cats/1.jpg"], ["1.png", "1.jpeg"])


def test_error_of_unusual_names_is_one_printable_line():
    message = error_of(["a/\udcff\n1.jpg", "b/\udcff\n1.jpg"], ["\udcff\n1.png"])
    assert message.isprintable()
    assert r"a/\xff\n1.jpg" in message
    assert r"b/\xff\n1.jpg" in message
