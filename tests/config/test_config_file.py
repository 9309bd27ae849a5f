"""Settings in a file, which the command line overrides."""

import json

import pytest

from config.groups.presets import PRETRAINED_WEIGHTS
from config.parser import parse
from config.saved_settings import saved_settings
from errors import InputError


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(contents, name="my.toml"):
        text = contents if isinstance(contents, str) else json.dumps(contents)
        (tmp_path / name).write_text(text)
        return ["--config", name]

    return write


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        (
            "my.toml",
            'model = "pix2pix"\nepochs = 3\ngenerator-lr = 1\nflip = false\n'
            'dataset = ["a b", "-c"]\nmax_pictures = 9 # an older name\nweights_dir = "x=y"\n',
        ),
        (
            "my.json",
            {
                **{"model": "pix2pix", "epochs": 3, "generator_lr": 1.0, "flip": False},
                **{"dataset": ["a b", "-c"], "max-images": 9, "weights_dir": "x=y", "depth": None},
            },
        ),
    ],
)
def test_values_of_a_file_are_explicit_settings(write, name, contents):
    settings, explicit = parse(write(contents, name))
    names = ["model", "epochs", "generator_lr", "flip", "dataset", "max_images", "weights_dir"]
    assert explicit == {"config", *names}
    values = tuple(getattr(settings, each) for each in names)
    assert values == ("pix2pix", 3, 1.0, False, ("a b", "-c"), 9, "x=y")
    # The defaults are those of the model in the file.
    assert settings.filters == 64


def test_command_line_overrides_file_overrides_preset_overrides_model(write):
    file = write('preset = "one-channel"\ngenerator_lr = 0.25\nepochs = 9\nflip = false')
    settings, explicit = parse([*file, "--epochs", "8", "--flip"])
    assert explicit == {"config", "preset", "generator_lr", "epochs", "flip"}
    assert (settings.epochs, settings.flip, settings.generator_lr) == (8, True, 0.25)
    assert (settings.discriminator_lr, settings.beta_1) == (1e-4, 0.5)
    settings, _ = parse([*write("generator_lr = 0.25"), "--preset", "one-channel"])
    assert (settings.generator_lr, settings.discriminator_lr) == (0.25, 1e-4)


@pytest.mark.parametrize("override", [[], ["--no_evaluate"]], ids=["", "override"])
def test_a_file_selects_a_job_unless_the_command_line_does(write, override):
    settings, _ = parse([*write("evaluate = true\nsample_count = 3"), *override])
    assert settings.job == ("train" if override else "evaluate")


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ("epocs = 3", "my.toml: unknown setting epocs (did you mean epochs?)"),
        ('config = "other.toml"', "my.toml: unknown setting config"),
        ("[schedule]\nepochs = 3", "my.toml: unknown setting schedule (did you mean lr_schedule?)"),
        ('epochs = "3"', 'my.toml: epochs takes a whole number; received "3"'),
        ("epochs = 2.5", "my.toml: epochs takes a whole number; received 2.5"),
        ("epochs = true", "my.toml: epochs takes a whole number; received true"),
        ('generator_lr = "fast"', 'my.toml: generator_lr takes a number; received "fast"'),
        ("flip = 1", "my.toml: flip takes true or false; received 1"),
        ("weights_dir = 1979-05-27", 'my.toml: weights_dir takes text; received "1979-05-27"'),
        ('dataset = "demo"', 'my.toml: dataset takes a list, each value text; received "demo"'),
        ("dataset = []", "my.toml: dataset takes a list, each value text; received []"),
        ("dataset = [1]", "my.toml: dataset takes a list, each value text; received [1]"),
        ("epochs = [3]", "my.toml: epochs takes a whole number; received [3]"),
        ("epochs = 0", "my.toml: argument --epochs: '0' is not a whole number of at least 1"),
        ('model = "vgg"', "my.toml: argument --model: invalid choice: 'vgg'"),
        (
            "label_smoothing = 0.2",
            "--config my.toml: --label_smoothing has no effect with --adversarial hinge",
        ),
        (
            "quality = 9",
            "--config my.toml: --quality has no effect when --images or --serve is not given",
        ),
        ("epochs 3", "--config my.toml: cannot be read: Expected '=' after a key"),
    ],
)
def test_a_wrong_file_raises_a_one_line_error(write, contents, words):
    with pytest.raises(InputError) as caught:
        parse(write(contents))
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("my.json", '{"epochs": null}', "my.json: epochs takes a whole number; received null"),
        ("my.json", "[3]", "--config my.json: contains no values by name"),
        ("my.json", "{", "--config my.json: cannot be read: "),
        ("my.yaml", "", "--config my.yaml: give a .toml or .json file"),
        ("absent.toml", None, "--config absent.toml: No such file or directory"),
    ],
)
def test_a_file_that_is_none_raises_a_one_line_error(write, name, contents, words):
    arguments = ["--config", name] if contents is None else write(contents, name)
    with pytest.raises(InputError) as caught:
        parse(arguments)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_an_error_in_the_arguments_does_not_blame_the_file(write):
    with pytest.raises(InputError, match=r"^--label_smoothing has no effect"):
        parse([*write("epochs = 3"), "--label_smoothing", "0.2"])


def training_file(settings):
    return {"architecture": {}, "settings": saved_settings(settings)}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model", "pix2pix", "--filters", "8", "--dataset", "/a", "coco:/b"],
        ["--model", "chromagan", "--class_weight", "0", "--no_flip"],
        ["--preset", "ls-gan"],
        ["--encoder", "mobilenet_v2", "--optimizer", "sgd", "--generator_lr", "1e-05"],
    ],
    ids=" ".join,
)
def test_a_training_starts_with_the_settings_of_another(write, arguments):
    original, _ = parse(arguments)
    file = write(training_file(original), "settings.json")
    settings, explicit = parse(file)
    assert saved_settings(settings) == saved_settings(original)
    # Settings that the model or the job does not use are no error, and not explicit.
    assert "plateau_factor" not in explicit
    assert {"model", "epochs", "reconstruction"} <= explicit
    assert parse([*file, "--epochs", "2"])[0].epochs == 2
    assert parse([*file, "--evaluate", "--weights", "w"])[0].job == "evaluate"


@pytest.mark.parametrize("model", ["sagan", "pix2pix", "chromagan"])
def test_settings_of_the_weights_that_ship_are_accepted(model):
    path = PRETRAINED_WEIGHTS / model / "settings.json"
    saved = json.loads(path.read_text())["settings"]
    settings, _ = parse(["--config", str(path)])
    assert {name: saved_settings(settings)[name] for name in saved} == saved
    # Settings that are newer than these weights do not change their network.
    assert (settings.color_stride, settings.attention_pool) == (1, 1)


def test_a_training_resumes_with_the_file_that_it_was_started_with(write):
    file = write('preset = "ls-gan"\nepochs = 9')
    settings, explicit = parse([*file, "--load_weights"])
    assert str(settings.weights_folder) == "weights/ls-gan"
    assert explicit == {"config", "load_weights", "epochs"}
