"""Writes the results of pix2pix in PyTorch, for test_pix2pix.py.

    python3.11 -m venv torch && torch/bin/pip install torch==2.13.0 numpy
    torch/bin/python tests/reference/make_pix2pix.py

The networks are small versions of those in the paper (Isola et al., CVPR 2017, section 6.1), with
batch normalization. One step is taken on two images, as in section 3.3: first of the discriminator,
whose loss is halved, then of the generator. The optimizer is Adam with a learning rate of 2e-4 and
betas of 0.5 and 0.999. All arrays are float32 in the layout of Keras:

    lightness, true_ab              (batch, height, width, channels)
    <network>/before/<n>            the weights of the network in the order of its layers
    <network>/after/<n>             the same after the step
    colored_ab                      the output of the generator in training mode
    real_logits, fake_logits        the outputs of the discriminator before its step
    discriminator_loss, adversarial_loss, l1, generator_loss
    penalty/<array>                 for a discriminator without normalization: its weights, the
                                    images, the penalty and its gradient for the first kernel
    parameters/<network>            the number of trainable parameters of the networks of the paper

Made with Python 3.11.7, torch 2.13.0 (CPU), numpy 2.4.6.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

TARGET = Path(__file__).with_name("pix2pix_pytorch.npz")
DOWNS, FILTERS, SIDE = 5, 2, 32
L1_WEIGHT = 100.0


class UNet(nn.Module):
    """Maps lightness to ab, both of shape (batch, channels, height, width)."""

    def __init__(self, downs: int, filters: int, dropped: float = 0.0):
        super().__init__()
        # As in the authors' later program, the innermost block and the four outer ones have none.
        self.dropped = [dropped if 0 < block < downs - 4 else 0.0 for block in range(downs - 1)]
        channels = [filters * min(2**level, 8) for level in range(downs)]
        self.down, self.down_norm = nn.ModuleList(), nn.ModuleList()
        self.up, self.up_norm = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(channels):
            before = channels[level - 1] if level else 1
            self.down.append(nn.Conv2d(before, width, 4, 2, 1, bias=False))
            is_outer = level in (0, downs - 1)
            self.down_norm.append(nn.Identity() if is_outer else nn.BatchNorm2d(width))
        for level in reversed(range(1, downs)):
            before = channels[level] * (1 if level == downs - 1 else 2)
            self.up.append(nn.ConvTranspose2d(before, channels[level - 1], 4, 2, 1, bias=False))
            self.up_norm.append(nn.BatchNorm2d(channels[level - 1]))
        self.last = nn.ConvTranspose2d(2 * channels[0], 2, 4, 2, 1)

    def forward(self, features):
        levels = []
        for level, (convolution, norm) in enumerate(zip(self.down, self.down_norm, strict=True)):
            features = functional.leaky_relu(features, 0.2) if level else features
            features = norm(convolution(features))
            levels.append(features)
        skips = levels[-2::-1]
        blocks = zip(self.up, self.up_norm, self.dropped, skips, strict=True)
        for convolution, norm, dropped, skip in blocks:
            features = norm(convolution(functional.relu(features)))
            if dropped:
                features = functional.dropout(features, dropped, self.training)
            features = torch.cat([skip, features], dim=1)
        return torch.tanh(self.last(functional.relu(features)))

    def in_order(self) -> list[nn.Module]:
        """The layers that have weights, in the order of the forward pass."""
        down = zip(self.down, self.down_norm, strict=True)
        up = zip(self.up, self.up_norm, strict=True)
        layers = [layer for pair in (*down, *up) for layer in pair]
        return [layer for layer in (*layers, self.last) if list(layer.parameters())]


def patch_gan(filters: int, has_norm: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(3, filters, 4, 2, 1), nn.LeakyReLU(0.2)]
    for before, after, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
        layers.append(nn.Conv2d(before * filters, after * filters, 4, stride, 1, bias=not has_norm))
        layers += [nn.BatchNorm2d(after * filters)] if has_norm else []
        layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers, nn.Conv2d(8 * filters, 1, 4, 1, 1))


def main():
    torch.manual_seed(0)
    generator, discriminator = UNet(DOWNS, FILTERS), patch_gan(FILTERS)
    for network in (generator, discriminator):
        for weight in network.parameters():
            # Larger than initial weights, so that an error is visible.
            nn.init.normal_(weight, mean=1.0 if weight.ndim == 1 else 0.0, std=0.1)
    arrays = {
        "lightness": torch.rand(2, 1, SIDE, SIDE) * 2 - 1,
        "true_ab": torch.rand(2, 2, SIDE, SIDE) - 0.5,
    }
    arrays |= weights("generator/before", generator.in_order())
    arrays |= weights("discriminator/before", layers_of(discriminator))
    arrays |= take_a_step(generator, discriminator, arrays["lightness"], arrays["true_ab"])
    arrays |= weights("generator/after", generator.in_order())
    arrays |= weights("discriminator/after", layers_of(discriminator))
    arrays |= measure_penalty()
    for name, network in (("generator", UNet(8, 64)), ("discriminator", patch_gan(64))):
        count = sum(weight.numel() for weight in network.parameters())
        arrays[f"parameters/{name}"] = torch.tensor(count)
    np.savez_compressed(
        TARGET, **{name: in_keras_layout(name, each) for name, each in arrays.items()}
    )
    print(f"{TARGET.name}: {len(arrays)} arrays, {TARGET.stat().st_size} bytes")


def take_a_step(generator, discriminator, lightness, true_ab) -> dict[str, torch.Tensor]:
    # Keras adds its epsilon of 1e-7 before the bias correction of the second moment.
    epsilon = 1e-7 / (1.0 - 0.999) ** 0.5
    optimizers = [
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), eps=epsilon)
        for network in (generator, discriminator)
    ]
    colored_ab = generator(lightness)
    real, fake = (torch.cat([lightness, ab], dim=1) for ab in (true_ab, colored_ab))
    real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
    discriminator_loss = cross_entropy(real_logits, 1.0) + cross_entropy(fake_logits, 0.0)
    (0.5 * discriminator_loss).backward()
    optimizers[1].step()
    adversarial_loss = cross_entropy(discriminator(fake), 1.0)
    l1 = functional.l1_loss(colored_ab, true_ab)
    generator_loss = adversarial_loss + L1_WEIGHT * l1
    generator_loss.backward()
    optimizers[0].step()
    return {
        "colored_ab": colored_ab,
        "real_logits": real_logits,
        "fake_logits": fake_logits,
        "discriminator_loss": discriminator_loss,
        "adversarial_loss": adversarial_loss,
        "l1": l1,
        "generator_loss": generator_loss,
    }


def measure_penalty() -> dict[str, torch.Tensor]:
    """The gradient penalty of a discriminator whose samples are independent of each other."""
    critic = patch_gan(FILTERS, has_norm=False)
    for weight in critic.parameters():
        nn.init.normal_(weight, std=0.1)
    images = (torch.rand(2, 3, SIDE, SIDE) * 2 - 1).requires_grad_()
    [gradient] = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    penalty.backward()
    first = layers_of(critic)[0].weight.grad
    return {
        **weights("penalty/weights", layers_of(critic)),
        "penalty/images": images,
        "penalty/value": penalty,
        "penalty/kernel_gradient": first,
    }


def cross_entropy(logits, label: float):
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def layers_of(network: nn.Sequential) -> list[nn.Module]:
    return [layer for layer in network if list(layer.parameters())]


def weights(prefix: str, layers: list[nn.Module]) -> dict[str, torch.Tensor]:
    parameters = [weight for layer in layers for weight in layer.parameters()]
    return {f"{prefix}/{number}": each.clone() for number, each in enumerate(parameters)}


def in_keras_layout(name: str, tensor: torch.Tensor) -> np.ndarray:
    is_kernel = any(part in name for part in ("/before/", "/after/", "/weights/", "kernel"))
    if tensor.ndim == 4:
        # This is right for transposed convolutions too: both libraries swap inputs and outputs.
        tensor = tensor.permute(2, 3, 1, 0) if is_kernel else tensor.permute(0, 2, 3, 1)
    return np.ascontiguousarray(tensor.detach().numpy())


if __name__ == "__main__":
    main()
