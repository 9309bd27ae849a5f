"""The command line of each model: its defaults and presets, and the options it rejects."""

from pathlib import Path

import pytest

from config.groups.presets import PRESETS
from config.parser import parse
from errors import InputError


def test_pix2pix_has_the_values_of_its_paper():
    settings, explicit = parse(["--model", "pix2pix", "--resolution", "256"])
    assert explicit == {"model", "resolution"}
    assert (settings.network_depth, settings.filters) == (8, 64)
    assert (settings.generator_lr, settings.discriminator_lr) == (2e-4, 2e-4)
    assert (settings.beta_1, settings.beta_2, settings.label_smoothing) == (0.5, 0.999, 0.0)
    assert (settings.adversarial, settings.adversarial_weight) == ("vanilla", 1.0)
    assert settings.reconstruction == ("l1:100",)
    assert (settings.discriminator, settings.first_discriminator_filters) == ("patch", 64)


def test_chromagan_has_the_values_of_its_paper():
    settings, explicit = parse(["--model", "chromagan"])
    assert explicit == {"model"}
    assert (settings.resolution, settings.batch_size, settings.filters) == (224, 10, 64)
    assert (settings.generator_lr, settings.discriminator_lr) == (2e-5, 2e-5)
    assert (settings.beta_1, settings.beta_2) == (0.5, 0.999)
    assert (settings.adversarial, settings.adversarial_weight) == ("wgan-gp", 0.1)
    assert (settings.class_weight, settings.gp_weight) == (0.003, 10.0)
    assert settings.reconstruction == ("mse:1",)
    assert settings.reconstruction_weights == {"mse": 1.0}
    assert (settings.encoder, settings.encoder_weights) == ("vgg16", "imagenet")
    assert (settings.teacher, settings.teacher_weights) == ("vgg16", None)
    assert (settings.global_features, settings.norm) == ("flatten", "batch")
    assert settings.first_discriminator_filters == 64
    assert settings.weights_folder == Path("weights/chromagan")


def test_encoder_decoder_has_the_values_of_its_report():
    settings, explicit = parse(["--model", "encoder_decoder"])
    assert explicit == {"model"}
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
    assert settings.rotation > 0
    assert settings.crop_scale < 1
    assert settings.flip
    assert settings.weights_folder == Path("weights/encoder_decoder")


def test_encoder_decoder_takes_an_adversarial_loss():
    settings, _ = parse(["--model", "encoder_decoder", "--adversarial", "vanilla"])
    assert settings.first_discriminator_filters == 64
    assert (settings.adversarial_weight, settings.discriminator_lr) == (0.003, 2e-4)
    options = ["--generator_epochs", "1", "--discriminator_steps", "2", "--norm", "batch"]
    settings, _ = parse(["--model", "encoder_decoder", "--adversarial", "wgan-gp", *options])
    assert (settings.generator_epochs, settings.gp_weight) == (1, 10.0)


def test_encoder_decoder_takes_options_that_not_every_model_has():
    options = ["--skip_connections", "--decoder_attention", "--attention_resolution", "16"]
    options += ["--encoder", "vgg16", "--freeze_encoder_epochs", "2", "--warmup-steps", "100"]
    settings, _ = parse(["--model", "encoder_decoder", *options, "--plateau_patience", "5"])
    assert (settings.skip_connections, settings.decoder_attention) == (True, True)
    assert (settings.attention_resolution, settings.encoder) == (16, "vgg16")
    assert (settings.freeze_encoder_epochs, settings.warmup_steps) == (2, 100)
    assert settings.plateau_patience == 5


@pytest.mark.parametrize("resolution", [16, 75, 333])
def test_encoder_decoder_takes_images_of_any_size(resolution):
    settings, _ = parse(["--model", "encoder_decoder", "--resolution", str(resolution)])
    assert settings.resolution == resolution


@pytest.mark.parametrize("model", ["sagan", "pix2pix", "chromagan"])
def test_every_model_takes_any_optimizer_and_schedule(model):
    encoder = [] if model == "chromagan" else ["--encoder", "mobilenet_v2"]
    options = ["--lr_schedule", "plateau", "--plateau_factor", "0.5", "--warmup_steps", "9"]
    options += ["--optimizer", "sgd", "--weight_decay", "0.1", "--beta_1", "0.9"]
    settings, _ = parse(["--model", model, *encoder, "--freeze_encoder_epochs", "3", *options])
    assert (settings.lr_schedule, settings.plateau_factor) == ("plateau", 0.5)
    assert (settings.optimizer, settings.weight_decay, settings.beta_1) == ("sgd", 0.1, 0.9)
    assert settings.freeze_encoder_epochs == 3


def test_pix2pix_takes_attention_as_an_option():
    options = ["--decoder_attention", "--attention_resolution", "16"]
    settings, _ = parse(["--model", "pix2pix", *options])
    assert (settings.decoder_attention, settings.attention_resolution) == (True, 16)
    assert not parse(["--model", "pix2pix"])[0].decoder_attention


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lion"])
def test_every_optimizer_but_adam_takes_a_weight_decay(optimizer):
    options = ["--optimizer", optimizer, "--beta_1", "0.9"]
    assert parse([*options, "--weight_decay", "0"])[0].weight_decay == 0.0
    assert parse(options)[0].weight_decay is None


def test_chromagan_tiny_trains_on_small_images_at_higher_rates():
    settings, _ = parse(["--preset", "chromagan-tiny"])
    assert settings.model == "chromagan"
    assert (settings.resolution, settings.batch_size) == (64, 10)
    assert (settings.generator_lr, settings.discriminator_lr) == (2e-4, 2e-4)
    # The other values are those of the paper.
    assert (settings.beta_1, settings.adversarial, settings.encoder) == (0.5, "wgan-gp", "vgg16")
    assert parse(["--preset", "chromagan-tiny", "--resolution", "32"])[0].resolution == 32
    assert parse(["--preset", "chromagan-tiny", "--batch_size", "4"])[0].batch_size == 4


def test_chromagan_takes_its_own_options():
    options = ["--global_features", "pool", "--class_weight", "0.01", "--teacher", "mobilenet_v2"]
    options += ["--teacher_weights", "t.h5", "--teacher-cache", "cache", "--gp_weight", "1"]
    settings, _ = parse(["--model", "chromagan", *options])
    assert (settings.global_features, settings.class_weight) == ("pool", 0.01)
    assert (settings.teacher, settings.teacher_weights) == ("mobilenet_v2", "t.h5")
    assert (settings.teacher_cache, settings.gp_weight) == ("cache", 1.0)
    options = ["--class_weight", "0", "--adversarial", "none", "--reconstruction", "l1:10", "mse:2"]
    settings, _ = parse(["--model", "chromagan", *options])
    assert settings.reconstruction_weights == {"l1": 10.0, "mse": 2.0}


def test_chromagan_combines_a_gradient_penalty_with_every_norm():
    # --norm applies to chromagan's generator only: its discriminator has no normalization.
    for norm in ("batch", "instance", "none"):
        assert parse(["--model", "chromagan", "--norm", norm])[0].norm == norm


@pytest.mark.parametrize(
    "arguments",
    [["--resolution", "24"], ["--resolution", "16", "--adversarial", "none"]],
    ids=["24", "16 without adversarial loss"],
)
def test_chromagan_takes_small_images(arguments):
    assert parse(["--model", "chromagan", *arguments])[0].resolution == int(arguments[1])


@pytest.mark.parametrize(("resolution", "depth"), [(256, 8), (200, 7), (128, 7), (64, 6), (24, 4)])
def test_pix2pix_halves_images_as_often_as_possible(resolution, depth):
    settings, _ = parse(["--model", "pix2pix", "--resolution", str(resolution)])
    assert settings.network_depth == depth


def test_num_downs_is_an_alias_of_depth():
    assert parse(["--num_downs", "3"])[0].depth == parse(["--depth", "3"])[0].depth == 3


@pytest.mark.parametrize("name", list(PRESETS))
def test_preset_can_be_trained_and_changed(name):
    settings, explicit = parse(["--preset", name])
    assert explicit == {"preset"}
    assert settings.model == ("chromagan" if name == "chromagan-tiny" else "pix2pix")
    for key, value in PRESETS[name].settings.items():
        assert getattr(settings, key) == value
    assert parse(["--preset", name, "--epochs", "7"])[0].epochs == 7
    assert settings.weights_folder == Path("weights", name)


def test_presets_start_from_the_weights_of_another_preset():
    starts_from = {
        name: preset.starts_from for name, preset in PRESETS.items() if preset.starts_from
    }
    names = ["vanilla-gan", "ls-gan", "ls-gan-30", "vanilla-low-lambda"]
    assert starts_from == dict.fromkeys(names, "unet-l1")
    for name in PRESETS:
        settings, _ = parse(["--preset", name])
        assert settings.pretrained == ("weights/unet-l1" if name in names else None)
    assert parse(["--preset", "ls-gan", "--pretrained", "other"])[0].pretrained == "other"


def test_discriminator_is_not_checked_without_training():
    arguments = ["--model", "pix2pix", "--load_weights", "--evaluate", "--resolution", "16"]
    assert parse(arguments)[0].resolution == 16


def test_explicit_settings_override_the_preset_and_the_preset_overrides_the_model():
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
        (["--model", "pix2pix", "--resolution", "23"], "patch takes images of at least 24 px"),
        (["--preset", "patchgan", "--model", "sagan"], "--preset patchgan needs --model pix2pix"),
        (["--preset", "patchgan", "--load_weights"], "--preset starts a new training"),
        (["--preset", "one-channel", "--epochs", "4"], "leave none of the 4 epochs to train both"),
        (
            ["--generator_epochs", "2", "--epochs", "2"],
            "--generator_epochs 2 and --discriminator_epochs 0 leave none of the 2 epochs to train",
        ),
        (
            ["--model", "pix2pix", "--encoder", "vgg16", "--input_channels", "3"],
            "--input_channels has no effect with --encoder vgg16",
        ),
        (["--model", "pix2pix", "--depth", "8"], "images of 128 px cannot be halved 8 times"),
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
            "--encoder none: the generator of chromagan needs an encoder; give --encoder vgg16",
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
            ["--model", "pix2pix", "--color_stride", "4"],
            "--color_stride has no effect with --model pix2pix; leave it out",
        ),
        (
            ["--depth", "1", "--color_stride", "4"],
            "--color_stride 4: with --depth 1 the networks halve the size only 1 times; raise",
        ),
        (
            ["--resolution", "130", "--encoder", "mobilenet_v2"],
            "--resolution 130: with --color_stride 4 the side must be a multiple of 4; give",
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
            "takes images of at least 24 px; received --resolution 23",
        ),
        (
            ["--model", "chromagan", "--label_smoothing", "0.1"],
            "--label_smoothing has no effect with --adversarial wgan-gp",
        ),
        (
            ["--preset", "chromagan-tiny", "--model", "pix2pix"],
            "--preset chromagan-tiny needs --model chromagan",
        ),
        (["--images", "a.jpg", "--teacher", "vgg16"], "--teacher has no effect when --images"),
        (["--weight_decay", "0.1"], "--weight_decay has no effect with --optimizer adam (adamw is"),
        (
            ["--model", "encoder_decoder", "--optimizer", "adam", "--weight_decay", "0"],
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
        (["--nan_limit", "2"], "without --nan skip"),
        (["--plateau_factor", "2", "--lr_schedule", "plateau"], "'2' is not a number"),
        (["--plateau_patience", "0", "--lr_schedule", "plateau"], "'0' is not a whole number of"),
        (["--warmup_steps", "-1"], "'-1' is not a whole number of at least 0"),
        (
            ["--freeze_encoder_epochs", "1"],
            "--freeze_encoder_epochs has no effect without a pretrained --encoder; leave",
        ),
        (
            ["--model", "pix2pix", "--freeze_encoder_epochs", "1"],
            "without a pretrained --encoder",
        ),
        *(
            (
                ["--model", "encoder_decoder", f"--{name}", value],
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
            ["--model", "encoder_decoder", "--attention_resolution", "8"],
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
                ["--model", "encoder_decoder", "--decoder_attention"],
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
                ["--model", "encoder_decoder", f"--{name}", value],
                f"--{name} has no effect with --model encoder_decoder; leave it out",
            )
            for name, value in (
                ("discriminator", "pixel"),
                ("input_channels", "3"),
                ("global_features", "pool"),
                ("class_weight", "1"),
                ("teacher", "vgg16"),
            )
        ),
        (
            ["--model", "encoder_decoder", "--depth", "3"],
            "no effect with --encoder inception_resnet_v2",
        ),
        (
            ["--model", "encoder_decoder", "--encoder", "none"],
            "--encoder none: the generator of encoder_decoder needs an encoder; give --encoder "
            "inception_resnet_v2, and --encoder_weights none",
        ),
        (["--model", "encoder_decoder", "--encoder", "xception"], "invalid choice: 'xception'"),
        (
            ["--model", "encoder_decoder", "--adversarial", "vanilla", "--resolution", "23"],
            "the discriminator of encoder_decoder takes images of at least 24 px; received "
            "--resolution 23",
        ),
        (
            ["--model", "encoder_decoder", "--adversarial", "vanilla", "--generator_epochs", "50"],
            "leave none of the 50 epochs to train both networks",
        ),
        (["--images", "a.jpg", "--optimizer", "sgd"], "--optimizer has no effect when --images"),
        (["--evaluate", "--warmup_steps", "1"], "--warmup_steps has no effect when --evaluate"),
    ],
)
def test_what_a_model_cannot_do_raises_a_one_line_error(arguments, words):
    with pytest.raises(InputError) as caught:
        parse(arguments)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_plateau_factor_is_between_0_and_1():
    with pytest.raises(InputError, match="--plateau_factor"):
        parse(["--lr_schedule", "plateau", "--plateau_factor", "0"])
    with pytest.raises(InputError, match="'1' is not a number between 0 and 1"):
        parse(["--lr_schedule", "plateau", "--plateau_factor", "1"])


@pytest.mark.parametrize("model", ["pix2pix", "encoder_decoder"])
def test_attention_is_not_added_to_pretrained_weights(model):
    with pytest.raises(InputError, match="--decoder_attention has no effect with --pretrained"):
        parse(["--model", model, "--pretrained", "a", "--decoder_attention"])


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_gradient_penalty_is_combined_with_norms_that_do_not_mix_images(norm):
    options = ["--model", "pix2pix", "--adversarial", "wgan-gp"]
    assert parse([*options, "--norm", norm])[0].norm == norm
    assert parse([*options, "--discriminator", "conv4"])[0].norm == "batch"
