"""Types of settings, which also say how the command line shows, parses and checks a value.

TensorFlow is not imported here, so that `--help` is fast.
"""

import argparse
import os
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from losses import TERMS


@dataclass(frozen=True)
class Argument:
    """How the command line reads one value; stands in the `Annotated` type of a setting.

    Attributes:
        parse: function of the text, for argparse.
        metavar: str or None, how `--help` shows the value.
        is_path: bool, whether the value is a path, or a keyword instead of one.
        choices: tuple of the values that are accepted, or None for any.
    """

    parse: Callable[[str], Any]
    metavar: str | None = None
    is_path: bool = False
    choices: tuple | None = None


def value_type(annotation: Any) -> tuple[type, bool, Argument]:
    """Reads the annotation of a setting: `X`, `X | None` or `tuple[X, ...]`.

    Returns:
        Tuple of the type of one value, whether there may be several, and how to read it.
    """
    if get_origin(annotation) in (Union, types.UnionType):
        [annotation] = (each for each in get_args(annotation) if each is not type(None))
    is_list = get_origin(annotation) is tuple and get_args(annotation)[-1] is Ellipsis
    if is_list:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Annotated:
        base, argument = get_args(annotation)
        return get_origin(base) or base, is_list, argument
    if get_origin(annotation) is Literal:
        kind = type(get_args(annotation)[0])
        return kind, is_list, Argument(kind, choices=get_args(annotation))
    return annotation, is_list, Argument(annotation)


def _number(kind: type, metavar: str, wanted: str, accepts: Callable[[float], bool]) -> Argument:
    """A number within limits, and what it should be."""

    def parse(text: str) -> int | float:
        try:
            number = kind(text)
        except ValueError:
            number = None
        if number is None or not accepts(number):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return number

    return Argument(parse, metavar)


def _term(text: str) -> str:
    name, colon, weight = text.partition(":")
    if name not in TERMS or not colon:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not TERM:WEIGHT with TERM one of {', '.join(TERMS)}, as in l1:10"
        )
    _FROM_0.parse(weight)
    return text


def _name_part(text: str) -> str:
    if any(character in text for character in "/\\\0"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a part of a file name")
    return text


def _model_name(text: str) -> str:
    # `inception` is an old name.
    return {"inception": "encoder_decoder"}.get(text, text)


def _part_of(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    part, parts = (int(number) if number.isdecimal() else 0 for number in (first, second))
    if not 1 <= part <= parts:
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N, as in 1/4")
    return part, parts


PositiveInt = Annotated[int, _number(int, "N", "a whole number of at least 1", lambda x: x >= 1)]
Count = Annotated[int, _number(int, "N", "a whole number of at least 0", lambda x: x >= 0)]
Percent = Annotated[int, _number(int, "N", "a whole number from 1 to 100", lambda x: 1 <= x <= 100)]
# NumPy and TensorFlow accept these seeds.
Seed = Annotated[int, _number(int, "N", "a whole number below 2^32", lambda x: 0 <= x < 2**32)]
# The deepest level of a network needs a pixel.
Side = Annotated[int, _number(int, "PIXELS", "a whole number of at least 16", lambda x: x >= 16)]

_FROM_0 = _number(float, "NUMBER", "a number of at least 0", lambda x: 0 <= x < float("inf"))
_ABOVE_0 = _number(float, "RATE", "a number above 0", lambda x: 0 < x < float("inf"))
_SHARE = _number(float, "SHARE", "a number from 0 to below 1", lambda x: 0 <= x < 1)
_PROPORTION = _number(float, "SHARE", "a number from 0 to 1", lambda x: 0 <= x <= 1)
_SCALE = _number(float, "SHARE", "a number above 0, at most 1", lambda x: 0 < x <= 1)
_FRACTION = _number(float, "FACTOR", "a number between 0 and 1", lambda x: 0 < x < 1)
proportion = _PROPORTION.parse

NotNegative = Annotated[float, _FROM_0]
Weight = Annotated[float, replace(_FROM_0, metavar="WEIGHT")]
Rate = Annotated[float, _ABOVE_0]
Factor = Annotated[float, replace(_ABOVE_0, metavar="FACTOR")]
Share = Annotated[float, _SHARE]
Decay = Annotated[float, replace(_SHARE, metavar="DECAY")]
Proportion = Annotated[float, _PROPORTION]
Scale = Annotated[float, _SCALE]
Fraction = Annotated[float, _FRACTION]

Name = Annotated[str, Argument(str, "NAME")]
Host = Annotated[str, Argument(str, "ADDRESS")]
Port = Annotated[int, _number(int, "N", "a whole number below 65536", lambda x: 0 <= x < 2**16)]
NamePart = Annotated[str, Argument(_name_part, "TEXT")]
ModelName = Annotated[str, Argument(_model_name)]
Term = Annotated[str, Argument(_term, "TERM:WEIGHT")]
ExportFormat = Literal["onnx", "litert", "openvino", "saved_model"]
Part = Annotated[tuple[int, int], Argument(_part_of, "I/N")]
# No shell expands the tilde in `--log_dir=~/logs` or in a file of settings.
File = Annotated[str, Argument(os.path.expanduser, "PATH", is_path=True)]
Folder = Annotated[str, Argument(os.path.expanduser, "DIR", is_path=True)]
