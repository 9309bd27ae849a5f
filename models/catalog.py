"""The colorizers by the names that the command line knows."""

from models.sagan import SAGAN

COLORIZERS = {"sagan": SAGAN}
