"""A training that tests of several files resume."""

import shutil

import pytest


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A folder for what several tests look at."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def trained(train, images, here, kept):
    """Puts into weights/pix2pix an epoch of the tiny pix2pix, which is trained only once.

    There is a checkpoint of each of its two steps.
    """
    if not (kept / "weights").exists():
        shutil.copytree(images, kept / "images")
        options = ("--weights_dir", str(kept / "weights"), "--log_dir", str(kept / "logs"))
        options += ("--checkpoint_steps", "1", "--dataset", str(kept / "images"))
        assert train("--epochs", "1", *options) == 0
    shutil.copytree(kept / "weights", here / "weights/pix2pix")
