"""Compares a training that is interrupted and killed repeatedly with an uninterrupted one.

    python -m benchmarks.crashes
    python -m benchmarks.crashes --times 5 --model pix2pix

A small training runs without interruption. The same training is interrupted by SIGINT, SIGTERM and
SIGKILL in turn, at random times, every second time while a checkpoint is being written, and is
resumed each time from its last checkpoint. At the end every number of the two last checkpoints is
compared: networks, the EMA generator, optimizers, losses.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.in_turn import ROOT, print_machine

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
_STEPS_PER_EPOCH = 25
# Seconds to wait for a process or a checkpoint.
_PATIENCE = 300


def main() -> int:
    """Prints a line for each interruption, and whether both trainings end the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--model", choices=("sagan", "pix2pix"), default="sagan")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random times")
    arguments = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        return survive(Path(folder), arguments.times, arguments.model, arguments.seed)


def survive(folder: Path, times: int, model: str = "sagan", seed: int = 0) -> int:
    """Runs both trainings in an existing folder, and returns how many arrays differ at the end."""
    make_images(folder / "images")
    # There are one to four checkpoints, one per step, between two interruptions.
    epochs = 1 + times * 5 // _STEPS_PER_EPOCH
    begin = [
        *("--dataset", str(folder / "images"), "--model", model, "--resolution", "32"),
        *("--filters", "16", "--discriminator_filters", "16", "--depth", "2"),
        *("--reconstruction", "l1:10", "--precision", "float32", "--batch_size", "2"),
        *("--steps_per_epoch", str(_STEPS_PER_EPOCH), "--epochs", str(epochs)),
        *("--sample_every", "0", "--seed", "3", "--deterministic", "--checkpoint_steps", "1"),
    ]
    begun = time.perf_counter()
    _run(begin, folder, "straight").wait(_PATIENCE)
    print(f"uninterrupted: {epochs} epochs in {time.perf_counter() - begun:.0f} s", flush=True)

    rng = random.Random(seed)
    for number in range(times):
        process = _run(begin if number == 0 else ["--load_weights"], folder, "broken")
        _interrupt(process, folder / "broken", SIGNALS[number % 3], number % 2 == 1, rng)
    if _run(["--load_weights"], folder, "broken").wait(_PATIENCE):
        raise RuntimeError("the interrupted training did not finish")
    return _compare(folder / "straight", folder / "broken")


def _run(arguments: list[str], folder: Path, name: str) -> subprocess.Popen:
    paths = ["--weights_dir", str(folder / name), "--log_dir", str(folder / f"{name}_logs")]
    command = [sys.executable, "run.py", *arguments, *paths]
    log = open(folder / f"{name}.txt", "ab")  # noqa: SIM115
    return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)


def _interrupt(
    process: subprocess.Popen,
    folder: Path,
    number: signal.Signals,
    while_writing: bool,
    rng: random.Random,
) -> None:
    """Sends a signal after one to four new checkpoints, and prints the step and the exit status."""
    earlier = _last(folder)
    wanted = rng.randint(1, 4)
    _wait_until(lambda: _last(folder) >= earlier + wanted, process)
    if while_writing:
        _wait_until(lambda: _is_writing(folder), process)
    else:
        time.sleep(rng.uniform(0, 0.3))
    at, is_writing = _last(folder), _is_writing(folder)
    process.send_signal(number)
    status = process.wait(_PATIENCE)
    words = ", while a checkpoint was being written" if is_writing else ""
    verdict = "as expected" if status == STATUS[number] else "WRONG"
    print(
        f"{number.name:8} after step {at:4}{words}: exit status {status}, {verdict}; "
        f"last checkpoint: step {_last(folder)}",
        flush=True,
    )


def _wait_until(condition, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(
                "the training ended by itself or hangs; exit status (None while it runs): "
                f"{process.poll()}"
            )
        time.sleep(0.0005)


def _checkpoints(folder: Path) -> list[str]:
    try:
        return os.listdir(folder / "checkpoints")
    except FileNotFoundError:
        return []


def _last(folder: Path) -> int:
    """The step of the last checkpoint, or 0."""
    return max((int(name[:9]) for name in _checkpoints(folder) if name[0] != "."), default=0)


def _is_writing(folder: Path) -> bool:
    return any(name.startswith(".writing-") for name in _checkpoints(folder))


def _compare(straight: Path, broken: Path) -> int:
    ends = [_numbers(folder) for folder in (straight, broken)]
    names = sorted(ends[0].keys() | ends[1].keys())
    different = [name for name in names if ends[0].get(name) != ends[1].get(name)]
    print(f"{len(names)} arrays compared; {len(different)} differ {different[:5]}")
    files = [sorted(path.name for path in folder.iterdir()) for folder in (straight, broken)]
    print("the same files" if files[0] == files[1] else f"different files: {files}")
    return len(different)


def _numbers(folder: Path) -> dict:
    """All numbers of the last checkpoint and of the EMA generator, arrays as bytes, by name."""
    checkpoint = max(path for path in (folder / "checkpoints").iterdir() if path.name[0] != ".")
    found = {}
    for path in (checkpoint / "model.weights.h5", folder / "generator.weights.h5"):
        for name, array in arrays_of(path).items():
            found[f"{path.name}/{name}"] = array.tobytes()
    progress = json.loads((checkpoint / "progress.json").read_text())["progress"]
    return found | {f"progress/{name}": progress[name] for name in progress if name != "log_dir"}


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .h5 file by name."""
    import h5py

    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item[()])

    with h5py.File(path) as file:
        file.visititems(add)
    return found


def make_images(folder: Path) -> None:
    """Makes a folder of twelve small images, each with noise around a color of its own."""
    from PIL import Image

    folder.mkdir()
    numbers = np.random.default_rng(0)
    for number in range(12):
        colors = numbers.uniform(0, 255, (1, 1, 3)) + numbers.normal(0, 20, (40, 48, 3))
        Image.fromarray(colors.clip(0, 255).astype("uint8")).save(folder / f"{number}.png")


if __name__ == "__main__":
    sys.exit(main())
