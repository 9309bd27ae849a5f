"""The losses that training minimizes."""

from lazy_imports import lazy_imports

# The terms of `Reconstruction`. They are defined in this module, which imports nothing, so that
# the command line can list them without loading Keras.
TERMS = ("l1", "mse", "huber", "log_mse", "ssim", "perceptual", "lpips", "colorfulness")

# The terms to which color rebalancing applies: they can weight pixels of rare colors more.
REBALANCED = frozenset({"l1", "mse", "huber"})

# The other public names by module. They are imported on first use, for the same reason.
__getattr__ = lazy_imports(
    __name__,
    {
        "ADVERSARIAL": "losses.adversarial",
        "Adversarial": "losses.adversarial.adversarial",
        "ColorRebalancing": "losses.color_rebalancing",
        "HingeAdversarial": "losses.adversarial.hinge_adversarial",
        "LPIPSNetwork": "losses.lpips_network",
        "LeastSquaresAdversarial": "losses.adversarial.least_squares_adversarial",
        "Perceptual": "losses.perceptual",
        "Reconstruction": "losses.reconstruction",
        "VanillaAdversarial": "losses.adversarial.vanilla_adversarial",
        "WassersteinAdversarial": "losses.adversarial.wasserstein_adversarial",
        "get_adversarial": "losses.adversarial",
        "get_reconstruction": "losses.reconstruction",
    },
)
