"""Every argument has an effect, or raises an error of one line that says so."""

import pytest

from config.groups.argument_types import value_type
from config.groups.setting import MODELS
from config.parser import parse
from config.settings import JOBS, fields
from errors import InputError

# How each job is selected.
JOB_ARGUMENTS = {
    "train": [],
    "colorize": ["--images", "a"],
    "serve": ["--serve"],
    "evaluate": ["--evaluate"],
    "inspect": ["--inspect"],
}


def option_of(entry):
    """The option of a setting with a value that it accepts, as arguments."""
    kind, is_list, argument = value_type(entry.type)
    if kind is bool:
        return [f"--{entry.name}"]
    value = entry.default[0] if is_list and entry.default else entry.default
    if value is None:
        choices = argument.choices or entry.metadata["options"].get("choices")
        value = choices[0] if choices else {tuple: "1/2", str: "a"}.get(kind, 16)
    return [f"--{entry.name}={value}"]


def error_of(arguments):
    with pytest.raises(InputError) as caught:
        parse(arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def of_model(model):
    return ["--model", model]


PIX2PIX, CHROMAGAN, ENCODER_DECODER = map(of_model, MODELS[1:])


@pytest.mark.parametrize("job", JOB_ARGUMENTS)
def test_settings_of_other_jobs_have_no_effect(job):
    others = [entry for entry in fields() if job not in entry.metadata["jobs"]]
    assert others
    for entry in others:
        if entry.name not in (*JOBS.values(), "config"):
            message = error_of([*JOB_ARGUMENTS[job], *option_of(entry)])
            assert message.startswith(f"--{entry.name} has no effect when --")


@pytest.mark.parametrize("model", MODELS)
def test_settings_of_other_models_have_no_effect(model):
    others = [entry for entry in fields() if model not in entry.metadata["models"]]
    assert others
    for entry in others:
        wanted = f"--{entry.name} has no effect with --model {model}; leave it out"
        assert error_of([*of_model(model), *option_of(entry)]) == wanted


WITHOUT_ADVERSARY = (["--adversarial", "none"], "with --adversarial none")
WITHOUT_TRUTH = (["--evaluate", "--images", "a"], "with --images, which have no true colors")
WITHOUT_PLATEAU = (["--lr_schedule", "cosine"], "without --lr_schedule plateau")
WITHOUT_CLASSES = ([*CHROMAGAN, "--class_weight", "0"], "with --class_weight 0")
WITHOUT_SAMPLES = (["--sample_every", "0"], "with --sample_every 0")
WITHOUT_INTEGERS = "with --export openvino or saved_model, whose weights stay float32"
PRETRAINED = ["--pretrained", "a"]
ADVERSARIAL = ("adversarial_weight", "discriminator_epochs", "discriminator_filters")
ADVERSARIAL += ("discriminator_lr", "discriminator_steps", "generator_epochs")

# Arguments beside which a setting has no effect, and when it has none.
UNMET_NEEDS = {
    **dict.fromkeys(ADVERSARIAL, (WITHOUT_ADVERSARY,)),
    **dict.fromkeys(("teacher", "teacher_weights", "teacher_cache"), (WITHOUT_CLASSES,)),
    **dict.fromkeys(("dataset", "minimum_colorfulness", "validation_share"), (WITHOUT_TRUTH,)),
    **dict.fromkeys(("plateau_patience", "plateau_factor"), (WITHOUT_PLATEAU,)),
    **dict.fromkeys(("sample_count", "sample_images"), (WITHOUT_SAMPLES,)),
    "discriminator": [([*PIX2PIX, "--adversarial", "none"], "with --adversarial none")],
    "model": [(["--evaluate", "--weights", "w"], "with --weights, which name their model")],
    "quality": [(["--images", "a", "--format", "tif"], "with --format tif, which is lossless")],
    "quantize": [(["--export", "onnx", "openvino"], WITHOUT_INTEGERS)],
    "categories": [
        WITHOUT_TRUTH,
        ([], "without a --dataset coco:DIR"),
        (["--inspect"], "without a --dataset coco:DIR"),
        (["--evaluate", "--load_weights"], "without a --dataset coco:DIR"),
        (["--dataset", "coco"], "without a --dataset coco:DIR"),
        (["--dataset", "tfds:a"], "without a --dataset coco:DIR"),
    ],
    "dataset_weights": [([], "with a single --dataset")],
    "data_dir": [
        WITHOUT_TRUTH,
        (["--evaluate"], "without a --dataset tfds:NAME"),
        (["--dataset", "coco:a"], "without a --dataset tfds:NAME"),
    ],
    "class_index": [([], "without --inspect or --model chromagan with a --class_weight above 0")],
    "depth": [
        (["--encoder", "mobilenet_v2"], "with --encoder mobilenet_v2"),
        (CHROMAGAN, "with --encoder vgg16"),
        (ENCODER_DECODER, "with --encoder inception_resnet_v2"),
    ],
    "input_channels": [([*PIX2PIX, "--encoder", "vgg16"], "with --encoder vgg16")],
    "encoder_weights": [
        ([], "without --encoder or with --pretrained"),
        ([*PRETRAINED, "--encoder", "vgg16"], "without --encoder or with --pretrained"),
    ],
    "attention_resolution": [
        (arguments, "with --pretrained, or without --decoder_attention")
        for arguments in (
            *(PIX2PIX, ENCODER_DECODER, ["--preset", "patchgan"], PRETRAINED),
            *([*model, *PRETRAINED, "--decoder_attention"] for model in (PIX2PIX, ENCODER_DECODER)),
        )
    ],
    "decoder_attention": [
        ([*model, *PRETRAINED], "with --pretrained") for model in (PIX2PIX, ENCODER_DECODER)
    ],
    "skip_connections": [([*ENCODER_DECODER, *PRETRAINED], "with --pretrained")],
    **{
        name: [
            (arguments, "without a pretrained --encoder")
            for arguments in ([], PIX2PIX, [*CHROMAGAN, "--encoder_weights", "none"])
        ]
        for name in ("encoder_lr_share", "freeze_encoder_epochs")
    },
    "gp_weight": [([], "with --adversarial hinge")],
    "label_smoothing": [
        ([], "with --adversarial hinge"),
        (["--inspect"], "with --adversarial hinge"),
        (CHROMAGAN, "with --adversarial wgan-gp"),
    ],
    "color_rebalancing": [
        (
            ["--reconstruction", "ssim:1"],
            "without one of the terms huber, l1, mse in --reconstruction",
        )
    ],
    "perceptual_weights": [
        (["--reconstruction", "l1:1"], "without the term perceptual in --reconstruction")
    ],
    "lpips_weights": [
        WITHOUT_TRUTH,
        ([], "without lpips in --validation_metrics or --reconstruction"),
    ],
    "generator_lr_alone": [([], "without --generator_epochs")],
    "discriminator_lr_alone": [([], "without --discriminator_epochs")],
    "weight_decay": [
        (arguments, "with --optimizer adam (adamw is Adam with weight decay)")
        for arguments in ([], [*ENCODER_DECODER, "--optimizer", "adam"])
    ],
    "beta_2": [(["--optimizer", "sgd"], "with --optimizer sgd")],
    "nan_limit": [([], "without --nan skip")],
    "hints_alone": [
        (arguments, "without --hints_share and --pretrained")
        for arguments in ([], PRETRAINED, ["--hints_share", "1"])
    ],
    "hint_counts": [WITHOUT_TRUTH],
}


@pytest.mark.parametrize(
    "entry", [e for e in fields() if e.metadata["needs"]], ids=lambda e: e.name
)
def test_settings_with_an_unmet_need_have_no_effect(entry):
    for arguments, when in UNMET_NEEDS[entry.name]:
        wanted = f"--{entry.name} has no effect {when}; leave it out"
        option = ["--dataset=coco:b"] if entry.name == "dataset" else option_of(entry)
        assert error_of([*arguments, *option]) == wanted


ALONE = "leave none of the {} epochs to train both networks together"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--images", "a", "--inspect"], "--images colors photographs and --inspect shows data"),
        (["--evaluate", "--inspect"], "--evaluate evaluates weights and --inspect shows data"),
        (["--inspect", "--images", "a", "--quality", "9"], "give only one"),
        *(
            (["--serve", *other], f"--serve opens a page and {other[0]} does not; give only one")
            for other in (["--images", "a"], ["--evaluate"], ["--inspect"])
        ),
        *(
            (["--export", "onnx", *other], f"--export writes networks and {other[0]} does not")
            for other in (["--images", "a"], ["--evaluate"], ["--inspect"])
        ),
        (["--serve", "--export", "onnx"], "--serve opens a page and --export does not"),
        (["--export", "onnx", "--weights", "b", "c"], "compare several with --evaluate"),
        (["--export", "onnx", "--saturation", "2"], "no effect when --export is given"),
        (["--serve", "--weights", "b", "c"], "compare several with --evaluate"),
        (["--serve", "--weights_dir", "w"], "add --load_weights"),
        (["--images", "a", "--weights", "w", "--load_weights"], "both say which weights"),
        (["--evaluate", "--weights", "a", "--load_weights"], "both say which weights"),
        (["--images", "a", "--weights", "b", "c"], "compare several with --evaluate"),
        (["--images", "a", "--weights_dir", "w"], "add --load_weights"),
        (["--evaluate", "--weights_dir", "a"], "add --load_weights"),
        ([*PRETRAINED, "--load_weights"], "--pretrained starts a new training and --load_weights"),
        (["--preset", "patchgan", "--load_weights"], "--preset starts a new training and"),
        (["--preset", "patchgan", "--model", "sagan"], "--preset patchgan needs --model pix2pix"),
        ([*PIX2PIX, "--preset", "chromagan-tiny"], "chromagan-tiny needs --model chromagan"),
        (
            ["--dataset", "a", "b", "--dataset_weights", "3", "1", "0.5"],
            "--dataset_weights 3 1 0.5: give one weight for each of the 2 datasets of --dataset",
        ),
        (["--reconstruction", "l1:0"], "no term has a weight above 0"),
        (["--reconstruction", "l1:1", "l1:2"], "a term is given twice"),
        (["--reconstruction", "colorfulness:1"], "no term compares with the true colors"),
        (["--resolution", "16", "--depth", "5"], "images of 16 px cannot be halved 5 times"),
        ([*PIX2PIX, "--depth", "8"], "images of 128 px cannot be halved 8 times"),
        (
            ["--depth", "1", "--color_stride", "4"],
            "--color_stride 4: with --depth 1 the networks halve the size only 1 times; raise",
        ),
        (
            ["--resolution", "130", "--encoder", "mobilenet_v2"],
            "--resolution 130: with --color_stride 4 the side must be a multiple of 4; give",
        ),
        ([*CHROMAGAN, "--encoder", "none"], "of chromagan needs an encoder; give --encoder vgg16"),
        (
            [*ENCODER_DECODER, "--encoder", "none"],
            "give --encoder inception_resnet_v2, and --encoder_weights none",
        ),
        ([*PIX2PIX, "--adversarial", "wgan-gp"], "give --norm instance or none"),
        (
            [*PIX2PIX, "--discriminator", "conv4", "--resolution", "120"],
            "at least 121 px; received --resolution 120",
        ),
        ([*PIX2PIX, "--resolution", "23"], "--discriminator patch takes images of at least 24 px"),
        ([*CHROMAGAN, "--resolution", "23"], "the discriminator of chromagan takes images of at"),
        (
            [*ENCODER_DECODER, "--adversarial", "vanilla", "--resolution", "23"],
            "the discriminator of encoder_decoder takes images of at least 24 px",
        ),
        (["--preset", "one-channel", "--epochs", "4"], ALONE.format(4)),
        (["--generator_epochs", "2", "--epochs", "2"], ALONE.format(2)),
        (
            [*ENCODER_DECODER, "--adversarial", "vanilla", "--generator_epochs", "50"],
            ALONE.format(50),
        ),
        (["--optimizer", "lion"], "--optimizer lion needs a --beta_1 above 0, as in 0.9"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(arguments, words):
    assert words in error_of(arguments)


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
        # The discriminator is not checked without training.
        [*PIX2PIX, "--load_weights", "--resolution", "16"],
    ],
)
def test_evaluate_takes_the_options_of_an_evaluation(arguments):
    assert parse(["--evaluate", *arguments])[0].job == "evaluate"


@pytest.mark.parametrize("job", ["train", "inspect", "evaluate"])
def test_datasets_have_their_own_options(job):
    datasets = ["--dataset", "images", "coco:toys", "tfds:imagenette"]
    options = ["--categories", "cat", "teddy bear", "--data-dir=a-b"]
    settings, _ = parse([*JOB_ARGUMENTS[job], *datasets, *options])
    assert (settings.categories, settings.data_dir) == (("cat", "teddy bear"), "a-b")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--inspect", "--epochs", "3", "--no_flip"],
        ["--inspect", "--encoder", "mobilenet_v2", "--precision", "float32"],
        # The categories of a resumed training are checked with its datasets.
        ["--load_weights", "--categories", "cat"],
        # `--norm` applies to chromagan's generator only: its discriminator has no normalization.
        *([*CHROMAGAN, "--norm", norm] for norm in ("batch", "instance", "none")),
        *([*PIX2PIX, "--adversarial", "wgan-gp", "--norm", norm] for norm in ("instance", "none")),
        [*PIX2PIX, "--adversarial", "wgan-gp", "--discriminator", "conv4"],
        [*CHROMAGAN, "--resolution", "24"],
        [*CHROMAGAN, "--resolution", "16", "--adversarial", "none"],
        *([*ENCODER_DECODER, "--resolution", side] for side in ("16", "75", "333")),
        *(["--optimizer", name, "--weight_decay", "0"] for name in ("adamw", "sgd")),
        ["--optimizer", "lion", "--weight_decay", "0", "--beta_1", "0.9"],
        [*PIX2PIX, "--decoder_attention", "--attention_resolution", "16"],
        [*ENCODER_DECODER, "--skip_connections", "--decoder_attention", "--norm", "batch"],
        [*ENCODER_DECODER, "--adversarial", "wgan-gp", "--gp_weight", "1"],
        [*ENCODER_DECODER, "--encoder", "vgg16", "--freeze_encoder_epochs", "2"],
        *(
            [*model, "--encoder", "mobilenet_v2", "--freeze_encoder_epochs", "3"]
            for model in ([], PIX2PIX, CHROMAGAN)
        ),
        [*CHROMAGAN, "--global_features", "pool", "--teacher", "mobilenet_v2", "--gp_weight", "1"],
        [*CHROMAGAN, "--class_weight", "0", "--adversarial", "none", "--reconstruction", "l1:1"],
    ],
    ids=" ".join,
)
def test_useful_arguments_are_accepted(arguments):
    _, explicit = parse(arguments)
    assert len(explicit) == sum(argument.startswith("--") for argument in arguments)
