"""The command line: its names, values, errors and help."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.parser import parse
from config.settings import Settings, fields
from errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_train_sagan_on_the_demo_photographs():
    settings, explicit = parse([])
    assert settings == Settings()
    assert explicit == set()
    assert (settings.job, settings.model, settings.dataset) == ("train", "sagan", ("demo",))
    assert settings.weights_folder == Path("weights/sagan")


@pytest.mark.parametrize(
    ("arguments", "job", "values"),
    [
        (["--images", "a.jpg", "b/"], "colorize", {"images": ("a.jpg", "b/")}),
        (["--images", "a", "--images", "b"], "colorize", {"images": ("a", "b")}),
        (["--inspect"], "inspect", {"dataset": ("demo",), "output_dir": "results"}),
        (["--evaluate"], "evaluate", {"weights": None, "predictions": None, "csv": None}),
        (["--images", "a", "--predictions", "b", "--evaluate"], "evaluate", {"images": ("a",)}),
        (
            ["--evaluate", "--weights", "a", "b", "--weights", "c", "--predictions", "e f", "g"],
            "evaluate",
            {"weights": ("a", "b", "c"), "predictions": ("e f", "g")},
        ),
        (["--load_weights", "--categories", "cat"], "train", {"categories": ("cat",)}),
        (
            ["--dataset", "a", "b", "--dataset", "coco:c"],
            "train",
            {"dataset": ("a", "b", "coco:c")},
        ),
        (["--no_flip", "--filters", "8"], "train", {"flip": False, "filters": 8}),
        (["--batch-size=4", "--weights-dir", "my-w"], "train", {"weights_dir": "my-w"}),
        (["--inspect", "--class-index", "c-d"], "inspect", {"class_index": "c-d"}),
        (["--dataset", "tiny-imagenet:a-b"], "train", {"dataset": ("tiny-imagenet:a-b",)}),
        (["--reconstruction", "l1:2.5", "perceptual:0"], "train", {"epochs": 50}),
        (
            ["--inspect", "--dataset", "a", "coco:b", "--dataset_weights", "3", "0.5"],
            "inspect",
            {"dataset_weights": (3.0, 0.5)},
        ),
        (["--serve", "--port", "0", "--quality", "90"], "serve", {"port": 0, "max_upload": 200}),
        (["--images", "a", "--shard", "2/4"], "colorize", {"shard": (2, 4)}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_arguments_become_settings(arguments, job, values):
    settings, explicit = parse(arguments)
    assert settings.job == job
    assert {name: getattr(settings, name) for name in values} == values
    words = (word.split("=")[0].removeprefix("--") for word in arguments if word.startswith("--"))
    assert explicit == {word.replace("-", "_").removeprefix("no_") for word in words}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--max_pictures", "5"], ["--max_images", "5"]),
        (["--snapshot_steps", "7"], ["--checkpoint_steps", "7"]),
        (["--num_downs", "3"], ["--depth", "3"]),
        (["--model", "inception"], ["--model", "encoder_decoder"]),
    ],
)
def test_older_names_are_accepted(old, new):
    assert parse(old) == parse(new)


@pytest.mark.parametrize("option", ["csv", "json"])
def test_csv_and_json_need_no_path(option):
    for arguments, value in (([], ""), (["my-numbers"], "my-numbers"), ([""], "")):
        settings, explicit = parse(["--evaluate", f"--{option}", *arguments, "--dataset", "d"])
        assert (getattr(settings, option), settings.dataset) == (value, ("d",))
        assert option in explicit
    assert getattr(parse(["--evaluate", f"--{option}=a=b"])[0], option) == "a=b"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--filter", "3"], "unrecognized arguments: --filter"),
        (["--inspect", "demo"], "unrecognized arguments: demo"),
        (["--evaluate", "a"], "unrecognized arguments: a"),
        *(
            ([f"--{name}", value], f"invalid choice: '{value}'")
            for name, value in (
                *(("model", "vgg"), ("validation_metrics", "fid"), ("optimizer", "rmsprop")),
                *(("lr_schedule", "step"), ("preset", "patch"), ("format", "gif")),
                *(("global_features", "mean"), ("encoder", "xception")),
            )
        ),
        (["--input_channels", "2"], "invalid choice: 2"),
        *(
            ([f"--{name}"], "expected at least one argument")
            for name in ("images", "predictions", "weights", "categories")
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_argument_raises_a_one_line_error(arguments, words):
    with pytest.raises(InputError) as caught:
        parse(arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def help_text(capsys):
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_help_lists_every_setting(help_text):
    for entry in fields():
        assert f"--{entry.name}" in help_text
        assert not isinstance(entry.default, bool) or f", --no_{entry.name} " in help_text


@pytest.mark.parametrize(
    "words",
    [
        "as in a U-Net (only with encoder_decoder)",
        "at --attention_resolution (only with pix2pix, encoder_decoder)",
        "a lower loss before the rates are lowered (plateau only) (default: 3)",
        "224 with chromagan; 400 with encoder_decoder)",
        # encoder_decoder is not listed: its default is the general one.
        "at a quarter with chromagan) (default: 32; 64 with pix2pix; 64 with chromagan)",
        "(only with sagan; default: 1; 4 with sagan and --encoder)",
    ],
)
def test_help_names_the_models_of_an_argument_and_their_defaults(help_text, words):
    assert words in help_text


def test_help_does_not_import_tensorflow():
    code = (
        "import sys, run\n"
        "try: run.main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules), 'a heavy import'"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "python run.py" in done.stdout


def test_demo_is_the_folder_of_this_name_where_there_is_one(here, capsys):
    assert parse(["--images", "demo"])[0].images == ("demo",)
    assert not capsys.readouterr().err
    (here / "demo").mkdir()
    assert parse(["--images", "a", "demo"])[0].images == ("a", "./demo")
    assert capsys.readouterr().err.startswith("note: demo is the folder or file of this name")
    assert parse(["--dataset", "demo"])[0].dataset == ("./demo",)
    # The settings of a training mean the photographs, wherever it is resumed.
    assert parse([])[0].dataset == ("demo",)
    (here / "settings.json").write_text('{"settings": {"dataset": ["demo"]}}')
    assert parse(["--config", "settings.json"])[0].dataset == ("demo",)
    (here / "own.toml").write_text('dataset = ["demo"]')
    assert parse(["--config", "own.toml"])[0].dataset == ("./demo",)


def test_a_photograph_called_demo_is_no_dataset(here):
    (here / "demo").touch()
    assert parse(["--images", "demo"])[0].images == ("./demo",)
    assert parse(["--dataset", "demo"])[0].dataset == ("demo",)
