"""The settings of an evaluation."""

import functools
from dataclasses import dataclass

from config.groups.argument_types import Count, File, Folder
from config.groups.setting import TRUE_COLORS, Jobs, setting

_evaluation_setting = functools.partial(setting, jobs=Jobs.EVALUATING)


@dataclass(frozen=True, init=False, repr=False, eq=False)
class EvaluationSettings:
    """What is evaluated besides the weights, with what, and where the numbers go."""

    predictions: tuple[Folder, ...] | None = _evaluation_setting(
        "also evaluate the results of other programs on the same images: folders of colored "
        "images, matched by name"
    )
    hint_counts: tuple[Count, ...] | None = _evaluation_setting(
        "also evaluate with so many hints: squares of 7 x 7 px with their true color at random "
        "places, as in --hint_counts 0 1 10; beside them, the same hints without a network",
        needs=[TRUE_COLORS],
    )
    feature_network: File | None = _evaluation_setting(
        "network for FID, KID and the Inception Score: InceptionV3's weights, an .h5 of Keras, or "
        "any feature network as .keras (default: InceptionV3 from Keras' cache, or downloaded)"
    )
    # The empty string means that the option was given without a path.
    csv: File | None = _evaluation_setting(
        "also write the numbers as CSV; without PATH, to evaluation.csv in --output_dir",
        nargs="?",
        const="",
    )
    json: File | None = _evaluation_setting(
        "also write the numbers as JSON; without PATH, to evaluation.json in --output_dir",
        nargs="?",
        const="",
    )
