"""Spectral normalization against PyTorch, tensorflow-addons and computations by hand."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.spectral_normalization import SpectralNormalization

# The scripts in this folder made its files.
REFERENCE = Path(__file__).parents[2] / "reference"

LAYERS = {
    "conv2d": lambda: keras.layers.Conv2D(5, 3),
    "conv2d_transpose": lambda: keras.layers.Conv2DTranspose(3, 3, strides=2),
    "dense": lambda: keras.layers.Dense(4),
}


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


@pytest.fixture
def mixed_bfloat16():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


def reference(library, name):
    """The arrays of one layer; their keys lack its name."""
    with np.load(REFERENCE / f"spectral_normalization_{library}.npz") as file:
        return {
            key.removeprefix(f"{name}/"): file[key] for key in file if key.startswith(f"{name}/")
        }


def normalized_layer(name, kernel, u, v, input_shape, bias=None):
    normalized = SpectralNormalization(LAYERS[name]())
    normalized.build(input_shape)
    normalized.layer.kernel.assign(kernel)
    if bias is not None:
        normalized.layer.bias.assign(bias)
    normalized.u.assign(u)
    normalized.v.assign(v)
    return normalized


def dense(kernel, u, v, **options):
    """A normalized `Dense` without bias; on the identity it returns its normalized kernel."""
    normalized = SpectralNormalization(keras.layers.Dense(2, use_bias=False), **options)
    normalized.build((None, 2))
    normalized.layer.kernel.assign(kernel)
    normalized.u.assign(u)
    normalized.v.assign(v)
    return normalized


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(actual), expected, rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("mode", ["training", "evaluation"])
@pytest.mark.parametrize("name", LAYERS)
def test_equals_pytorch(name, mode):
    arrays = reference("pytorch", name)
    inputs = tf.constant(arrays["inputs"])
    normalized = normalized_layer(
        name, arrays["kernel"], arrays["u"], arrays["v"], inputs.shape, bias=arrays["bias"]
    )
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = normalized(inputs, training=mode == "training")
    kernel_gradient, input_gradient = tape.gradient(
        outputs,
        [normalized.layer.kernel, inputs],
        output_gradients=tf.constant(arrays["upstream"]),
    )
    assert_close(outputs, arrays[f"{mode}/outputs"])
    assert_close(kernel_gradient, arrays[f"{mode}/kernel_gradient"])
    assert_close(input_gradient, arrays[f"{mode}/input_gradient"])
    assert_close(normalized.u, arrays[f"{mode}/u"])
    assert_close(normalized.v, arrays[f"{mode}/v"])


@pytest.mark.parametrize(("name", "input_shape"), [("conv2d", (1, 4, 5, 3)), ("dense", (1, 6))])
def test_sigma_equals_tensorflow_addons(name, input_shape):
    arrays = reference("addons", name)
    kernel = arrays["kernel"]
    v = kernel.reshape(-1, kernel.shape[-1]) @ arrays["u"]
    v /= np.linalg.norm(v)
    normalized = normalized_layer(name, kernel, arrays["new_u"], v, input_shape)
    inputs = np.random.default_rng(0).normal(size=input_shape).astype("float32")
    # The bias is 0, so the outputs are the layer's own divided by sigma.
    assert_close(normalized(inputs) * arrays["sigma"], normalized.layer(inputs))
    # tensorflow-addons updates v before u, this layer u before v: its v leads to its u.
    normalized.u.assign(arrays["u"])
    normalized(inputs, training=True)
    assert_close(normalized.u, arrays["new_u"])


def test_matrix_of_ones_has_sigma_2():
    normalized = SpectralNormalization(keras.layers.Dense(2, kernel_initializer="ones"))
    for training in (False, True):
        assert_close(
            normalized(np.eye(2, dtype="float32"), training=training), np.full((2, 2), 0.5)
        )


@pytest.mark.parametrize(
    ("power_iterations", "u", "v", "sigma_squared"),
    [(1, (3, 1), (9, 1), 82 / 10), (2, (27, 1), (81, 1), 6562 / 730)],
)
def test_power_iterations_by_hand(power_iterations, u, v, sigma_squared):
    kernel = np.diag([3.0, 1.0])
    start = np.full(2, 0.5**0.5)
    normalized = dense(kernel, start, start, power_iterations=power_iterations)
    outputs = normalized(np.eye(2, dtype="float32"), training=True)
    assert_close(outputs, kernel / sigma_squared**0.5)
    assert_close(normalized.u, u / np.linalg.norm(u))
    assert_close(normalized.v, v / np.linalg.norm(v))


def test_shapes_and_weight_counts():
    normalized = SpectralNormalization(keras.layers.Conv2D(4, 3, padding="same", name="features"))
    outputs = normalized(np.zeros((2, 5, 6, 3), "float32"))
    assert outputs.shape == (2, 5, 6, 4)
    assert normalized.name == "spectral_features"
    assert normalized.u.shape == (4,)
    assert normalized.v.shape == (3 * 3 * 3,)
    assert len(normalized.trainable_weights) == 2
    assert len(normalized.non_trainable_weights) == 2


@pytest.mark.parametrize("name", LAYERS)
def test_power_vectors_of_a_fresh_layer_have_converged(name):
    arrays = reference("pytorch", name)
    normalized = SpectralNormalization(LAYERS[name]())
    normalized.build(arrays["inputs"].shape)
    kernel = normalized.layer.kernel.numpy()
    outputs_axis = 2 if name == "conv2d_transpose" else -1
    matrix = np.moveaxis(kernel, outputs_axis, 0).reshape(normalized.u.shape[0], -1)
    sigma = normalized.u.numpy() @ matrix @ normalized.v.numpy()
    largest = np.linalg.svd(matrix, compute_uv=False)[0]
    assert 0.9 * largest < sigma < 1.00001 * largest


def test_power_vectors_have_converged_when_built_by_a_model_being_traced():
    class Lazy(keras.Model):
        def __init__(self):
            super().__init__()
            self.normalized = SpectralNormalization(
                keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")
            )

        def call(self, inputs):
            return self.normalized(inputs)

    assert_close(Lazy()(np.eye(2, dtype="float32")), np.full((2, 2), 0.5))


@pytest.mark.parametrize("name", LAYERS)
def test_training_calls_do_not_change_the_kernel(name):
    arrays = reference("pytorch", name)
    normalized = SpectralNormalization(LAYERS[name]())
    normalized.build(arrays["inputs"].shape)
    kernel = normalized.layer.kernel.numpy()
    for _ in range(3):
        normalized(arrays["inputs"], training=True)
    np.testing.assert_array_equal(normalized.layer.kernel.numpy(), kernel)


@pytest.mark.parametrize("options", [{}, {"training": False}])
def test_only_training_updates_the_power_vectors(options):
    start = np.full(2, 0.5**0.5, "float32")
    normalized = dense(np.diag([3.0, 1.0]), start, start, power_iterations=1)
    inputs = np.eye(2, dtype="float32")
    first, second = normalized(inputs, **options), normalized(inputs, **options)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(normalized.u.numpy(), start)
    np.testing.assert_array_equal(normalized.v.numpy(), start)
    normalized(inputs, training=True)
    assert not np.allclose(normalized.u.numpy(), start)
    assert not np.allclose(normalized.v.numpy(), start)


@pytest.mark.usefixtures("mixed_bfloat16")
def test_half_precision_is_used_to_compute_but_not_to_store():
    normalized = SpectralNormalization(keras.layers.Dense(3, kernel_initializer="ones"))
    inputs = np.ones((2, 4), "float32")
    outputs = normalized(inputs, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {weight.dtype for weight in normalized.weights} == {"float32"}
    # bfloat16 has no number between 1 and 1.0078.
    normalized.layer.kernel.assign_add(np.full((4, 3), 2e-5))
    normalized(inputs, training=True)
    expected = np.full((4, 3), np.float32(1) + np.float32(2e-5))
    np.testing.assert_array_equal(normalized.layer.kernel.numpy(), expected)


@pytest.mark.usefixtures("mixed_bfloat16")
@pytest.mark.parametrize(
    "alone",
    [
        False,
        True,
    ],
    ids=["in_a_model", "alone"],
)
def test_half_precision_does_not_reach_the_power_iteration(alone):
    inputs = keras.Input((6,))
    normalized = SpectralNormalization(keras.layers.Dense(4))
    model = keras.Model(inputs, normalized(inputs))
    kernel = np.random.default_rng(0).normal(size=(6, 4))
    normalized.layer.kernel.assign(kernel)
    normalized.v.assign(np.full(6, 6**-0.5))
    (normalized if alone else model)(np.ones((2, 6), "float32"), training=True)
    u = kernel.sum(axis=0)
    v = kernel @ u
    assert_close(normalized.u, u / np.linalg.norm(u))
    assert_close(normalized.v, v / np.linalg.norm(v))


@pytest.mark.parametrize(
    ("layer", "scale"),
    [
        (lambda: keras.layers.Conv2D(4, 3, padding="same"), 1),
        (lambda: keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same"), 2),
    ],
    ids=["conv2d", "conv2d_transpose"],
)
def test_unknown_height_and_width(layer, scale):
    images = keras.Input((None, None, 3))
    model = keras.Model(images, SpectralNormalization(layer())(images))
    assert model.output_shape == (None, None, None, 4)
    for height, width in ((5, 7), (4, 1)):
        outputs = model(np.zeros((2, height, width, 3), "float32"), training=True)
        assert outputs.shape == (2, height * scale, width * scale, 4)


@pytest.mark.parametrize("name", LAYERS)
def test_a_kernel_of_zeros_stays_zero_until_it_is_trained(name):
    layer = LAYERS[name]()
    layer.kernel_initializer = keras.initializers.Zeros()
    normalized = SpectralNormalization(layer)
    inputs = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype("float32")
    for training in (False, True):
        np.testing.assert_array_equal(normalized(inputs, training=training), 0.0)

    kernel = np.random.default_rng(1).normal(size=layer.kernel.shape).astype("float32")
    layer.kernel.assign(kernel)
    for _ in range(100):
        normalized(inputs, training=True)
    matrix = kernel.transpose(0, 1, 3, 2) if name == "conv2d_transpose" else kernel
    sigma = np.linalg.norm(matrix.reshape(-1, matrix.shape[-1]), 2)
    layer_alone = LAYERS[name]()
    layer_alone.build(inputs.shape)
    layer_alone.kernel.assign(kernel / sigma)
    np.testing.assert_allclose(
        normalized(inputs, training=False), layer_alone(inputs), rtol=1e-3, atol=1e-4
    )


def test_config_round_trip():
    layer = keras.layers.Conv2D(4, 3, strides=2, name="features")
    normalized = SpectralNormalization(layer, power_iterations=2, epsilon=1e-6)
    copy = SpectralNormalization.from_config(normalized.get_config())
    assert copy.get_config() == normalized.get_config()
    assert (copy.power_iterations, copy.epsilon, copy.name) == (2, 1e-6, "spectral_features")
    assert isinstance(copy.layer, keras.layers.Conv2D)


def test_saved_weights_restore_the_power_vectors(tmp_path):
    def model():
        inputs = keras.Input((6,))
        return keras.Model(inputs, SpectralNormalization(keras.layers.Dense(4))(inputs))

    trained, loaded = model(), model()
    inputs = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    trained.layers[-1].u.assign([1, 0, 0, 0])
    trained(inputs, training=True)
    trained.save_weights(tmp_path / "trained.weights.h5")
    loaded.load_weights(tmp_path / "trained.weights.h5")
    for name in ("u", "v"):
        restored = getattr(loaded.layers[-1], name).numpy()
        np.testing.assert_array_equal(restored, getattr(trained.layers[-1], name).numpy())
    np.testing.assert_array_equal(loaded(inputs), trained(inputs))


def test_wrong_layer():
    with pytest.raises(ValueError, match=r"Conv2D, Conv2DTranspose or Dense.*Received: `layer=<"):
        SpectralNormalization(keras.layers.ReLU())


@pytest.mark.parametrize("power_iterations", [0, -1])
def test_wrong_power_iterations(power_iterations):
    message = f"greater than zero. Received: `power_iterations={power_iterations}`"
    with pytest.raises(ValueError, match=message):
        SpectralNormalization(keras.layers.Dense(2), power_iterations=power_iterations)
