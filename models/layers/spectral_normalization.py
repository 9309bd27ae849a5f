"""Spectral normalization of a layer's kernel."""

from typing import Any

import keras
import numpy as np
from keras import ops

# As many as in PyTorch, so that a new layer starts close to its true norm.
_ITERATIONS_AT_BUILD = 15


@keras.saving.register_keras_serializable("colorizer")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides the kernel of a layer by an estimate of its largest singular value.

    The kernel is *reparametrized*: the trained weight is not changed, and `kernel / sigma` is
    computed in every call, with gradients through sigma. `keras.layers.SpectralNormalization`
    overwrites the weight instead, which loses its scale and its gradient through sigma, and
    does nothing outside training.

    The kernel is reshaped to a matrix W of (outputs, everything else). One step of power iteration
    in each training call updates the stored vectors, u <- Wv/|Wv| and then v <- W'u/|W'u|, which
    are constants to the gradient; sigma = u'Wv. Outside training the stored vectors are not
    updated, so that a call with `training=False` is a pure function of the weights. Everything is
    computed in float32 whatever the precision of the layer. The results equal those of PyTorch's
    `torch.nn.utils.parametrizations.spectral_norm` with the same weights, vectors and inputs.

    Score real and generated images in one call on the concatenated batch, because each training
    call updates u and v.

    Args:
        layer: `Conv2D`, `Conv2DTranspose` or `Dense`.
        power_iterations: int, steps of power iteration in each training call. Defaults to `1`.
        epsilon: float, the length below which a vector counts as zero: u and v then stay as they
            are, and a kernel of zeros is not divided. Defaults to `1e-12`.

    Example:
        convolution = SpectralNormalization(keras.layers.Conv2D(64, 3, padding="same"))
        features = convolution(lightness, training=True)     # (2, 32, 32, 64)

    Reference:
        Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
        algorithm 1.
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        power_iterations: int = 1,
        epsilon: float = 1e-12,
        **kwargs: Any,
    ):
        if not isinstance(
            layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dense)
        ):
            raise ValueError(
                "`layer` should be a Conv2D, Conv2DTranspose or Dense layer. "
                f"Received: `layer={layer}`"
            )
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. "
                f"Received: `power_iterations={power_iterations}`"
            )
        kwargs.setdefault("name", f"spectral_{layer.name}")
        # Without autocast the kernel is read here in float32, not as the half-precision copy that
        # the layer computes with. The layer itself still casts according to its own policy.
        kwargs["dtype"] = layer.variable_dtype
        super().__init__(layer, autocast=False, **kwargs)
        self.power_iterations = power_iterations
        self.epsilon = epsilon

    def build(self, input_shape):
        super().build(input_shape)
        others, outputs = self._transposed_matrix().shape
        # Initializers are used because assignments are lost while a model is traced.
        self.u = self._unit_vector(outputs, "u", self._first_u)
        self.v = self._unit_vector(others, "v", self._first_v)

    def call(self, inputs, training=False):
        transposed = self._transposed_matrix()
        if training and self.trainable:
            u, v = self._iterate(ops.stop_gradient(transposed), self.power_iterations)
            self.u.assign(u)
            self.v.assign(v)
        else:
            u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        sigma = ops.sum(ops.matmul(ops.stop_gradient(v), transposed) * ops.stop_gradient(u))
        # A kernel of zeros has no norm to be divided by.
        sigma = ops.where(ops.abs(sigma) > self.epsilon, sigma, 1.0)
        # The gradient of a product reads large kernels half as often as that of a quotient.
        kernel = ops.convert_to_tensor(self._kernel()) * (1.0 / sigma)
        return self._call_with_kernel(kernel, inputs)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(
            self.compute_output_shape(inputs.shape), dtype=self.layer.compute_dtype
        )

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "power_iterations": self.power_iterations,
            "epsilon": self.epsilon,
        }

    def _unit_vector(self, length, name, initializer):
        return self.add_weight(
            shape=(length,),
            initializer=initializer,
            name=name,
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    # NumPy avoids TensorFlow's dispatch of hundreds of small operations.
    def _first_u(self, shape, dtype=None):
        matrix = ops.convert_to_numpy(self._transposed_matrix()).T
        u = ops.convert_to_numpy(keras.initializers.RandomNormal()(shape, dtype=dtype))
        u = u / np.linalg.norm(u)
        for _ in range(_ITERATIONS_AT_BUILD):
            product = matrix @ (matrix.T @ u)
            if (norm := np.linalg.norm(product)) > self.epsilon:
                u = product / norm
        return ops.convert_to_tensor(u, dtype)

    def _first_v(self, shape, dtype=None):
        product = ops.convert_to_numpy(self._transposed_matrix()) @ ops.convert_to_numpy(self.u)
        if (norm := np.linalg.norm(product)) > self.epsilon:
            return ops.convert_to_tensor(product / norm, dtype)
        return ops.full(shape, 1.0 / np.sqrt(shape[0]), dtype)

    def _kernel(self):
        return next(weight for weight in self.layer.weights if weight.name == "kernel")

    def _transposed_matrix(self):
        """Returns W' of (everything else, outputs), for most kernels without a copy."""
        kernel = ops.convert_to_tensor(self._kernel())
        if isinstance(self.layer, keras.layers.Conv2DTranspose):
            # The kernel is stored as (height, width, outputs, inputs).
            kernel = ops.transpose(kernel, (0, 1, 3, 2))
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def _iterate(self, transposed, iterations):
        u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        for _ in range(iterations):
            u = self._normalize(ops.matmul(v, transposed), u)
            v = self._normalize(ops.matmul(transposed, u), v)
        return u, v

    def _normalize(self, vector, otherwise):
        """The unit vector of this direction, or `otherwise` if the vector is zero."""
        norm = ops.sqrt(ops.sum(ops.square(vector)))
        return ops.where(norm > self.epsilon, vector / ops.maximum(norm, self.epsilon), otherwise)

    def _call_with_kernel(self, kernel, inputs):
        """Calls the layer with another kernel."""
        # Inside the scope the layer reads this tensor in place of its variable. Its other variables
        # are mapped too, because otherwise an enclosing stateless scope would be ignored.
        values = {id(weight): ops.convert_to_tensor(weight) for weight in self.layer.weights}
        values[id(self._kernel())] = kernel
        mapping = [(weight, values[id(weight)]) for weight in self.layer.weights]
        with keras.StatelessScope(state_mapping=mapping):
            return self.layer(inputs)
