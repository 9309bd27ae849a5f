"""Trainings that differ in one setting, in one table.

    python -m benchmarks.sweep losses --dataset DIR --epochs 10
    python -m benchmarks.sweep l1 --dataset DIR --epochs 10
    python -m benchmarks.sweep batch_size --dataset DIR --epochs 10
    python -m benchmarks.sweep discriminator_steps --dataset DIR --epochs 10

The first compares the terms of `--reconstruction`, the others are those of the second report on
pix2pix colorizers.

What stands behind the name of the sweep goes to every training. Weights are kept in
weights/sweep/NAME/VALUE; a training that is there already is not done again, and one that was
broken off goes on as it was begun, whatever stands behind the name now: delete its folder to change
it. At the end `--evaluate` judges all of them by the same images. A training that failed is not
in the table but named below it, and the exit status is 1.
"""

import argparse
import subprocess
import sys
from pathlib import Path

_ENCODER_DECODER = ["--model", "encoder_decoder", "--resolution", "128"]
_PIX2PIX = ["--preset", "patchgan"]

# For each sweep what all of its trainings have, and by value the arguments of each.
SWEEPS = {
    "losses": (
        _ENCODER_DECODER,
        {
            "_".join(terms).replace(":", "-"): ["--reconstruction", *terms]
            for terms in (
                ("l1:1",),
                ("mse:1",),
                ("huber:1",),
                ("ssim:1",),
                ("perceptual:1",),
                ("l1:1", "ssim:0.5"),
                ("l1:1", "colorfulness:0.05"),
            )
        },
    ),
    "l1": (
        _PIX2PIX,
        {value: ["--reconstruction", f"l1:{value}"] for value in (10, 25, 50, 75, 100)},
    ),
    "batch_size": (_PIX2PIX, {value: ["--batch_size", str(value)] for value in (4, 8, 16, 32)}),
    "discriminator_steps": (
        _PIX2PIX,
        {value: ["--discriminator_steps", str(value)] for value in range(1, 7)},
    ),
}
# What an evaluation has in common with a training.
_OF_BOTH = ("--dataset", "--resolution", "--data_dir", "--categories", "--max_images")

# Exit statuses of Ctrl-C and of SIGTERM.
INTERRUPTED = (130, 143)

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Trains with every value and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", choices=SWEEPS)
    sweep, options = parser.parse_known_args()
    folders, failed = [], []
    base, values = SWEEPS[sweep.sweep]
    for value, arguments in values.items():
        folder = Path("weights", "sweep", sweep.sweep, str(value))
        print(f"{sweep.sweep} {value}", flush=True)
        if (folder / "checkpoints").exists():
            status = call(["--load_weights", "--weights_dir", str(folder)])
        else:
            status = call([*base, *arguments, *options, "--weights_dir", str(folder)])
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
    """Runs the program and returns its exit status."""
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    return subprocess.run(command, check=False).returncode


def _common(options: list[str]) -> list[str]:
    """Those of the arguments that an evaluation reads too, with their values."""
    kept, is_kept = [], False
    for option in options:
        if option.startswith("--"):
            name = option.partition("=")[0].replace("-", "_")
            is_kept = "--" + name[2:] in _OF_BOTH
        kept += [option] if is_kept else []
    return kept


if __name__ == "__main__":
    sys.exit(main())
