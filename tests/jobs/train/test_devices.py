"""Several devices and several processes: found, refused, equal to one, and survived."""

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

# Three times the largest difference seen, 6.2e-5 with encoder_decoder: rounding.
TOLERANCE = 2e-4

TWO = {"worker": ["one:1", "two:2"]}
MIXED = {"chief": ["one:1"], "worker": ["two:2", "three:3"]}


def described(cluster, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("strategy", "text", "worker"),
    [
        ("auto", None, Worker()),
        ("auto", "{}", Worker()),
        ("auto", described({"worker": ["one:1"]}), Worker()),
        ("auto", described(TWO), Worker(0, 2)),
        ("multiworker", described(TWO, index=1), Worker(1, 2)),
        ("auto", described(MIXED, "chief"), Worker(0, 3)),
        ("auto", described(MIXED, "worker", 1), Worker(2, 3)),
        ("auto", described({"chief": ["one:1"]}, "chief"), Worker()),
        ("none", described(TWO), Worker()),
        ("mirrored", described(TWO), Worker()),
    ],
)
def test_cluster_says_which_worker_this_is(monkeypatch, strategy, text, worker):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    assert find_worker(strategy) == worker
    assert worker.is_chief is (worker.number == 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "TF_CONFIG is no description of a cluster"),
        ("[]", "TF_CONFIG is no description of a cluster"),
        (json.dumps({"cluster": TWO}), "TF_CONFIG is no description of a cluster"),
        (described(TWO, index=2), "the task is not in the cluster"),
        (described(TWO, "chief"), "the task is not in the cluster"),
        (
            described({**TWO, "ps": ["three:3"]}),
            "workers alone, one of them the chief; received ps",
        ),
        (described({"worker": ["one:1"]}), "names no cluster of several workers"),
    ],
)
def test_what_is_no_cluster_is_one_line(monkeypatch, text, words):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=words):
        find_worker("multiworker")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--strategy", "multiworker"], "--strategy multiworker: TF_CONFIG names no cluster"),
        (["--strategy", "mirrored"], "--strategy mirrored: TensorFlow sees 0 GPUs"),
        (["--strategy", "none", "--images", "images"], "--strategy has no effect when --images"),
    ],
)
def test_devices_that_are_not_there_are_one_line(images, monkeypatch, capsys, arguments, words):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    dataset = [] if "--images" in arguments else ["--dataset", "images"]
    assert run.main([*dataset, *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_batches_are_shared_evenly():
    three = SimpleNamespace(num_replicas_in_sync=3)
    check_batch_size(three, batch_size=6, validation_batch_size=None)
    with pytest.raises(InputError, match=r"--batch_size 8: 3 replicas cannot .* a multiple of 3"):
        check_batch_size(three, batch_size=8)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_two_devices_learn_what_one_does(tmp_path, model):
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
    """Two workers of a tiny training in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.weights = folder / "weights/sagan"
        make_images(folder / "images")

    def start(self, *arguments):
        with open(self.folder / "log.txt", "w") as log:
            return start_workers(list(arguments), self.folder, stdout=log, stderr=log)

    def lines(self, beginning):
        """What was printed, the bars of epochs left out."""
        return [line for line in self.text().splitlines() if line.startswith(beginning)]

    def text(self):
        return (self.folder / "log.txt").read_text()

    def checkpoints(self):
        return sorted(place.name for place in self.weights.glob("checkpoints/0*"))

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
def test_a_worker_that_dies_ends_the_others_and_the_cluster_goes_on(cluster, killed):
    processes = cluster.start_and_wait_for_a_checkpoint()
    processes[killed].send_signal(signal.SIGKILL)
    other = 1 - killed
    assert processes[other].wait(60) == 4
    [error] = cluster.lines("error: ")
    assert error.startswith(f"error: worker {other + 1} of 2: another worker ended or cannot be ")
    # The chief alone wrote.
    logs = sorted(path.name for path in (cluster.folder / "logs").iterdir())
    assert logs == ["train", "validation"]
    kept = cluster.checkpoints()[-1]
    epochs = int(kept[-5:]) + 1
    processes = cluster.start("--load_weights", "--epochs", str(epochs))
    assert [process.wait(120) for process in processes] == [0, 0]
    assert cluster.lines(f"going on from weights/sagan/checkpoints/{kept}")
    assert cluster.checkpoints()[-1] == f"{10 * epochs:09d}-{epochs:05d}"


@pytest.mark.slow
@pytest.mark.parametrize("asked", [0, 1])
def test_one_that_is_asked_to_stop_stops_all_and_one_device_goes_on(cluster, asked, monkeypatch):
    processes = cluster.start_and_wait_for_a_checkpoint()
    processes[asked].send_signal(signal.SIGTERM)
    assert [process.wait(60) for process in processes] == [143, 143]
    # All of them after the same step, which is kept.
    kept = cluster.checkpoints()[-1]
    stopped = re.findall(r"stopped: in epoch \d+ after (\d+) steps; kept in ", cluster.text())
    assert stopped == 2 * [str(int(kept[:9]))]
    monkeypatch.chdir(cluster.folder)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    epochs = int(kept[-5:]) + 1
    assert run.main(["--load_weights", "--epochs", str(epochs)]) == 0
    assert cluster.checkpoints()[-1] == f"{10 * epochs:09d}-{epochs:05d}"


@pytest.mark.slow
def test_workers_that_do_not_agree_are_told_so(cluster):
    places = tasks_of_workers(2)
    with open(cluster.folder / "log.txt", "w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, str(ROOT / "run.py"), *TINY, "--generator_lr", rate],
                cwd=cluster.folder,
                env={**os.environ, **place},
                stdout=log,
                stderr=log,
            )
            for place, rate in zip(places, ("0.001", "0.002"), strict=True)
        ]
    assert [process.wait(120) for process in processes] == [2, 2]
    first, second = cluster.lines("error: ")
    assert first == second
    assert first.startswith("error: the workers do not agree on: --generator_lr; ")
    assert cluster.checkpoints() == []
