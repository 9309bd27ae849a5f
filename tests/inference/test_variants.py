"""The variants that are offered."""

from config.groups.presets import PRETRAINED_WEIGHTS
from inference.variants import VARIANTS


def test_all_weights_that_ship_are_offered():
    shipped = {path.name for path in PRETRAINED_WEIGHTS.iterdir() if path.is_dir()}
    assert {each.weights for each in VARIANTS.values() if each.weights} == shipped


def test_a_variant_leaves_nothing_to_other_settings():
    for name, variant in VARIANTS.items():
        assert variant.name == name
        assert None not in (variant.saturation, variant.calm)
