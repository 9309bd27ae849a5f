"""Fixtures of the tests of the jobs, such as small images and trainings of a few seconds."""

import errno
import functools
import json
import os
import shutil
import signal

import numpy as np
import pytest

import run
from data.image_io import write_rgb

SMALL = [
    *("--resolution", "16", "--filters", "2", "--batch_size", "2", "--steps_per_epoch", "2"),
    *("--reconstruction", "l1:10", "--precision", "float32", "--validation_share", "0.3"),
    *("--discriminator_filters", "2"),
]
TINY_SAGAN = [*SMALL, "--model", "sagan", "--depth", "1"]
# Trains in less than half of the time of the tiny SAGAN, and has no batch statistics to measure.
TINY_PIX2PIX = [*SMALL, "--model", "pix2pix", "--discriminator", "pixel", "--depth", "2"]
TINY_PIX2PIX += ["--norm", "instance"]

ARCHITECTURE = {
    "filters": 2,
    "depth": 2,
    "attention_level": 1,
    "norm": "batch",
    "encoder": "none",
    "discriminator_filters": 2,
}


_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(autouse=True)
def _without_curves(request, monkeypatch):
    """Draws no curves, unless the test has the marker `draws_curves`.

    Drawing them takes longer than some of the trainings.
    """
    if "draws_curves" not in request.keywords:
        monkeypatch.setattr(
            "jobs.train.train.draw_curves", lambda log_dir, target: False, raising=False
        )


@pytest.fixture(autouse=True)
def _hangup_is_heard():
    """Makes SIGHUP what it is without `nohup`, under which tests may run too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """The path of a folder with the weights of a tiny untrained network that colors strongly."""
    return _write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def hinted_weights(tmp_path_factory):
    """The path of a folder with weights like `weights` that also take hints and palettes."""
    return _write_weights(tmp_path_factory.mktemp("hinted weights"), hints=True)


def _write_weights(path, **options):
    import keras

    from models.checkpoints.folder import WeightsFolder
    from models.sagan import SAGAN

    folder, architecture = WeightsFolder(path), ARCHITECTURE | options
    folder.write_settings({"model": "sagan", "architecture": architecture, "render_size": 32})
    keras.utils.set_random_seed(0)
    generator = SAGAN.build_generator(architecture)
    # An untrained network colors nearly gray, which would hide errors in the colors.
    last = generator.get_layer("ab")
    last.set_weights([300 * last.get_weights()[0], np.array([0.1, 0.05])])
    folder.save_generator(generator)
    return str(folder.path)


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """Simulates a machine without a network connection and without downloaded files."""

    def no_network(*args, **options):
        raise Exception("URL fetch failure")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setattr("keras.utils.get_file", no_network)
        yield


@pytest.fixture
def images(here):
    """Writes a folder of ten small color images and returns its path."""
    random = np.random.default_rng(0)
    for number in range(10):
        colors = random.uniform(0, 255, (1, 1, 3)) + random.normal(0, 20, (20, 24, 3))
        write_rgb(here / "images" / f"{number}.png", colors.clip(0, 255).astype("uint8"))
    return here / "images"


@pytest.fixture
def train_sagan(images):
    """Returns a function that trains a tiny SAGAN on the images and returns the exit status."""
    return functools.partial(_run, "--dataset", str(images), *TINY_SAGAN)


@pytest.fixture
def train(images):
    """As `train_sagan`, but with a tiny pix2pix and without sample grids."""
    return functools.partial(_run, "--dataset", str(images), *TINY_PIX2PIX, "--sample_every", "0")


@pytest.fixture
def resume():
    """Returns a function that resumes the training in weights/pix2pix."""
    return functools.partial(_run, "--load_weights", "--model", "pix2pix")


def _run(*arguments):
    return run.main(list(arguments))


@pytest.fixture
def tiny_imagenet(here):
    """Returns a function that writes a folder like Tiny ImageNet and returns its dataset name.

    The function takes the name of the folder and a dict from WordNet ids to the words and the color
    of each class. A class has four training images and one validation image of its color.
    """

    def make(folder, classes):
        for wordnet_id, (_, color) in classes.items():
            pixels = np.full((20, 20, 3), color, "uint8")
            for number in range(4):
                name = f"{wordnet_id}_{number}.JPEG"
                write_rgb(here / folder / "train" / wordnet_id / "images" / name, pixels)
            write_rgb(here / folder / "val" / "images" / f"val_{wordnet_id}.JPEG", pixels)
        lines = {
            "wnids.txt": classes,
            "words.txt": [f"{wordnet_id}\t{words}" for wordnet_id, (words, _) in classes.items()],
            "val/val_annotations.txt": [f"val_{each}.JPEG\t{each}\t0\t0\t9\t9" for each in classes],
        }
        for name, rows in lines.items():
            (here / folder / name).write_text("\n".join(rows) + "\n")
        return f"tiny-imagenet:{folder}"

    return make


@pytest.fixture
def coco(here):
    """Writes a COCO dataset, six images with a cat and four with a dog, and returns its name."""
    random = np.random.default_rng(1)
    images, annotations = [], []
    for number in range(10):
        colors = random.uniform(0, 255, (1, 1, 3)) + random.normal(0, 20, (20, 24, 3))
        name = f"{number:012}.png"
        write_rgb(here / "toys" / "train2017" / name, colors.clip(0, 255).astype("uint8"))
        images.append({"id": number, "file_name": name})
        annotations.append({"image_id": number, "category_id": 1 if number < 6 else 2})
    categories = [
        {"id": 1, "name": "cat", "supercategory": "animal"},
        {"id": 2, "name": "dog", "supercategory": "animal"},
    ]
    entries = {"images": images, "annotations": annotations, "categories": categories}
    (here / "toys" / "annotations").mkdir()
    (here / "toys" / "annotations" / "instances_train2017.json").write_text(json.dumps(entries))
    return "coco:toys"


@pytest.fixture
def stop_after(monkeypatch):
    """Returns a function that makes this process receive a signal after a number of steps."""

    from callbacks.training_checkpoint import TrainingCheckpoint

    def arrange(steps, number=signal.SIGINT):
        original = TrainingCheckpoint.on_train_batch_end

        def with_signal(self, batch, logs=None):
            original(self, batch, logs)
            if self.progress.total_steps == steps:
                os.kill(os.getpid(), number)

        monkeypatch.setattr(TrainingCheckpoint, "on_train_batch_end", with_signal)

    return arrange


@pytest.fixture
def closed(here, monkeypatch):
    """Makes the folder `in` with a subfolder `closed`, which cannot be listed, even by root."""
    (here / "in" / "closed").mkdir(parents=True)
    scandir = os.scandir

    def refusing(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


def _missing(what):
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(f"{what} is not installed, and BROWSER_TESTS is `required`")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright.

    Where one of them is missing, the tests are skipped, or fail if BROWSER_TESTS is `required`.
    """
    path = next(filter(None, map(shutil.which, _CHROMIUMS)), None) or _missing("Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("Playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()
