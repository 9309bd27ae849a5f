"""The colorizers and their layers."""

from lazy_imports import lazy_imports

__getattr__ = lazy_imports(
    __name__,
    {
        "sagan": ("SAGAN",),
        "pix2pix": ("Pix2Pix",),
        "chromagan": ("ChromaGAN",),
        "encoder_decoder": ("EncoderDecoder",),
        "teacher": ("Teacher",),
        "batch_statistics": ("BatchStatistics",),
        "layers.spectral_normalization": ("SpectralNormalization",),
        "layers.self_attention": ("SelfAttention",),
    },
)
