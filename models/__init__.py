"""The colorizers and their layers."""

from lazy_imports import lazy_imports

__getattr__ = lazy_imports(
    __name__,
    {
        "BatchStatistics": "models.batch_statistics",
        "ChromaGAN": "models.chromagan",
        "EncoderDecoder": "models.encoder_decoder",
        "Pix2Pix": "models.pix2pix",
        "SAGAN": "models.sagan",
        "SelfAttention": "models.layers.self_attention",
        "SpectralNormalization": "models.layers.spectral_normalization",
        "Teacher": "models.teacher",
    },
)
