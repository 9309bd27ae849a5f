"""A loss that is no number ends training at once and names the step."""

import pytest

from callbacks.stop_on_divergence import StopOnDivergence
from errors import DivergedError
from models.weights_folder import Progress, WeightsFolder


def test_numbers_pass(tmp_path):
    StopOnDivergence(WeightsFolder(tmp_path), Progress()).on_train_batch_end(0, {"l1": 1e30})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_others_end_training(value, tmp_path):
    callback = StopOnDivergence(WeightsFolder(tmp_path), Progress(epoch=2, total_steps=40))
    with pytest.raises(DivergedError, match=r"at step 41 \(epoch 3\): l1 is") as caught:
        callback.on_train_batch_end(0, {"l1": value, "generator_loss": 1.0})
    assert caught.value.exit_status == 3
