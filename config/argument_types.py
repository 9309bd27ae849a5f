"""What a value on the command line may be: each function reads one, or says what it should be.

TensorFlow is not imported here: `--help` answers at once.
"""

import argparse
from collections.abc import Callable

from losses import TERMS


class Switch(argparse.Action):
    """--name and --no_name."""

    def __init__(self, **options):
        super().__init__(nargs=0, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, not option_string.startswith("--no_"))


def positive_int(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    return _checked(int, text, lambda number: number >= 1, "a whole number of at least 1")


def count(text: str) -> int:
    """A whole number of at least 0, for argparse."""
    return _checked(int, text, lambda number: number >= 0, "a whole number of at least 0")


def seed(text: str) -> int:
    """A whole number that NumPy and TensorFlow take for a seed, for argparse."""
    return _checked(int, text, lambda number: 0 <= number < 2**32, "a whole number below 2^32")


def positive(text: str) -> float:
    """A finite number above 0, for argparse."""
    return _checked(float, text, lambda number: 0 < number < float("inf"), "a number above 0")


def not_negative(text: str) -> float:
    """A finite number of at least 0, for argparse."""
    inside = lambda number: 0 <= number < float("inf")  # noqa: E731
    return _checked(float, text, inside, "a number of at least 0")


def share(text: str) -> float:
    """A number in [0, 1), for argparse."""
    return _checked(float, text, lambda number: 0 <= number < 1, "a number from 0 to below 1")


def proportion(text: str) -> float:
    """A number in [0, 1], for argparse."""
    return _checked(float, text, lambda number: 0 <= number <= 1, "a number from 0 to 1")


def scale(text: str) -> float:
    """A number in (0, 1], for argparse."""
    return _checked(float, text, lambda number: 0 < number <= 1, "a number above 0, at most 1")


def proper_fraction(text: str) -> float:
    """A number in (0, 1), for argparse."""
    return _checked(float, text, lambda number: 0 < number < 1, "a number between 0 and 1")


def side(text: str) -> int:
    """A side in pixels of at least 16, for argparse: the deepest level needs a pixel."""
    return _checked(int, text, lambda number: number >= 16, "a whole number of at least 16")


def percent(text: str) -> int:
    """A whole number from 1 to 100, for argparse."""
    return _checked(int, text, lambda number: 1 <= number <= 100, "a whole number from 1 to 100")


def name_part(text: str) -> str:
    """A part of a file name, for argparse."""
    if any(character in text for character in "/\\\0"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a part of a file name")
    return text


def term(text: str) -> str:
    """A term of the reconstruction loss with its weight, for argparse."""
    name, colon, weight = text.partition(":")
    if name not in TERMS or not colon:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not TERM:WEIGHT with a term of {', '.join(TERMS)}, as in l1:10"
        )
    not_negative(weight)
    return text


def model_name(text: str) -> str:
    """The name of a model, for argparse; `inception` is an older one of `encoder_decoder`."""
    return {"inception": "encoder_decoder"}.get(text, text)


def part_of(text: str) -> tuple[int, int]:
    """One of N parts as I/N, counted from 1, for argparse."""
    first, _, second = text.partition("/")
    part, parts = (int(each) if each.isdecimal() else 0 for each in (first, second))
    if not 1 <= part <= parts:
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N, as in 1/4")
    return part, parts


def _checked(kind: type, text: str, accept: Callable, wanted: str) -> int | float:
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not accept(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return number
