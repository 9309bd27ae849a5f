"""A model is compiled as the settings say."""

import pytest

from errors import InputError
from jobs.command_line import parse
from jobs.training_model import compile_model, new_model

SMALL = ["--filters", "2", "--depth", "1", "--adversarial", "none", "--reconstruction", "l1:1"]


def compiled(*arguments):
    settings, given = parse([*SMALL, *arguments])
    model, settings = new_model(settings, given)
    compile_model(model, settings, given)
    return model


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["psnr", "colorfulness", "true_colorfulness"]),
        (["--validation_metrics", "ssim"], ["ssim"]),
        (["--validation_metrics", "ssim", "psnr", "ssim"], ["ssim", "psnr"]),
    ],
)
def test_validation_measures_what_is_asked_for(arguments, names):
    assert [metric.name for metric in compiled(*arguments).validation_metrics] == names


def test_lpips_without_its_weights_is_one_line():
    with pytest.raises(InputError) as caught:
        compiled("--validation_metrics", "lpips", "--lpips_weights", "absent.npz")
    message = str(caught.value)
    assert message.startswith("absent.npz: there is no such file; give the weights of LPIPS")


def test_lpips_of_pictures_that_are_too_small_is_one_line():
    with pytest.raises(InputError, match="at least 31 px; received --resolution 16"):
        compiled("--validation_metrics", "lpips", "--resolution", "16")
