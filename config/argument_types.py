"""Argument types of the command line: each function parses one value or says what it should be.

TensorFlow is not imported here, so that `--help` is fast.
"""

import argparse
from collections.abc import Callable

from losses import TERMS


class Switch(argparse.Action):
    """An argparse action for the pair of flags --name and --no_name."""

    def __init__(self, **options):
        super().__init__(nargs=0, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, not option_string.startswith("--no_"))


def positive_int(text: str) -> int:
    """Parses a whole number of at least 1, for argparse."""
    return _checked(int, text, lambda number: number >= 1, "a whole number of at least 1")


def count(text: str) -> int:
    """Parses a whole number of at least 0, for argparse."""
    return _checked(int, text, lambda number: number >= 0, "a whole number of at least 0")


def seed(text: str) -> int:
    """Parses a seed that NumPy and TensorFlow accept, for argparse."""
    return _checked(int, text, lambda number: 0 <= number < 2**32, "a whole number below 2^32")


def positive(text: str) -> float:
    """Parses a finite number above 0, for argparse."""
    return _checked(float, text, lambda number: 0 < number < float("inf"), "a number above 0")


def not_negative(text: str) -> float:
    """Parses a finite number of at least 0, for argparse."""
    inside = lambda number: 0 <= number < float("inf")  # noqa: E731
    return _checked(float, text, inside, "a number of at least 0")


def share(text: str) -> float:
    """Parses a number in [0, 1), for argparse."""
    return _checked(float, text, lambda number: 0 <= number < 1, "a number from 0 to below 1")


def proportion(text: str) -> float:
    """Parses a number in [0, 1], for argparse."""
    return _checked(float, text, lambda number: 0 <= number <= 1, "a number from 0 to 1")


def scale(text: str) -> float:
    """Parses a number in (0, 1], for argparse."""
    return _checked(float, text, lambda number: 0 < number <= 1, "a number above 0, at most 1")


def proper_fraction(text: str) -> float:
    """Parses a number in (0, 1), for argparse."""
    return _checked(float, text, lambda number: 0 < number < 1, "a number between 0 and 1")


def side(text: str) -> int:
    """Parses a side of at least 16 px, for argparse: the deepest level needs a pixel."""
    return _checked(int, text, lambda number: number >= 16, "a whole number of at least 16")


def percent(text: str) -> int:
    """Parses a whole number from 1 to 100, for argparse."""
    return _checked(int, text, lambda number: 1 <= number <= 100, "a whole number from 1 to 100")


def name_part(text: str) -> str:
    """Parses a part of a file name, for argparse."""
    if any(character in text for character in "/\\\0"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a part of a file name")
    return text


def term(text: str) -> str:
    """Parses a term of the reconstruction loss with its weight, for argparse."""
    name, colon, weight = text.partition(":")
    if name not in TERMS or not colon:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not TERM:WEIGHT with TERM one of {', '.join(TERMS)}, as in l1:10"
        )
    not_negative(weight)
    return text


def model_name(text: str) -> str:
    """Parses the name of a model, for argparse; `inception` is an old name of `encoder_decoder`."""
    return {"inception": "encoder_decoder"}.get(text, text)


def part_of(text: str) -> tuple[int, int]:
    """Parses I/N, the I-th of N parts (counted from 1), for argparse."""
    first, _, second = text.partition("/")
    part, parts = (int(number) if number.isdecimal() else 0 for number in (first, second))
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
