"""The metrics of colored images, as Keras metrics and for a table of several colorizers."""

import importlib

# The public names by module. They are imported on first use, because Keras takes seconds.
_PUBLIC = {
    "Blotches": "metrics.image.blotches",
    "Colorfulness": "metrics.image.colorfulness",
    "Evaluator": "metrics.evaluator",
    "FID": "metrics.distribution.fid",
    "FeatureNetwork": "metrics.distribution.feature_network",
    "HueCoverage": "metrics.image.hue_coverage",
    "InceptionScore": "metrics.distribution.inception_score",
    "KID": "metrics.distribution.kid",
    "LPIPS": "metrics.image.lpips",
    "PSNR": "metrics.image.psnr",
    "PooledPSNR": "metrics.image.pooled_psnr",
    "SSIM": "metrics.image.ssim",
}


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
