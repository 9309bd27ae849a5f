"""The sweeps of the second report on pix2pix: trainings that differ in one setting, in one table.

    python -m benchmarks.pix2pix_sweep l1 --dataset DIR --epochs 10
    python -m benchmarks.pix2pix_sweep batch_size --dataset DIR --epochs 10
    python -m benchmarks.pix2pix_sweep discriminator_steps --dataset DIR --epochs 10

What stands behind the name of the sweep goes to every training. Weights are kept in
weights/sweep/NAME/VALUE; a training that is there already is not done again, and one that was
broken off goes on as it was begun, whatever stands behind the name now: delete its folder to change
it. At the end `--evaluate` judges all of them by the same pictures.
"""

import argparse
import subprocess
import sys
from pathlib import Path

# For each sweep its values, and the arguments of each.
SWEEPS = {
    "l1": {value: ["--reconstruction", f"l1:{value}"] for value in (10, 25, 50, 75, 100)},
    "batch_size": {value: ["--batch_size", str(value)] for value in (4, 8, 16, 32)},
    "discriminator_steps": {value: ["--discriminator_steps", str(value)] for value in range(1, 7)},
}
# What an evaluation has in common with a training.
_OF_BOTH = ("--dataset", "--resolution", "--data_dir", "--categories", "--max_pictures")

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Trains with every value and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", choices=SWEEPS)
    sweep, options = parser.parse_known_args()
    folders = []
    for value, arguments in SWEEPS[sweep.sweep].items():
        folder = Path("weights", "sweep", sweep.sweep, str(value))
        print(f"{sweep.sweep} {value}", flush=True)
        if (folder / "snapshots").exists():
            call(["--load_weights", "--model", "pix2pix", "--weights_dir", str(folder)])
        else:
            call(["--preset", "patchgan", *arguments, *options, "--weights_dir", str(folder)])
        folders.append(str(folder))
    call(["--evaluate", *_common(options), "--weights", *folders])
    return 0


def call(arguments: list[str]) -> None:
    """Runs the program, and ends where it fails."""
    finished = subprocess.run([sys.executable, str(ROOT / "run.py"), *arguments], check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


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
