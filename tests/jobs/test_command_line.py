"""The command line: every argument is of use, or an error that says so."""

import subprocess
import sys
from pathlib import Path

import pytest

from callbacks.learning_rates import SCHEDULES
from errors import InputError
from jobs.command_line import parse
from jobs.presets import PRESETS
from jobs.settings import CHROMAGAN_DEPTH, MODELS, SHAPES, Settings, fields
from models.catalog import COLORIZERS
from models.networks.blocks import NORMS
from models.networks.chromagan_networks import GLOBAL_FEATURES, HALVINGS
from models.networks.encoder_recipes import ENCODERS

ROOT = Path(__file__).resolve().parents[2]


def choices(name):
    return next(e for e in fields() if e.name == name).metadata["options"]["choices"]


def test_defaults_train_sagan_on_the_demo_photographs():
    settings, given = parse([])
    assert settings == Settings()
    assert given == set()
    assert (settings.job, settings.model, settings.dataset) == ("train", "sagan", ["demo"])
    assert settings.weights_folder == Path("weights/sagan")


def test_what_was_given_is_known():
    settings, given = parse(["--filters", "8", "--dataset", "a", "b", "--no_flip"])
    assert given == {"filters", "dataset", "flip"}
    assert (settings.filters, settings.dataset, settings.flip) == (8, ["a", "b"], False)


def test_hyphens_are_accepted():
    settings, _ = parse(["--batch-size=4", "--weights-dir", "my-weights", "--no-flip"])
    assert (settings.batch_size, settings.weights_dir, settings.flip) == (4, "my-weights", False)


def test_images_color():
    settings, _ = parse(["--images", "a.jpg", "b/", "--output_dir", "out"])
    assert (settings.job, settings.images, settings.output_dir) == (
        "colorize",
        ["a.jpg", "b/"],
        "out",
    )


def test_inspect_looks_at_data_sets():
    arguments = ["--inspect", "--dataset", "tiny-imagenet:a", "b", "--class_index", "c.json"]
    settings, given = parse([*arguments, "--output_dir", "out", "--cache", "memory", "--no_flip"])
    assert given == {"inspect", "dataset", "class_index", "output_dir", "cache", "flip"}
    assert (settings.job, settings.dataset) == ("inspect", ["tiny-imagenet:a", "b"])
    assert (settings.class_index, settings.output_dir) == ("c.json", "out")


def test_inspect_alone_looks_at_the_demo_photographs():
    settings, given = parse(["--inspect"])
    assert given == {"inspect"}
    assert (settings.job, settings.dataset, settings.output_dir) == ("inspect", ["demo"], "results")


def test_evaluate_alone_judges_the_weights_that_ship_by_the_demo_photographs():
    settings, given = parse(["--evaluate"])
    assert given == {"evaluate"}
    assert (settings.job, settings.dataset, settings.output_dir) == (
        "evaluate",
        ["demo"],
        "results",
    )
    assert (settings.weights, settings.predictions, settings.csv, settings.json) == (None,) * 4


def test_evaluate_judges_weights_and_predictions():
    arguments = ["--evaluate", "--dataset", "d", "--weights", "a", "b", "--weights", "c"]
    settings, _ = parse([*arguments, "--predictions", "e f", "--predictions", "g", "h"])
    assert (settings.job, settings.weights) == ("evaluate", ["a", "b", "c"])
    assert settings.predictions == ["e f", "g", "h"]


def test_evaluate_with_images_judges_photographs():
    settings, _ = parse(["--images", "a", "--predictions", "b", "--evaluate"])
    assert (settings.job, settings.images) == ("evaluate", ["a"])


@pytest.mark.parametrize("option", ["csv", "json"])
def test_files_of_numbers_may_be_left_to_their_defaults(option):
    for arguments, value in (([], ""), (["my-numbers"], "my-numbers"), ([""], "")):
        settings, given = parse(["--evaluate", f"--{option}", *arguments, "--dataset", "d"])
        assert (getattr(settings, option), settings.dataset) == (value, ["d"])
        assert option in given
    assert getattr(parse(["--evaluate", f"--{option}=a=b"])[0], option) == "a=b"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dataset", "d", "--lpips_weights", "a", "--feature-network", "b-c", "--seed", "3"],
        ["--resolution", "17", "--max_pictures", "4", "--sample_count", "2", "--log_dir", "a"],
        ["--validation_share", "0.2", "--minimum_colorfulness", "0", "--batch_size", "99"],
        ["--dataset", "coco:a", "--categories", "cat", "--precision", "float32"],
        ["--dataset", "tfds:a", "--data-dir", "b"],
        ["--load_weights", "--weights_dir", "a"],
        ["--load_weights", "--model", "sagan", "--saturation", "0.5", "--flip_average"],
        ["--images", "a", "--weights", "b", "c", "--feature_network", "d", "--max_pictures", "2"],
    ],
)
def test_what_an_evaluation_reads_may_be_given(arguments):
    settings, _ = parse(["--evaluate", *arguments])
    assert settings.job == "evaluate"


@pytest.mark.parametrize(
    "job", [[], ["--inspect"], ["--evaluate"]], ids=["train", "inspect", "evaluate"]
)
def test_data_sets_have_options_of_their_own(job):
    sets = ["--dataset", "pictures", "coco:toys", "tfds:imagenette"]
    settings, _ = parse([*job, *sets, "--categories", "cat", "teddy bear", "--data-dir=a-b"])
    assert settings.categories == ["cat", "teddy bear"]
    assert settings.data_dir == "a-b"


def test_hyphens_in_names_of_data_sets_stay():
    settings, _ = parse(["--inspect", "--dataset", "tiny-imagenet:a-b", "--class-index", "c-d"])
    assert (settings.dataset, settings.class_index) == (["tiny-imagenet:a-b"], "c-d")


def test_resumed_training_may_change_the_categories():
    settings, given = parse(["--load_weights", "--categories", "cat"])
    assert (settings.job, settings.categories, given) == (
        "train",
        ["cat"],
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
        (["--images", "a", "--inspect"], "--images colors photographs and --inspect looks at data"),
        (["--inspect", "--images", "a", "--quality", "9"], "give one"),
        (["--inspect", "--load_weights"], "--load_weights has no effect when --inspect is given"),
        (["--inspect", "--weights", "w"], "--weights has no effect when --inspect is given"),
        (["--inspect", "--quality", "9"], "--quality has no effect when --inspect is given"),
        (["--inspect", "--suffix", "a"], "no effect when --inspect is given"),
        (["--inspect", "--label_smoothing", "0.1"], "no effect with --adversarial hinge"),
        (["--inspect", "demo"], "unrecognized arguments: demo"),
        (["--class_index", "a"], "--class_index has no effect without --inspect or classes"),
        (["--images", "a", "--class_index", "b"], "no effect when --images is given"),
        (["--images", "a", "--dataset", "b"], "--dataset has no effect when --images is given"),
        (["--images", "a", "--categories", "cat"], "no effect when --images is given"),
        (["--images", "a", "--data_dir", "b"], "--data_dir has no effect when --images is given"),
        (["--lpips_weights", "a"], "has no effect without lpips in --validation_metrics"),
        (["--validation_metrics", "fid"], "invalid choice: 'fid'"),
        (["--evaluate", "--inspect"], "--evaluate judges weights and --inspect looks at data"),
        (["--evaluate", "--images", "a", "--inspect"], "give one"),
        (["--evaluate", "a"], "unrecognized arguments: a"),
        (["--evaluate", "--predictions"], "expected at least one argument"),
        (["--evaluate", "--weights"], "expected at least one argument"),
        (["--evaluate", "--resolution", "15"], "'15' is not a whole number of at least 16"),
        (["--evaluate", "--max_pictures", "0"], "'0' is not a whole number of at least 1"),
        (["--evaluate", "--sample_count", "0"], "'0' is not a whole number of at least 1"),
        (["--evaluate", "--epochs", "3"], "--epochs has no effect when --evaluate is given"),
        (["--evaluate", "--filters", "3"], "--filters has no effect when --evaluate is given"),
        (["--evaluate", "--pretrained", "a"], "no effect when --evaluate is given"),
        (["--evaluate", "--cache", "memory"], "no effect when --evaluate is given"),
        (["--evaluate", "--class_index", "a"], "no effect when --evaluate is given"),
        (["--evaluate", "--quality", "9"], "no effect when --evaluate is given"),
        (["--evaluate", "--overwrite"], "no effect when --evaluate is given"),
        (["--evaluate", "--quiet"], "no effect when --evaluate is given"),
        (["--evaluate", "--render_size", "64"], "no effect when --evaluate is given"),
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
            "--dataset has no effect beside --images, of which there is no truth",
        ),
        (
            ["--evaluate", "--images", "a", "--lpips_weights", "b"],
            "--lpips_weights has no effect beside --images",
        ),
        (
            ["--evaluate", "--images", "a", "--validation_share", "0.1"],
            "--validation_share has no effect beside --images",
        ),
        (
            ["--evaluate", "--images", "a", "--minimum_colorfulness", "1"],
            "--minimum_colorfulness has no effect beside --images",
        ),
        (
            ["--evaluate", "--images", "a", "--dataset", "coco:b", "--categories", "cat"],
            "has no effect beside --images",
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
        (["--dataset", "coco:a", "--categories"], "expected at least one argument"),
        (["--data_dir", "a"], "--data_dir has no effect without a --dataset tfds:NAME"),
        (["--inspect", "--data-dir", "a"], "no effect without a --dataset tfds:NAME"),
        (["--dataset", "coco:a", "--data_dir", "b"], "without a --dataset tfds:NAME"),
        (["--reconstruction", "l1:0"], "no term has a weight above 0"),
        (["--reconstruction", "l1:1", "l1:2"], "a term stands there twice"),
        (["--seed", "4294967296"], "is not a whole number below 2^32"),
        (["--sample_every", "0", "--sample_count", "3"], "no effect with --sample_every 0"),
        (
            ["--reconstruction", "l1:1", "--perceptual_weights", "a"],
            "no effect without the term perceptual",
        ),
        (["--resolution", "16", "--depth", "5"], "cannot be halved 5 times"),
    ],
)
def test_a_wrong_argument_is_one_line_that_says_so(arguments, words):
    with pytest.raises(InputError) as caught:
        parse(arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_on_the_command_line_are_those_of_the_code():
    assert set(MODELS) == set(COLORIZERS)
    assert set(choices("encoder")) == {"none", *ENCODERS}
    assert CHROMAGAN_DEPTH == HALVINGS
    assert set(choices("global_features")) == set(GLOBAL_FEATURES)
    assert set(choices("norm")) == set(NORMS)
    assert set(choices("lr_schedule")) == set(SCHEDULES)
    assert set(SHAPES) <= {entry.name for entry in fields()}


def test_every_setting_has_a_sentence_for_help(capsys):
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for entry in fields():
        assert entry.metadata["help"]
        assert f"--{entry.name}" in text


def test_help_says_which_models_an_argument_is_of_and_where_defaults_differ(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "as a U-Net (only inception)" in text
    assert "at --attention_resolution (only pix2pix, inception)" in text
    assert "a lower loss before the rates are lowered (plateau only) (default: 3)" in text
    assert "with chromagan 224; with inception 400)" in text
    # With inception it is what it is with sagan.
    assert "at half size, with chromagan at a quarter (default: 32; with pix2pix 64; with" in text


def test_help_does_not_wait_for_tensorflow():
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
def test_what_would_be_trained_may_be_inspected(arguments):
    settings, _ = parse(["--inspect", *arguments])
    assert settings.job == "inspect"


def test_lists_may_be_given_in_parts():
    settings, _ = parse(["--dataset", "a", "b", "--dataset", "coco:c", "--categories", "cat"])
    assert settings.dataset == ["a", "b", "coco:c"]
    settings, _ = parse(["--images", "a", "--images", "b"])
    assert settings.images == ["a", "b"]


# --- models and presets --------------------------------------------------------------------------


def test_pix2pix_has_the_values_of_its_paper():
    settings, given = parse(["--model", "pix2pix", "--resolution", "256"])
    assert given == {"model", "resolution"}
    assert (settings.network_depth, settings.filters) == (8, 64)
    assert (settings.generator_lr, settings.discriminator_lr) == (2e-4, 2e-4)
    assert (settings.beta_1, settings.beta_2, settings.label_smoothing) == (0.5, 0.999, 0.0)
    assert (settings.adversarial, settings.adversarial_weight) == ("vanilla", 1.0)
    assert settings.reconstruction == ["l1:100"]
    assert (settings.discriminator, settings.first_discriminator_filters) == ("patch", 64)


def test_chromagan_has_the_values_of_its_paper():
    settings, given = parse(["--model", "chromagan"])
    assert given == {"model"}
    assert (settings.resolution, settings.batch_size, settings.filters) == (224, 10, 64)
    assert (settings.generator_lr, settings.discriminator_lr) == (2e-5, 2e-5)
    assert (settings.beta_1, settings.beta_2) == (0.5, 0.999)
    assert (settings.adversarial, settings.adversarial_weight) == ("wgan-gp", 0.1)
    assert (settings.class_weight, settings.gp_weight) == (0.003, 10.0)
    assert settings.reconstruction == ["mse:1"]
    assert settings.reconstruction_weights == {"mse": 1.0}
    assert (settings.encoder, settings.encoder_weights) == ("vgg16", "imagenet")
    assert (settings.teacher, settings.teacher_weights) == ("vgg16", None)
    assert (settings.global_features, settings.norm) == ("flatten", "batch")
    assert settings.first_discriminator_filters == 64
    assert settings.weights_folder == Path("weights/chromagan")


def test_inception_has_the_values_of_its_report():
    settings, given = parse(["--model", "inception"])
    assert given == {"model"}
    assert (settings.resolution, settings.batch_size, settings.epochs) == (400, 16, 50)
    assert (settings.encoder, settings.encoder_weights) == ("inception_resnet_v2", "imagenet")
    assert (settings.filters, settings.norm) == (32, "none")
    assert (settings.skip_connections, settings.decoder_attention) == (False, False)
    assert settings.reconstruction_weights == {"mse": 1.0}
    assert settings.adversarial == "none"
    assert (settings.optimizer, settings.weight_decay) == ("adam", None)
    assert (settings.generator_lr, settings.beta_1, settings.beta_2) == (2e-4, 0.5, 0.999)
    assert (settings.lr_schedule, settings.plateau_patience) == ("plateau", 3)
    assert settings.plateau_factor == 0.1
    assert (settings.warmup_steps, settings.freeze_encoder_epochs) == (0, 0)
    # Pictures are turned, cropped and mirrored.
    assert settings.rotation > 0
    assert settings.crop_scale < 1
    assert settings.flip
    assert settings.weights_folder == Path("weights/inception")


def test_inception_takes_an_adversary():
    settings, _ = parse(["--model", "inception", "--adversarial", "vanilla"])
    assert settings.first_discriminator_filters == 64
    assert (settings.adversarial_weight, settings.discriminator_lr) == (0.003, 2e-4)
    options = ["--generator_epochs", "1", "--discriminator_steps", "2", "--norm", "batch"]
    settings, _ = parse(["--model", "inception", "--adversarial", "wgan-gp", *options])
    assert (settings.generator_epochs, settings.gp_weight) == (1, 10.0)


def test_inception_takes_what_not_every_model_has():
    options = ["--skip_connections", "--decoder_attention", "--attention_resolution", "16"]
    options += ["--encoder", "vgg16", "--freeze_encoder_epochs", "2", "--warmup-steps", "100"]
    settings, _ = parse(["--model", "inception", *options, "--plateau_patience", "5"])
    assert (settings.skip_connections, settings.decoder_attention) == (True, True)
    assert (settings.attention_resolution, settings.encoder) == (16, "vgg16")
    assert (settings.freeze_encoder_epochs, settings.warmup_steps) == (2, 100)
    assert settings.plateau_patience == 5


@pytest.mark.parametrize("resolution", [16, 75, 333])
def test_inception_takes_pictures_of_any_size(resolution):
    settings, _ = parse(["--model", "inception", "--resolution", str(resolution)])
    assert settings.resolution == resolution


@pytest.mark.parametrize("model", ["sagan", "pix2pix", "chromagan"])
def test_every_model_may_be_trained_by_any_optimizer_and_schedule(model):
    encoder = [] if model == "chromagan" else ["--encoder", "mobilenet_v2"]
    options = ["--lr_schedule", "plateau", "--plateau_factor", "0.5", "--warmup_steps", "9"]
    options += ["--optimizer", "sgd", "--weight_decay", "0.1", "--beta_1", "0.9"]
    settings, _ = parse(["--model", model, *encoder, "--freeze_encoder_epochs", "3", *options])
    assert (settings.lr_schedule, settings.plateau_factor) == ("plateau", 0.5)
    assert (settings.optimizer, settings.weight_decay, settings.beta_1) == ("sgd", 0.1, 0.9)
    assert settings.freeze_encoder_epochs == 3


def test_pix2pix_takes_attention_where_it_is_asked_for():
    options = ["--decoder_attention", "--attention_resolution", "16"]
    settings, _ = parse(["--model", "pix2pix", *options])
    assert (settings.decoder_attention, settings.attention_resolution) == (True, 16)
    assert not parse(["--model", "pix2pix"])[0].decoder_attention


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lion"])
def test_weights_decay_with_any_optimizer_but_adam(optimizer):
    options = ["--optimizer", optimizer, "--beta_1", "0.9"]
    assert parse([*options, "--weight_decay", "0"])[0].weight_decay == 0.0
    assert parse(options)[0].weight_decay is None


def test_tiny_chromagan_learns_small_pictures_faster():
    settings, _ = parse(["--preset", "chromagan-tiny"])
    assert settings.model == "chromagan"
    assert (settings.resolution, settings.batch_size) == (64, 10)
    assert (settings.generator_lr, settings.discriminator_lr) == (2e-4, 2e-4)
    # The rest is the paper's.
    assert (settings.beta_1, settings.adversarial, settings.encoder) == (0.5, "wgan-gp", "vgg16")
    assert parse(["--preset", "chromagan-tiny", "--resolution", "32"])[0].resolution == 32
    assert parse(["--preset", "chromagan-tiny", "--batch_size", "4"])[0].batch_size == 4


def test_chromagan_takes_what_it_alone_has():
    options = ["--global_features", "pool", "--class_weight", "0.01", "--teacher", "mobilenet_v2"]
    options += ["--teacher_weights", "t.h5", "--teacher-cache", "cache", "--gp_weight", "1"]
    settings, _ = parse(["--model", "chromagan", *options])
    assert (settings.global_features, settings.class_weight) == ("pool", 0.01)
    assert (settings.teacher, settings.teacher_weights) == ("mobilenet_v2", "t.h5")
    assert (settings.teacher_cache, settings.gp_weight) == ("cache", 1.0)
    others = ["--class_weight", "0", "--adversarial", "none", "--reconstruction", "l1:10", "mse:2"]
    settings, _ = parse(["--model", "chromagan", *others])
    assert settings.reconstruction_weights == {"l1": 10.0, "mse": 2.0}


def test_penalty_goes_with_the_batch_normalization_of_another_network():
    # Of chromagan's generator: its discriminator has none.
    for norm in ("batch", "instance", "none"):
        assert parse(["--model", "chromagan", "--norm", norm])[0].norm == norm


@pytest.mark.parametrize(
    "arguments",
    [["--resolution", "24"], ["--resolution", "16", "--adversarial", "none"]],
    ids=["24", "16 without an adversary"],
)
def test_chromagan_halves_no_more_often_than_it_does(arguments):
    assert parse(["--model", "chromagan", *arguments])[0].resolution == int(arguments[1])


@pytest.mark.parametrize(("resolution", "depth"), [(256, 8), (200, 7), (128, 7), (64, 6), (24, 4)])
def test_pix2pix_halves_as_often_as_can_be(resolution, depth):
    settings, _ = parse(["--model", "pix2pix", "--resolution", str(resolution)])
    assert settings.network_depth == depth


def test_depth_has_a_second_name():
    assert parse(["--num_downs", "3"])[0].depth == parse(["--depth", "3"])[0].depth == 3


@pytest.mark.parametrize("name", list(PRESETS))
def test_preset_can_be_trained_and_changed(name):
    settings, given = parse(["--preset", name])
    assert given == {"preset"}
    assert settings.model == ("chromagan" if name == "chromagan-tiny" else "pix2pix")
    for key, value in PRESETS[name].settings.items():
        assert getattr(settings, key) == value
    assert parse(["--preset", name, "--epochs", "7"])[0].epochs == 7
    assert settings.weights_folder == Path("weights", name)


def test_presets_go_on_from_each_other():
    follow = {name: preset.starts_from for name, preset in PRESETS.items() if preset.starts_from}
    names = ["vanilla-gan", "ls-gan", "ls-gan-30", "vanilla-low-lambda"]
    assert follow == dict.fromkeys(names, "unet-l1")
    for name in PRESETS:
        settings, _ = parse(["--preset", name])
        assert settings.pretrained == ("weights/unet-l1" if name in names else None)
    assert parse(["--preset", "ls-gan", "--pretrained", "other"])[0].pretrained == "other"


def test_discriminator_is_not_looked_at_where_nothing_is_trained():
    given = ["--model", "pix2pix", "--load_weights", "--evaluate", "--resolution", "16"]
    assert parse(given)[0].resolution == 16


def test_what_is_given_goes_before_the_preset_and_that_before_the_model():
    settings, _ = parse(["--preset", "one-channel", "--generator_lr", "0.5"])
    assert (settings.generator_lr, settings.discriminator_lr) == (0.5, 1e-4)
    assert settings.beta_1 == 0.5


@pytest.mark.parametrize(("kind", "filters"), [("patch", 64), ("pixel", 64), ("conv4", 16)])
def test_discriminators_are_as_wide_as_in_the_reports(kind, filters):
    settings, _ = parse(["--model", "pix2pix", "--discriminator", kind])
    assert settings.first_discriminator_filters == filters
    wider, _ = parse(["--model", "pix2pix", "--discriminator_filters", "8"])
    assert wider.first_discriminator_filters == 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--discriminator", "pixel"], "--discriminator has no effect with --model sagan"),
        (["--input_channels", "3"], "--input_channels has no effect with --model sagan"),
        (
            ["--model", "pix2pix", "--attention_resolution", "8"],
            "--attention_resolution has no effect with --pretrained, or without "
            "--decoder_attention; leave it out",
        ),
        (
            ["--preset", "patchgan", "--attention_resolution", "8"],
            "--attention_resolution has no effect with --pretrained, or without",
        ),
        (["--preset", "patch"], "invalid choice"),
        (["--gp_weight", "1"], "--gp_weight has no effect with --adversarial hinge"),
        (["--generator_lr_alone", "1"], "no effect without --generator_epochs"),
        (["--discriminator_lr_alone", "1"], "no effect without --discriminator_epochs"),
        (["--adversarial", "none", "--discriminator_steps", "2"], "with --adversarial none"),
        (
            ["--model", "pix2pix", "--adversarial", "wgan-gp"],
            "give --norm instance or none",
        ),
        (
            ["--model", "pix2pix", "--discriminator", "conv4", "--resolution", "120"],
            "at least 121 px; received --resolution 120",
        ),
        (["--model", "pix2pix", "--resolution", "23"], "patch takes pictures of at least 24 px"),
        (["--preset", "patchgan", "--model", "sagan"], "--preset patchgan is of --model pix2pix"),
        (["--preset", "patchgan", "--load_weights"], "--preset begins a new training"),
        (["--preset", "one-channel", "--epochs", "4"], "leave none of 4 epochs for both networks"),
        (
            ["--generator_epochs", "2", "--epochs", "2"],
            "--generator_epochs 2 and --discriminator_epochs 0 leave none of 2 epochs for both",
        ),
        (
            ["--model", "pix2pix", "--encoder", "vgg16", "--input_channels", "3"],
            "--input_channels has no effect with --encoder vgg16",
        ),
        (["--model", "pix2pix", "--depth", "8"], "pictures of 128 px cannot be halved 8 times"),
        (["--input_channels", "2", "--model", "pix2pix"], "invalid choice"),
        (["--global_features", "pool"], "--global_features has no effect with --model sagan"),
        (["--class_weight", "1"], "--class_weight has no effect with --model sagan"),
        (
            ["--model", "pix2pix", "--teacher", "vgg16"],
            "--teacher has no effect with --model pix2pix",
        ),
        *(
            (
                ["--model", "chromagan", "--class_weight", "0", f"--{name}", "x"],
                f"--{name} has no effect with --class_weight 0; leave it out",
            )
            for name in ("teacher", "teacher_weights", "teacher_cache")
        ),
        (["--model", "chromagan", "--class_weight", "-1"], "--class_weight"),
        (
            ["--model", "chromagan", "--encoder", "none"],
            "--encoder none: the generator of chromagan begins with a network for recognition; "
            "give vgg16",
        ),
        (
            ["--model", "chromagan", "--discriminator", "pixel"],
            "--discriminator has no effect with --model chromagan",
        ),
        (
            ["--model", "chromagan", "--input_channels", "3"],
            "--input_channels has no effect with --model chromagan",
        ),
        (
            ["--model", "chromagan", "--attention_resolution", "8"],
            "--attention_resolution has no effect with --model chromagan",
        ),
        (["--model", "chromagan", "--depth", "3"], "--depth has no effect with --encoder vgg16"),
        (["--model", "chromagan", "--global_features", "mean"], "invalid choice"),
        (["--model", "chromagan", "--reconstruction", "l2:1"], "--reconstruction"),
        (
            ["--model", "chromagan", "--resolution", "23"],
            "takes pictures of at least 24 px; received --resolution 23",
        ),
        (
            ["--model", "chromagan", "--label_smoothing", "0.1"],
            "--label_smoothing has no effect with --adversarial wgan-gp",
        ),
        (
            ["--preset", "chromagan-tiny", "--model", "pix2pix"],
            "--preset chromagan-tiny is of --model chromagan",
        ),
        (["--images", "a.jpg", "--teacher", "vgg16"], "--teacher has no effect when --images"),
        (["--weight_decay", "0.1"], "--weight_decay has no effect with --optimizer adam; adamw is"),
        (
            ["--model", "inception", "--optimizer", "adam", "--weight_decay", "0"],
            "--weight_decay has no effect with --optimizer adam",
        ),
        (["--weight_decay", "-1", "--optimizer", "sgd"], "'-1' is not a number of at least 0"),
        (
            ["--optimizer", "sgd", "--beta_2", "0.9"],
            "--beta_2 has no effect with --optimizer sgd; leave it out",
        ),
        (["--optimizer", "rmsprop"], "invalid choice: 'rmsprop'"),
        (["--lr_schedule", "step"], "invalid choice: 'step'"),
        *(
            (
                [f"--{name}", value, "--lr_schedule", schedule],
                f"--{name} has no effect without --lr_schedule plateau; leave it out",
            )
            for name, value in (("plateau_patience", "2"), ("plateau_factor", "0.5"))
            for schedule in ("constant", "linear", "cosine")
        ),
        (["--plateau_patience", "2"], "without --lr_schedule plateau"),
        (["--plateau_factor", "2", "--lr_schedule", "plateau"], "'2' is not a number"),
        (["--plateau_patience", "0", "--lr_schedule", "plateau"], "'0' is not a whole number of"),
        (["--warmup_steps", "-1"], "'-1' is not a whole number of at least 0"),
        (
            ["--freeze_encoder_epochs", "1"],
            "--freeze_encoder_epochs has no effect without the weights of an --encoder; leave",
        ),
        (
            ["--model", "pix2pix", "--freeze_encoder_epochs", "1"],
            "without the weights of an --encoder",
        ),
        *(
            (
                ["--model", "inception", f"--{name}", value],
                f"--{name} has no effect with --adversarial none; leave it out",
            )
            for name, value in (
                ("adversarial_weight", "1"),
                ("discriminator_lr", "1"),
                ("discriminator_filters", "8"),
                ("generator_epochs", "1"),
                ("discriminator_epochs", "1"),
                ("discriminator_steps", "2"),
            )
        ),
        (
            ["--model", "inception", "--attention_resolution", "8"],
            "--attention_resolution has no effect with --pretrained, or without "
            "--decoder_attention; leave it out",
        ),
        *(
            (
                [*model, "--pretrained", "a", "--attention_resolution", "8"],
                "--attention_resolution has no effect with --pretrained",
            )
            for model in (
                ["--model", "sagan"],
                ["--model", "pix2pix", "--decoder_attention"],
                ["--model", "inception", "--decoder_attention"],
            )
        ),
        *(
            (["--model", model, f"--{name}"], f"--{name} has no effect with --model {model};")
            for name, models in (
                ("skip_connections", ("sagan", "pix2pix", "chromagan")),
                ("decoder_attention", ("sagan", "chromagan")),
            )
            for model in models
        ),
        *(
            (
                ["--model", "inception", f"--{name}", value],
                f"--{name} has no effect with --model inception; leave it out",
            )
            for name, value in (
                ("discriminator", "pixel"),
                ("input_channels", "3"),
                ("global_features", "pool"),
                ("class_weight", "1"),
                ("teacher", "vgg16"),
            )
        ),
        (["--model", "inception", "--depth", "3"], "no effect with --encoder inception_resnet_v2"),
        (
            ["--model", "inception", "--encoder", "none"],
            "--encoder none: the generator of inception begins with a network for recognition; "
            "give inception_resnet_v2, and --encoder_weights none",
        ),
        (["--model", "inception", "--encoder", "xception"], "invalid choice: 'xception'"),
        (
            ["--model", "inception", "--adversarial", "vanilla", "--resolution", "23"],
            "the discriminator of inception takes pictures of at least 24 px; received "
            "--resolution 23",
        ),
        (
            ["--model", "inception", "--adversarial", "vanilla", "--generator_epochs", "50"],
            "leave none of 50 epochs for both networks",
        ),
        (["--images", "a.jpg", "--optimizer", "sgd"], "--optimizer has no effect when --images"),
        (["--evaluate", "--warmup_steps", "1"], "--warmup_steps has no effect when --evaluate"),
    ],
)
def test_what_a_model_cannot_do_is_one_line(arguments, words):
    with pytest.raises(InputError) as caught:
        parse(arguments)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_plateau_leaves_a_rate():
    with pytest.raises(InputError, match="--plateau_factor"):
        parse(["--lr_schedule", "plateau", "--plateau_factor", "0"])


@pytest.mark.parametrize("model", ["pix2pix", "inception"])
def test_attention_is_not_added_to_weights(model):
    with pytest.raises(InputError, match="--decoder_attention has no effect with --pretrained"):
        parse(["--model", model, "--pretrained", "a", "--decoder_attention"])


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_penalty_goes_with_norms_that_mix_no_pictures(norm):
    options = ["--model", "pix2pix", "--adversarial", "wgan-gp"]
    assert parse([*options, "--norm", norm])[0].norm == norm
    assert parse([*options, "--discriminator", "conv4"])[0].norm == "batch"
