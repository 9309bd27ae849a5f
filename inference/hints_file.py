"""Files of hints, as the page and people write them beside their photographs."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.atomic import write_beside
from errors import first_line, shown
from inference.hints import MOST_HINTS, Hint
from inference.look import AS_SET, Look
from inference.palette import Palette
from inference.variants import VARIANTS

VERSION = 1

HINTS_SUFFIX = ".hints.json"
_CHOICES = ("saturation", "calm", "variant")
_OF_A_FILE = frozenset({"version", "hints", *_CHOICES, "palette", "palette_from"})
_OF_A_HINT = frozenset({"x", "y", "color", "radius", "page"})

_MOST = {"saturation": 10, "calm": 1}

# A thousand hints take about 80 kB.
_MOST_BYTES = 2**20


@dataclass(frozen=True)
class HintsFile:
    """What a file of hints asks for.

        {"version": 1, "saturation": 1.1, "palette_from": "beach.jpg",
         "hints": [{"x": 0.25, "y": 0.5, "color": "#a03020", "radius": 0.02, "page": 0}]}

    In a file, `palette_from` is a photograph with the colors to use, relative to the file, or
    `palette` is a list of [a, b, share].

    Args:
        hints: tuple of `Hint`. Defaults to none.
        saturation: float or None, a factor for the colors without hints, instead of that of the
            colorizer. Defaults to `None`.
        calm: float or None, the share by which unsure colors are pulled toward gray, instead of
            that of the colorizer. Defaults to `None`.
        variant: str or None, a name of `VARIANTS`. Its values stand for those that are not given
            here. Defaults to `None`.
        palette: `Palette` or None, the colors that the photograph has. Defaults to `None`.

    Raises:
        ValueError: `saturation` is no number from 0 to 10, `calm` none from 0 to 1, or there is no
            such variant.

    Example:
        HintsFile((Hint(0.25, 0.5, "navy"),)).write("old.jpg.hints.json")
        HintsFile.read("old.jpg.hints.json").hints[0].color             # "navy"
    """

    hints: tuple[Hint, ...] = ()
    saturation: float | None = None
    calm: float | None = None
    variant: str | None = None
    palette: Palette | None = None

    def __post_init__(self):
        for name, most in _MOST.items():
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and 0.0 <= value <= most):
                raise ValueError(
                    f"`{name}` should be a number from 0 to {most}. Received: {name}={value!r}"
                )
        # A list, because a value from a file may have no hash.
        if self.variant not in [None, *VARIANTS]:
            raise ValueError(
                f"`variant` should be one of {', '.join(VARIANTS)}. Received: "
                f"variant={self.variant!r}"
            )

    @classmethod
    def read(cls, path: str | os.PathLike) -> "HintsFile":
        """Reads a file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not a file of hints, or of another version. The message does not name
                the file.
        """
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"there should be at most {MOST_HINTS} hints; the file is larger")
        try:
            beside = Path(path).parent
            return cls.from_json(
                json.loads(content), lambda name: Palette.of_photograph(beside / name)
            )
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"it is not JSON: {first_line(error)}") from error

    @classmethod
    def from_json(cls, content: Any, read_palette: Callable[[str], Palette]) -> "HintsFile":
        """Makes hints from what a file holds.

        Args:
            content: the parsed file.
            read_palette: function of the `palette_from` of the file that returns a `Palette`, or
                raises a ValueError.

        Raises:
            ValueError: as `read`. The message names the field.
        """
        if not isinstance(content, dict) or "version" not in content:
            raise ValueError("it is not a file of hints: it has no version")
        if content["version"] != VERSION:
            raise ValueError(
                f"it has version {content['version']!r}, but this program reads version {VERSION}"
            )
        _check_names(content, _OF_A_FILE, "the file")
        found = content.get("hints", [])
        if not isinstance(found, list) or len(found) > MOST_HINTS:
            raise ValueError(f"hints: give a list of at most {MOST_HINTS}")
        return cls(
            tuple(_hint(each, number) for number, each in enumerate(found)),
            **{name: content.get(name) for name in _CHOICES},
            palette=_palette(content, read_palette),
        )

    def to_json(self) -> dict[str, Any]:
        """What a file of these hints holds."""
        content: dict[str, Any] = {"version": VERSION, "hints": [vars(each) for each in self.hints]}
        values = {name: getattr(self, name) for name in _CHOICES}
        if self.palette is not None:
            values["palette"] = [list(color) for color in self.palette.colors]
        return content | {name: value for name, value in values.items() if value is not None}

    def look(self) -> Look:
        """The weights, saturation, calm and palette that it asks for, None where for none."""
        chosen = VARIANTS[self.variant] if self.variant else AS_SET
        own = {name: getattr(self, name) for name in (*_MOST, "palette")}
        return replace(chosen, **{name: value for name, value in own.items() if value is not None})

    def write(self, path: str | os.PathLike) -> None:
        """Writes a file, completely or not at all.

        Raises:
            OSError: it cannot be written.
        """
        with write_beside(path) as temporary:
            temporary.write_text(json.dumps(self.to_json(), indent=1) + "\n")


def find_hints_file(photograph: Path, below: Path, given: str | None) -> Path | None:
    """Finds the file of hints of a photograph.

    `a.jpg.hints.json` comes before `a.hints.json`, so that `a.jpg` and `a.png` may differ.

    Args:
        photograph: `Path` of the photograph.
        below: `Path` of the photograph in the folder that was named, for a folder of hints.
        given: str or None, a file of hints, or a folder that mirrors that of the photographs.
            `None`: beside the photograph.

    Returns:
        The path, or None if there is none.
    """
    if given is not None and not os.path.isdir(given):
        return Path(given)
    beside = photograph if given is None else Path(given) / below
    for name in (beside.name, beside.stem):
        path = beside.with_name(name + HINTS_SUFFIX)
        # Unlike `Path.is_file`, this takes names that are too long for the disk.
        if os.path.isfile(path):
            return path
    return None


def _hint(content: Any, number: int) -> Hint:
    where = f"hint {number + 1}"
    if not isinstance(content, dict) or not {"x", "y", "color"} <= content.keys():
        raise ValueError(f"{where}: x, y and color are needed. Received: {content!r}"[:300])
    _check_names(content, _OF_A_HINT, where)
    try:
        return Hint(**content)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _palette(content: dict, read: Callable[[str], Palette]) -> Palette | None:
    given = [name for name in ("palette", "palette_from") if content.get(name) is not None]
    if not given:
        return None
    if len(given) > 1:
        raise ValueError("`palette` and `palette_from` exclude each other; give one")
    [name] = given
    value = content[name]
    if name == "palette_from" and not isinstance(value, str):
        raise ValueError(f"`palette_from` should be a photograph. Received: {value!r}"[:300])
    try:
        return Palette.from_json(value) if name == "palette" else read(value)
    except ValueError as error:
        where = f"{name} {shown(value)}" if name == "palette_from" else name
        raise ValueError(f"{where}: {error}") from error


def _check_names(content: dict, names: frozenset[str], where: str) -> None:
    if unknown := sorted(map(str, content.keys() - names)):
        raise ValueError(f"{where} has an unknown field {unknown[0]!r}"[:300])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
