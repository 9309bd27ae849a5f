"""What Keras can serialize comes back from its config, and losses come from names and configs."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import losses
from losses import (
    ColorRebalancing,
    HingeAdversarial,
    LeastSquaresAdversarial,
    LPIPSNetwork,
    Perceptual,
    Reconstruction,
    VanillaAdversarial,
    WassersteinAdversarial,
    get_adversarial,
    get_reconstruction,
)

COUNTS = np.eye(23, dtype="int64")
LOGITS = np.linspace(-2.0, 2.0, 8, dtype="float32").reshape(2, 4)
IMAGES = np.random.default_rng(0).uniform(0.0, 1.0, (2, 2, 32, 32, 3)).astype("float32")
LAB = IMAGES[0, ..., :1], IMAGES[0, ..., 1:], IMAGES[1, ..., 1:]


@pytest.fixture
def make(lpips_weights, vgg19_weights):
    """Makes an object of a class, with other arguments than the default ones."""
    makers = {
        ColorRebalancing: lambda: ColorRebalancing(COUNTS, strength=0.25),
        HingeAdversarial: HingeAdversarial,
        LeastSquaresAdversarial: LeastSquaresAdversarial,
        LPIPSNetwork: lambda: LPIPSNetwork(lpips_weights, dtype="mixed_bfloat16"),
        Perceptual: lambda: Perceptual(vgg19_weights, name="vgg", reduction="sum"),
        Reconstruction: lambda: Reconstruction(
            dict.fromkeys(losses.TERMS, 0.5),
            Perceptual(vgg19_weights),
            LPIPSNetwork(lpips_weights),
            ColorRebalancing(COUNTS, strength=0.25),
        ),
        VanillaAdversarial: lambda: VanillaAdversarial(label_smoothing=0.3),
        WassersteinAdversarial: lambda: WassersteinAdversarial(penalty_weight=5.0),
    }
    return lambda kind: makers[kind]()


OUTPUTS = {
    ColorRebalancing: lambda loss: loss(LAB[1]),
    LPIPSNetwork: lambda network: network.distance(*map(network.features, IMAGES)),
    Perceptual: lambda loss: loss(*IMAGES),
    Reconstruction: lambda loss: loss.total(loss.terms(*LAB)),
    **dict.fromkeys(
        losses.ADVERSARIAL.values(),
        lambda loss: (loss.discriminator(LOGITS, LOGITS**2), loss.generator(LOGITS)),
    ),
}


def test_every_class_is_tested():
    found = set()
    for module in pkgutil.walk_packages(losses.__path__, "losses."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and not inspect.isabstract(kind):
                found.add(kind)
    assert found == set(OUTPUTS)


@pytest.mark.parametrize("kind", OUTPUTS, ids=lambda kind: kind.__name__)
def test_object_survives_its_config(make, kind):
    loss = make(kind)
    config = keras.saving.serialize_keras_object(loss)
    assert config["registered_name"] == f"colorizer>{kind.__name__}"
    assert kind.from_config(loss.get_config()).get_config() == loss.get_config()
    again = keras.saving.deserialize_keras_object(config)
    np.testing.assert_array_equal(OUTPUTS[kind](again), OUTPUTS[kind](loss))


@pytest.mark.parametrize("name", losses.ADVERSARIAL)
def test_adversarial_losses_have_names(name):
    loss = get_adversarial(name)
    assert type(loss) is losses.ADVERSARIAL[name]
    assert get_adversarial(loss) is loss


def test_losses_come_from_configs():
    assert get_adversarial(None) is None
    config = keras.saving.serialize_keras_object(VanillaAdversarial(label_smoothing=0.3))
    assert get_adversarial(config).label_smoothing == 0.3
    loss = get_reconstruction({"l1": 10.0})
    assert loss.weights == {"l1": 10.0}
    assert get_reconstruction(loss) is loss
    config = keras.saving.serialize_keras_object(loss)
    assert get_reconstruction(config).get_config() == loss.get_config()


@pytest.mark.parametrize("identifier", ["relativistic", 3, {"l1": 10.0}])
def test_unknown_adversarial_loss_is_an_error(identifier):
    with pytest.raises(ValueError, match=r"`adversarial` should be .*'hinge'.*Received: adv"):
        get_adversarial(identifier)


@pytest.mark.parametrize("identifier", ["l1", None, keras.losses.MeanSquaredError()])
def test_unknown_reconstruction_loss_is_an_error(identifier):
    with pytest.raises(ValueError, match=r"`reconstruction` should be a dict.*Received: recon"):
        get_reconstruction(identifier)
