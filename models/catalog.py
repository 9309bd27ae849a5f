"""The colorizers by their names on the command line."""

from models.chromagan import ChromaGAN
from models.encoder_decoder import EncoderDecoder
from models.pix2pix import Pix2Pix
from models.sagan import SAGAN

COLORIZERS: dict[str, type[SAGAN | Pix2Pix | ChromaGAN | EncoderDecoder]] = {
    "sagan": SAGAN,
    "pix2pix": Pix2Pix,
    "chromagan": ChromaGAN,
    "encoder_decoder": EncoderDecoder,
}
