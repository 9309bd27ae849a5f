"""Names of datasets are parsed, made absolute and corrected."""

import os

import pytest

from data.datasets.dataset_name import absolute_name, did_you_mean, names_like, parse_name
from errors import InputError


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def error_of(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message


# --- kinds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("demo", ("demo", "")),
        ("photos", ("folder", "photos")),
        ("photos/", ("folder", "photos/")),
        ("./demo", ("folder", "./demo")),
        ("demo/", ("folder", "demo/")),
        ("tiny-imagenet:sets/tiny", ("tiny-imagenet", "sets/tiny")),
        ("imagenet64:.", ("imagenet64", ".")),
        ("coco:/sets/my coco #1", ("coco", "/sets/my coco #1")),
        ("tfds:oxford_flowers102:2.1.1", ("tfds", "oxford_flowers102:2.1.1")),
        ("coco:C:\\sets", ("coco", "C:\\sets")),
        ("C:\\photos", ("folder", "C:\\photos")),
        ("größe/\udcff", ("folder", "größe/\udcff")),
    ],
)
def test_kind_and_location_are_separated(name, parsed):
    assert parse_name(name) == parsed


@pytest.mark.parametrize("name", ["12:30", "cocoa:butter", "coco", "tfds", "a:b:c", "demo:", ":"])
def test_existing_folder_is_a_folder_whatever_its_name(tmp_path, name):
    (tmp_path / name).mkdir()
    assert parse_name(name) == ("folder", name)
    assert parse_name(str(tmp_path / name)) == ("folder", str(tmp_path / name))


@pytest.mark.parametrize("kind", ["tiny-imagenet", "imagenet64", "coco"])
def test_tilde_after_a_colon_is_the_home_folder(monkeypatch, kind):
    # A shell expands it only at the beginning of a word.
    monkeypatch.setenv("HOME", "/home/me")
    assert parse_name(f"{kind}:~/my sets") == (kind, "/home/me/my sets")
    assert absolute_name(f"{kind}:~/my sets") == f"{kind}:/home/me/my sets"


def test_folder_named_like_a_kind_and_a_location_is_found_by_its_path(tmp_path):
    (tmp_path / "coco:birds").mkdir()
    assert parse_name("coco:birds") == ("coco", "birds")
    assert parse_name("./coco:birds") == ("folder", "./coco:birds")


@pytest.mark.parametrize("kind", ["tiny-imagenet", "imagenet64", "coco", "tfds"])
@pytest.mark.parametrize("colon", ["", ":"])
def test_error_of_a_kind_without_a_location_says_what_is_missing(kind, colon):
    message = error_of(parse_name, kind + colon)
    assert message.startswith(f"{kind}{colon}: ")
    assert f"{kind}:{'NAME' if kind == 'tfds' else 'DIR'}" in message


@pytest.mark.parametrize(
    ("typo", "kind"),
    [
        ("tiny-imagnet", "tiny-imagenet"),
        ("tinyimagenet", "tiny-imagenet"),
        ("tiny_imagenet", "tiny-imagenet"),
        ("imagenet_64", "imagenet64"),
        ("coc", "coco"),
        ("cooc", "coco"),
        ("Coco", "coco"),
        ("tfsd", "tfds"),
        ("COCO", "coco"),
        ("TFDS", "tfds"),
    ],
)
def test_kind_with_a_typo_is_corrected(typo, kind):
    message = error_of(parse_name, f"{typo}:somewhere")
    assert f"unknown kind of dataset {typo} (did you mean {kind}" in message


def test_error_of_an_unknown_kind_like_no_other_lists_all_kinds():
    message = error_of(parse_name, "zzzzzz:somewhere")
    assert "did you mean" not in message
    for form in ("tiny-imagenet:DIR", "imagenet64:DIR", "coco:DIR", "tfds:NAME", "demo"):
        assert form in message


@pytest.mark.parametrize("name", ["/photos/12:30", "./12:30", "photos/coco:x"])
def test_path_of_a_missing_folder_is_not_an_unknown_kind(name):
    assert parse_name(name) == ("folder", name)


@pytest.mark.parametrize("name", ["nope:a\nb", "no\npe:a", "no\rpe:a"])
def test_unknown_kind_with_a_line_break_is_reported_in_one_line(name):
    assert "unknown kind of dataset" in error_of(parse_name, name)


# --- absolute names ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["demo", "tfds:oxford_flowers102"])
def test_name_without_a_path_is_unchanged(name):
    assert absolute_name(name) == name


@pytest.mark.parametrize("kind", ["", "tiny-imagenet:", "imagenet64:", "coco:"])
@pytest.mark.parametrize("where", ["photos", "./photos/", "deep/../photos", "{here}/photos"])
def test_path_becomes_absolute(tmp_path, kind, where):
    where = where.format(here=tmp_path)
    assert absolute_name(kind + where) == f"{kind}{tmp_path}/photos"


@pytest.mark.parametrize("name", ["photos", "coco:photos", "coco:a:b", "demo", "./demo", "tfds:x"])
def test_absolute_name_means_the_same_and_is_not_changed_again(name):
    absolute = absolute_name(name)
    assert parse_name(absolute)[0] == parse_name(name)[0]
    assert absolute_name(absolute) == absolute


def test_absolute_name_of_a_folder_with_a_colon_means_that_folder(tmp_path):
    (tmp_path / "coco:birds").mkdir()
    assert parse_name(absolute_name("./coco:birds")) == ("folder", f"{tmp_path}/coco:birds")


# --- corrections -------------------------------------------------------------------------------


def test_close_names_are_offered_the_closest_first():
    assert did_you_mean("cats", ["dogs", "cart", "cat"]) == " (did you mean cat or cart?)"


def test_no_more_than_three_names_are_offered():
    assert did_you_mean("name", [f"name{number}" for number in range(9)]).count(" or ") == 2


def test_nothing_is_offered_where_nothing_is_close():
    assert did_you_mean("cats", ["zebra", ""]) == ""
    assert did_you_mean("", ["zebra"]) == ""


def test_neighbors_of_a_missing_folder_are_offered(tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photograph.txt").touch()
    expected = " (did you mean photographs?)"
    for folder in ("photograps", "photograps/", "./photograps", f"{tmp_path}/photograps//"):
        assert names_like(folder) == expected


def test_linked_folder_is_a_neighbor(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "photographs").symlink_to("elsewhere", target_is_directory=True)
    assert names_like("photograps") == " (did you mean photographs?)"


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("dem", "demo"),
        ("Demo", "demo"),
        ("tiny_imagenet", "tiny-imagenet:DIR"),
        ("imagenet-64", "imagenet64:DIR"),
        ("coc", "coco:DIR"),
        ("cooc", "coco:DIR"),
        ("tfsd", "tfds:NAME"),
    ],
)
def test_kinds_are_offered_for_a_bare_name(typo, meant):
    assert meant in names_like(typo)


def test_kinds_are_not_offered_for_a_path():
    assert names_like("photos/dem") == ""


@pytest.mark.parametrize("folder", ["no/where/at/all", "", "/", "no/where/"])
def test_nothing_is_offered_where_there_are_no_neighbors(folder):
    assert names_like(folder) == ""


def test_neighbor_with_unusual_characters_is_offered_in_one_line(tmp_path):
    os.mkdir(tmp_path / "photo\ngraphs")
    offered = names_like("photographs")
    assert "photo" in offered
    assert offered.splitlines() == [offered]
