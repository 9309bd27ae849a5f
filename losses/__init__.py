"""The losses that training minimizes."""

# The terms of `losses.reconstruction.Reconstruction`. They are defined in this module, which
# imports nothing, so that the command line can list them without loading Keras.
TERMS = ("l1", "mse", "huber", "ssim", "perceptual", "lpips", "colorfulness")

# The terms to which color rebalancing applies: they can weight pixels of rare colors more.
REBALANCED = frozenset({"l1", "mse", "huber"})
