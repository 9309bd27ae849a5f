"""Nonfinite losses and gradients are reported, logged and, on request, undone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from callbacks.nonfinite_steps import NonfiniteSteps
from callbacks.training_checkpoint import TrainingCheckpoint
from errors import DivergedError
from losses.adversarial.hinge_adversarial import HingeAdversarial
from losses.reconstruction import Reconstruction
from models.adversarial_colorizer import Phase
from models.batch_statistics import BatchStatistics
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.pix2pix import Pix2Pix
from models.sagan import SAGAN

pytestmark = pytest.mark.usefixtures("without_graphs")

NAN, INFINITE = float("nan"), float("inf")


def network(undo_nonfinite_steps=False, discriminator_steps=1):
    keras.utils.set_random_seed(0)
    return compiled(
        Pix2Pix(filters=2, depth=2, discriminator="pixel", discriminator_filters=2),
        undo_nonfinite_steps,
        discriminator_steps,
    )


def compiled(model, undo_nonfinite_steps, discriminator_steps=1):
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.optimizers.Adam(0.01),
        Reconstruction({"l1": 1.0}),
        HingeAdversarial(),
        discriminator_steps=discriminator_steps,
        undo_nonfinite_steps=undo_nonfinite_steps,
    )
    return model


def batch(nonfinite=None, seed=0):
    """Lightness and ab, with one nonfinite value in the true ab."""
    random = np.random.default_rng(seed)
    lightness, ab = (
        random.uniform(-1, 1, (2, 8, 8, channels)).astype("float32") for channels in (1, 2)
    )
    if nonfinite is not None:
        ab[1, 2, 3, 1] = nonfinite
    return lightness, ab


def train(model, batches, tmp_path, limit=0, progress=None):
    """Trains one epoch on these batches and returns the progress."""
    progress = progress or Progress()
    folder = WeightsFolder(tmp_path)
    folder.write_settings({"architecture": {}})
    callbacks = [
        # Batches that are undone would be measured too.
        BatchStatistics(list),
        NonfiniteSteps(
            folder, progress, lambda number: [f"{number}a.jpg", f"{number}b.jpg"], limit
        ),
        TrainingCheckpoint(folder, progress, folder.network()),
    ]
    arrays = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
    model.fit(*arrays, batch_size=2, shuffle=False, verbose=0, callbacks=callbacks)
    return progress


def state(model):
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    parts = (model, *model.training_means.values(), *optimizers)
    return [np.asarray(variable) for part in parts for variable in part.variables]


def test_finite_steps_are_not_logged(tmp_path):
    assert train(network(), [batch(), batch(seed=1)], tmp_path).total_steps == 2
    assert not (tmp_path / "nonfinite_steps.txt").exists()


@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
def test_nonfinite_losses_end_training_and_are_logged(value, tmp_path):
    with pytest.raises(DivergedError, match=r"at step 2 \(epoch 1\): ") as caught:
        train(network(), [batch(), batch(value)], tmp_path)
    assert caught.value.exit_status == 3
    first, *images = (tmp_path / "nonfinite_steps.txt").read_text().splitlines()
    assert first.startswith("step 2 (epoch 1): ")
    assert f"l1 is {abs(value)}" in first
    assert images == ["    1a.jpg", "    1b.jpg"]


def test_a_nonfinite_gradient_of_finite_losses_is_noticed_in_its_step(tmp_path, monkeypatch):
    model = network()
    terms = model.reconstruction.terms

    def with_a_root(lightness, true_ab, colored_ab):
        # The gradient of a square root at 0 is infinite, and infinity times 0 is NaN.
        root = tf.sqrt(tf.reduce_sum(0.0 * colored_ab))
        return {"l1": terms(lightness, true_ab, colored_ab)["l1"] + root}

    monkeypatch.setattr(model.reconstruction, "terms", with_a_root)
    message = r"at step 1 .*a gradient is NaN or infinite \(adv.* is "
    with pytest.raises(DivergedError, match=message):
        train(model, [batch()], tmp_path)


@pytest.mark.parametrize(
    "phase",
    [
        pytest.param(Phase.GENERATOR, marks=pytest.mark.slow),
        Phase.DISCRIMINATOR,
        pytest.param(Phase.BOTH, marks=pytest.mark.in_a_graph, id="in a graph"),
    ],
)
def test_an_undone_step_leaves_the_state_unchanged(phase):
    # Spectral normalization has more state than the networks of pix2pix.
    sagan = SAGAN(filters=2, depth=1, attention_level=1, discriminator_filters=2)
    model = compiled(sagan, undo_nonfinite_steps=True)
    model.set_phase(phase)
    step = tf.function(model.train_step)
    step(batch())
    before = state(model)
    assert len(before) > 50
    losses = step(batch(NAN))
    assert int(model.nonfinite_count) > 0
    assert all(np.isfinite(float(value)) for value in losses.values())
    for left, right in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(left, right)
    step(batch(seed=1))
    assert int(model.nonfinite_count) == 0


@pytest.mark.slow
@pytest.mark.parametrize("discriminator_steps", [1, 2])
def test_training_continues_as_if_there_had_been_no_nonfinite_batch(
    discriminator_steps, tmp_path, capsys
):
    good = [batch(seed=seed) for seed in range(4)]
    without, skipping = (network(True, discriminator_steps) for _ in range(2))
    train(without, good, tmp_path / "without")
    poisoned = [*good[:2], batch(NAN), good[2], batch(INFINITE), good[3]]
    progress = train(skipping, poisoned, tmp_path / "with", limit=2)
    assert (progress.total_steps, progress.skipped_steps) == (6, 2)
    for left, right in zip(state(without), state(skipping), strict=True):
        np.testing.assert_array_equal(left, right)
    warnings = capsys.readouterr().err
    assert "step 3 was undone (1 of at most 2)" in warnings
    assert "step 5 was undone (2 of at most 2)" in warnings


def test_too_many_undone_steps_end_training(tmp_path):
    with pytest.raises(
        DivergedError, match=r"at step 2.*no more than 1 steps may be undone"
    ) as caught:
        train(network(True), [batch(NAN), batch(NAN)], tmp_path, limit=1)
    assert caught.value.exit_status == 3
    assert (tmp_path / "nonfinite_steps.txt").read_text().count("step ") == 2


def test_steps_undone_before_a_resume_count(tmp_path):
    with pytest.raises(DivergedError, match="at step 8"):
        train(
            network(True),
            [batch(NAN)],
            tmp_path,
            3,
            Progress(total_steps=7, step=7, skipped_steps=3),
        )


def test_validation_losses_and_weights_are_checked_after_an_epoch(tmp_path):
    callback = NonfiniteSteps(
        WeightsFolder(tmp_path), Progress(epoch=2, total_steps=40), lambda _: []
    )
    callback.set_model(network())
    callback.on_epoch_end(2, {"val_loss": 1.0})
    with pytest.raises(DivergedError, match=r"at step 40 \(epoch 3\): val_loss is nan"):
        callback.on_epoch_end(2, {"val_loss": NAN, "loss": 1.0})
    kernel = callback.model.generator.trainable_variables[0]
    kernel.assign(kernel * NAN)
    with pytest.raises(DivergedError, match="a weight is NaN or infinite"):
        callback.on_epoch_end(2, {})
