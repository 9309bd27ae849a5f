"""Images that the weights were trained on are not evaluated."""

import json
import os
import shutil

import pytest

from tests.jobs.evaluate.evaluated import (
    ALL,
    error_message,
    evaluated,
    held_out,
    names_of,
    solid,
    trained,
)


@pytest.mark.parametrize("seed", [0, 3])
def test_weights_are_evaluated_on_the_images_held_out_from_their_training(images, seed):
    weights = trained("mine", "images", seed=seed)
    # The seed of the evaluation affects only the order.
    unseen = evaluated("--dataset", "images", "--weights", weights, "--seed", "9")
    assert sorted(names_of(unseen)) == held_out("images", 0.3, seed)
    trained_on = 10 - len(held_out("images", 0.3, seed))
    remark = f"without {trained_on} that the weights were trained on"
    assert unseen.description == f"images ({remark})"


@pytest.mark.parametrize("name", ["images/", "./images", "mine/../images", "{here}/images"])
def test_the_training_dataset_is_recognized_by_any_path(images, here, name):
    weights = trained("mine", "images")
    names = names_of(evaluated("--dataset", name.format(here=here), "--weights", weights))
    assert sorted(names) == held_out("images", 0.3, 0)


def test_own_weights_are_evaluated_on_the_held_out_images_too(images):
    trained("weights/sagan", "images")
    names = names_of(evaluated("--dataset", "images", "--load_weights"))
    assert sorted(names) == held_out("images", 0.3, 0)


def test_weights_that_were_trained_on_other_datasets_are_evaluated_on_all_images(images, here):
    solid(here / "other" / "a.png")
    weights = trained("mine", "other", "demo")
    assert sorted(names_of(evaluated("--dataset", "images", "--weights", weights))) == ALL


def test_all_weights_are_evaluated_on_the_images_held_out_from_one_of_them(images, here):
    solid(here / "other" / "a.png")
    weights = [trained("mine", "images", "other"), trained("theirs", "other", seed=3)]
    names = names_of(evaluated("--dataset", "images", "--weights", *weights))
    assert sorted(names) == held_out("images", 0.3, 0)


def test_all_images_of_a_dataset_that_is_new_to_the_weights_are_evaluated_beside_another(
    images, here
):
    for number in range(9):
        solid(here / "new" / f"new{number}.png")
    weights = trained("mine", "images")
    names = names_of(evaluated("--dataset", "images", "new", "--weights", weights))
    whole = [f"new{number}.png" for number in range(9)]
    assert sorted(names) == [*held_out("images", 0.3, 0), *whole]


@pytest.mark.parametrize("other", [{"seed": 1}, {"share": 0.2}])
def test_several_weights_are_evaluated_on_the_images_that_are_new_to_all(images, other):
    weights = [
        trained("one", "images", share=0.6),
        trained("two", "images", **{"share": 0.6, **other}),
    ]
    new_to_one = set(held_out("images", 0.6, 0))
    new_to_two = set(held_out("images", other.get("share", 0.6), other.get("seed", 0)))
    names = names_of(evaluated("--dataset", "images", "--weights", *weights))
    assert set(names) == new_to_one & new_to_two
    assert 0 < len(names) < max(len(new_to_one), len(new_to_two))


def test_a_dataset_that_was_trained_on_completely_is_a_one_line_error(images):
    weights = [trained("mine", "images", share=0.0)]
    message = error_message("--dataset", "images", "--weights", *weights)
    assert message.startswith("--dataset images: the weights were trained on all of these images")


@pytest.mark.parametrize("path", [".", "images/part", "link"])
def test_training_images_are_recognized_in_parents_subfolders_and_links(images, here, path):
    for number in range(8):
        solid(images / "part" / f"part{number}.png")
    (here / "link").symlink_to(images)
    weights = trained("mine", "images", share=0.5)
    names = {os.path.basename(name) for name in held_out("images", 0.5, 0)}
    if path == "images/part":
        names = {name for name in names if name.startswith("part")}
    found = names_of(evaluated("--dataset", path, "--weights", weights))
    assert sorted(found) == sorted(names)


def test_the_training_images_of_pretrained_weights_are_excluded_too(images, here):
    solid(here / "other" / "a.png")
    trained("first", "images")
    second = trained("second", "other", pretrained=str(here / "first"))
    names = names_of(evaluated("--dataset", "images", "--weights", second))
    assert sorted(names) == held_out("images", 0.3, 0)


def test_missing_training_images_are_a_warning(images, here, capsys):
    solid(here / "images" / "part" / "a.png")
    weights = trained("mine", "images/part")
    shutil.rmtree(here / "images" / "part")
    assert sorted(names_of(evaluated("--dataset", "images", "--weights", weights))) == ALL
    warning = "warning: the images that mine was trained on cannot be found"
    assert capsys.readouterr().err.startswith(warning)


def test_weights_of_different_seeds_are_evaluated_together_if_the_dataset_has_a_split(here):
    for number in range(3):
        solid(here / "set" / "train" / f"{number}.png")
        solid(here / "set" / "validation" / f"held{number}.png")
    weights = [trained("one", "set", seed=0), trained("two", "set", seed=1)]
    names = names_of(evaluated("--dataset", "set", "--weights", *weights))
    assert sorted(names) == ["held0.png", "held1.png", "held2.png"]


def test_an_explicit_validation_share_does_not_include_training_images(images):
    weights = trained("mine", "images")
    options = ("--dataset", "images", "--weights", weights, "--validation_share")
    assert sorted(names_of(evaluated(*options, "0.9"))) == held_out("images", 0.3, 0)
    assert sorted(names_of(evaluated(*options, "0.1"))) == held_out("images", 0.1, 0)


@pytest.mark.parametrize("settings", [[1], "no settings", {"dataset": 3}, {"dataset": [3]}])
def test_weights_with_invalid_saved_settings_are_a_one_line_error(images, here, settings):
    text = json.dumps({"architecture": {}, "settings": settings}).replace("{here}", str(here))
    (here / "mine").mkdir()
    (here / "mine" / "settings.json").write_text(text)
    assert "mine" in error_message("--dataset", "images", "--weights", "mine")
