"""Settings are one frozen object, whose choices match the code and which derives some values."""

import dataclasses

import pytest

from callbacks.learning_rates import SCHEDULES
from config.groups.argument_types import value_type
from config.groups.setting import MODELS
from config.settings import CHROMAGAN_DEPTH, Settings, fields
from models.catalog import COLORIZERS
from models.networks.blocks import NORMS
from models.networks.chromagan_networks import GLOBAL_FEATURES, HALVINGS
from models.networks.encoder_recipes import ENCODERS

BY_NAME = {entry.name: entry for entry in fields()}


def choices(name):
    *_, argument = value_type(BY_NAME[name].type)
    return argument.choices or BY_NAME[name].metadata["options"]["choices"]


def test_choices_on_the_command_line_match_the_code():
    assert set(MODELS) == set(COLORIZERS)
    assert set(choices("encoder")) == {"none", *ENCODERS}
    assert CHROMAGAN_DEPTH == HALVINGS
    assert set(choices("global_features")) == set(GLOBAL_FEATURES)
    assert set(choices("norm")) == set(NORMS)
    assert set(choices("lr_schedule")) == set(SCHEDULES)


def test_settings_are_one_flat_frozen_object():
    assert len(BY_NAME) == len(fields()) == len(dataclasses.fields(Settings))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().epochs = 3
    assert dataclasses.replace(Settings(), epochs=3).epochs == 3


@pytest.mark.parametrize(("resolution", "depth"), [(256, 8), (200, 7), (128, 7), (64, 6), (24, 4)])
def test_pix2pix_halves_images_as_often_as_possible(resolution, depth):
    assert Settings(model="pix2pix", resolution=resolution).network_depth == depth


@pytest.mark.parametrize(("kind", "filters"), [("patch", 64), ("pixel", 64), ("conv4", 16)])
def test_discriminators_are_as_wide_as_in_the_reports(kind, filters):
    settings = Settings(model="pix2pix", discriminator=kind)
    assert settings.first_discriminator_filters == filters
    wider = dataclasses.replace(settings, discriminator_filters=8)
    assert wider.first_discriminator_filters == 8
