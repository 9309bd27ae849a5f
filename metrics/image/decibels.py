"""Mean squared errors in decibels."""

from keras import ops

# Of an error of 0, and of what rounding of float32 leaves of it.
DECIBELS_OF_NO_ERROR = 100.0


def decibels(mean_squared_error):
    """10 log10(1 / error), at most 100 dB, of a tensor of errors of numbers in [0, 1]."""
    least = 10.0 ** (-0.1 * DECIBELS_OF_NO_ERROR)
    return -10.0 * ops.log(ops.maximum(mean_squared_error, least)) / ops.log(10.0)
