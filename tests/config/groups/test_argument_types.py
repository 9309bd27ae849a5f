"""Values are parsed and checked by the types of their settings."""

import pytest

from config.parser import parse
from errors import InputError


def test_reconstruction_terms_have_weights():
    settings, _ = parse(["--reconstruction", "l1:2.5", "perceptual:0"])
    assert settings.reconstruction_weights == {"l1": 2.5, "perceptual": 0.0}


def test_home_in_a_path_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    settings, _ = parse(["--log_dir=~/logs", "--dataset", "~/images", "demo"])
    assert (settings.log_dir, settings.dataset) == ("/home/me/logs", ("/home/me/images", "demo"))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("batch_size", "0", "a whole number of at least 1"),
        ("batch_size", "two", "a whole number of at least 1"),
        ("max_images", "0", "a whole number of at least 1"),
        ("sample_count", "0", "a whole number of at least 1"),
        ("plateau_patience", "0", "a whole number of at least 1"),
        ("warmup_steps", "-1", "a whole number of at least 0"),
        ("resolution", "15", "a whole number of at least 16"),
        ("quality", "0", "a whole number from 1 to 100"),
        ("seed", "4294967296", "a whole number below 2^32"),
        ("generator_lr", "0", "a number above 0"),
        ("generator_lr", "nan", "a number above 0"),
        ("dataset_weights", "0", "a number above 0"),
        ("target_saturation", "0", "a number above 0"),
        ("crop_scale", "1.5", "a number above 0, at most 1"),
        ("validation_share", "1", "a number from 0 to below 1"),
        ("color_rebalancing", "1.5", "a number from 0 to 1"),
        ("saturation", "-1", "a number of at least 0"),
        ("calm", "1.5", "a number from 0 to 1"),
        ("variants", "0", "a whole number of at least 1"),
        ("class_weight", "-1", "a number of at least 0"),
        ("weight_decay", "-1", "a number of at least 0"),
        ("plateau_factor", "0", "a number between 0 and 1"),
        ("plateau_factor", "1", "a number between 0 and 1"),
        ("reconstruction", "l2:1", "TERM:WEIGHT"),
        ("reconstruction", "l1", "TERM:WEIGHT"),
        ("suffix", "a/b", "a part of a file name"),
        ("shard", "5/4", "I/N with I from 1 to N"),
    ],
)
def test_a_value_of_another_kind_is_refused_on_one_line(name, value, wanted):
    with pytest.raises(InputError) as caught:
        parse([f"--{name}", value])
    assert f"'{value}' is not {wanted}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_weight_of_a_term_is_not_negative():
    with pytest.raises(InputError, match="'-1' is not a number of at least 0"):
        parse(["--reconstruction", "l1:-1"])
