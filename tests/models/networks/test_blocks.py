"""The level of a network that is nearest to a resolution."""

import pytest

from models.networks.blocks import level_nearest


@pytest.mark.parametrize(
    ("resolution", "target", "level"),
    [(128, 32, 2), (64, 32, 1), (32, 32, 0), (100, 32, 2), (512, 1, 4)],
)
def test_attention_is_at_the_level_nearest_to_its_resolution(resolution, target, level):
    assert level_nearest(resolution, target, depth=4) == level
