"""Skipped images are remembered from run to run, and too many of them are an error."""

import os
import threading

import pytest

from data.image_io import READER_VERSION
from data.input.skipped_images import SkippedImages
from errors import InputError


def write_file(folder, name="broken.jpg"):
    path = folder / name
    path.write_text("not an image")
    return str(path)


def test_nothing_is_skipped_at_first(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=10)
    assert skipped.reason("a.jpg") is None
    assert len(skipped) == 0


def test_reason_is_remembered(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=10)
    skipped.add("a.jpg", "unreadable: truncated")
    assert skipped.reason("a.jpg") == "unreadable: truncated"
    assert skipped.reason("b.jpg") is None


def test_adding_twice_counts_once(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=10)
    skipped.add("a.jpg", "first")
    skipped.add("a.jpg", "second")
    assert len(skipped) == 1
    assert skipped.reason("a.jpg") == "first"


@pytest.mark.parametrize(
    "name",
    [
        "broken.jpg",
        "tab\tin it.jpg",
        "line\nin it.jpg",
        "next\x85line.jpg",
        "Größe.jpg",
        "\udcff.jpg",
    ],
    ids=["plain", "tab", "line feed", "next line", "umlaut", "not UTF-8"],
)
def test_reason_is_saved_for_the_next_run(tmp_path, name):
    image = write_file(tmp_path, name)
    SkippedImages(tmp_path / "logs" / "skipped_images.tsv", 10).add(image, "unreadable: truncated")
    again = SkippedImages(tmp_path / "logs" / "skipped_images.tsv", total=10)
    assert again.reason(image) == "unreadable: truncated"
    assert len(again) == 1


def test_missing_file_is_skipped_until_it_exists(tmp_path):
    image = str(tmp_path / "a.jpg")
    SkippedImages(tmp_path / "skipped_images.tsv", 10).add(
        image, "unreadable: there is no such file"
    )
    assert SkippedImages(tmp_path / "skipped_images.tsv", 10).reason(image) is not None
    write_file(tmp_path, "a.jpg")
    assert SkippedImages(tmp_path / "skipped_images.tsv", 10).reason(image) is None


@pytest.mark.parametrize("change", ["size", "time"])
def test_changed_file_is_tried_again(tmp_path, change):
    image = write_file(tmp_path)
    SkippedImages(tmp_path / "skipped_images.tsv", 10).add(image, "unreadable")
    times = os.stat(image)
    if change == "size":
        (tmp_path / "broken.jpg").write_text("another content")
        os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    again = SkippedImages(tmp_path / "skipped_images.tsv", 10)
    assert again.reason(image) is None
    assert len(again) == 0


def test_image_in_another_file_is_tried_again_when_that_file_has_changed(tmp_path):
    album = write_file(tmp_path, "album.bin")
    SkippedImages(tmp_path / "skipped_images.tsv", 10).add("album.bin#3", "unreadable", album)
    assert (
        SkippedImages(tmp_path / "skipped_images.tsv", 10).reason("album.bin#3", album)
        == "unreadable"
    )
    (tmp_path / "album.bin").write_text("another content")
    assert SkippedImages(tmp_path / "skipped_images.tsv", 10).reason("album.bin#3", album) is None


def test_images_in_one_file_are_skipped_separately(tmp_path):
    album = write_file(tmp_path, "album.bin")
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", 10)
    skipped.add("album.bin#3", "first", album)
    skipped.add("album.bin#5", "second", album)
    for each in (skipped, SkippedImages(tmp_path / "skipped_images.tsv", 10)):
        numbers = range(3, 7)
        reasons = [each.reason(f"album.bin#{number}", album) for number in numbers]
        assert reasons == ["first", None, "second", None]
        assert len(each) == 2


def test_list_names_the_image_and_the_size_of_its_file(tmp_path):
    album = write_file(tmp_path, "album.bin")
    SkippedImages(tmp_path / "skipped_images.tsv", 10).add("album.bin#3", "unreadable", album)
    row = (tmp_path / "skipped_images.tsv").read_text().splitlines()[1].split("\t")
    modified = str(os.stat(album).st_mtime_ns)
    assert row == ["album.bin#3", "unreadable", "12", modified]


def test_newest_reason_of_a_file_counts(tmp_path):
    image = write_file(tmp_path)
    SkippedImages(tmp_path / "skipped_images.tsv", 10).add(image, "first")
    (tmp_path / "broken.jpg").write_text("still none")
    SkippedImages(tmp_path / "skipped_images.tsv", 10).add(image, "second")
    assert SkippedImages(tmp_path / "skipped_images.tsv", 10).reason(image) == "second"


def test_list_can_be_read_by_a_person(tmp_path):
    image = write_file(tmp_path)
    SkippedImages(tmp_path / "skipped_images.tsv", 10).add(image, "unreadable:\n  two\tparts")
    heading, row = (tmp_path / "skipped_images.tsv").read_text().splitlines()
    assert heading.split("\t") == [
        *("image", "reason", "bytes", "modified"),
        f"reader {READER_VERSION}",
    ]
    assert row.split("\t")[:3] == [image, "unreadable: two parts", "12"]


def test_half_may_be_skipped_and_no_more(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=4)
    skipped.add("a.jpg", "unreadable")
    skipped.add("b.jpg", "unreadable")
    skipped.raise_if_too_many()
    with pytest.raises(InputError, match="more than half"):
        skipped.add("c.jpg", "unreadable")
    with pytest.raises(InputError, match="3 of 4 skipped"):
        skipped.raise_if_too_many()


def test_error_ends_with_the_advice(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=1, advice="call your aunt")
    with pytest.raises(InputError) as caught:
        skipped.add("a.jpg", "unreadable: truncated")
    expected = (
        "more than half of the images cannot be used: 1 of 1 skipped (1 unreadable), listed in "
        f"{tmp_path}/skipped_images.tsv; call your aunt"
    )
    assert str(caught.value) == str(skipped.failure) == expected


def test_summary_has_no_advice(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=9, advice="call your aunt")
    skipped.add("a.jpg", "unreadable: truncated")
    assert skipped.summary().endswith("skipped_images.tsv")
    with pytest.raises(InputError, match=r"nothing is left: 1 of 9 skipped .*; call your aunt"):
        skipped.fail("nothing is left")


def test_summary_has_the_counts_the_reasons_and_the_path(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=10)
    skipped.add("a.jpg", "no color: colorfulness 0.3")
    skipped.add("b.jpg", "unreadable: truncated")
    skipped.add("c.jpg", "unreadable: not an image")
    assert skipped.summary() == (
        f"3 of 10 skipped (2 unreadable, 1 no color), listed in {tmp_path}/skipped_images.tsv"
    )


def test_many_threads_may_add(tmp_path):
    skipped = SkippedImages(tmp_path / "skipped_images.tsv", total=1000)

    def add(start):
        for number in range(start, start + 50):
            skipped.add(f"{number}.jpg", "unreadable")

    threads = [threading.Thread(target=add, args=[start]) for start in (0, 25, 50, 75)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(skipped) == 125
    assert len((tmp_path / "skipped_images.tsv").read_text().splitlines()) == 1 + 125


def test_list_of_another_version_of_the_reader_is_begun_anew(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"something")
    SkippedImages(tmp_path / "list.tsv", total=9).add(tmp_path / "a.jpg", "unreadable: damaged")
    listed = (tmp_path / "list.tsv").read_text()
    assert SkippedImages(tmp_path / "list.tsv", total=9).reason(tmp_path / "a.jpg") is not None
    earlier = listed.replace(f"reader {READER_VERSION}", f"reader {READER_VERSION - 1}")
    (tmp_path / "list.tsv").write_text(earlier)
    assert SkippedImages(tmp_path / "list.tsv", total=9).reason(tmp_path / "a.jpg") is None
    assert not (tmp_path / "list.tsv").exists()
