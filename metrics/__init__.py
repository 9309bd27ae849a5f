"""The metrics of colored images, as Keras metrics and for a table of several colorizers."""

from lazy_imports import lazy_imports

# The public names by module. They are imported on first use, because Keras takes seconds.
__getattr__ = lazy_imports(
    __name__,
    {
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
    },
)
