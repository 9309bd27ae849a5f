"""The part of a generator that follows hints: what colors a person asks for at some places."""

import keras
from keras import KerasTensor as Tensor
from keras import ops

from models.layers.hint_attention import HintAttention
from models.layers.hinted_squares import HintedSquares

