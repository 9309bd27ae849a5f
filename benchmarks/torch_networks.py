"""The training steps of pix2pix and SAGAN in PyTorch, for `benchmarks.training_step`.

    torch/bin/python -m benchmarks.torch_networks sagan 128 float32 0 8 2

This needs a Python with PyTorch, and none of this project's other packages. The arguments are the
model, the side of the images, the precision, 1 to compile or 0, the batch size, and the steps per
measurement. The networks are ours layer by layer, with PyTorch's own spectral norm, and so is the
step: dropout, the update of the discriminator, the update of the generator through a frozen
discriminator, Adam, and the moving average.
"""

import os
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from benchmarks.in_turn import ROOT, serve

sys.path.insert(0, str(Path(ROOT, "tests", "reference")))
from make_pix2pix import UNet, cross_entropy, patch_gan


def main() -> None:
    """Serves measurements in images per second."""
    model, precision = sys.argv[1], sys.argv[3]
    resolution, is_compiled, batch_size, steps = map(int, (sys.argv[2], *sys.argv[4:]))
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    step = _step(model, resolution, batch_size, precision != "float32", bool(is_compiled))

    def images_per_second() -> float:
        begun = time.perf_counter()
        for _ in range(steps):
            step()
        return steps * batch_size / (time.perf_counter() - begun)

    serve(images_per_second)


class Attention(nn.Module):
    """Self-attention as in the SAGAN paper, with an eighth of the channels inside."""

    def __init__(self, channels: int):
        super().__init__()
        inner = max(1, channels // 8)
        self.f, self.g, self.h = (spectral_norm(nn.Conv2d(channels, inner, 1)) for _ in range(3))
        self.v = spectral_norm(nn.Conv2d(inner, channels, 1))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, features):
        batch, _, height, width = features.shape
        keys, queries, values = (
            convolution(features).flatten(2).transpose(1, 2)
            for convolution in (self.f, self.g, self.h)
        )
        weights = torch.softmax((queries @ keys.transpose(1, 2)).float(), dim=-1)
        attended = (weights.to(values.dtype) @ values).transpose(1, 2)
        return features + self.gamma * self.v(attended.reshape(batch, -1, height, width))


class Pair(nn.Module):
    """Two spectrally normalized 3x3 convolutions."""

    def __init__(self, before: int, after: int, has_norm: bool):
        super().__init__()
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(width, after, 3, 1, 1, bias=not has_norm))
            for width in (before, after)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(after) if has_norm else nn.Identity() for _ in range(2)
        )
        self.slope = 0.0 if has_norm else 0.2

    def forward(self, features):
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            features = functional.leaky_relu(norm(convolution(features)), self.slope)
        return features


class SpectralUNet(nn.Module):
    """SAGAN's generator: 32 channels, four halvings."""

    def __init__(self, attention_level: int, filters: int = 32, depth: int = 4):
        super().__init__()
        widths = [filters * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            Pair(before, after, True)
            for before, after in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.shrinking = nn.ModuleList(
            spectral_norm(nn.Conv2d(widths[level + 1], widths[level], 2)) for level in range(depth)
        )
        self.up = nn.ModuleList(Pair(2 * width, width, True) for width in widths[:-1])
        self.attention_level = attention_level
        self.attention_down = Attention(widths[attention_level])
        self.attention_up = Attention(widths[attention_level])
        self.last = nn.Conv2d(filters, 2, 1)

    def forward(self, features):
        levels = []
        for level, pair in enumerate(self.down):
            features = pair(functional.avg_pool2d(features, 2) if level else features)
            if level == self.attention_level:
                features = self.attention_down(features)
            levels.append(features)
        for level in reversed(range(len(self.up))):
            features = functional.interpolate(features, scale_factor=2, mode="nearest")
            # The kernel is 2x2: padding by a row and a column keeps the size.
            features = self.shrinking[level](functional.pad(features, (0, 1, 0, 1)))
            features = self.up[level](torch.cat([features, levels[level]], dim=1))
            if level == self.attention_level:
                features = self.attention_up(features)
        return torch.tanh(self.last(features))


class Critic(nn.Module):
    """SAGAN's discriminator."""

    def __init__(self, attention_level: int, filters: int = 32, depth: int = 4):
        super().__init__()
        widths = [filters * 2**level for level in range(depth + 1)]
        self.pairs = nn.ModuleList(
            Pair(before, after, False)
            for before, after in zip([3, *widths[:-1]], widths, strict=True)
        )
        self.attention_level = attention_level
        self.attention = Attention(widths[attention_level])
        self.score = spectral_norm(nn.Linear(widths[-1], 1))

    def forward(self, features):
        for level, pair in enumerate(self.pairs):
            features = pair(functional.avg_pool2d(features, 2) if level else features)
            if level == self.attention_level:
                features = self.attention(features)
        return self.score(features.float().sum(dim=(2, 3)))


def _step(model: str, resolution: int, batch_size: int, has_bfloat16: bool, is_compiled: bool):
    if model == "pix2pix":
        downs = min(8, resolution.bit_length() - 1)
        networks = UNet(downs, 64, dropped=0.5), UNet(downs, 64), patch_gan(64)
        rates, betas, l1_weight = (2e-4, 2e-4), (0.5, 0.999), 100.0
        discriminator_loss = _cross_entropies
        generator_loss = lambda logits: cross_entropy(logits, 1.0)  # noqa: E731
    else:
        # As in our network, attention is on features of 32x32 for images of any size.
        level = (resolution // 32).bit_length() - 1
        networks = SpectralUNet(level), SpectralUNet(level), Critic(level)
        rates, betas, l1_weight = (1e-4, 4e-4), (0.0, 0.9), 10.0
        discriminator_loss, generator_loss = _hinge, lambda logits: -logits.mean()
    # The memory order of PyTorch's fastest convolutions on a CPU; shapes are unchanged.
    generator, generator_ema, discriminator = (
        network.to(memory_format=torch.channels_last) for network in networks
    )
    adams = [
        torch.optim.Adam(network.parameters(), rate, betas, fused=True)
        for network, rate in zip((generator, discriminator), rates, strict=True)
    ]
    generate, discriminate = generator, discriminator
    if is_compiled:
        generate, discriminate = torch.compile(generator), torch.compile(discriminator)
    shape = (resolution, resolution)
    lightness = torch.rand(batch_size, 1, *shape) * 2 - 1
    true_ab = torch.rand(batch_size, 2, *shape) * 2 - 1

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16):
            colored_ab = generate(lightness)
            real, fake = (torch.cat([lightness, ab], dim=1) for ab in (true_ab, colored_ab.float()))
            # Each call updates the spectral norms, so real and fake images share one call.
            logits = discriminate(torch.cat([real, fake.detach()])).float()
        loss = discriminator_loss(*logits.chunk(2))
        adams[1].zero_grad()
        loss.backward()
        adams[1].step()
        discriminator.requires_grad_(False).eval()
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16):
            logits = discriminate(fake).float()
        loss = generator_loss(logits) + l1_weight * (colored_ab.float() - true_ab).abs().mean()
        adams[0].zero_grad()
        loss.backward()
        adams[0].step()
        discriminator.requires_grad_(True).train()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(generator_ema.parameters()), list(generator.parameters()), 0.001
            )
        loss.item()

    return step


def _cross_entropies(real_logits, fake_logits):
    return 0.5 * (cross_entropy(real_logits, 1.0) + cross_entropy(fake_logits, 0.0))


def _hinge(real_logits, fake_logits):
    return functional.relu(1.0 - real_logits).mean() + functional.relu(1.0 + fake_logits).mean()


if __name__ == "__main__":
    main()
