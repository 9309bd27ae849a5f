"""Converts mean squared errors to decibels."""

from keras import ops

# The value for an error of 0, or of what float32 rounding leaves of it.
LARGEST_PSNR = 100.0


def decibels(mean_squared_error):
    """10 log10(1 / error), at most 100 dB, of a tensor of mean squared errors in [0, 1]."""
    least = 10.0 ** (-0.1 * LARGEST_PSNR)
    return -10.0 * ops.log(ops.maximum(mean_squared_error, least)) / ops.log(10.0)
