"""Declares a setting: a field of a dataclass, with all that the program asks about it.

A group is a dataclass without methods: only `Settings`, which joins the groups, needs them, and
`dataclass` takes 10 ms of `--help` to make them for each group.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

MODELS = ("sagan", "pix2pix", "chromagan", "encoder_decoder")


class Jobs:
    """Sets of jobs that read a setting.

    `--inspect` accepts every setting of a new training, so that the user can add it to a training
    command.
    """

    INSPECTING = frozenset({"inspect"})
    EVALUATING = frozenset({"evaluate"})
    COLORIZING = frozenset({"colorize"})
    SERVING = frozenset({"serve"})
    EXPORTING = frozenset({"export"})
    TRAINING = frozenset({"train", "inspect"})
    # On photographs that an argument names.
    NAMING_PHOTOGRAPHS = COLORIZING | EVALUATING
    COLORING = NAMING_PHOTOGRAPHS | SERVING
    USING_WEIGHTS = COLORING | EXPORTING
    RESUMING = frozenset({"train"}) | USING_WEIGHTS
    OPENING_DATASETS = TRAINING | EVALUATING
    ANY = TRAINING | USING_WEIGHTS


class Remembered(enum.Flag):
    """What a resumed training remembers, unless certain settings have changed."""

    IMAGE_COUNTS = enum.auto()
    AB_HISTOGRAM = enum.auto()
    VALIDATION_LOSSES = enum.auto()
    TRAINING_LOSSES = enum.auto()
    RATE_REDUCTIONS = enum.auto()

    LOSSES = VALIDATION_LOSSES | TRAINING_LOSSES
    # Validation images keep their colors, but the ab histogram weights their losses.
    COLORS = AB_HISTOGRAM | LOSSES
    IMAGES = IMAGE_COUNTS | COLORS


NOTHING = Remembered(0)


@dataclass(frozen=True)
class Need:
    """What a setting needs in order to have an effect.

    Attributes:
        holds: function of `Settings` that tells whether they meet the need.
        otherwise: str, when the setting has no effect, for the error. `{name}` stands for the
            value of a setting.
    """

    holds: Callable[[Any], object]
    otherwise: str


ADVERSARIAL = Need(lambda settings: settings.adversarial != "none", "with --adversarial none")
TRUE_COLORS = Need(
    lambda settings: settings.job != "evaluate" or not settings.images,
    "with --images, which have no true colors",
)


def setting(
    help: str,
    default: Any = None,
    needs: Sequence[Need] = (),
    jobs: frozenset[str] = Jobs.TRAINING,
    models: tuple[str, ...] = MODELS,
    saved: bool = True,
    of_datasets: bool = False,
    fixed: Literal["weights", "checkpoint"] | None = None,
    forget: Remembered = NOTHING,
    aliases: tuple[str, ...] = (),
    **options: Any,
) -> Any:
    """Declares a field of `Settings`, and its option by the type of the field.

    Args:
        help: str, one sentence for `--help`.
        default: the default value. Defaults to `None`.
        needs: sequence of `Need`, without which the setting has no effect. Defaults to none.
        jobs: frozenset of str, the jobs that read the setting. Defaults to `Jobs.TRAINING`.
        models: tuple of str, the models that have the setting. Defaults to all.
        saved: bool, whether a training saves the setting. Defaults to `True`.
        of_datasets: bool, whether the setting is for certain datasets and does not apply to
            others. Defaults to `False`.
        fixed: str or None, what keeps a resumed training from changing the setting: its "weights",
            which also fix it for a training that starts from them, or its "checkpoint", with the
            state of the training and validation images that were not trained on. Defaults to
            `None`, nothing.
        forget: `Remembered`, what a resumed training forgets if the setting has changed. Defaults
            to `NOTHING`.
        aliases: tuple of str, other names of the option. Defaults to none.
        **options: keyword arguments of `ArgumentParser.add_argument` that its type does not imply.
    """
    metadata = {
        **{"help": help, "needs": needs, "jobs": jobs, "models": models},
        **{"saved": saved and "train" in jobs, "of_datasets": of_datasets},
        **{"fixed": fixed, "forget": forget, "aliases": aliases, "options": options},
    }
    return field(default=default, metadata=metadata)
