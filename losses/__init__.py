"""What training minimizes."""

# The terms of `losses.reconstruction.Reconstruction`. They stand here, where nothing is imported,
# so that the command line can name them at once.
TERMS = ("l1", "mse", "huber", "ssim", "perceptual", "lpips", "colorfulness")

# Those that weigh pixels by how rare their true color is, where that is asked for.
REBALANCED = frozenset({"l1", "mse", "huber"})
