"""Teaching hints to trained weights from the command line."""

import numpy as np
import pytest

import run
from config.parser import parse
from jobs.train.build import new_model
from models.checkpoints.folder import WeightsFolder
from models.networks.without_hints import without_hints
from models.sagan import SAGAN

pytestmark = pytest.mark.usefixtures("without_graphs")


def generator_of(path):
    folder = WeightsFolder(path)
    generator = SAGAN.build_generator(folder.read_settings()["architecture"])
    folder.load_generator(generator)
    return generator


@pytest.fixture
def teach(images, weights):
    """Returns a function that teaches hints to the tiny weights, without an adversary."""

    def call(*arguments):
        options = ["--dataset", str(images), "--pretrained", weights, "--hints_share", "1"]
        options += ["--resolution", "16", "--filters", "2", "--depth", "2"]
        options += ["--precision", "float32"]
        options += ["--batch_size", "2", "--steps_per_epoch", "2", "--reconstruction", "l1:10"]
        options += ["--adversarial", "none", "--validation_share", "0", "--sample_every", "0"]
        return run.main([*options, *arguments])

    return call


def test_hints_are_taught_alone(teach, weights):
    alone = ("--hints_alone", "--weights_dir", "hinted", "--epochs", "1", "--steps_per_epoch", "1")
    assert teach(*alone, "--generator_lr", "0.01") == 0
    before, after = generator_of(weights), generator_of("hinted")
    for wanted, found in zip(before.get_weights(), without_hints(after).get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_hints_are_forgotten_on_request(hinted_weights):
    settings, _ = parse(["--pretrained", hinted_weights, "--hints_share", "0"])
    generator = new_model(settings).generator
    assert len(generator.inputs) == 1
    wanted = without_hints(generator_of(hinted_weights)).get_weights()
    for found, array in zip(generator.get_weights(), wanted, strict=True):
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hints_alone", "--hints_share", "0"], "--hints_alone has no effect without"),
        (["--model", "pix2pix", "--hints_share", "1"], "--hints_share has no effect with"),
    ],
)
def test_settings_without_effect_are_refused(images, capsys, arguments, words):
    assert run.main(["--dataset", str(images), *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_stopped_and_resumed_equals_never_stopped(teach, stop_after, capsys):
    options = ("--hints_alone", "--epochs", "2")
    assert teach(*options, "--weights_dir", "straight") == 0
    stop_after(3)
    assert teach(*options, "--weights_dir", "broken") == 130
    assert run.main(["--load_weights", "--weights_dir", "broken"]) == 0
    for wanted, found in zip(
        generator_of("straight").get_weights(), generator_of("broken").get_weights(), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-6)
