"""A transposed convolution for very large kernels."""

import keras
from keras import ops

from models.layers.kernel_gradient import is_large, with_kernel_gradient


@keras.saving.register_keras_serializable("colorizer")
class WideConv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` that trains large kernels faster on a CPU; see `is_large`.

    The results are the same except for rounding.
    """

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.kernel)
        if not is_large(kernel.shape):
            return super().call(inputs)
        outputs = ops.conv_transpose(
            inputs,
            ops.stop_gradient(kernel),
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
        outputs = with_kernel_gradient(outputs, kernel, None, inputs, self.strides, self.padding)
        if self.use_bias:
            outputs = ops.add(outputs, ops.reshape(self.bias, (1, 1, 1, self.filters)))
        return outputs if self.activation is None else self.activation(outputs)
