"""What the tests of the jobs share: small images and a training that takes seconds."""

import json
import os
import signal

import numpy as np
import pytest

import run
from data.image_io import write_rgb

TINY = [
    *("--resolution", "16", "--filters", "2", "--discriminator_filters", "2", "--depth", "1"),
    *("--batch_size", "2", "--steps_per_epoch", "2"),
    *("--reconstruction", "l1:10", "--precision", "float32", "--validation_share", "0.3"),
]

ARCHITECTURE = {
    "filters": 2,
    "depth": 2,
    "attention_level": 1,
    "norm": "batch",
    "encoder": "none",
    "discriminator_filters": 2,
}


@pytest.fixture(autouse=True)
def _without_curves(request, monkeypatch):
    """Drawing them takes longer than some of the trainings; some tests want them."""
    if "draws_curves" not in request.keywords:
        monkeypatch.setattr(
            "jobs.train.train.draw_curves", lambda log_dir, target: False, raising=False
        )


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Weights of a tiny untrained network that colors boldly."""
    import keras

    from models.checkpoints.folder import WeightsFolder
    from models.sagan import SAGAN

    folder = WeightsFolder(tmp_path_factory.mktemp("weights"))
    folder.write_settings({"model": "sagan", "architecture": ARCHITECTURE, "render_size": 32})
    keras.utils.set_random_seed(0)
    generator = SAGAN.build_generator(ARCHITECTURE)
    # By itself it is as good as gray, and nothing that happens to colors would be seen.
    last = generator.get_layer("ab")
    last.set_weights([300 * last.get_weights()[0], np.array([0.1, 0.05])])
    folder.save_generator(generator)
    return str(folder.path)


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A machine without a network, where nothing was downloaded before."""

    def no_network(*args, **options):
        raise Exception("URL fetch failure")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setattr("keras.utils.get_file", no_network)
        # It builds the whole network before it asks for its weights.
        patch.setattr("keras.applications.InceptionV3", no_network)
        yield


@pytest.fixture
def images(here):
    """A folder of ten small color images."""
    random = np.random.default_rng(0)
    for number in range(10):
        colors = random.uniform(0, 255, (1, 1, 3)) + random.normal(0, 20, (20, 24, 3))
        write_rgb(here / "images" / f"{number}.png", colors.clip(0, 255).astype("uint8"))
    return here / "images"


@pytest.fixture
def train(images):
    """Trains a tiny model on the images and returns the exit status."""

    def call(*arguments):
        return run.main(["--dataset", str(images), *TINY, *arguments])

    return call


@pytest.fixture
def tiny_imagenet(here):
    """Makes a folder like Tiny ImageNet: four images of one color for each class.

    What is called is given the folder and, by the WordNet id, the words and the color of each.
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
        for name, each in lines.items():
            (here / folder / name).write_text("\n".join(each) + "\n")
        return f"tiny-imagenet:{folder}"

    return make


@pytest.fixture
def coco(here):
    """A folder in COCO's format: six images with a cat and four with a dog."""
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
    """Sends this process a signal after a number of steps."""

    from callbacks.training_checkpoint import TrainingCheckpoint

    def arrange(steps, number=signal.SIGINT):
        count = TrainingCheckpoint.on_train_batch_end

        def counted(self, batch, logs=None):
            count(self, batch, logs)
            if self.progress.total_steps == steps:
                os.kill(os.getpid(), number)

        monkeypatch.setattr(TrainingCheckpoint, "on_train_batch_end", counted)

    return arrange
