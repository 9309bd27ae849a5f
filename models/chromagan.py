"""ChromaGAN: a colorizer that also learns what is in the image."""

import keras

from losses.class_divergence import class_divergence
from models.adversarial_colorizer import AdversarialColorizer
from models.networks.chromagan_networks import chromagan_generator, class_head
from models.networks.discriminators import patch_discriminator
from models.teacher import Teacher


class ChromaGAN(AdversarialColorizer):
    """The generator of Vitoria et al., its class head, and a PatchGAN that mixes no samples.

    The class head shares its features with the network that colors, and is trained towards what a
    classifier sees in the gray image. It stands in no weights that color.

    Where the training differs from the paper's: ab is in units of 110, so that a squared error
    weighs as that unit has it; images are cropped at random, and the teacher is shown the crop
    (or, where it is asked once for all epochs, the central square); and what colors is a moving
    average of the generator. Of the network, see `chromagan_generator`.

    Args:
        filters: int, channels of the generator where its features are a quarter as large as the
            image; its widest have eight times as many. Defaults to `64`.
        norm: str, `batch`, `instance` or `none`, in the generator. Defaults to `batch`.
        encoder: str, what the generator begins with. Defaults to `vgg16`.
        global_features: str, `flatten` or `pool`; see `chromagan_generator`.
        resolution: int or None, the side of the images, which `flatten` fixes.
        classes: int, of the class distribution; 0 for no class head.
        discriminator_filters: int, channels of its first convolution. Defaults to `64`.
        freeze_encoder_statistics: bool, let the encoder's batch normalizations keep the statistics
            that they come with; see `pretrained_encoder`. Defaults to `False`.
        encoder_weights: None, `imagenet` or a path, of the encoder.
        ema_decay: float, of the EMA generator.

    Example:
        model = ChromaGAN(global_features="pool", encoder_weights="imagenet")
        model.compile(
            adam, another_adam, Reconstruction({"mse": 1.0}), WassersteinAdversarial(10.0),
            adversarial_weight=0.1, teacher=Teacher("vgg16"), class_weight=0.003,
        )
        model.fit(batches, steps_per_epoch=100)

    Reference: Vitoria, Raad, Ballester, "ChromaGAN: Adversarial Image Colorization with Semantic
    Class Distribution", WACV 2020.
    """

    # What is colored is shown twice, by two batches.
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
    ):
        architecture = {
            "filters": filters,
            "norm": norm,
            "encoder": encoder,
            "global_features": global_features,
            "resolution": resolution if global_features == "flatten" else None,
            "classes": classes,
            "discriminator_filters": discriminator_filters,
            "freeze_encoder_statistics": freeze_encoder_statistics,
        }
        generator, generator_with_features = _build(architecture, encoder_weights)
        super().__init__(
            generator=generator,
            generator_ema=self.build_generator(architecture),
            discriminator=patch_discriminator(discriminator_filters, norm="none"),
            ema_decay=ema_decay,
            name="chromagan",
        )
        self.architecture = architecture
        self.generator_with_features = generator_with_features
        self.class_head = None
        if classes:
            features = generator_with_features.outputs[1].shape[1:]
            self.class_head = class_head(features, classes, filters, global_features)

    @staticmethod
    def build_generator(architecture: dict, encoder_weights: str | None = None) -> keras.Model:
        """Builds the network that colors, from the architecture in settings.json."""
        generator, _ = _build(architecture, encoder_weights)
        return generator

    @property
    def generator_variables(self) -> list:
        of_head = [] if self.class_head is None else self.class_head.trainable_variables
        return [*super().generator_variables, *of_head]

    def compile(
        self, *args, teacher: Teacher | None = None, class_weight: float = 0.003, **options
    ):
        """Sets what training minimizes.

        Args:
            *args, **options: as in `AdversarialColorizer.compile`.
            teacher: `Teacher`, or None where the batches bring its distributions or there is no
                class head.
            class_weight: float, of the divergence from the teacher.
        """
        self.teacher = teacher
        self.class_weight = class_weight
        super().compile(*args, **options)

    def generate(self, data):
        """What the generator makes of a batch of (lightness, ab), or with distributions besides."""
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

    def weigh(self, terms):
        """The weighted sum of the generator's terms."""
        of_colors = {name: value for name, value in terms.items() if name != "class_divergence"}
        total = super().weigh(of_colors)
        if self.class_head is not None:
            total += self.class_weight * terms["class_divergence"]
        return total

    def generator_terms(self) -> list[str]:
        of_classes = [] if self.class_head is None else ["class_divergence"]
        return [*super().generator_terms(), *of_classes]


def _build(architecture: dict, encoder_weights: str | None) -> tuple[keras.Model, keras.Model]:
    names = ("filters", "norm", "encoder", "global_features", "resolution")
    return chromagan_generator(
        **{name: architecture[name] for name in names},
        encoder_weights=encoder_weights,
        # Weights of before there was a choice have moved them.
        freeze_encoder_statistics=architecture.get("freeze_encoder_statistics", False),
    )
