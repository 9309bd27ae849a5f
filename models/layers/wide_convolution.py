"""A convolution for very large kernels."""

import keras
from keras import KerasTensor as Tensor
from keras import ops

from models.layers.kernel_gradient import is_large, with_kernel_gradient


@keras.saving.register_keras_serializable("colorizer")
class WideConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` that trains large kernels faster on a CPU; see `is_large`.

    The results are the same except for rounding.
    """

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        kernel = ops.convert_to_tensor(kernel)
        if not is_large(kernel.shape):
            return super().convolution_op(inputs, kernel)
        outputs = super().convolution_op(inputs, ops.stop_gradient(kernel))
        return with_kernel_gradient(outputs, kernel, inputs, None, self.strides, self.padding)
