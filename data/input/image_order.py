"""The order of the training images in the stream, a function of the seed and the position."""

import fractions
import functools
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

# A skipped image is replaced by a random one. If at least half of the images can be used, this many
# draws never fail in a row; if they do fail, hardly any training image can be used.
_DRAWS = 100


class ImageOrder:
    """The order of the training images of one or more datasets in an endless stream.

    Each dataset is shuffled anew for each pass over its images, and shows all of them before it
    repeats any. The datasets take turns as evenly as their weights allow, and not at random, so
    that every batch is mixed alike: after n images, the heaviest dataset has had its share of n,
    rounded; the next one has had its share of the others, rounded; and so on. In any part of the
    stream, the images of one of two datasets thus differ from its share by less than one, and each
    further dataset adds less than one.

    Nothing is remembered but the orders of the current passes, so that any position costs the same.

    Args:
        seed: int, the seed of the order.
        mixture: sequence of (int, float), the number of images, at least 1, and the weight, above
            0, of each dataset. The images of all datasets are numbered one after another.

    Example:
        order = ImageOrder(seed=0, mixture=[(9000, 3.0), (1000, 1.0)])
        [next(order.candidates(position)) for position in range(4)]     # three below 9000, one not
    """

    def __init__(self, seed: int, mixture: Sequence[tuple[int, float]]):
        self._seed = seed
        self._sizes = [size for size, _ in mixture]
        self._firsts = [0, *itertools.accumulate(self._sizes)]
        self._weights = _as_integers([weight for _, weight in mixture])
        self._heaviest_first = sorted(range(len(mixture)), key=lambda each: -self._weights[each])
        # Two passes for each dataset, because parallel calls reach into the next pass.
        self._shuffled = functools.lru_cache(maxsize=2 * len(mixture))(self._shuffle)

    def candidates(self, position: int) -> Iterator[int]:
        """Yields the number of the image at a position, then replacements if it is skipped.

        The replacements are of the same dataset, drawn at random.
        """
        dataset, earlier = self._locate(position)
        first, size = self._firsts[dataset], self._sizes[dataset]
        number_of_pass, index = divmod(earlier, size)
        yield first + self._shuffled(dataset, number_of_pass)[index]
        yield from first + np.random.default_rng([self._seed, position]).integers(size, size=_DRAWS)

    def _locate(self, position: int) -> tuple[int, int]:
        """The dataset at a position, and how many of its images come before it."""
        remaining = sum(self._weights)
        *others, lightest = self._heaviest_first
        for dataset in others:
            weight = self._weights[dataset]
            earlier = _rounded(position * weight, remaining)
            if _rounded((position + 1) * weight, remaining) > earlier:
                return dataset, earlier
            # The position among those of the remaining datasets.
            position -= earlier
            remaining -= weight
        return lightest, position

    def _shuffle(self, dataset: int, number_of_pass: int) -> np.ndarray:
        random = np.random.default_rng([self._seed, number_of_pass, dataset])
        return random.permutation(self._sizes[dataset])


def _as_integers(weights: Sequence[float]) -> list[int]:
    """Integers of exactly the same ratios: rounding must not add up in a long stream."""
    exact = [fractions.Fraction(weight) for weight in weights]
    scale = math.lcm(*(weight.denominator for weight in exact))
    return [int(weight * scale) for weight in exact]


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient of two integers, rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)
