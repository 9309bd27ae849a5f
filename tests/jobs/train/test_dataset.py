"""Tests of training on several datasets and on datasets with labels."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

import run
from callbacks.training_checkpoint import TrainingCheckpoint
from config.parser import parse
from data.datasets.dataset_options import DatasetOptions
from data.datasets.folder import demo_set
from jobs.train.dataset import find_training_images, print_datasets
from models.catalog import COLORIZERS
from models.checkpoints.folder import WeightsFolder
from models.pix2pix import Pix2Pix

pytestmark = pytest.mark.usefixtures("without_graphs")

FEW = ["--model", "pix2pix", "--discriminator", "pixel", "--depth", "2", "--resolution", "16"]
FEW += ["--filters", "2", "--discriminator_filters", "2", "--batch_size", "2"]
FEW += ["--reconstruction", "l1:10", "--precision", "float32"]
RESUME = ["--load_weights", "--model", "pix2pix"]
SPRINGER, TENCH = "n02102040", "n01440764"
CLASSES = {TENCH: ("tench", (200, 60, 50)), SPRINGER: ("springer", (50, 70, 200))}


def saved_settings(folder="weights/pix2pix"):
    return WeightsFolder(folder).read_settings()["settings"]


@pytest.fixture
def begin(images, monkeypatch):
    """Returns a function that starts a training without steps and returns the exit status.

    Each training saves a checkpoint with a best loss of 0.5. The attribute `best_losses` of the
    function lists the best loss at the start of each training.
    """

    def take_no_step(model, batches, callbacks, **options):
        [checkpoint] = [each for each in callbacks if isinstance(each, TrainingCheckpoint)]
        checkpoint.set_model(model)
        call.best_losses.append(checkpoint.progress.best_loss)
        checkpoint.progress.best_loss = 0.5
        checkpoint.progress.total_steps += 1
        checkpoint.save()

    def call(*arguments):
        return run.main(list(arguments))

    call.best_losses = []
    monkeypatch.setattr(Pix2Pix, "fit", take_no_step)
    return call


@pytest.fixture
def labels_needed(monkeypatch):
    """Makes pix2pix need labels, and returns the training and validation batches that it receives.

    Each batch is a tuple of its labels and the mean ab of its images.
    """
    seen = {"training": [], "validation": []}

    def remember(kind, data):
        lightness, ab, labels = data
        assert labels.shape[0] == lightness.shape[0]
        assert labels.dtype == tf.int64
        keep = lambda *arrays: seen[kind].append(arrays)  # noqa: E731
        tf.numpy_function(keep, [labels, tf.reduce_mean(ab, axis=(1, 2))], [])

    class LabeledPix2Pix(Pix2Pix):
        needs_labels = True

        def train_step(self, data):
            remember("training", data)
            return super().train_step(data[:2])

        def test_step(self, data):
            remember("validation", data)
            return super().test_step(data)

    monkeypatch.setitem(COLORIZERS, "pix2pix", LabeledPix2Pix)
    return seen


@pytest.mark.slow
def test_a_model_that_needs_labels_receives_them(labels_needed, tiny_imagenet, capsys):
    names = [tiny_imagenet(folder, CLASSES) for folder in ("one", "two")]
    options = ["--epochs", "1", "--sample_every", "0", "--weights_dir", "w"]
    assert run.main([*FEW, *options, "--dataset", *names]) == 0

    seen = [batch for kind in ("training", "validation") for batch in labels_needed[kind]]
    labels, ab = (np.concatenate(arrays) for arrays in zip(*seen, strict=True))
    # Sixteen training and four validation images, in batches of two.
    assert [len(labels_needed[kind]) for kind in ("training", "validation")] == [8, 2]
    assert sorted(labels) == [0] * 10 + [1] * 10
    # The first class is red, the second blue.
    np.testing.assert_array_equal(labels, (ab[:, 1] < 0).astype("int64"))

    before, progress_bar, _ = capsys.readouterr().out.partition("1/8")
    assert progress_bar
    rows = [line.split() for line in before.splitlines()[:4]]
    assert rows == [
        ["dataset", "training", "validation", "skipped"],
        [names[0], "8", "2", "0"],
        [names[1], "8", "2", "0"],
        ["total", "16", "4", "0"],
    ]


@pytest.mark.parametrize("job", [["--epochs", "1"], ["--inspect"]], ids=["train", "inspect"])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["images"], "labels are required, but images has none"),
        (["tiny-imagenet:one", "images"], "labels are required, but images has none"),
        (
            ["tiny-imagenet:one", "tiny-imagenet:other"],
            "tiny-imagenet:one and tiny-imagenet:other have different classes (2 and 1)",
        ),
    ],
)
def test_a_model_that_needs_labels_refuses_datasets_without_common_labels(
    labels_needed, tiny_imagenet, images, here, capsys, job, names, words
):
    tiny_imagenet("one", CLASSES)
    tiny_imagenet("other", {TENCH: CLASSES[TENCH]})
    assert run.main(["--model", "pix2pix", "--batch_size", "2", *job, "--dataset", *names]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert {path.name for path in here.iterdir()} == {"images", "one", "other"}


def test_each_of_two_folders_has_training_and_validation_images(images, here, capsys):
    shutil.copytree(images, here / "others" / "deep")
    settings, _ = parse([*FEW, "--validation_share", "0.3", "--dataset", "images", "others"])
    print_datasets(find_training_images(settings))
    table = [line.split() for line in capsys.readouterr().out.splitlines()[1:4]]
    assert [name for name, *_ in table] == ["images", "others", "total"]
    counts = np.array([list(map(int, row[1:3])) for row in table])
    assert counts.min() > 0
    np.testing.assert_array_equal(counts.sum(axis=1), [10, 10, 20])
    np.testing.assert_array_equal(counts[0] + counts[1], counts[2])


def test_joined_datasets_are_saved_with_absolute_paths(
    begin, here, coco, tiny_imagenet, capsys, monkeypatch
):
    names = ["images", coco, tiny_imagenet("tiny", CLASSES), "demo", "tfds:toys"]
    toys = demo_set("demo", "", DatasetOptions())
    monkeypatch.setattr("data.datasets.find_images.tfds_set", lambda *args: toys)
    options = ["--categories", "cat", "--data_dir", "sets", "--weights_dir", "w"]
    assert begin(*FEW, *options, "--dataset", *names) == 0
    table = capsys.readouterr().out.splitlines()[:7]
    assert table[0].split() == ["dataset", "training", "validation", "skipped"]
    assert [row.split()[0] for row in table[1:]] == [*names[:4], "demo", "total"]

    absolute = [f"{here}/images", f"coco:{here}/toys", f"tiny-imagenet:{here}/tiny"]
    assert saved_settings("w")["dataset"] == [*absolute, "demo", "tfds:toys"]
    assert saved_settings("w")["categories"] == ["cat"]
    assert saved_settings("w")["data_dir"] == f"{here}/sets"

    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert begin("--load_weights", "--weights_dir", "../w") == 0
    again = capsys.readouterr().out.splitlines()[:7]
    assert [row.split()[1:] for row in again[1:]] == [row.split()[1:] for row in table[1:]]
    assert saved_settings("../w")["dataset"] == [*absolute, "demo", "tfds:toys"]
    # The images are the same, so the best loss still holds.
    assert begin.best_losses == [None, 0.5]


@pytest.mark.slow
def test_other_images_reset_the_best_loss(begin, coco, capsys):
    assert begin(*FEW, "--dataset", coco, "--categories", "cat") == 0
    changes = (["--categories", "dog"], ["--max_images", "3"], ["--dataset", "images"])
    for change in changes:
        assert begin(*RESUME, *change) == 0
    assert begin.best_losses == [None] * 4
    # COCO is no longer among the datasets, so its categories are no longer saved.
    assert saved_settings()["categories"] is None
    assert begin(*RESUME, "--categories", "cat") == 2
    assert "--categories has no effect without a --dataset coco:DIR" in capsys.readouterr().err


def test_weights_of_datasets_are_saved_and_may_change(begin, coco, capsys):
    weights = ["--dataset", "images", coco, "--dataset_weights", "3", "1"]
    assert begin(*FEW, *weights) == 0
    assert begin(*RESUME) == 0
    assert saved_settings()["dataset_weights"] == [3.0, 1.0]
    assert begin(*RESUME, "--dataset_weights", "1", "1") == 0
    assert saved_settings()["dataset_weights"] == [1.0, 1.0]
    # Other weights have another lowest loss.
    assert begin.best_losses == [None, 0.5, None]
    assert begin(*RESUME, "--dataset_weights", "1") == 2
    assert "--dataset_weights 1: give one weight for each of the 2 datasets" in (
        capsys.readouterr().err
    )
    # The weights do not apply to other datasets.
    assert begin(*RESUME, "--dataset", "images") == 0
    assert saved_settings()["dataset_weights"] is None


@pytest.mark.slow
def test_added_images_are_reported_and_reset_the_best_loss(begin, images, capsys):
    assert begin(*FEW, "--dataset", str(images)) == 0
    assert begin(*RESUME) == 0
    assert "note: " not in capsys.readouterr().out
    image = next(images.glob("**/*.*"))
    (images / f"copy_of_{image.name}").write_bytes(image.read_bytes())
    assert begin(*RESUME) == 0
    assert "note: the datasets had " in capsys.readouterr().out
    assert begin.best_losses == [None, 0.5, None]


def test_home_in_data_dir_is_saved_as_an_absolute_path(begin, here, monkeypatch):
    toys = demo_set("demo", "", DatasetOptions())
    monkeypatch.setattr("data.datasets.find_images.tfds_set", lambda *args: toys)
    monkeypatch.setenv("HOME", str(here / "home"))
    assert begin(*FEW, "--dataset", "tfds:toys", "--data_dir", "~/sets") == 0
    assert saved_settings()["data_dir"] == f"{here}/home/sets"
