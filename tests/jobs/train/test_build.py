"""Tests of building and compiling a model from the settings."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from config.parser import parse
from errors import InputError
from jobs.train.build import compile_model, new_model
from models.layers.fused_batch_normalization import FusedBatchNormalization
from models.pix2pix import Pix2Pix
from models.sagan import SAGAN

ENCODER_DECODER = ["--model", "encoder_decoder", "--encoder", "vgg16", "--encoder_weights", "none"]
ENCODER_DECODER += ["--filters", "2"]
SMALL = ["--filters", "2", "--depth", "1", "--adversarial", "none", "--reconstruction", "l1:1"]


@pytest.fixture(scope="module")
def network():
    """A network that every test may compile with its own settings."""
    settings, _ = parse(SMALL)
    return new_model(settings)


@pytest.fixture
def compiled(network):
    def call(*arguments):
        settings, _ = parse([*SMALL, *arguments])
        compile_model(network, settings)
        return network

    return call


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["psnr", "colorfulness", "true_colorfulness"]),
        (["--validation_metrics", "ssim"], ["ssim"]),
        (["--validation_metrics", "ssim", "psnr", "ssim"], ["ssim", "psnr"]),
    ],
)
def test_validation_metrics_are_the_explicit_or_the_default_ones(compiled, arguments, names):
    assert list(compiled(*arguments).validation_metrics) == names


def test_color_rebalancing_gives_rare_colors_more_weight():
    settings, _ = parse([*SMALL, "--color_rebalancing", "0.5"])
    model = new_model(settings)
    counts = np.zeros((23, 23), "int64")
    counts[11, 11], counts[20, 11] = 9, 1
    compile_model(model, settings, ab_histogram=counts)
    true = np.array([0.0, 90.0]).reshape(1, 1, 2, 1) / 110.0 * [1.0, 0.0]
    lightness, true_ab = np.zeros((1, 1, 2, 1), "float32"), true.astype("float32")
    rare, common = (
        float(model.reconstruction.terms(lightness, true_ab, true_ab + difference)["l1"])
        for difference in np.array([[[[0, 0], [0.1, 0]]], [[[0.1, 0], [0, 0]]]], "float32")
    )
    assert rare > 1.5 * common


with_lpips = pytest.mark.parametrize(
    "arguments", [("--validation_metrics", "lpips"), ("--reconstruction", "lpips:1")]
)


@with_lpips
def test_lpips_without_its_weights_is_a_one_line_error(compiled, arguments):
    with pytest.raises(InputError) as caught:
        compiled(*arguments, "--lpips_weights", "absent.npz")
    message = str(caught.value)
    assert message.startswith(
        "--lpips_weights: absent.npz: there is no such file; give the weights of LPIPS"
    )


@with_lpips
def test_lpips_of_too_small_images_is_a_one_line_error(compiled, arguments):
    with pytest.raises(InputError, match="at least 31 px; received --resolution 16"):
        compiled(*arguments, "--resolution", "16")


def test_lpips_can_be_trained_on(compiled, lpips_weights):
    term = ("--reconstruction", "lpips:2", "--lpips_weights", lpips_weights)
    model = compiled(*term, "--resolution", "32")
    assert model.reconstruction.weights == {"l1": 1.0, "lpips": 2.0}
    random = np.random.default_rng(0)
    lightness, ab = (random.uniform(-1, 1, (2, 32, 32, each)) for each in (1, 2))
    losses = model.train_step((tf.constant(lightness, "float32"), tf.constant(ab, "float32")))
    assert 0.0 < float(losses["lpips_loss"]) < 10.0


@pytest.mark.usefixtures("tiny_normalized_encoder")
@pytest.mark.parametrize("model", ["sagan", "pix2pix", "chromagan"])
def test_pretrained_encoder_has_frozen_batch_statistics(model, tmp_path):
    path = str(tmp_path / "encoder.weights.h5")
    keras.applications.Tiny().save_weights(path)
    small = ["--model", model, "--filters", "2", "--discriminator_filters", "2"]
    small += ["--global_features", "pool"] if model == "chromagan" else []
    for weights, frozen in ((path, True), ("none", False)):
        options = ["--encoder", "vgg16", "--encoder_weights", weights]
        settings, _ = parse([*small, *options, "--reconstruction", "l1:1"])
        built = new_model(settings)
        assert built.architecture["freeze_encoder_statistics"] is frozen
        # Coloring and resuming build their networks from the architecture alone.
        for network in (built.generator, built.generator_ema):
            normalizations = [
                layer
                for layer in network.get_layer("vgg16")._flatten_layers()
                if isinstance(layer, FusedBatchNormalization)
            ]
            # ChromaGAN has the encoder up to its third halving.
            assert len(normalizations) == (3 if model == "chromagan" else 5)
            assert {layer.freeze_statistics for layer in normalizations} == {frozen}


# --- optimizers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "kind", "values"),
    [
        ([], "Adam", {"beta_1": 0.0, "beta_2": 0.9, "weight_decay": None}),
        (
            ["--optimizer", "adam", "--beta_1", "0.5", "--beta_2", "0.99"],
            "Adam",
            {"beta_1": 0.5, "beta_2": 0.99, "weight_decay": None},
        ),
        (
            ["--optimizer", "adamw", "--beta_1", "0.5"],
            "AdamW",
            {"beta_1": 0.5, "beta_2": 0.9, "weight_decay": 0.004},
        ),
        (["--optimizer", "adamw", "--weight_decay", "0.02"], "AdamW", {"weight_decay": 0.02}),
        (["--optimizer", "adamw", "--weight_decay", "0"], "AdamW", {"weight_decay": 0.0}),
        (
            ["--optimizer", "sgd", "--beta_1", "0.75"],
            "SGD",
            {"momentum": 0.75, "nesterov": False, "weight_decay": None},
        ),
        (["--optimizer", "sgd", "--weight_decay", "0.02"], "SGD", {"weight_decay": 0.02}),
        (
            ["--optimizer", "lion", "--beta_1", "0.5", "--beta_2", "0.99"],
            "Lion",
            {"beta_1": 0.5, "beta_2": 0.99, "weight_decay": None},
        ),
        (
            ["--optimizer", "lion", "--beta_1", "0.5", "--weight_decay", "0.02"],
            "Lion",
            {"weight_decay": 0.02},
        ),
    ],
)
def test_optimizers_are_those_of_keras(compiled, arguments, kind, values):
    model = compiled(*arguments, "--generator_lr", "0.25")
    for optimizer, rate in (
        (model.generator_optimizer, 0.25),
        (model.discriminator_optimizer, 4e-4),
    ):
        assert type(optimizer) is getattr(keras.optimizers, kind)
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert {name: getattr(optimizer, name) for name in values} == values
    assert model.generator_optimizer is not model.discriminator_optimizer


@pytest.mark.parametrize(
    "optimizer", ["adamw", "sgd", pytest.param("lion", marks=pytest.mark.slow)]
)
def test_kernels_decay_but_biases_and_normalizations_do_not(optimizer):
    decay = ["--weight_decay", "0.5", "--generator_lr", "0.5", "--beta_1", "0.5"]
    settings, _ = parse([*SMALL, "--optimizer", optimizer, *decay, "--attention_resolution", "64"])
    model = new_model(settings)
    compile_model(model, settings)
    variables = model.generator.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    # The gradients are zero, so only the decay changes the weights.
    gradients = [np.zeros(variable.shape, "float32") for variable in variables]
    model.generator_optimizer.apply(gradients, variables)
    after = {variable.path: np.unique(variable.numpy()) for variable in variables}
    assert {path.rpartition("/")[2] for path in after} == {"kernel", "bias", "gamma", "beta"}
    for path, values in after.items():
        np.testing.assert_allclose(values, [0.75 if path.endswith("kernel") else 1.0], err_msg=path)


@pytest.mark.parametrize(
    "arguments",
    [["adam"], ["adamw"], ["sgd"], ["lion", "--beta_1", "0.9"]],
    ids=lambda each: each[0],
)
def test_optimizers_work_with_the_defaults(compiled, arguments):
    model = compiled("--optimizer", *arguments)
    assert type(model.generator_optimizer).__name__.lower() == arguments[0]


def test_lion_needs_a_momentum(compiled):
    with pytest.raises(InputError, match="lion needs a --beta_1 above 0"):
        compiled("--optimizer", "lion")


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize(
    "optimizer",
    ["adam", *(pytest.param(each, marks=pytest.mark.slow) for each in ("adamw", "sgd", "lion"))],
)
def test_an_encoder_that_is_frozen_first_has_its_own_optimizer(optimizer, tmp_path):
    path = str(tmp_path / "encoder.weights.h5")
    keras.applications.Tiny(False, None, None).save_weights(path)
    options = [*ENCODER_DECODER, "--encoder_weights", path]
    options += ["--optimizer", optimizer, "--generator_lr", "0.25"]
    settings, _ = parse(options)
    model = new_model(settings)
    compile_model(model, settings)
    assert model.encoder_optimizer is None
    compile_model(model, parse([*options, "--freeze_encoder_epochs", "1"])[0])
    assert model.encoder_lr_share == 1.0
    compile_model(model, parse([*options, "--encoder_lr_share", "0.5"])[0])
    assert model.encoder_lr_share == 0.5
    others = (model.generator_optimizer, model.discriminator_optimizer)
    assert all(model.encoder_optimizer is not other for other in others)
    assert type(model.encoder_optimizer) is type(model.generator_optimizer)
    assert model.encoder_optimizer.weight_decay == model.generator_optimizer.weight_decay
    assert float(model.encoder_optimizer.learning_rate) == 0.25


# --- the encoder and its decoder -----------------------------------------------------------------


def built(*arguments):
    settings, _ = parse([*arguments])
    return new_model(settings)


def attended_side(model, side):
    """Returns the side of the features that the attention in the decoder receives."""
    attention = model.generator.get_layer("attention_up")
    network = keras.Model(model.generator.input, attention.input)
    _, height, width, _ = network(np.zeros((1, side, side, 1), "float32")).shape
    assert height == width
    return height


def layer_names(model):
    return {layer.name for layer in model.generator.layers}


@pytest.mark.usefixtures("tiny_encoder")
def test_encoder_decoder_is_built_from_the_settings():
    model = built(*ENCODER_DECODER)
    assert model.architecture == {
        "filters": 2,
        "norm": "none",
        "encoder": "vgg16",
        "freeze_encoder_statistics": False,
        "skip_connections": False,
        "attention_level": None,
        "discriminator_filters": 64,
    }
    assert "attention_up" not in layer_names(model)
    assert not [name for name in layer_names(model) if name.startswith("skip_")]
    options = ["--adversarial", "hinge", "--discriminator_filters", "3", "--norm", "instance"]
    architecture = built(*ENCODER_DECODER, *options).architecture
    assert (architecture["discriminator_filters"], architecture["norm"]) == (3, "instance")


@pytest.mark.usefixtures("tiny_encoder")
def test_skip_connections_join_features_of_the_encoder():
    model = built(*ENCODER_DECODER, "--skip_connections")
    assert model.architecture["skip_connections"] is True
    assert {f"skip_{level}" for level in (1, 2, 3, 4)} <= layer_names(model)
    assert model.generator.count_params() > built(*ENCODER_DECODER).generator.count_params()


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize(
    ("resolution", "wanted", "level", "skips"),
    [
        (64, 32, 1, []),
        (64, 9, 3, ["--skip_connections"]),
        (400, 32, 4, []),
        (64, 64, 1, []),
        (64, 1, 5, ["--skip_connections"]),
    ],
)
def test_attention_is_at_the_nearest_level(resolution, wanted, level, skips):
    options = ["--decoder_attention", "--attention_resolution", str(wanted), *skips]
    model = built(*ENCODER_DECODER, *options, "--resolution", str(resolution))
    assert model.architecture["attention_level"] == level
    # Images of 64 px at any resolution: attention over the finest features needs much memory.
    assert attended_side(model, 64) == 64 // 2**level


@pytest.mark.parametrize(
    ("wanted", "level"),
    # At the deepest of three levels there is no decoder path yet.
    [(16, 1), (4, 2), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((64, 1), (9, 2)))],
)
def test_pix2pix_has_attention_only_on_request_and_at_the_nearest_level(wanted, level):
    small = ["--model", "pix2pix", "--filters", "2", "--depth", "3", "--resolution", "32"]
    plain = built(*small)
    assert plain.architecture["attention_level"] is None
    assert "attention_up" not in layer_names(plain)
    model = built(*small, "--decoder_attention", "--attention_resolution", str(wanted))
    assert model.architecture["attention_level"] == level
    assert attended_side(model, 32) == 32 // 2**level


def test_pix2pix_of_depth_1_has_no_level_for_attention():
    with pytest.raises(InputError, match="--depth 1 has no level for it"):
        built("--model", "pix2pix", "--filters", "2", "--depth", "1", "--decoder_attention")


def test_sagan_has_attention_by_default():
    small = ["--filters", "2", "--depth", "2", "--resolution", "32"]
    assert built(*small, "--attention_resolution", "8").architecture["attention_level"] == 2


def test_colors_end_at_the_level_of_attention_at_the_latest():
    options = ["--resolution", "32", "--filters", "2", "--discriminator_filters", "2"]
    model = built(*options, "--color_stride", "4", "--attention_pool", "2")
    # Attention at 32 x 32 would be at level 0.
    assert model.architecture["attention_level"] == 2
    assert (model.color_stride, model.architecture["attention_pool"]) == (4, 2)
    assert model.generator.output_shape == (None, None, None, 2)


def test_older_pix2pix_weights_have_no_attention():
    architecture = {"filters": 2, "depth": 2, "norm": "batch", "encoder": "none"}
    architecture |= {"input_channels": 1, "discriminator": "patch", "discriminator_filters": 2}
    generator = Pix2Pix.build_generator(architecture)
    assert "attention_up" not in {layer.name for layer in generator.layers}


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize(
    ("options", "stride", "pool", "level"),
    [
        ((), 1, 1, 2),
        (("--encoder", "vgg16"), 4, 2, 3),
        (("--encoder", "vgg16", "--color_stride", "2"), 2, 2, 3),
    ],
)
def test_sagan_predicts_coarse_colors_with_an_encoder(without_values, options, stride, pool, level):
    if options:
        options = (*options, "--encoder_weights", "none")
    with without_values():
        model = built("--filters", "2", "--discriminator_filters", "2", *options)
    assert model.color_stride == stride
    assert model.architecture["attention_level"] == level
    attentions = (model.generator, "attention_up"), (model.discriminator, "attention")
    assert [network.get_layer(name).pool for network, name in attentions] == [pool, pool]


# --- older weights -------------------------------------------------------------------------------


@pytest.mark.usefixtures("tiny_normalized_encoder")
def test_older_weights_do_not_freeze_batch_statistics():
    architecture = {"filters": 2, "depth": 5, "attention_level": 2, "norm": "batch"}
    architecture |= {"encoder": "vgg16", "discriminator_filters": 2}
    generator = SAGAN.build_generator(architecture)
    built_anew = SAGAN(filters=2, depth=1, discriminator_filters=2)
    assert not built_anew.architecture["freeze_encoder_statistics"]
    assert not any(
        getattr(each, "freeze_statistics", False) for each in generator._flatten_layers()
    )
