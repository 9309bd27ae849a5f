"""Tests of the teacher of a training: its classes, and the cache of its distributions."""

import pickle

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from config.parser import parse
from data.datasets.dataset_options import DatasetOptions
from data.datasets.folder import demo_set
from data.image_io import write_rgb
from jobs.train.dataset import TrainingData, find_training_images
from jobs.train.teacher_cache import cache_distributions, describe_teacher, make_teacher
from models.teacher import Teacher

SMALL = ["--model", "chromagan", "--resolution", "32", "--batch_size", "2"]
SMALL += ["--validation_share", "0"]

GOLDFISH, SALAMANDER, TENCH = "n01443537", "n01629819", "n01440764"
CLASSES = {SALAMANDER: ("salamander", (200, 60, 50)), GOLDFISH: ("goldfish", (50, 70, 200))}

pytestmark = pytest.mark.usefixtures("without_graphs", "tiny_teachers")


class CountedTeacher(Teacher):
    """Lists the shapes of its batches, and is interrupted in the batch of this number."""

    interrupted_in = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.batches = []

    def __call__(self, lightness):
        if len(self.batches) == self.interrupted_in:
            raise KeyboardInterrupt
        self.batches.append(tuple(lightness.shape))
        return super().__call__(lightness)


def found(*arguments):
    """The settings and the images of a training."""
    settings, _ = parse([*SMALL, *arguments])
    return settings, find_training_images(settings)


def fill(teacher, *arguments):
    """The images of a training, and the target from the filled cache."""
    settings, lists = found(*arguments, "--teacher_cache", "cache")
    data = TrainingData(settings, lists, "logs")
    return data, cache_distributions(teacher, data, settings)


# --- its classes ---------------------------------------------------------------------------------


@pytest.fixture
def imagenet64(here):
    """Writes a downsampled ImageNet of 8 training and 4 validation images, and returns its name."""
    random = np.random.default_rng(0)
    (here / "small").mkdir()
    for name, count in (("train_data_batch_1", 8), ("val_data", 4)):
        data = random.integers(0, 256, (count, 3 * 64 * 64), dtype="uint8")
        content = {"data": data, "labels": [1 + number for number in range(count)]}
        (here / "small" / name).write_bytes(pickle.dumps(content))
    return "imagenet64:small"


@pytest.mark.parametrize(
    "kind",
    ["folder", "demo", "tfds", "coco", "imagenet64", "unknown labels", "joined", "differing"],
)
def test_teacher_has_all_imagenet_classes_for_other_datasets(
    images, tiny_imagenet, coco, imagenet64, monkeypatch, kind
):
    toys = demo_set("demo", "", DatasetOptions())
    monkeypatch.setattr("data.datasets.find_images.tfds_set", lambda *arguments: toys)
    other = tiny_imagenet("other", {"n99999999": ("toy", (200, 60, 50))})
    one, two = tiny_imagenet("one", CLASSES), tiny_imagenet("two", {TENCH: ("tench", (9, 99, 9))})
    names = {
        "folder": ["images"],
        "demo": ["demo"],
        "tfds": ["tfds:toys"],
        "coco": [coco],
        "imagenet64": [imagenet64],
        "unknown labels": [other],
        # Only one of the two has labels.
        "joined": [one, "images"],
        "differing": [one, two],
    }[kind]
    settings, lists = found("--dataset", *names)
    teacher = make_teacher(settings, lists)
    assert (teacher.classes, teacher.class_numbers) == (1000, None)
    described = "teacher vgg16 with the weights imagenet: 1000 classes"
    assert describe_teacher(settings, teacher) == described


def test_datasets_with_the_same_classes_have_a_teacher_of_these_classes(tiny_imagenet):
    teacher = make_teacher(
        *found("--dataset", *(tiny_imagenet(folder, CLASSES) for folder in ("one", "two")))
    )
    # The dataset sorts its classes: goldfish, salamander.
    assert teacher.class_numbers == (1, 25)


def test_with_a_class_weight_of_zero_there_is_no_teacher(images, tiny_teachers):
    assert make_teacher(*found("--dataset", "images", "--class_weight", "0")) is None
    assert tiny_teachers == []


# --- its cache -----------------------------------------------------------------------------------


@pytest.fixture
def bars(monkeypatch):
    """A list of the final counts of all progress bars of the teacher: (images done, total)."""
    shown = []

    class Bar:
        def __init__(self, total, **options):
            self.done, self.total = 0, total

        def update(self, count):
            self.done += count

        def __enter__(self):
            return self

        def __exit__(self, *error):
            shown.append((self.done, self.total))

    monkeypatch.setattr("jobs.train.teacher_cache.tqdm", Bar)
    return shown


def test_cached_distributions_are_those_of_each_image(tiny_imagenet):
    teacher = Teacher("vgg16", None, [1, 25])
    data, target = fill(teacher, "--dataset", tiny_imagenet("tiny", CLASSES))
    batches = list(data.training_batches(0, extra_target=target).take(4))
    assert len(batches) == 4
    for lightness, _, distributions in batches:
        # Each image has a single color, so any crop equals the central square.
        np.testing.assert_allclose(distributions, teacher(lightness), rtol=0.01, atol=1e-4)


@pytest.mark.parametrize("side", [16, 48])
def test_teacher_receives_images_of_its_own_and_at_least_of_the_training_resolution(images, side):
    shapes = []

    class EvenTeacher(Teacher):
        def __call__(self, lightness):
            shapes.append(tuple(lightness.shape))
            return tf.fill((len(lightness), self.classes), 1.0 / self.classes)

    teacher = EvenTeacher()
    teacher.side = side
    fill(teacher, "--dataset", "images")
    assert shapes == [(10, max(side, 32), max(side, 32), 1)]


def test_filling_the_cache_continues_after_an_interruption(images, bars):
    for number in range(10, 40):
        write_rgb(images / f"{number}.png", np.full((20, 24, 3), (9, 4 * number, 99), "uint8"))
    teacher = CountedTeacher()
    teacher.interrupted_in = 1
    with pytest.raises(KeyboardInterrupt):
        fill(teacher, "--dataset", "images")
    teacher.interrupted_in = None
    fill(teacher, "--dataset", "images")
    assert [shape[0] for shape in teacher.batches] == [32, 8]
    assert bars == [(32, 40), (8, 8)]


def test_teacher_is_run_on_each_image_once_and_again_after_it_has_changed(images):
    teacher = CountedTeacher()
    for _ in range(2):
        fill(teacher, "--dataset", "images")
    # The cache is found by any path of the dataset.
    fill(teacher, "--dataset", str(images))
    assert [shape[0] for shape in teacher.batches] == [10]
    write_rgb(images / "3.png", np.full((20, 24, 3), (200, 30, 30), "uint8"))
    fill(teacher, "--dataset", "images")
    assert [shape[0] for shape in teacher.batches] == [10, 10]


def test_another_teacher_weights_or_resolution_has_another_cache(images, here, tiny_teachers):
    for name in ("one.weights.h5", "two.weights.h5"):
        (here / name).write_bytes(name.encode())
    for number, options in enumerate(
        [
            (),
            ("--teacher", "mobilenet_v2"),
            ("--teacher_weights", "one.weights.h5"),
            ("--teacher_weights", "two.weights.h5"),
            ("--resolution", "40"),
        ]
    ):
        teacher = CountedTeacher()
        fill(teacher, "--dataset", "images", *options)
        assert [shape[0] for shape in teacher.batches] == [10]
        assert len(list(here.glob("cache/*"))) == number + 1


def test_teacher_is_not_run_on_skipped_images(images):
    Image.new("RGB", (20, 20), "gray").save(images / "gray.png")
    (images / "broken.png").write_bytes(b"no image")
    teacher = CountedTeacher()
    fill(teacher, "--dataset", "images")
    assert [shape[0] for shape in teacher.batches] == [10]
