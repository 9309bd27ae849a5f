"""Tests of training on several devices and in several processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import run
from benchmarks.crashes import make_images
from benchmarks.in_turn import ROOT
from benchmarks.replicas import MODELS, WAYS, compare, start_workers, tasks_of_workers
from errors import InputError
from jobs.train.devices import Worker, check_batch_size, find_worker

# Three times the largest difference from rounding that was measured, 6.2e-5 (encoder_decoder).
TOLERANCE = 2e-4

TWO = {"worker": ["one:1", "two:2"]}
MIXED = {"chief": ["one:1"], "worker": ["two:2", "three:3"]}


def tf_config(cluster, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("strategy", "text", "worker"),
    [
        ("auto", None, Worker()),
        ("auto", "{}", Worker()),
        ("auto", tf_config({"worker": ["one:1"]}), Worker()),
        ("auto", tf_config(TWO), Worker(0, 2)),
        ("multiworker", tf_config(TWO, index=1), Worker(1, 2)),
        ("auto", tf_config(MIXED, "chief"), Worker(0, 3)),
        ("auto", tf_config(MIXED, "worker", 1), Worker(2, 3)),
        ("auto", tf_config({"chief": ["one:1"]}, "chief"), Worker()),
        ("none", tf_config(TWO), Worker()),
        ("mirrored", tf_config(TWO), Worker()),
    ],
)
def test_tf_config_says_which_worker_this_is(monkeypatch, strategy, text, worker):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    assert find_worker(strategy) == worker
    assert worker.is_chief is (worker.number == 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "TF_CONFIG does not describe a cluster"),
        ("[]", "TF_CONFIG does not describe a cluster"),
        (json.dumps({"cluster": TWO}), "TF_CONFIG does not describe a cluster"),
        (tf_config(TWO, index=2), "the task is not in the cluster"),
        (tf_config(TWO, "chief"), "the task is not in the cluster"),
        (
            tf_config({**TWO, "ps": ["three:3"]}),
            "the only task types of a training are chief and worker; received ps",
        ),
        (tf_config({"worker": ["one:1"]}), "does not describe a cluster of several workers"),
    ],
)
def test_an_invalid_cluster_is_a_one_line_error(monkeypatch, text, words):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=words):
        find_worker("multiworker")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--strategy", "multiworker"],
            "--strategy multiworker: TF_CONFIG does not describe a cluster",
        ),
        (["--strategy", "mirrored"], "--strategy mirrored: TensorFlow found 0 GPUs"),
        (["--strategy", "none", "--images", "images"], "--strategy has no effect when --images"),
    ],
)
def test_a_strategy_that_cannot_be_used_is_a_one_line_error(
    images, monkeypatch, capsys, arguments, words
):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    dataset = [] if "--images" in arguments else ["--dataset", "images"]
    assert run.main([*dataset, *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_batch_size_must_be_a_multiple_of_the_replicas():
    three = SimpleNamespace(num_replicas_in_sync=3)
    check_batch_size(three, batch_size=6, validation_batch_size=None)
    with pytest.raises(
        InputError, match=r"--batch_size 8: it cannot .* 3 replicas; give a multiple of 3"
    ):
        check_batch_size(three, batch_size=8)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_two_devices_train_like_one(tmp_path, monkeypatch, model):
    # The trainings are processes of their own: one thread, as in other tests, rounds otherwise.
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name)
    for figures in compare(tmp_path / model, model, WAYS[2:]).values():
        assert figures["gradients"] < TOLERANCE
        assert figures["weights"] < TOLERANCE


TINY = [
    *("--dataset", "images", "--resolution", "16", "--filters", "2", "--depth", "1"),
    *("--adversarial", "none", "--reconstruction", "l1:10", "--precision", "float32"),
    *("--batch_size", "4", "--steps_per_epoch", "10", "--epochs", "1000", "--seed", "3"),
    *("--sample_every", "0", "--checkpoint_steps", "5", "--log_dir", "logs", "--deterministic"),
]


class Cluster:
    """A tiny training by two workers in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.weights = folder / "weights/sagan"
        make_images(folder / "images")

    def start(self, *arguments):
        with open(self.folder / "log.txt", "w") as log:
            return start_workers(list(arguments), self.folder, stdout=log, stderr=log)

    def lines(self, beginning):
        """Returns the printed lines that start with `beginning`."""
        return [line for line in self.text().splitlines() if line.startswith(beginning)]

    def text(self):
        return (self.folder / "log.txt").read_text()

    def checkpoints(self):
        return sorted(path.name for path in self.weights.glob("checkpoints/0*"))

    def start_and_wait_for_a_checkpoint(self):
        processes = self.start(*TINY)
        deadline = time.monotonic() + 120
        while not self.checkpoints():
            assert all(process.poll() is None for process in processes), self.lines("")
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return processes


@pytest.fixture
def cluster(tmp_path):
    return Cluster(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_worker_ends_the_other_and_the_cluster_can_resume(cluster, killed):
    processes = cluster.start_and_wait_for_a_checkpoint()
    processes[killed].send_signal(signal.SIGKILL)
    other = 1 - killed
    assert processes[other].wait(60) == 4
    [error] = cluster.lines("error: ")
    assert error.startswith(f"error: worker {other + 1} of 2: another worker ended or cannot be ")
    # Only the chief writes logs.
    logs = sorted(path.name for path in (cluster.folder / "logs").iterdir())
    assert logs == ["train", "validation"]
    checkpoint = cluster.checkpoints()[-1]
    epochs = int(checkpoint[-5:]) + 1
    processes = cluster.start("--load_weights", "--epochs", str(epochs))
    assert [process.wait(120) for process in processes] == [0, 0]
    assert cluster.lines(f"resuming from weights/sagan/checkpoints/{checkpoint}")
    assert cluster.checkpoints()[-1] == f"{10 * epochs:09d}-{epochs:05d}"


@pytest.mark.slow
@pytest.mark.parametrize("signaled", [0, 1])
def test_a_worker_that_is_stopped_stops_both_and_one_device_can_resume(
    cluster, signaled, monkeypatch
):
    processes = cluster.start_and_wait_for_a_checkpoint()
    processes[signaled].send_signal(signal.SIGTERM)
    assert [process.wait(60) for process in processes] == [143, 143]
    # Both stop after the same step, which has a checkpoint.
    checkpoint = cluster.checkpoints()[-1]
    stopped = re.findall(r"stopped: in epoch \d+ after (\d+) steps; saved in ", cluster.text())
    assert stopped == 2 * [str(int(checkpoint[:9]))]
    monkeypatch.chdir(cluster.folder)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    epochs = int(checkpoint[-5:]) + 1
    assert run.main(["--load_weights", "--epochs", str(epochs)]) == 0
    assert cluster.checkpoints()[-1] == f"{10 * epochs:09d}-{epochs:05d}"


@pytest.mark.slow
def test_workers_with_different_settings_are_refused(cluster):
    tasks = tasks_of_workers(2)
    with open(cluster.folder / "log.txt", "w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, str(ROOT / "run.py"), *TINY, "--generator_lr", rate],
                cwd=cluster.folder,
                env={**os.environ, **task},
                stdout=log,
                stderr=log,
            )
            for task, rate in zip(tasks, ("0.001", "0.002"), strict=True)
        ]
    assert [process.wait(120) for process in processes] == [2, 2]
    first, second = cluster.lines("error: ")
    assert first == second
    assert first.startswith("error: the workers do not agree on: --generator_lr; ")
    assert cluster.checkpoints() == []
