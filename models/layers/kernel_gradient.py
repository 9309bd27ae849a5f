"""The gradient of large kernels by one product of matrices."""

import tensorflow as tf

# Numbers of a kernel from which on the product is faster on a CPU, whatever the images' size.
_LARGE = 2**22


def is_large(kernel_shape: tuple[int, ...]) -> bool:
    """Whether `with_kernel_gradient` is faster than what TensorFlow does.

    The innermost kernels of pix2pix have millions of numbers and look at a few places each.
    oneDNN's backward pass of such a convolution (TensorFlow 2.21, 2 cores, batch 8) takes 50 ms for
    16 x 512 x 1024 numbers in bfloat16 and 128 places, the product 11 ms; in float32 45 and 19 ms.
    Below 4 million numbers the two are near each other. On a GPU it was not measured.
    """
    height, width, before, after = kernel_shape
    has_gpu = bool(tf.config.list_logical_devices("GPU"))
    return height * width * before * after >= _LARGE and not has_gpu


def with_kernel_gradient(outputs, kernel, large, small, strides, padding):
    """Passes `outputs` on, and gives the kernel its gradient by a product of matrices.

    Of a convolution from `large` to `small` feature maps, or of its transposed from small to large:
    in both the gradient is the sum over all places of the products of patches of the large and
    numbers of the small one.

    Args:
        outputs: of the layer, made with a kernel that has no gradient.
        kernel: tensor of shape (height, width, channels of large, channels of small).
        large: tensor of shape (batch, height, width, channels), or None where they are the outputs.
        small: likewise.
        strides: two ints.
        padding: `same` or `valid`.
    """
    height, width = kernel.shape[:2]

    @tf.custom_gradient
    def learn(outputs, kernel):
        def gradient(upstream):
            found_large = upstream if large is None else large
            found_small = upstream if small is None else small
            patches = tf.image.extract_patches(
                found_large,
                sizes=[1, height, width, 1],
                strides=[1, *strides, 1],
                rates=[1, 1, 1, 1],
                padding=padding.upper(),
            )
            rows = tf.reshape(patches, [-1, height * width * kernel.shape[2]])
            columns = tf.reshape(found_small, [-1, kernel.shape[3]])
            product = tf.matmul(rows, columns, transpose_a=True)
            return upstream, tf.reshape(product, kernel.shape)

        return tf.identity(outputs), gradient

    return learn(outputs, kernel)
