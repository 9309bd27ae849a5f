"""The ChromaGAN colorizer: its training step, its class loss, its checkpoints."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import rel_entr, softmax

from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial
from losses.reconstruction import Reconstruction
from models.adversarial_colorizer import Phase
from models.chromagan import ChromaGAN
from models.teacher import Teacher
from tests.weights_files import arrays_in

TINY = {
    "filters": 2,
    "global_features": "pool",
    "classes": 4,
    "discriminator_filters": 2,
}
NUMBERS = (700, 2, 999, 31)

EVERYTHING = {
    "mse",
    "class_divergence",
    "adversarial_loss",
    "generator_loss",
    "discriminator_loss",
    "gradient_penalty",
}


pytestmark = pytest.mark.usefixtures("tiny_encoder")


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (4, 32, 32, 1)).astype("float32")
    ab = random.uniform(-0.5, 0.5, (4, 32, 32, 2)).astype("float32")
    return lightness, ab


@pytest.fixture
def distributions():
    logits = 2.0 * np.random.default_rng(1).normal(size=(4, 4))
    return softmax(logits, axis=-1).astype("float32")


@pytest.fixture
def teacher(tiny_teachers):
    return Teacher("vgg16", class_numbers=np.array(NUMBERS))


def unused_teacher(lightness):
    raise AssertionError("the teacher was run")


def compiled(teacher=None, adversarial="wgan-gp", rate=1e-3, class_weight=0.003, **options):
    keras.utils.set_random_seed(1)
    model = ChromaGAN(**{**TINY, **options})
    model.compile(
        *(keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.999) for _ in range(2)),
        Reconstruction({"mse": 1.0}),
        WassersteinAdversarial(10.0) if adversarial else None,
        adversarial_weight=0.1,
        teacher=teacher,
        class_weight=class_weight,
    )
    return model


def values(network):
    return [variable.numpy() for variable in network.trainable_variables]


def changed(before, network):
    pairs = zip(before, values(network), strict=True)
    return not all(np.array_equal(old, new) for old, new in pairs)


def floats(losses):
    return {name: float(value) for name, value in losses.items()}


# --- the training step ---------------------------------------------------------------------------


def test_step_trains_everything_and_reports_every_loss(batch, teacher):
    model = compiled(teacher)
    networks = ("generator", "class_head", "discriminator")
    before = {name: values(getattr(model, name)) for name in networks}
    losses = floats(model.train_step(batch))
    assert set(losses) == EVERYTHING
    assert all(np.isfinite(value) for value in losses.values())
    assert losses["class_divergence"] > 0.01
    assert losses["generator_loss"] == pytest.approx(
        losses["mse"] + 0.003 * losses["class_divergence"] + 0.1 * losses["adversarial_loss"],
        rel=1e-5,
    )
    assert all(changed(before[name], getattr(model, name)) for name in networks)


def test_losses_are_those_of_the_networks_before_the_step(batch, teacher):
    lightness, true_ab = batch
    model = compiled(teacher, adversarial=None)
    # A second model with the same weights: coloring a batch updates the statistics.
    other = compiled(teacher, adversarial=None)
    colored_ab, features = other.generator_with_features(lightness, training=True)
    logits = other.class_head(features).numpy()
    wanted = teacher(lightness).numpy()
    losses = floats(model.train_step(batch))
    assert losses["mse"] == pytest.approx(np.mean((true_ab - colored_ab) ** 2), rel=1e-5)
    divergences = rel_entr(wanted, softmax(logits, axis=-1)).sum(axis=-1)
    assert losses["class_divergence"] == pytest.approx(divergences.mean(), rel=1e-4)


def test_the_class_loss_trains_the_class_head_and_the_encoder_that_both_share(batch, teacher):
    model = compiled(teacher)
    with tf.GradientTape() as tape:
        _, terms = model.generate(batch)
    gradients = tape.gradient(terms["class_divergence"], model.generator_variables)
    reached = [
        variable.path
        for variable, gradient in zip(model.generator_variables, gradients, strict=True)
        if gradient is not None and np.abs(gradient).max() > 0.0
    ]
    for name in ("class_1", "class_2", "classes", "global_1", "global_4"):
        assert any(path.startswith(f"{name}/") for path in reached), name
    encoder = [variable.path for variable in model.generator.get_layer("vgg16").variables]
    assert set(reached).intersection(encoder)
    # It does not train the layers that color.
    for name in ("mid_1", "mid_2", "dense_1", "ab"):
        assert not any(path.startswith(f"{name}/") for path in reached), name


def test_the_class_head_learns_the_distributions_of_the_batch(batch, distributions):
    model = compiled(unused_teacher, adversarial=None, rate=3e-2, class_weight=1.0)
    divergences = []
    for _ in range(6):
        model.reset_metrics()
        losses = model.train_step((*batch, distributions))
        divergences.append(float(losses["class_divergence"]))
    assert divergences[-1] < 0.7 * divergences[0]


def test_distributions_in_the_batch_replace_the_teacher(batch, teacher):
    wanted = teacher(batch[0])
    by_teacher = floats(compiled(teacher, adversarial=None).train_step(batch))
    by_batch = floats(compiled(unused_teacher, adversarial=None).train_step((*batch, wanted)))
    assert by_batch == pytest.approx(by_teacher, rel=1e-5)


def test_the_teacher_is_run_once_in_a_step_on_the_lightness(batch, distributions):
    inputs = []
    teacher = lambda lightness: inputs.append(lightness) or distributions  # noqa: E731
    model = compiled(teacher, adversarial=None)
    model.train_step(batch)
    [lightness] = inputs
    np.testing.assert_array_equal(lightness, batch[0])


def test_without_classes_there_is_no_class_head_and_no_class_loss(batch):
    model = compiled(classes=0)
    assert model.class_head is None
    losses = floats(model.train_step(batch))
    assert set(losses) == EVERYTHING - {"class_divergence"}
    assert losses["generator_loss"] == pytest.approx(
        losses["mse"] + 0.1 * losses["adversarial_loss"], rel=1e-5
    )
    assert "class_divergence" not in model.training_means
    assert model.generator_variables == model.generator.trainable_variables


def test_without_an_adversarial_loss_only_the_generator_is_trained(batch, teacher):
    model = compiled(teacher, adversarial=None)
    before = values(model.generator), values(model.discriminator)
    losses = floats(model.train_step(batch))
    assert set(losses) == {"mse", "class_divergence", "generator_loss"}
    assert losses["generator_loss"] == pytest.approx(
        losses["mse"] + 0.003 * losses["class_divergence"], rel=1e-5
    )
    assert changed(before[0], model.generator)
    assert not changed(before[1], model.discriminator)


@pytest.mark.parametrize(
    "with_distributions", [False, True], ids=["lightness and ab", "with distributions"]
)
def test_training_only_the_discriminator_does_not_run_the_teacher(
    batch, distributions, with_distributions
):
    model = compiled(unused_teacher)
    model.set_phase(Phase.DISCRIMINATOR)
    before = values(model.generator), values(model.class_head)
    losses = model.train_step((*batch, distributions) if with_distributions else batch)
    assert set(losses) == {"discriminator_loss", "gradient_penalty"}
    assert not changed(before[0], model.generator)
    assert not changed(before[1], model.class_head)


@pytest.mark.slow
@pytest.mark.parametrize(
    "with_distributions", [False, True], ids=["lightness and ab", "with distributions"]
)
def test_fit_trains_in_a_graph(batch, teacher, distributions, with_distributions):
    model = compiled(None if with_distributions else teacher)
    data = (*batch, distributions) if with_distributions else batch
    batches = tf.data.Dataset.from_tensors(data).repeat()
    history = model.fit(batches, steps_per_epoch=2, shuffle=False, verbose=0).history
    assert set(history) == EVERYTHING
    assert np.isfinite([*history.values()]).all()


def test_validation_does_not_run_the_teacher(batch):
    model = compiled(unused_teacher)
    results = model.evaluate(tf.data.Dataset.from_tensors(batch), return_dict=True, verbose=0)
    assert set(results) == {"mse", "loss"}
    colored_ab = model(batch[0])
    assert results["loss"] == pytest.approx(np.mean((batch[1] - colored_ab) ** 2), rel=1e-5)


def test_bfloat16_keeps_weights_colors_and_losses_in_float32(batch, tiny_teachers):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = compiled(Teacher("vgg16", class_numbers=NUMBERS))
    _, terms = model.generate(batch)
    assert all(term.dtype == tf.float32 for term in terms.values())
    losses = model.train_step(batch)
    assert set(losses) == EVERYTHING
    assert all(np.isfinite(value) for value in floats(losses).values())
    assert all(loss.dtype == tf.float32 for loss in losses.values())
    assert model(batch[0]).dtype == tf.float32
    assert all(weight.dtype == "float32" for weight in model.generator_variables)


# --- weights files and the architecture ----------------------------------------------------------


def test_the_generator_ema_has_no_class_head(tmp_path, teacher, batch):
    model = compiled(teacher, adversarial=None)
    model.train_step(batch)
    average = model.generator_ema
    assert average.output_shape == (None, None, None, 2)
    assert not isinstance(average(batch[0]), list)
    average.save_weights(tmp_path / "generator.weights.h5")
    arrays = arrays_in(tmp_path / "generator.weights.h5")
    assert not [name for name in arrays if "class" in name]
    assert sum(array.size for array in arrays.values()) == average.count_params()

    network = ChromaGAN.build_generator(model.architecture)
    assert network.count_params() == average.count_params()
    network.load_weights(tmp_path / "generator.weights.h5")
    np.testing.assert_allclose(network(batch[0]), model(batch[0]), atol=1e-6)


def test_the_generator_ema_follows_the_generator_without_the_class_head(batch, teacher):
    model = compiled(teacher, adversarial=None, rate=1e-2)
    before = values(model.class_head)
    average = [variable.numpy() for variable in model.generator_ema.variables]
    model.train_step(batch)
    assert changed(before, model.class_head)
    pairs = zip(average, model.generator_ema.variables, strict=True)
    assert not all(np.array_equal(*pair) for pair in pairs)
    assert len(model.generator_ema.variables) == len(model.generator.variables)


def test_architecture_describes_the_network():
    model = ChromaGAN(**{**TINY, "global_features": "flatten", "resolution": 32, "norm": "none"})
    assert model.architecture == {
        "filters": 2,
        "norm": "none",
        "encoder": "vgg16",
        "global_features": "flatten",
        "resolution": 32,
        "classes": 4,
        "discriminator_filters": 2,
        "freeze_encoder_statistics": False,
    }
    assert ChromaGAN(**TINY).architecture["resolution"] is None
    network = ChromaGAN.build_generator(model.architecture)
    assert network.input_shape == (None, 32, 32, 1)


def test_each_weight_is_saved_once_and_none_of_the_teacher(batch, teacher, tmp_path):
    model = compiled(teacher)
    model.train_step(batch)
    model.save_weights(tmp_path / "model.weights.h5")
    arrays = arrays_in(tmp_path / "model.weights.h5")
    networks = (model.generator, model.generator_ema, model.discriminator, model.class_head)
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    variables = [variable for each in (*networks, *optimizers) for variable in each.variables]
    assert len({id(variable) for variable in variables}) == len(variables)
    saved = sorted(array.shape for array in arrays.values())
    assert saved == sorted(tuple(variable.shape) for variable in variables)
    # Here only the tiny teacher has arrays with 1000 entries along an axis.
    assert not [name for name, array in arrays.items() if 1000 in array.shape]
    assert not [name for name in arrays if "teacher" in name]
    assert not [each for each in model.variables if 1000 in each.shape]


@pytest.mark.slow
@pytest.mark.parametrize("global_features", ["pool", "flatten"])
def test_stopped_and_resumed_equals_never_stopped(batch, teacher, tmp_path, global_features):
    fresh = functools.partial(compiled, teacher, global_features=global_features, resolution=32)
    straight, first, second = fresh(), fresh(), fresh()
    # Other initial values, as in a new process.
    for variable in second.variables:
        if variable.dtype == "float32":
            variable.assign(variable + 1.0)
    for _ in range(2):
        straight.train_step(batch)
        first.train_step(batch)
    first.save_weights(tmp_path / "checkpoint.weights.h5")
    second.load_weights(tmp_path / "checkpoint.weights.h5")
    for _ in range(2):
        straight.train_step(batch)
        second.train_step(batch)
    for name in ("generator", "generator_ema", "class_head", "discriminator"):
        pairs = zip(getattr(straight, name).variables, getattr(second, name).variables, strict=True)
        for old, new in pairs:
            np.testing.assert_allclose(old, new, atol=1e-6, err_msg=old.path)
    assert int(second.generator_optimizer.iterations) == 4
