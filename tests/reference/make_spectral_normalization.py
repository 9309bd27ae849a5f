"""Writes the results of PyTorch's spectral normalization, for test_spectral_normalization.py.

    python3.11 -m venv torch && torch/bin/pip install torch==2.13.0 numpy
    torch/bin/python tests/reference/make_spectral_normalization.py

For `Conv2d`, `ConvTranspose2d` and `Linear` under
`torch.nn.utils.parametrizations.spectral_norm`, with power vectors that have not converged, one
call in evaluation and then, from the same state, one in training. All arrays are float32 in the
layout of Keras, under `<layer>/<array>`:

    kernel, bias        as the Keras layer of that name stores them
    u, v                before both calls; v in the order of (height, width, inputs)
    inputs, upstream    images (batch, height, width, channels) or rows; the upstream gradient
    <mode>/outputs, <mode>/kernel_gradient, <mode>/input_gradient, <mode>/u, <mode>/v
                        for <mode> evaluation and training; u and v after the call

Made with Python 3.11.7, torch 2.13.0 (CPU), numpy 2.4.6.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

TARGET = Path(__file__).with_name("spectral_normalization_pytorch.npz")

# The axes of PyTorch in the order of Keras, for images and for the kernel of each layer.
IMAGE = (0, 2, 3, 1)
KERNEL = {"conv2d": (2, 3, 1, 0), "conv2d_transpose": (2, 3, 1, 0), "dense": (1, 0)}


def main():
    torch.manual_seed(0)
    layers = {
        "conv2d": (nn.Conv2d(3, 5, 3), (2, 3, 6, 7)),
        "conv2d_transpose": (nn.ConvTranspose2d(4, 3, 3, stride=2), (2, 4, 4, 5)),
        "dense": (nn.Linear(6, 4), (3, 6)),
    }
    arrays = {}
    for name, (layer, input_shape) in layers.items():
        for key, value in record(name, layer, torch.randn(input_shape)).items():
            arrays[f"{name}/{key}"] = np.ascontiguousarray(value.detach().numpy())
    np.savez_compressed(TARGET, **arrays)
    print(f"{TARGET.name}: {len(arrays)} arrays, {TARGET.stat().st_size} bytes")


def record(name: str, layer: nn.Module, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    # A norm near 1 would hide a missing division.
    nn.init.normal_(layer.weight, std=0.7)
    nn.init.normal_(layer.bias)
    kernel_shape = layer.weight.shape
    spectral_norm(layer)
    parametrization = layer.parametrizations.weight[0]
    # After one step from random vectors, sigma is positive but far from converged.
    vectors = (parametrization._u, parametrization._v)
    for vector in vectors:
        vector.copy_(nn.functional.normalize(torch.randn_like(vector), dim=0))
    layer.train()(inputs)
    stored = [vector.clone() for vector in vectors]
    upstream = torch.randn_like(layer(inputs))

    def image(tensor):
        return tensor.permute(IMAGE) if tensor.ndim == 4 else tensor

    def kernel(weight):
        return weight.permute(KERNEL[name])

    def columns(v):
        """Reorders v like the kernel of Keras."""
        if len(kernel_shape) == 2:
            return v
        inputs_of_layer = kernel_shape[0 if name == "conv2d_transpose" else 1]
        return v.reshape(inputs_of_layer, *kernel_shape[2:]).permute(1, 2, 0).flatten()

    arrays = {
        "kernel": kernel(layer.parametrizations.weight.original),
        "bias": layer.bias,
        "u": stored[0],
        "v": columns(stored[1]),
        "inputs": image(inputs),
        "upstream": image(upstream),
    }
    for mode in ("evaluation", "training"):
        for vector, value in zip(vectors, stored, strict=True):
            vector.copy_(value)
        layer.train(mode == "training")
        layer.zero_grad()
        leaf = inputs.clone().requires_grad_()
        outputs = layer(leaf)
        outputs.backward(upstream)
        arrays |= {
            f"{mode}/outputs": image(outputs),
            f"{mode}/kernel_gradient": kernel(layer.parametrizations.weight.original.grad).clone(),
            f"{mode}/input_gradient": image(leaf.grad),
            f"{mode}/u": vectors[0].clone(),
            f"{mode}/v": columns(vectors[1]).clone(),
        }
    return arrays


if __name__ == "__main__":
    main()
