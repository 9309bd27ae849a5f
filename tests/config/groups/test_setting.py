"""Every setting is declared with all that the program asks about it."""

import pytest

from config.groups.argument_types import value_type
from config.groups.setting import MODELS, Jobs, Remembered
from config.settings import GROUPS, fields, is_path, names_where


@pytest.mark.parametrize("entry", fields(), ids=lambda entry: entry.name)
def test_declaration_of_a_setting_is_complete(entry):
    about = entry.metadata
    assert sum(entry.name in group.__annotations__ for group in GROUPS.values()) == 1
    assert about["help"]
    assert about["jobs"]
    assert about["jobs"] <= Jobs.ANY
    assert about["models"]
    assert set(about["models"]) <= set(MODELS)
    # Only what a training saves can differ, or be fixed, when it is resumed.
    assert about["saved"] or not (about["fixed"] or about["forget"])
    kind, is_list, argument = value_type(entry.type)
    if entry.default is not None:
        values = entry.default if is_list else (entry.default,)
        assert all(isinstance(value, kind) for value in values)
        assert kind is bool or all(argument.parse(str(value)) == value for value in values)


# Pinned, because a setting that is missing here would ruin a resumed training without an error.
def test_what_resuming_a_training_asks_about_settings():
    def forgotten(remembered):
        return names_where(lambda entry: entry.metadata["forget"] & remembered)

    images = {"categories", "dataset", "max_images", "minimum_colorfulness"}
    colors = images | {"dataset_weights", "target_saturation"}
    objective = {"color_rebalancing", "reconstruction"}
    assert forgotten(Remembered.IMAGE_COUNTS) == images
    assert forgotten(Remembered.AB_HISTOGRAM) == colors
    assert forgotten(Remembered.VALIDATION_LOSSES) == colors | objective
    crops = {"class_weight", "crop_scale", "flip", "rotation"}
    assert forgotten(Remembered.TRAINING_LOSSES) == colors | objective | crops
    rates = {f"{name}_lr{end}" for name in ("generator", "discriminator") for end in ("", "_alone")}
    assert forgotten(Remembered.RATE_REDUCTIONS) == {"lr_schedule", *rates}
    assert names_where(lambda entry: entry.metadata["fixed"] == "checkpoint") == {
        *("encoder_lr_share", "freeze_encoder_epochs", "hints_alone", "hints_share"),
        *("optimizer", "resolution", "seed", "validation_share"),
    }
    assert names_where(lambda entry: entry.metadata["fixed"] == "weights") == {
        *("attention_pool", "attention_resolution", "color_stride", "decoder_attention", "depth"),
        *("discriminator", "discriminator_filters", "encoder", "filters", "global_features"),
        *("input_channels", "model", "norm", "skip_connections"),
    }
    saved_paths = names_where(lambda entry: entry.metadata["saved"] and is_path(entry))
    assert saved_paths == {
        *("cache", "class_index", "data_dir", "dataset", "encoder_weights", "log_dir"),
        *("lpips_weights", "perceptual_weights", "pretrained", "sample_images"),
        *("teacher_cache", "teacher_weights"),
    }
