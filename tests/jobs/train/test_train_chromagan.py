"""Tests of training ChromaGAN from the command line: teacher, resuming and coloring."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import run
from models.checkpoints.folder import WeightsFolder
from models.teacher import Teacher
from tests.weights_files import arrays_in, checkpoint_arrays

SMALL = [
    *("--model", "chromagan", "--encoder_weights", "none", "--global_features", "pool"),
    *("--resolution", "32", "--filters", "2", "--discriminator_filters", "2"),
    *("--batch_size", "2", "--steps_per_epoch", "1", "--epochs", "1"),
    *("--precision", "float32", "--validation_share", "0", "--sample_every", "0"),
]
FOLDER = "weights/chromagan"
RESUME = ["--load_weights", "--weights_dir", FOLDER, "--epochs", "2"]

GOLDFISH, SALAMANDER, TENCH = "n01443537", "n01629819", "n01440764"
CLASSES = {SALAMANDER: ("salamander", (200, 60, 50)), GOLDFISH: ("goldfish", (50, 70, 200))}

pytestmark = pytest.mark.usefixtures("without_graphs", "tiny_encoder", "tiny_teachers")


@pytest.fixture
def teacher_batches(monkeypatch):
    """A list of the sizes of the teacher's batches, with its last distributions in `rows`."""

    class Record(list):
        rows = None

    record, original = Record(), Teacher.__call__

    def counted(self, lightness):
        record.append(int(lightness.shape[0]))
        record.rows = original(self, lightness)
        return record.rows

    monkeypatch.setattr(Teacher, "__call__", counted)
    return record


def train(*arguments):
    return run.main([*SMALL, *arguments])


def refusal(capsys, *arguments):
    """Runs a command that must be refused, and returns its one-line error."""
    capsys.readouterr()
    assert run.main(list(arguments)) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    return message


def saved(folder=FOLDER):
    return WeightsFolder(folder).read_settings()


def steps_done(folder=FOLDER):
    folder = WeightsFolder(folder)
    return folder.checkpoints.read_progress(folder.checkpoints.last()).total_steps


def assert_same_networks(left, right):
    left, right = checkpoint_arrays(left), checkpoint_arrays(right)
    assert left.keys() == right.keys()
    paths = [path for path in left if not path.startswith(("_metrics", "training_means"))]
    assert any(path.startswith("class_head/") for path in paths)
    for path in paths:
        np.testing.assert_allclose(left[path], right[path], atol=1e-6, err_msg=path)


# --- datasets -----------------------------------------------------------------------------------


def test_teacher_has_only_the_imagenet_classes_of_the_dataset(
    tiny_imagenet, teacher_batches, capsys
):
    assert train("--dataset", tiny_imagenet("tiny", CLASSES)) == 0
    assert (
        "teacher vgg16 with the weights imagenet: 2 classes of ImageNet's 1000, those of the "
        "dataset\n"
    ) in capsys.readouterr().out
    assert saved()["architecture"]["classes"] == 2
    # The dataset sorts its classes: goldfish, salamander.
    assert saved()["classes"] == [1, 25]
    assert teacher_batches == [2]
    assert teacher_batches.rows.shape == (2, 2)


@pytest.mark.slow
def test_a_real_encoder_is_trained(images, teacher_batches, capsys):
    assert train("--dataset", "images", "--encoder", "mobilenet_v2") == 0
    assert "encoder mobilenet_v2 with the weights none\n" in capsys.readouterr().out
    assert saved()["architecture"]["encoder"] == "mobilenet_v2"
    assert steps_done() == 1


def test_a_damaged_class_index_is_a_one_line_error(tiny_imagenet, here, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(here / "keras"))
    (here / "keras/models").mkdir(parents=True)
    (here / "keras/models/imagenet_class_index.json").write_text("{}")
    message = refusal(capsys, *SMALL, "--dataset", tiny_imagenet("tiny", CLASSES))
    assert "is not of the form" in message
    assert "remove it, or give a file like" in message


# --- what a training writes ----------------------------------------------------------------------


def test_training_writes_weights_losses_and_grids(here, images):
    options = ["--sample_every", "1", "--sample_count", "1", "--log_every", "1"]
    options += ["--validation_share", "0.4", "--sample_images", "images"]
    assert train("--dataset", "images", *options, "--log_dir", "logs") == 0

    grids = sorted(path.name for path in (here / "logs/samples").glob("*.png"))
    assert grids == [
        f"{name}_epoch_0001.png" for name in ("photographs", "validation_2", "validation")
    ]
    first, second = (
        np.asarray(Image.open(here / f"logs/samples/{name}_epoch_0001.png"))
        for name in ("validation", "validation_2")
    )
    # Each grid has gray, colored and true images; the two grids show different images.
    assert first.shape == second.shape == (32, 3 * 32 + 2 * 4, 3)
    assert not np.array_equal(first, second)

    records = EventAccumulator(str(here / "logs/train"), {"tensors": 0}).Reload()
    losses = {"mse", "class_divergence", "adversarial_loss", "generator_loss"}
    losses |= {"discriminator_loss", "gradient_penalty"}
    assert losses <= set(records.Tags()["tensors"])
    validation = EventAccumulator(str(here / "logs/validation"), {"tensors": 0}).Reload()
    assert {"mse", "loss", "psnr"} <= set(validation.Tags()["tensors"])
    assert "class_divergence" not in validation.Tags()["tensors"]

    architecture = saved()["architecture"]
    assert architecture == {
        "filters": 2,
        "norm": "batch",
        "encoder": "vgg16",
        "global_features": "pool",
        "resolution": None,
        "classes": 1000,
        "discriminator_filters": 2,
        "freeze_encoder_statistics": False,
    }
    paths = arrays_in(here / FOLDER / "generator.weights.h5")
    assert paths
    assert not [path for path in paths if "class" in path]
    # Nor does a checkpoint hold the teacher, a kernel from 8 x 8 x 3 values to 1000 classes.
    assert not [a for a in checkpoint_arrays(FOLDER).values() if a.shape == (192, 1000)]


@pytest.mark.slow
def test_with_a_class_weight_of_zero_no_teacher_is_needed(here, images, tiny_teachers, capsys):
    assert train("--dataset", "images", "--class_weight", "0", "--log_every", "1") == 0
    assert tiny_teachers == []
    assert "teacher" not in capsys.readouterr().out
    assert saved()["architecture"]["classes"] == 0
    assert not [path for path in checkpoint_arrays(FOLDER) if path.startswith("class_head")]
    assert run.main(RESUME) == 0
    assert tiny_teachers == []
    assert steps_done() == 2


def test_without_an_adversary_the_generator_is_trained_on_colors_and_classes(
    here, images, teacher_batches
):
    options = ["--adversarial", "none", "--log_every", "1", "--log_dir", "logs"]
    # Without an adversary, --discriminator_filters has no effect and is refused.
    index = SMALL.index("--discriminator_filters")
    small = SMALL[:index] + SMALL[index + 2 :]
    assert run.main([*small, "--dataset", "images", *options]) == 0
    records = EventAccumulator(str(here / "logs/train"), {"tensors": 0}).Reload()
    names = set(records.Tags()["tensors"])
    assert {"mse", "class_divergence", "generator_loss"} <= names
    assert not {"adversarial_loss", "discriminator_loss", "gradient_penalty"} & names
    assert teacher_batches == [2]


@pytest.mark.slow
def test_chromagan_trains_in_three_phases(images, teacher_batches):
    options = ["--generator_epochs", "1", "--discriminator_epochs", "1", "--epochs", "3"]
    assert train("--dataset", "images", *options, "--teacher_cache", "cache") == 0
    assert steps_done() == 3


@pytest.mark.slow
def test_other_terms_and_adversaries_can_be_used(images, teacher_batches):
    options = ["--adversarial", "vanilla", "--reconstruction", "l1:10", "mse:1", "--norm", "none"]
    options += ["--discriminator_steps", "2", "--steps_per_epoch", "2"]
    assert train("--dataset", "images", *options) == 0
    # The generator is trained only in the second step.
    assert teacher_batches == [2]


# --- resuming ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--teacher_cache", "cache"], marks=pytest.mark.slow),
        pytest.param(["--global_features", "flatten"], marks=pytest.mark.slow),
        # Three trainings whose steps are traced take up to a minute.
        pytest.param(
            ["--global_features", "flatten"], marks=[pytest.mark.in_a_graph, pytest.mark.slow]
        ),
    ],
    ids=["cached teacher", "teacher", "teacher in a graph"],
)
def test_stopped_and_resumed_equals_never_stopped(tiny_imagenet, stop_after, options):
    options = ["--dataset", tiny_imagenet("tiny", CLASSES), "--epochs", "2", *options]
    options += ["--steps_per_epoch", "2"]
    assert train(*options, "--weights_dir", "straight") == 0
    stop_after(3)
    assert train(*options, "--weights_dir", "broken") == 130
    assert run.main(["--load_weights", "--weights_dir", "broken"]) == 0
    assert steps_done("broken") == 4
    assert_same_networks("broken", "straight")


@pytest.mark.slow
def test_resuming_with_other_classes_is_refused(tiny_imagenet, images, capsys):
    assert train("--dataset", tiny_imagenet("tiny", CLASSES)) == 0
    words = f"the training in {FOLDER} was started with other classes; give the --dataset"
    assert words in refusal(capsys, *RESUME, "--dataset", "images")
    three = tiny_imagenet("three", {**CLASSES, TENCH: ("tench", (9, 99, 9))})
    assert words in refusal(capsys, *RESUME, "--dataset", three)
    assert words in refusal(capsys, *RESUME, "--class_weight", "0")
    # The refused commands have changed nothing.
    assert run.main(RESUME) == 0


def test_resuming_with_as_many_other_classes_is_refused(tiny_imagenet, capsys):
    assert train("--dataset", tiny_imagenet("tiny", CLASSES)) == 0
    others = {GOLDFISH: CLASSES[GOLDFISH], TENCH: ("tench", (9, 99, 9))}
    other = tiny_imagenet("other", others)
    # Resuming would train the class head, which knows the first classes, on other ones.
    assert run.main([*RESUME, "--dataset", other]) == 2
    assert "classes" in capsys.readouterr().err


@pytest.mark.slow
def test_flattened_features_resume_only_at_their_resolution(images, capsys):
    assert train("--dataset", "images", "--global_features", "flatten") == 0
    message = refusal(capsys, *RESUME, "--resolution", "40")
    assert "weights/chromagan was started with resolution 32 instead of 40; leave" in message
    message = refusal(capsys, *RESUME, "--global_features", "pool")
    assert "was started with global_features flatten instead of pool" in message
    assert run.main([*RESUME, "--resolution", "32"]) == 0


def test_pretrained_weights_that_do_not_fit_are_refused(images, capsys):
    assert train("--dataset", "images", "--global_features", "flatten") == 0
    begin = ["--model", "chromagan", "--dataset", "images", "--weights_dir", "second"]
    begin += ["--pretrained", FOLDER, "--precision", "float32"]
    begin += ["--steps_per_epoch", "1"]
    assert (
        "--global_features pool: the weights in weights/chromagan were trained with flatten"
    ) in refusal(capsys, *begin, "--resolution", "32", "--global_features", "pool")
    assert "only take images of 32 px; give --resolution 32" in refusal(capsys, *begin)


@pytest.mark.slow
def test_pooled_features_can_start_a_training_at_another_resolution(images, capsys):
    assert train("--dataset", "images") == 0
    assert "with resolution 32 instead of 40" in refusal(capsys, *RESUME, "--resolution", "40")
    begin = ["--model", "chromagan", "--dataset", "images", "--precision", "float32"]
    begin += ["--batch_size", "2", "--steps_per_epoch", "1", "--epochs", "1", "--sample_every", "0"]
    begin += ["--pretrained", FOLDER, "--weights_dir", "second", "--global_features", "pool"]
    assert run.main([*begin, "--resolution", "40", "--class_weight", "0"]) == 0
    assert saved("second")["resolution"] == 40


@pytest.mark.slow
def test_pretrained_weights_can_start_a_training_with_other_classes(images, tiny_imagenet, capsys):
    assert train("--dataset", "images") == 0
    name = tiny_imagenet("tiny", CLASSES)
    begin = [each for each in SMALL if each not in ("--encoder_weights", "none")]
    options = ["--pretrained", FOLDER, "--weights_dir", "second", "--generator_lr", "1e-12"]
    assert run.main([*begin, "--dataset", name, *options, "--ema_decay", "0"]) == 0
    assert saved("second")["architecture"]["classes"] == 2
    first, second = (arrays_in(f"{folder}/generator.weights.h5") for folder in (FOLDER, "second"))
    kernels = [path for path, array in first.items() if array.ndim == 4]
    assert len(kernels) > 10
    for path in kernels:
        np.testing.assert_allclose(first[path], second[path], atol=1e-6)


# --- the cache of the teacher --------------------------------------------------------------------


def test_teacher_is_run_on_every_image_only_once(images, here, teacher_batches, capsys):
    (here / "file").write_text("")
    options = ["--dataset", "images", "--teacher_cache"]
    message = refusal(capsys, *SMALL, *options, "file")
    assert message == "error: --teacher_cache: file: File exists; give another folder\n"
    # The refused command leaves nothing that prevents the next one.
    assert train(*options, "cache") == 0
    # The teacher is run on all training images before the first step, and in no step.
    assert teacher_batches == [10]
    assert run.main([*RESUME, "--epochs", "1"]) == 0
    assert teacher_batches == [10]
    assert len(list(here.glob("cache/*"))) == 1
    assert saved()["settings"]["teacher_cache"] == str(here / "cache")


# --- coloring ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_trained_weights_color(images, here, capsys):
    assert train("--dataset", "images") == 0
    color = ["--images", "images/0.png", "--weights", FOLDER, "--render_size", "50"]
    assert run.main(color) == 0
    assert Image.open(here / "results/0.png").size == (24, 20)


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_flattened_features_color_only_at_their_resolution(images, here, capsys):
    assert train("--dataset", "images", "--global_features", "flatten") == 0
    color = ["--images", "images/0.png", "--weights", FOLDER]
    assert run.main(color) == 0
    assert Image.open(here / "results/0.png").size == (24, 20)
    message = refusal(capsys, *color, "--render_size", "64", "--overwrite")
    assert message == (
        f"error: the weights in {FOLDER} only take images of 32 px; received 64; give a "
        "render_size of 32\n"
    )
    assert run.main([*color, "--render_size", "32", "--overwrite"]) == 0
    shutil.copytree("images", "others")
    evaluate = ["--evaluate", "--dataset", "others", "--weights", FOLDER]
    message = refusal(capsys, *evaluate, "--render_size", "64")
    assert "received 64; give a render_size of 32" in message
    assert run.main([*evaluate, "--resolution", "48"]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert "chromagan" in rows


# --- what cannot be started ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--teacher_weights", "absent.h5"], "--teacher_weights: absent.h5: there is no such file"),
        (["--teacher_weights", "images/0.png"], "these are not the weights of vgg16 with its"),
    ],
)
def test_unusable_teacher_weights_are_a_one_line_error(images, here, capsys, arguments, words):
    assert words in refusal(capsys, *SMALL, "--dataset", "images", *arguments)
    # Nothing was written.
    assert {path.name for path in here.iterdir()} == {"images"}


@pytest.mark.slow
def test_settings_are_saved_for_resuming(images, here, tiny_teachers):
    options = ["--teacher", "mobilenet_v2", "--class_weight", "0.5"]
    assert train("--dataset", "images", *options) == 0
    settings = json.loads((here / FOLDER / "settings.json").read_text())["settings"]
    assert (settings["teacher"], settings["class_weight"]) == ("mobilenet_v2", 0.5)
    assert run.main(RESUME) == 0
    assert tiny_teachers == ["mobilenet_v2", "mobilenet_v2"]
