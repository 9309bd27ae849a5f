"""A nonfinite training step on one of two replicas in one process is undone on both."""

import subprocess
import sys

import pytest

from benchmarks.replicas import TWO_DEVICES

SCRIPT = """
import keras
import numpy as np

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

from losses.adversarial.hinge_adversarial import HingeAdversarial
from losses.reconstruction import Reconstruction
from models.sagan import SAGAN

with strategy.scope():
    model = SAGAN(filters=2, depth=1, attention_level=1, discriminator_filters=2)
    model.compile(
        *(keras.optimizers.Adam(0.01) for _ in range(2)),
        Reconstruction({"l1": 1.0}),
        HingeAdversarial(),
        undo_nonfinite_steps=True,
    )

random = np.random.default_rng(0)

def images(nonfinite=False):
    lightness, ab = (random.uniform(-1, 1, (4, 8, 8, each)).astype("float32") for each in (1, 2))
    if nonfinite:
        # The last sample is one of the second replica.
        ab[3, 2, 1, 0] = np.nan
    def rows(context, values):
        return tf.constant(np.split(values, 2)[context.replica_id_in_sync_group])
    return tuple(
        strategy.experimental_distribute_values_from_function(
            lambda context, values=values: rows(context, values)
        )
        for values in (lightness, ab)
    )

def state():
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    parts = (model, *model.training_means.values(), *optimizers)
    variables = [variable for part in parts for variable in part.variables]
    values = [getattr(variable, "value", variable) for variable in variables]
    return [
        np.asarray(copy)
        for value in values
        for copy in strategy.experimental_local_results(value)
    ]

step = tf.function(lambda data: strategy.run(model.train_step, [data]))
step(images())
before = state()
assert len(before) > 100
step(images(nonfinite=True))
for copy in strategy.experimental_local_results(model.nonfinite_count):
    assert int(copy) > 0
for left, right in zip(before, state()):
    np.testing.assert_array_equal(left, right)
model.wants_to_stop.assign(True)
step(images())
for copies in (model.nonfinite_count, model.stop_votes):
    first, second = (int(copy) for copy in strategy.experimental_local_results(copies))
    assert first == second == (2 if copies is model.stop_votes else 0)
changed = [(left != right).any() for left, right in zip(before, state())]
assert sum(changed) > len(changed) / 2
# The variables of both replicas are equal.
for one, other in zip(state()[::2], state()[1::2]):
    np.testing.assert_allclose(one, other, atol=1e-6)
"""


@pytest.mark.slow
def test_a_step_that_is_nonfinite_on_one_replica_is_undone_on_both(request):
    ran = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES + SCRIPT],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
