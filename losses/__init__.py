"""The losses that training minimizes."""

import importlib

# The terms of `Reconstruction`. They are defined in this module, which imports nothing, so that
# the command line can list them without loading Keras.
TERMS = ("l1", "mse", "huber", "ssim", "perceptual", "lpips", "colorfulness")

# The terms to which color rebalancing applies: they can weight pixels of rare colors more.
REBALANCED = frozenset({"l1", "mse", "huber"})

# The other public names, by module. They are imported on first use, for the same reason.
_PUBLIC = {
    "losses.adversarial": ("ADVERSARIAL", "get_adversarial"),
    "losses.adversarial.adversarial": ("Adversarial",),
    "losses.adversarial.hinge_adversarial": ("HingeAdversarial",),
    "losses.adversarial.least_squares_adversarial": ("LeastSquaresAdversarial",),
    "losses.adversarial.vanilla_adversarial": ("VanillaAdversarial",),
    "losses.adversarial.wasserstein_adversarial": ("WassersteinAdversarial",),
    "losses.color_rebalancing": ("ColorRebalancing",),
    "losses.lpips_network": ("LPIPSNetwork",),
    "losses.perceptual": ("Perceptual",),
    "losses.reconstruction": ("Reconstruction", "get_reconstruction"),
}


def __getattr__(name: str):
    for module, names in _PUBLIC.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
