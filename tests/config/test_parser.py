"""The command line: every argument has an effect, or raises an error that says so."""

import subprocess
import sys
from pathlib import Path

import pytest

from callbacks.learning_rates import SCHEDULES
from config.groups.argument_types import value_type
from config.groups.setting import MODELS
from config.parser import parse
from config.settings import CHROMAGAN_DEPTH, Settings, fields
from errors import InputError
from models.catalog import COLORIZERS
from models.networks.blocks import NORMS
from models.networks.chromagan_networks import GLOBAL_FEATURES, HALVINGS
from models.networks.encoder_recipes import ENCODERS

ROOT = Path(__file__).resolve().parents[2]


def choices(name):
    [entry] = (entry for entry in fields() if entry.name == name)
    *_, argument = value_type(entry.type)
    return argument.choices or entry.metadata["options"]["choices"]


def test_defaults_train_sagan_on_the_demo_photographs():
    settings, explicit = parse([])
    assert settings == Settings()
    assert explicit == set()
    assert (settings.job, settings.model, settings.dataset) == ("train", "sagan", ("demo",))
    assert settings.weights_folder == Path("weights/sagan")


def test_explicit_settings_are_returned():
    settings, explicit = parse(["--filters", "8", "--dataset", "a", "b", "--no_flip"])
    assert explicit == {"filters", "dataset", "flip"}
    assert (settings.filters, settings.dataset, settings.flip) == (8, ("a", "b"), False)


def test_hyphens_are_accepted():
    settings, _ = parse(["--batch-size=4", "--weights-dir", "my-weights", "--no-flip"])
    assert (settings.batch_size, settings.weights_dir, settings.flip) == (4, "my-weights", False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--max_pictures", "5"], ["--max_images", "5"]),
        (["--snapshot_steps", "7"], ["--checkpoint_steps", "7"]),
        (["--model", "inception"], ["--model", "encoder_decoder"]),
    ],
)
def test_older_names_are_accepted(old, new):
    assert parse(old) == parse(new)


def test_images_are_colorized():
    settings, _ = parse(["--images", "a.jpg", "b/", "--output_dir", "out"])
    assert (settings.job, settings.images, settings.output_dir) == (
        "colorize",
        ("a.jpg", "b/"),
        "out",
    )


def test_inspect_shows_datasets():
    arguments = ["--inspect", "--dataset", "tiny-imagenet:a", "b", "--class_index", "c.json"]
    settings, explicit = parse(
        [*arguments, "--output_dir", "out", "--cache", "memory", "--no_flip"]
    )
    assert explicit == {"inspect", "dataset", "class_index", "output_dir", "cache", "flip"}
    assert (settings.job, settings.dataset) == ("inspect", ("tiny-imagenet:a", "b"))
    assert (settings.class_index, settings.output_dir) == ("c.json", "out")


def test_inspect_alone_shows_the_demo_photographs():
    settings, explicit = parse(["--inspect"])
    assert explicit == {"inspect"}
    assert (settings.job, settings.dataset, settings.output_dir) == (
        "inspect",
        ("demo",),
        "results",
    )


def test_evaluate_alone_evaluates_the_pretrained_weights_on_the_demo_photographs():
    settings, explicit = parse(["--evaluate"])
    assert explicit == {"evaluate"}
    assert (settings.job, settings.dataset, settings.output_dir) == (
        "evaluate",
        ("demo",),
        "results",
    )
    assert (settings.weights, settings.predictions, settings.csv, settings.json) == (None,) * 4


def test_evaluate_takes_weights_and_predictions():
    arguments = ["--evaluate", "--dataset", "d", "--weights", "a", "b", "--weights", "c"]
    settings, _ = parse([*arguments, "--predictions", "e f", "--predictions", "g", "h"])
    assert (settings.job, settings.weights) == ("evaluate", ("a", "b", "c"))
    assert settings.predictions == ("e f", "g", "h")


def test_evaluate_takes_photographs():
    settings, _ = parse(["--images", "a", "--predictions", "b", "--evaluate"])
    assert (settings.job, settings.images) == ("evaluate", ("a",))


@pytest.mark.parametrize("option", ["csv", "json"])
def test_csv_and_json_need_no_path(option):
    for arguments, value in (([], ""), (["my-numbers"], "my-numbers"), ([""], "")):
        settings, explicit = parse(["--evaluate", f"--{option}", *arguments, "--dataset", "d"])
        assert (getattr(settings, option), settings.dataset) == (value, ("d",))
        assert option in explicit
    assert getattr(parse(["--evaluate", f"--{option}=a=b"])[0], option) == "a=b"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dataset", "d", "--lpips_weights", "a", "--feature-network", "b-c", "--seed", "3"],
        ["--resolution", "17", "--max_images", "4", "--sample_count", "2", "--log_dir", "a"],
        ["--validation_share", "0.2", "--minimum_colorfulness", "0", "--batch_size", "99"],
        ["--dataset", "coco:a", "--categories", "cat", "--precision", "float32"],
        ["--dataset", "tfds:a", "--data-dir", "b"],
        ["--load_weights", "--weights_dir", "a"],
        ["--load_weights", "--model", "sagan", "--saturation", "0.5", "--flip_average"],
        ["--images", "a", "--weights", "b", "c", "--feature_network", "d", "--max_images", "2"],
    ],
)
def test_evaluate_takes_the_options_of_an_evaluation(arguments):
    settings, _ = parse(["--evaluate", *arguments])
    assert settings.job == "evaluate"


@pytest.mark.parametrize(
    "job", [[], ["--inspect"], ["--evaluate"]], ids=["train", "inspect", "evaluate"]
)
def test_datasets_have_their_own_options(job):
    datasets = ["--dataset", "images", "coco:toys", "tfds:imagenette"]
    settings, _ = parse([*job, *datasets, "--categories", "cat", "teddy bear", "--data-dir=a-b"])
    assert settings.categories == ("cat", "teddy bear")
    assert settings.data_dir == "a-b"


@pytest.mark.parametrize("job", [[], ["--inspect"]], ids=["train", "inspect"])
def test_datasets_have_weights(job):
    settings, _ = parse([*job, "--dataset", "a", "coco:b", "--dataset_weights", "3", "0.5"])
    assert settings.dataset_weights == [3.0, 0.5]


def test_hyphens_in_dataset_names_are_preserved():
    settings, _ = parse(["--inspect", "--dataset", "tiny-imagenet:a-b", "--class-index", "c-d"])
    assert (settings.dataset, settings.class_index) == (("tiny-imagenet:a-b",), "c-d")


def test_resumed_training_may_change_the_categories():
    settings, explicit = parse(["--load_weights", "--categories", "cat"])
    assert (settings.job, settings.categories, explicit) == (
        "train",
        ("cat",),
        {"load_weights", "categories"},
    )


def test_reconstruction_terms_have_weights():
    settings, _ = parse(["--reconstruction", "l1:2.5", "perceptual:0"])
    assert settings.reconstruction_weights == {"l1": 2.5, "perceptual": 0.0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--filter", "3"], "unrecognized arguments: --filter"),
        (["--model", "vgg"], "invalid choice"),
        (["--batch_size", "0"], "'0' is not a whole number of at least 1"),
        (["--batch_size", "two"], "'two' is not a whole number of at least 1"),
        (["--generator_lr", "0"], "'0' is not a number above 0"),
        (["--generator_lr", "nan"], "'nan' is not a number above 0"),
        (["--crop_scale", "1.5"], "'1.5' is not a number above 0, at most 1"),
        (["--validation_share", "1"], "'1' is not a number from 0 to below 1"),
        (["--resolution", "8"], "'8' is not a whole number of at least 16"),
        (["--reconstruction", "l2:1"], "'l2:1' is not TERM:WEIGHT"),
        (["--reconstruction", "l1"], "'l1' is not TERM:WEIGHT"),
        (["--reconstruction", "l1:-1"], "'-1' is not a number of at least 0"),
        (["--images"], "expected at least one argument"),
        (["--images", "a", "--epochs", "3"], "--epochs has no effect when --images is given"),
        (
            ["--output_dir", "a"],
            "--output_dir has no effect when --evaluate or --images or --inspect is not given",
        ),
        (["--images", "a", "--weights", "w", "--load_weights"], "both say which weights"),
        (["--pretrained", "a", "--load_weights"], "--pretrained starts a new training"),
        (["--adversarial", "none", "--discriminator_lr", "1"], "no effect with --adversarial none"),
        (["--label_smoothing", "0.1"], "no effect with --adversarial hinge"),
        (["--depth", "3", "--encoder", "mobilenet_v2"], "no effect with --encoder mobilenet_v2"),
        (["--encoder_weights", "none"], "no effect without --encoder"),
        (["--images", "a", "--weights_dir", "w"], "add --load_weights"),
        (["--images", "a", "--weights", "w", "--model", "sagan"], "--model has no effect"),
        (["--images", "a", "--quality", "9", "--format", "tif"], "no effect with --format tif"),
        (["--images", "a", "--quality", "0"], "'0' is not a whole number from 1 to 100"),
        (["--images", "a", "--saturation", "-1"], "'-1' is not a number of at least 0"),
        (["--images", "a", "--suffix", "a/b"], "'a/b' is not a part of a file name"),
        (["--images", "a", "--format", "gif"], "invalid choice: 'gif'"),
        (["--comparison"], "--comparison has no effect when --images is not given"),
        (["--images", "a", "--inspect"], "--images colors photographs and --inspect shows data"),
        (["--inspect", "--images", "a", "--quality", "9"], "give only one"),
        (["--inspect", "--load_weights"], "--load_weights has no effect when --inspect is given"),
        (["--inspect", "--weights", "w"], "--weights has no effect when --inspect is given"),
        (["--inspect", "--quality", "9"], "--quality has no effect when --inspect is given"),
        (["--inspect", "--suffix", "a"], "no effect when --inspect is given"),
        (["--inspect", "--label_smoothing", "0.1"], "no effect with --adversarial hinge"),
        (["--inspect", "demo"], "unrecognized arguments: demo"),
        (["--class_index", "a"], "--class_index has no effect without --inspect or --model"),
        (["--images", "a", "--class_index", "b"], "no effect when --images is given"),
        (["--images", "a", "--dataset", "b"], "--dataset has no effect when --images is given"),
        (["--images", "a", "--categories", "cat"], "no effect when --images is given"),
        (["--images", "a", "--data_dir", "b"], "--data_dir has no effect when --images is given"),
        (["--lpips_weights", "a"], "has no effect without lpips in --validation_metrics"),
        (["--validation_metrics", "fid"], "invalid choice: 'fid'"),
        (["--evaluate", "--inspect"], "--evaluate evaluates weights and --inspect shows data"),
        (["--evaluate", "--images", "a", "--inspect"], "give only one"),
        (["--evaluate", "a"], "unrecognized arguments: a"),
        (["--evaluate", "--predictions"], "expected at least one argument"),
        (["--evaluate", "--weights"], "expected at least one argument"),
        (["--evaluate", "--resolution", "15"], "'15' is not a whole number of at least 16"),
        (["--evaluate", "--max_images", "0"], "'0' is not a whole number of at least 1"),
        (["--evaluate", "--sample_count", "0"], "'0' is not a whole number of at least 1"),
        (["--evaluate", "--epochs", "3"], "--epochs has no effect when --evaluate is given"),
        (["--evaluate", "--filters", "3"], "--filters has no effect when --evaluate is given"),
        (["--evaluate", "--pretrained", "a"], "no effect when --evaluate is given"),
        (["--evaluate", "--cache", "memory"], "no effect when --evaluate is given"),
        (["--evaluate", "--class_index", "a"], "no effect when --evaluate is given"),
        (["--evaluate", "--quality", "9"], "no effect when --evaluate is given"),
        (["--evaluate", "--overwrite"], "no effect when --evaluate is given"),
        (["--evaluate", "--quiet"], "no effect when --evaluate is given"),
        (["--evaluate", "--validation_metrics", "psnr"], "no effect when --evaluate is given"),
        (["--evaluate", "--weights", "a", "--load_weights"], "both say which weights"),
        (["--evaluate", "--weights_dir", "a"], "add --load_weights"),
        (["--evaluate", "--weights", "a", "--model", "sagan"], "--model has no effect"),
        (["--evaluate", "--categories", "cat"], "no effect without a --dataset coco:DIR"),
        (["--evaluate", "--data_dir", "a"], "no effect without a --dataset tfds:NAME"),
        (
            ["--evaluate", "--load_weights", "--categories", "cat"],
            "no effect without a --dataset coco:DIR",
        ),
        (
            ["--evaluate", "--images", "a", "--dataset", "b"],
            "--dataset has no effect with --images, which have no true colors",
        ),
        (
            ["--evaluate", "--images", "a", "--lpips_weights", "b"],
            "--lpips_weights has no effect with --images",
        ),
        (
            ["--evaluate", "--images", "a", "--validation_share", "0.1"],
            "--validation_share has no effect with --images",
        ),
        (
            ["--evaluate", "--images", "a", "--minimum_colorfulness", "1"],
            "--minimum_colorfulness has no effect with --images",
        ),
        (
            ["--evaluate", "--images", "a", "--dataset", "coco:b", "--categories", "cat"],
            "has no effect with --images",
        ),
        (["--evaluate", "--images", "a", "--suffix", "b"], "no effect when --evaluate is given"),
        (["--predictions", "a"], "--predictions has no effect when --evaluate is not given"),
        (["--images", "a", "--predictions", "b"], "no effect when --images is given"),
        (["--inspect", "--predictions", "a"], "no effect when --inspect is given"),
        (["--csv"], "--csv has no effect when --evaluate is not given"),
        (["--images", "a", "--json", "b"], "--json has no effect when --images is given"),
        (["--feature_network", "a"], "no effect when --evaluate is not given"),
        (["--images", "a", "--weights", "b", "c"], "compare several with --evaluate"),
        (["--categories", "cat"], "--categories has no effect without a --dataset coco:DIR"),
        (["--inspect", "--categories", "cat"], "no effect without a --dataset coco:DIR"),
        (["--dataset", "coco", "--categories", "cat"], "without a --dataset coco:DIR"),
        (["--dataset", "tfds:a", "--categories", "cat"], "without a --dataset coco:DIR"),
        (
            ["--dataset", "a", "b", "--dataset_weights", "3", "1", "0.5"],
            "--dataset_weights 3 1 0.5: give one weight for each of the 2 datasets of --dataset",
        ),
        (["--dataset", "a", "b", "--dataset_weights", "3", "0"], "'0' is not a number above 0"),
        (["--dataset_weights", "3"], "--dataset_weights has no effect with a single --dataset"),
        (
            ["--evaluate", "--dataset", "a", "b", "--dataset_weights", "3", "1"],
            "--dataset_weights has no effect when --evaluate is given",
        ),
        (["--dataset", "coco:a", "--categories"], "expected at least one argument"),
        (["--data_dir", "a"], "--data_dir has no effect without a --dataset tfds:NAME"),
        (["--inspect", "--data-dir", "a"], "no effect without a --dataset tfds:NAME"),
        (["--dataset", "coco:a", "--data_dir", "b"], "without a --dataset tfds:NAME"),
        (["--reconstruction", "l1:0"], "no term has a weight above 0"),
        (["--reconstruction", "l1:1", "l1:2"], "a term is given twice"),
        (["--seed", "4294967296"], "is not a whole number below 2^32"),
        (["--sample_every", "0", "--sample_count", "3"], "no effect with --sample_every 0"),
        (
            ["--reconstruction", "l1:1", "--perceptual_weights", "a"],
            "no effect without the term perceptual",
        ),
        (
            ["--reconstruction", "ssim:1", "--color_rebalancing", "0.1"],
            "no effect without one of the terms huber, l1, mse in --reconstruction",
        ),
        (["--color_rebalancing", "1.5"], "'1.5' is not a number from 0 to 1"),
        (["--target_saturation", "0"], "'0' is not"),
        (["--resolution", "16", "--depth", "5"], "cannot be halved 5 times"),
    ],
)
def test_a_wrong_argument_raises_a_one_line_error(arguments, words):
    with pytest.raises(InputError) as caught:
        parse(arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_choices_on_the_command_line_match_the_code():
    assert set(MODELS) == set(COLORIZERS)
    assert set(choices("encoder")) == {"none", *ENCODERS}
    assert CHROMAGAN_DEPTH == HALVINGS
    assert set(choices("global_features")) == set(GLOBAL_FEATURES)
    assert set(choices("norm")) == set(NORMS)
    assert set(choices("lr_schedule")) == set(SCHEDULES)


def test_every_setting_has_a_help_text(capsys):
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for entry in fields():
        assert entry.metadata["help"]
        assert f"--{entry.name}" in text


def test_help_names_the_models_of_an_argument_and_their_defaults(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "as in a U-Net (only with encoder_decoder)" in text
    assert "at --attention_resolution (only with pix2pix, encoder_decoder)" in text
    assert "a lower loss before the rates are lowered (plateau only) (default: 3)" in text
    assert "224 with chromagan; 400 with encoder_decoder)" in text
    # encoder_decoder is not listed: its default is the general one.
    assert "at a quarter with chromagan) (default: 32; 64 with pix2pix; 64 with chromagan)" in text


def test_help_says_what_an_encoder_changes(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "(only with sagan; default: 1; 4 with sagan and --encoder)" in text


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


@pytest.mark.parametrize(
    "arguments",
    [["--epochs", "3"], ["--encoder", "mobilenet_v2", "--precision", "float32"], ["--no_flip"]],
)
def test_inspect_takes_training_options(arguments):
    settings, _ = parse(["--inspect", *arguments])
    assert settings.job == "inspect"


def test_list_options_may_be_repeated():
    settings, _ = parse(["--dataset", "a", "b", "--dataset", "coco:c", "--categories", "cat"])
    assert settings.dataset == ("a", "b", "coco:c")
    settings, _ = parse(["--images", "a", "--images", "b"])
    assert settings.images == ("a", "b")
