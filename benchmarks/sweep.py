"""Trains with several values of one setting and evaluates all results in one table.

    python -m benchmarks.sweep losses --dataset DIR --epochs 10
    python -m benchmarks.sweep l1 --dataset DIR --epochs 10
    python -m benchmarks.sweep batch_size --dataset DIR --epochs 10
    python -m benchmarks.sweep discriminator_steps --dataset DIR --epochs 10

The first sweep compares the terms of `--reconstruction`; the others are those of the second report
on pix2pix colorizers.

The options after the name of the sweep are passed to every training. Weights are saved in
weights/sweep/NAME/VALUE. A training that is complete is not repeated, and one that was interrupted
is resumed with its saved settings, whatever the options now are: delete its folder to change them.
At the end `--evaluate` compares all results on the same images. A training that failed is missing
from the table and named below it, and the exit status is 1.
"""

import argparse
import subprocess
import sys
from pathlib import Path

_ENCODER_DECODER = ["--model", "encoder_decoder", "--resolution", "128"]
_PIX2PIX = ["--preset", "patchgan"]
_TERMS = (
    *(("l1:1",), ("mse:1",), ("huber:1",), ("ssim:1",), ("perceptual:1",)),
    *(("l1:1", "ssim:0.5"), ("l1:1", "colorfulness:0.05")),
)

# For each sweep, the arguments of all its trainings, the option that differs, and its values.
SWEEPS = {
    "losses": (_ENCODER_DECODER, "--reconstruction", _TERMS),
    "l1": (_PIX2PIX, "--reconstruction", [(f"l1:{value}",) for value in (10, 25, 50, 75, 100)]),
    "batch_size": (_PIX2PIX, "--batch_size", [(str(value),) for value in (4, 8, 16, 32)]),
    "discriminator_steps": (
        *(_PIX2PIX, "--discriminator_steps"),
        [(str(value),) for value in range(1, 7)],
    ),
}
# The options of a training that an evaluation takes too.
_OF_BOTH = (
    *("--dataset", "--resolution", "--data_dir", "--categories"),
    *("--max_images", "--max_pictures"),
)

# The exit statuses after Ctrl-C and SIGTERM.
INTERRUPTED = (130, 143)

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Trains with each value, prints the table and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", choices=SWEEPS)
    sweep, options = parser.parse_known_args()
    folders, failed = [], []
    base, option, values = SWEEPS[sweep.sweep]
    for value in values:
        name = "_".join(value).replace(":", "-")
        folder = Path("weights", "sweep", sweep.sweep, name)
        print(f"{sweep.sweep} {name}", flush=True)
        if (folder / "checkpoints").exists():
            status = call(["--load_weights", "--weights_dir", str(folder)])
        else:
            status = call([*base, option, *value, *options, "--weights_dir", str(folder)])
        if status in INTERRUPTED:
            return status
        if status == 0:
            folders.append(str(folder))
        else:
            failed.append(f"{folder} (exit status {status})")
    status = 0
    if folders:
        status = call(["--evaluate", *_common([*base, *options]), "--weights", *folders])
    if failed:
        print(f"not trained: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else status


def call(arguments: list[str]) -> int:
    """Runs run.py with these arguments and returns its exit status."""
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    return subprocess.run(command, check=False).returncode


def _common(options: list[str]) -> list[str]:
    """The options that an evaluation takes too, with their values."""
    kept, is_kept = [], False
    for option in options:
        if option.startswith("--"):
            name = option.partition("=")[0].replace("-", "_")
            is_kept = "--" + name[2:] in _OF_BOTH
        kept += [option] if is_kept else []
    return kept


if __name__ == "__main__":
    sys.exit(main())
