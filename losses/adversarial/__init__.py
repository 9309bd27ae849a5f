"""The adversarial losses by name."""

from collections.abc import Mapping
from typing import Any

import keras

from losses.adversarial.adversarial import Adversarial
from losses.adversarial.hinge_adversarial import HingeAdversarial
from losses.adversarial.least_squares_adversarial import LeastSquaresAdversarial
from losses.adversarial.vanilla_adversarial import VanillaAdversarial
from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial

ADVERSARIAL = {
    "vanilla": VanillaAdversarial,
    "lsgan": LeastSquaresAdversarial,
    "hinge": HingeAdversarial,
    "wgan-gp": WassersteinAdversarial,
}


def get_adversarial(
    identifier: str | Mapping[str, Any] | Adversarial | None,
) -> Adversarial | None:
    """Returns an adversarial loss, as `keras.losses.get` returns other losses.

    Args:
        identifier: str, a name in `ADVERSARIAL`, for its loss with the default arguments; dict,
            the config that `keras.saving.serialize_keras_object` returns; an `Adversarial`; or
            None.

    Returns:
        `Adversarial`, or None for None.

    Raises:
        ValueError: the identifier is none of these.

    Example:
        get_adversarial("hinge")        # HingeAdversarial()
    """
    loss = identifier
    if isinstance(identifier, str) and identifier in ADVERSARIAL:
        loss = ADVERSARIAL[identifier]()
    elif isinstance(identifier, Mapping):
        loss = keras.saving.deserialize_keras_object(dict(identifier))
    if loss is None or isinstance(loss, Adversarial):
        return loss
    raise ValueError(
        f"`adversarial` should be None, one of {tuple(ADVERSARIAL)}, the config of an adversarial "
        f"loss, or an `Adversarial`. Received: adversarial={identifier!r}"
    )
