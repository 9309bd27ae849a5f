"""Files of hints: what is read, written, found and refused."""

import json
import re
from pathlib import Path

import pytest

from inference.hints import Hint
from inference.hints_file import HintsFile, find_hints_file
from inference.look import Look
from inference.palette import Palette
from inference.variants import VARIANTS
from tests.colors import two_colors

HINTS = HintsFile(
    (Hint(0.25, 0.5, "#a03020", 0.02, 1), Hint(0, 1, "navy")),
    saturation=1.2,
    calm=0.5,
    variant="vivid",
    palette=Palette(((0, -40, 0.75), (30, 50, 0.25))),
)


def test_what_is_written_is_read(tmp_path):
    HINTS.write(tmp_path / "a.hints.json")
    assert HintsFile.read(tmp_path / "a.hints.json") == HINTS


def test_a_variant_stands_for_what_the_file_does_not_say():
    assert HintsFile().look() == Look()
    assert HintsFile(saturation=0.5).look() == Look(saturation=0.5)
    assert HintsFile(variant="chromagan").look() == VARIANTS["chromagan"]
    assert HINTS.look() == Look("vivid", saturation=1.2, calm=0.5, palette=HINTS.palette)


HINT = {"x": 0.5, "y": 0.5, "color": "red"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it has no version"),
        (json.dumps({"version": 2}), "it has version 2, but this program reads version 1"),
        (json.dumps({"version": 1, "hint": []}), "the file has an unknown field 'hint'"),
        (json.dumps({"version": 1, "hints": {}}), "give a list of at most 1000"),
        (json.dumps({"version": 1, "hints": [HINT] * 10_000}), "give a list of at most 1000"),
        (json.dumps({"version": 1, "hints": [HINT, {**HINT, "x": 2}]}), "hint 2: `x` should be in"),
        (json.dumps({"version": 1, "hints": [{"x": 0}]}), "hint 1: x, y and color are needed"),
        (json.dumps({"version": 1, "hints": [{**HINT, "r": 1}]}), "hint 1 has an unknown field"),
        (json.dumps({"version": 1, "saturation": "1"}), "Received: saturation='1'"),
        (json.dumps({"version": 1, "palette": [[0, 0]]}), "palette: a color of a palette should"),
        (json.dumps({"version": 1, "palette_from": 1}), "`palette_from` should be a photograph"),
        (json.dumps({"version": 1, "palette_from": "b.jpg"}), "b.jpg: there is no such file"),
        (
            json.dumps({"version": 1, "palette_from": "b.jpg", "palette": [[0, 0, 1]]}),
            "exclude each other",
        ),
        (json.dumps({"version": 1, "calm": 2}), "`calm` should be a number from 0 to 1. Received"),
        (json.dumps({"version": 1, "variant": "dull"}), "`variant` should be one of calm, as_is, "),
        (json.dumps({"version": 1, "variant": []}), "Received: variant=[]"),
        (" " * 2_000_000, "the file is larger"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, content, words):
    (tmp_path / "a.hints.json").write_text(content)
    with pytest.raises(ValueError, match=re.escape(words)) as error:
        HintsFile.read(tmp_path / "a.hints.json")
    assert "\n" not in str(error.value)


def test_the_palette_of_another_photograph_is_found_beside_the_file(tmp_path):
    (tmp_path / "others").mkdir()
    path = two_colors(tmp_path / "others/b.png")
    (tmp_path / "a.hints.json").write_text('{"version": 1, "palette_from": "others/b.png"}')
    assert HintsFile.read(tmp_path / "a.hints.json").palette == Palette.of_photograph(path)


def test_files_beside_the_photograph_are_found_by_its_whole_name_first(tmp_path):
    photograph = tmp_path / "a.jpg"
    assert find_hints_file(photograph, Path("a.jpg"), None) is None
    (tmp_path / "a.hints.json").touch()
    assert find_hints_file(photograph, Path("a.jpg"), None).name == "a.hints.json"
    (tmp_path / "a.jpg.hints.json").touch()
    assert find_hints_file(photograph, Path("a.jpg"), None).name == "a.jpg.hints.json"


def test_a_folder_of_hints_mirrors_that_of_the_photographs(tmp_path):
    (tmp_path / "hints/1950").mkdir(parents=True)
    wanted = tmp_path / "hints/1950/a.hints.json"
    wanted.touch()
    below = Path("1950/a.jpg")
    assert find_hints_file(tmp_path / "photos" / below, below, str(tmp_path / "hints")) == wanted
    assert find_hints_file(Path("b.jpg"), Path("b.jpg"), str(wanted)) == wanted
