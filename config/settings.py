"""All settings of the program, in one flat object.

Each is declared once, in `config.groups`. The command line, `--help`, the rules and `settings.json`
are derived from it. TensorFlow is not imported here, so that `--help` is fast.
"""

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.groups.argument_types import value_type
from config.groups.coloring import ColoringSettings
from config.groups.data import DataSettings
from config.groups.evaluation import EvaluationSettings
from config.groups.networks import NetworkSettings
from config.groups.objective import ObjectiveSettings
from config.groups.records import RecordSettings
from config.groups.schedule import ScheduleSettings
from config.groups.serving import ServingSettings
from config.groups.what import WhatToDo
from losses import REBALANCED
from models.networks.encoder_recipes import ENCODERS

# ChromaGAN cuts off its encoder after this many halvings.
CHROMAGAN_DEPTH = 3

# Channels of a discriminator's first convolution, from the papers; SAGAN's has as many as its
# generator.
DISCRIMINATOR_FILTERS = {"vgg": 32, "patch": 64, "pixel": 64, "conv4": 16}

# The argument that selects each job; without one, the job is training. The order matters:
# `--evaluate --images` is an evaluation.
JOBS = {
    **{"evaluate": "evaluate", "colorize": "images", "serve": "serve"},
    **{"export": "export", "inspect": "inspect"},
}

# The groups under their headings in `--help`, in order.
GROUPS: dict[str, Any] = {
    "what to do": WhatToDo,
    "data": DataSettings,
    "networks": NetworkSettings,
    "objective": ObjectiveSettings,
    "schedule": ScheduleSettings,
    "records": RecordSettings,
    "coloring": ColoringSettings,
    "serving": ServingSettings,
    "evaluation": EvaluationSettings,
}


@dataclass(frozen=True)
class Settings(
    WhatToDo,
    DataSettings,
    NetworkSettings,
    ObjectiveSettings,
    ScheduleSettings,
    RecordSettings,
    ColoringSettings,
    ServingSettings,
    EvaluationSettings,
):
    """All settings of a job. They do not change; `dataclasses.replace` gives others."""

    @property
    def job(self) -> str:
        """The job to run: `evaluate`, `colorize`, `serve`, `export`, `inspect` or `train`."""
        return next((job for job, name in JOBS.items() if getattr(self, name)), "train")

    @property
    def network_depth(self) -> int:
        """How many times it must be possible to halve an image; an encoder has its own depth."""
        if self.model == "encoder_decoder":
            # It accepts images of any size.
            return 0
        if self.model == "chromagan":
            return CHROMAGAN_DEPTH
        if self.encoder != "none":
            return self.encoder_depth
        halvings = self.resolution.bit_length() - 1
        return self.depth or (halvings if self.model == "pix2pix" else 4)

    @property
    def encoder_depth(self) -> int:
        """How many times the encoder halves the size."""
        return len(ENCODERS[self.encoder].levels)

    @property
    def first_discriminator_filters(self) -> int:
        """Channels of the discriminator's first convolution."""
        kind = {"sagan": "vgg", "pix2pix": self.discriminator}.get(self.model, "patch")
        return self.discriminator_filters or DISCRIMINATOR_FILTERS[kind]

    @property
    def weights_folder(self) -> Path:
        """The folder where this training saves its weights."""
        return Path(self.weights_dir or os.path.join("weights", self.preset or self.model))

    @property
    def rebalances_colors(self) -> bool:
        """Whether the training loss weights pixels of rare colors more."""
        weights = self.reconstruction_weights
        return bool(self.color_rebalancing and any(weights.get(term) for term in REBALANCED))

    @property
    def reconstruction_weights(self) -> dict[str, float]:
        """The terms of the reconstruction loss with their weights."""
        pairs = (text.split(":") for text in self.reconstruction)
        return {name: float(weight) for name, weight in pairs}


def fields() -> list[dataclasses.Field]:
    """The fields of `Settings` in the order of their groups."""
    return [entry for group in GROUPS.values() for entry in dataclasses.fields(group)]


def names_where(condition: Callable[[dataclasses.Field], object]) -> frozenset[str]:
    """The names of the settings whose fields meet a condition.

    Args:
        condition: function of a field, whose metadata are those of `config.groups.setting`.

    Example:
        names_where(lambda entry: entry.metadata["fixed"])      # filters, resolution, ...
    """
    return frozenset(entry.name for entry in fields() if condition(entry))


def is_path(entry: dataclasses.Field) -> bool:
    """Whether a setting holds paths, or keywords instead of them."""
    *_, argument = value_type(entry.type)
    return argument.is_path
