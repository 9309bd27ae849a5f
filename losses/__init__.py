"""The losses that training minimizes."""

import importlib

# The terms of `Reconstruction`. They are defined in this module, which imports nothing, so that
# the command line can list them without loading Keras.
TERMS = ("l1", "mse", "huber", "ssim", "perceptual", "lpips", "colorfulness")

# The terms to which color rebalancing applies: they can weight pixels of rare colors more.
REBALANCED = frozenset({"l1", "mse", "huber"})

# The other public names by module. They are imported on first use, for the same reason.
_PUBLIC = {
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
}


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
