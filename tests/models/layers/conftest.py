"""Kernels that count as large, and a count of the patches that their gradients are made from."""

import pytest
import tensorflow as tf


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr("models.layers.kernel_gradient.LARGE", 1)


@pytest.fixture
def patched_shapes(monkeypatch):
    """The shapes of the feature maps whose patches kernel gradients were computed from."""
    shapes, extract = [], tf.image.extract_patches

    def counted(images, *arguments, **options):
        shapes.append(images.shape)
        return extract(images, *arguments, **options)

    monkeypatch.setattr(tf.image, "extract_patches", counted)
    return shapes
