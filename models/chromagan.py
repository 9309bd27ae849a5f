"""ChromaGAN: a colorizer that is also trained to classify the image."""

from typing import Any

import keras
from keras import KerasTensor as Tensor

from losses.class_divergence import class_divergence
from models.adversarial_colorizer import AdversarialColorizer
from models.networks.chromagan_networks import (
    chromagan_generator,
    class_head,
    with_image_features,
)
from models.networks.discriminators import patch_discriminator
from models.teacher import Teacher


@keras.saving.register_keras_serializable("colorizer")
class ChromaGAN(AdversarialColorizer):
    """The generator of Vitoria et al., its class head, and a PatchGAN without normalization.

    The class head shares features with the generator. It is trained on the class distribution that
    a classifier predicts from the gray image, and is not saved with the weights for coloring.

    The training differs from the paper's: ab is in units of 110, which scales the squared error;
    images are cropped at random, and the teacher is run on the crop (or, where it is run once for
    all epochs, on the central square); and the moving average of the generator is used for
    coloring. For differences of the network, see `chromagan_generator`.

    Args:
        filters: int, channels of the generator at 1/4 of the image size; the widest convolutions
            have eight times as many. Defaults to `64`.
        norm: str, `batch`, `instance` or `none`, normalization of the generator. Defaults to
            `batch`.
        encoder: str, the pretrained network that the generator begins with. Defaults to `vgg16`.
        global_features: str, `flatten` or `pool`; see `chromagan_generator`. Defaults to `flatten`.
        resolution: int or None, the side of the images, which `flatten` fixes. Defaults to `224`.
        classes: int, size of the class distribution; 0 for no class head. Defaults to `1000`.
        discriminator_filters: int, channels of the discriminator's first convolution. Defaults to
            `64`.
        freeze_encoder_statistics: bool, whether the encoder's batch normalizations always use the
            statistics of the loaded weights; see `pretrained_encoder`. Defaults to `False`.
        encoder_weights: None for random weights, `imagenet`, or the path of a file. Defaults to
            `None`.
        ema_decay: float, decay of the EMA generator. Defaults to `0.999`.
        name: str. Defaults to `chromagan`.

    Example:
        model = ChromaGAN(filters=4, global_features="pool", classes=10, discriminator_filters=4)
        model.compile(
            keras.optimizers.Adam(2e-5),
            keras.optimizers.Adam(2e-5),
            {"mse": 1.0},
            "wgan-gp",
            adversarial_weight=0.1,
            class_weight=0.003,
        )
        distributions = np.full((2, 10), 0.1, "float32")     # or compile with a teacher
        batch = (lightness, true_ab, distributions)
        model.fit(tf.data.Dataset.from_tensors(batch), shuffle=False)
        model(lightness)                                     # ab of shape (2, 32, 32, 2)

    Reference: Vitoria, Raad, Ballester, "ChromaGAN: Adversarial Image Colorization with Semantic
    Class Distribution", WACV 2020.
    """

    network = staticmethod(chromagan_generator)
    sample_grids = 2

    def __init__(
        self,
        filters: int = 64,
        norm: str = "batch",
        encoder: str = "vgg16",
        global_features: str = "flatten",
        resolution: int | None = 224,
        classes: int = 1000,
        discriminator_filters: int = 64,
        freeze_encoder_statistics: bool = False,
        encoder_weights: str | None = None,
        ema_decay: float = 0.999,
        name: str = "chromagan",
    ):
        network: dict[str, Any] = {
            "filters": filters,
            "norm": norm,
            "encoder": encoder,
            "global_features": global_features,
            "resolution": resolution if global_features == "flatten" else None,
            "freeze_encoder_statistics": freeze_encoder_statistics,
        }
        super().__init__(
            generator=chromagan_generator(**network, encoder_weights=encoder_weights),
            discriminator=patch_discriminator(discriminator_filters, norm="none"),
            architecture={
                **network,
                "classes": classes,
                "discriminator_filters": discriminator_filters,
            },
            ema_decay=ema_decay,
            name=name,
        )
        self.generator_with_features = with_image_features(self.generator)
        self.class_head: Any = None
        if classes:
            features = self.generator_with_features.outputs[1].shape[1:]
            self.class_head = class_head(features, classes, filters, global_features)

    @property
    def generator_variables(self) -> list:
        head_variables = [] if self.class_head is None else self.class_head.trainable_variables
        return [*super().generator_variables, *head_variables]

    def compile(
        self, *args, teacher: Teacher | None = None, class_weight: float = 0.003, **options
    ) -> None:
        """Sets the optimizers, losses and metrics.

        Args:
            *args, **options: as in `AdversarialColorizer.compile`.
            teacher: `Teacher`, or None if the batches contain its distributions or there is no
                class head. Defaults to `None`.
            class_weight: float, weight of the divergence from the teacher. Defaults to `0.003`.
        """
        self.teacher: Any = teacher
        self.class_weight = class_weight
        super().compile(*args, **options)

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, serialized."""
        own = {"teacher": self.teacher, "class_weight": self.class_weight} if self.compiled else {}
        return {**super().get_compile_config(), **keras.saving.serialize_keras_object(own)}

    def generate(self, data: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Colors a batch of (lightness, ab) or (lightness, ab, class distributions)."""
        if self.class_head is None:
            return super().generate(data)
        lightness, true_ab, *distributions = data
        colored_ab, features = self.generator_with_features(lightness, training=True)
        teacher = distributions[0] if distributions else self.teacher(lightness)
        terms = self.reconstruction.terms(lightness, true_ab, colored_ab)
        terms["class_divergence"] = class_divergence(
            teacher, self.class_head(features, training=True)
        )
        return colored_ab, terms

    def weigh(self, terms: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the generator's loss terms."""
        color_terms = {name: value for name, value in terms.items() if name != "class_divergence"}
        total = super().weigh(color_terms)
        if self.class_head is not None:
            total += self.class_weight * terms["class_divergence"]
        return total

    def generator_terms(self) -> list[str]:
        class_terms = [] if self.class_head is None else ["class_divergence"]
        return [*super().generator_terms(), *class_terms]
