"""Data sets are found, split and limited as they say, and stay so."""

import pytest

from data.datasets import DEMO, demo_pictures, find_pictures
from errors import InputError


def touch(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return str(folder)


def numbered(count, prefix=""):
    return [f"{prefix}{number:04}.jpg" for number in range(count)]


def test_subfolders_train_and_validation_are_the_split(tmp_path):
    folder = touch(tmp_path, ["train/a.jpg", "train/deep/b.jpg", "validation/c.jpg"])
    lists = find_pictures([folder], validation_share=0.9)
    assert lists.training == [f"{folder}/train/a.jpg", f"{folder}/train/deep/b.jpg"]
    assert lists.validation == [f"{folder}/validation/c.jpg"]
    assert len(lists) == 3


def test_validation_may_be_called_val(tmp_path):
    folder = touch(tmp_path, ["train/a.jpg", "val/b.jpg"])
    assert find_pictures([folder]).validation == [f"{folder}/val/b.jpg"]


def test_pictures_beside_the_subfolders_are_not_used(tmp_path):
    folder = touch(tmp_path, ["train/a.jpg", "val/b.jpg", "test/c.jpg", "d.jpg"])
    assert len(find_pictures([folder])) == 2


def test_train_without_validation_is_an_ordinary_folder(tmp_path):
    folder = touch(tmp_path, numbered(20, "train/"))
    lists = find_pictures([folder])
    assert lists.validation
    assert len(lists) == 20


def test_split_is_disjoint_and_complete(tmp_path):
    folder = touch(tmp_path, numbered(100) + numbered(100, "deep/"))
    lists = find_pictures([folder], validation_share=0.3)
    assert len(set(lists.training) | set(lists.validation)) == len(lists) == 200


def test_validation_pictures_are_mixed(tmp_path):
    # So that the first of them, which a limited validation takes, are of all subfolders.
    folder = touch(tmp_path, numbered(200, "a/") + numbered(200, "b/"))
    validation = find_pictures([folder], 0.5).validation
    first = [path.removeprefix(f"{folder}/")[0] for path in validation[:40]]
    assert 10 <= first.count("a") <= 30
    assert validation == find_pictures([folder], 0.5).validation


def test_split_is_about_the_share(tmp_path):
    folder = touch(tmp_path, numbered(1000))
    assert len(find_pictures([folder], validation_share=0.2).validation) == pytest.approx(
        200, abs=40
    )


def test_split_is_the_same_again(tmp_path):
    folder = touch(tmp_path, numbered(100))
    assert find_pictures([folder]) == find_pictures([folder])


def test_split_depends_on_the_seed(tmp_path):
    folder = touch(tmp_path, numbered(100))
    assert find_pictures([folder], 0.2, seed=1) != find_pictures([folder], 0.2, seed=2)


def test_split_does_not_depend_on_where_the_folder_is(tmp_path):
    lists = [
        find_pictures([touch(tmp_path / place, numbered(100))], 0.2)
        for place in ("here", "b/there")
    ]
    names = [[path.rsplit("/", 1)[1] for path in each.validation] for each in lists]
    assert names[0] == names[1]


def test_split_is_stable_when_pictures_are_added(tmp_path):
    before = find_pictures([touch(tmp_path, numbered(100))])
    after = find_pictures([touch(tmp_path, numbered(300, "a/") + numbered(300, "z"))])
    assert set(before.training) < set(after.training)
    assert set(before.validation) < set(after.validation)


def test_split_is_stable_when_pictures_are_removed(tmp_path):
    before = find_pictures([touch(tmp_path, numbered(200))])
    for path in (before.training + before.validation)[::3]:
        (tmp_path / path).unlink()
    after = find_pictures([str(tmp_path)])
    assert set(after.training) < set(before.training)
    assert set(after.validation) < set(before.validation)


@pytest.mark.parametrize("trial", range(10))
def test_no_training_picture_of_a_small_set_is_ever_held_out(tmp_path, trial):
    # A set so small that the share holds out none gives up one picture; that one may go back to
    # training when others are added, but never the other way.
    before = find_pictures([touch(tmp_path, numbered(5, f"{trial}_"))])
    after = find_pictures([touch(tmp_path, numbered(50, f"more{trial}_"))])
    assert len(before.validation) == 1
    assert set(before.training) < set(after.training)


@pytest.mark.parametrize("share", [0.001, 0.999])
@pytest.mark.parametrize("count", [2, 3, 20])
def test_each_side_has_at_least_one_picture(tmp_path, share, count):
    lists = find_pictures([touch(tmp_path, numbered(count))], share)
    assert lists.training
    assert lists.validation
    assert len(lists) == count


def test_share_of_zero_holds_out_none(tmp_path):
    lists = find_pictures([touch(tmp_path, numbered(50))], validation_share=0.0)
    assert len(lists.training) == 50
    assert lists.validation == []


@pytest.mark.parametrize("count", [2, 7, 50])
def test_max_pictures_limits_both_sides_in_proportion(tmp_path, count):
    folder = touch(tmp_path, numbered(200))
    whole = find_pictures([folder], 0.2)
    limited = find_pictures([folder], 0.2, max_pictures=count)
    assert len(limited) == count
    assert set(limited.training) < set(whole.training)
    assert set(limited.validation) < set(whole.validation)
    assert len(limited.validation) == max(1, round(count * len(whole.validation) / 200))


def test_max_pictures_beyond_what_there_is_changes_nothing(tmp_path):
    folder = touch(tmp_path, numbered(20))
    assert find_pictures([folder], max_pictures=20) == find_pictures([folder])


def test_max_pictures_are_drawn_and_not_the_first(tmp_path):
    folder = touch(tmp_path, numbered(200))
    limited = find_pictures([folder], max_pictures=20)
    first = [f"{folder}/{name}" for name in numbered(20)]
    assert limited == find_pictures([folder], max_pictures=20)
    assert limited != find_pictures([folder], max_pictures=20, seed=1)
    assert set(limited.training + limited.validation) != set(first)


def test_max_pictures_leaves_one_on_each_side(tmp_path):
    folder = touch(tmp_path, ["train/a.jpg", "train/b.jpg", *numbered(18, "validation/")])
    limited = find_pictures([folder], max_pictures=2)
    assert len(limited.training) == 1
    assert len(limited.validation) == 1


def test_sets_are_joined(tmp_path):
    split = touch(tmp_path / "a", ["train/a.jpg", "val/b.jpg"])
    plain = touch(tmp_path / "b", numbered(30))
    joined = find_pictures([split, plain])
    apart = [find_pictures([split]), find_pictures([plain])]
    assert joined.training == apart[0].training + apart[1].training
    assert sorted(joined.validation) == sorted(apart[0].validation + apart[1].validation)


def test_sets_that_overlap_have_no_picture_on_both_sides(tmp_path):
    folder = touch(tmp_path, numbered(10) + numbered(50, "deep/"))
    lists = find_pictures([folder, f"{folder}/deep"], 0.5)
    assert not set(lists.training) & set(lists.validation)


def test_demo_is_a_handful_of_color_photographs():
    lists = find_pictures([DEMO])
    assert sorted(lists.training + lists.validation) == sorted(map(str, demo_pictures()))
    assert lists.training
    assert lists.validation


def test_demo_can_be_joined_with_a_folder(tmp_path):
    folder = touch(tmp_path, numbered(20))
    assert len(find_pictures([DEMO, folder])) == len(demo_pictures()) + 20


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path}/nowhere: does not exist"):
        find_pictures([f"{tmp_path}/nowhere"])


def test_file_in_place_of_a_folder_is_named(tmp_path):
    touch(tmp_path, ["a.jpg"])
    with pytest.raises(InputError, match=f"{tmp_path}/a.jpg: is a file"):
        find_pictures([f"{tmp_path}/a.jpg"])


def test_folder_without_pictures_is_named(tmp_path):
    touch(tmp_path, ["deep/notes.txt"])
    with pytest.raises(InputError, match=f"{tmp_path}: no picture in it"):
        find_pictures([str(tmp_path)])


def test_one_bad_name_among_good_ones_is_an_error(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        find_pictures([touch(tmp_path, numbered(3)), "nowhere"])
