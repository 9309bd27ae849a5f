"""The gradient of large convolution kernels as a matrix product."""

import tensorflow as tf

from models.layers.devices import has_gpu

# The kernel size from which the matrix product is faster on a CPU, whatever the image size.
LARGE = 2**22


def is_large(kernel_shape: tuple[int, ...]) -> bool:
    """Whether `with_kernel_gradient` is faster than TensorFlow's own gradient.

    The innermost kernels of pix2pix have millions of weights and are applied at few positions.
    oneDNN's backward pass of such a convolution (TensorFlow 2.21, 2 cores, batch 8) takes 50 ms for
    16 x 512 x 1024 weights in bfloat16 and 128 positions, the matrix product 11 ms; in float32 it
    is 45 and 19 ms. Below 4 million weights they are about equally fast.
    """
    height, width, before, after = kernel_shape
    return height * width * before * after >= LARGE and not has_gpu()


def with_kernel_gradient(
    outputs: tf.Tensor,
    kernel: tf.Tensor,
    large: tf.Tensor | None,
    small: tf.Tensor | None,
    strides: tuple[int, int],
    padding: str,
) -> tf.Tensor:
    """Returns `outputs` unchanged, with the kernel's gradient computed as a matrix product.

    This works for a convolution from `large` to `small` feature maps and for a transposed
    convolution from small to large. For both, the gradient is the sum over all positions of the
    products of patches of the large feature map and values of the small one.

    Args:
        outputs: tensor, the layer's outputs with a kernel that has no gradient.
        kernel: tensor of shape (height, width, channels of large, channels of small).
        large: tensor of shape (batch, height, width, channels), or None if it is the outputs.
        small: as `large`, for the small feature maps.
        strides: two ints.
        padding: str, `same` or `valid`.

    Returns:
        Tensor of the shape of `outputs`.
    """
    height, width = kernel.shape[:2]

    @tf.custom_gradient
    def attach_gradient(outputs, kernel):
        def gradient(upstream):
            large_features = upstream if large is None else large
            small_features = upstream if small is None else small
            patches = tf.image.extract_patches(
                large_features,
                sizes=[1, height, width, 1],
                strides=[1, *strides, 1],
                rates=[1, 1, 1, 1],
                padding=padding.upper(),
            )
            rows = tf.reshape(patches, [-1, height * width * kernel.shape[2]])
            columns = tf.reshape(small_features, [-1, kernel.shape[3]])
            product = tf.matmul(rows, columns, transpose_a=True)
            return upstream, tf.reshape(product, kernel.shape)

        return tf.identity(outputs), gradient

    return attach_gradient(outputs, kernel)
