"""The encoder is frozen in the first epochs."""

from types import SimpleNamespace

import pytest

from callbacks.frozen_encoder import FrozenEncoder


@pytest.mark.parametrize(
    ("first", "expected"),
    [(0, [True, True, False, False]), (1, [True, False, False]), (2, [False, False])],
    ids=["from the start", "resumed while frozen", "resumed after"],
)
def test_encoder_is_frozen_in_the_first_epochs(first, expected):
    frozen = []
    callback = FrozenEncoder(2)
    callback.set_model(SimpleNamespace(freeze_encoder=frozen.append))
    for epoch in range(first, 4):
        callback.on_epoch_begin(epoch)
    assert frozen == expected
