"""Measures whether another runtime than TensorFlow would color the first photograph sooner.

    python run.py --export onnx litert openvino saved_model --output_dir exported
    python run.py --export onnx litert --quantize --output_dir quantized
    python -m benchmarks.runtimes exported/* quantized/*

In turn, a process for each measurement, in each of these ways: the program's `PhotoColorizer`, in
float32 and in the precision that suits the processor; and `predict` of the sample in each exported
folder. Measured are the seconds until the ab of the first image is there, from the start of the
process, and the milliseconds of each further one, alone and, for the program, in batches of 16.
Beside the clock stand the seconds of all cores, which other load changes less.

On 2 cores of an Intel Xeon with AMX, other load beside, sagan at 192 px without its part
for hints, medians of 3 rounds:

                          first, core s    each further, core ms    of 16, core ms
    program, float32               3.10                     68.8              45.5
    program, bfloat16              2.94                     48.0              26.3
    SavedModel                     3.45                     48.9
    OpenVINO                       0.49                     43.9
    OpenVINO in bfloat16           0.48                     16.7
    ONNX Runtime                   0.39                     79.3
    ONNX Runtime, 8 bits           0.34                     83.5
    LiteRT                         0.26                     53.3
    LiteRT, 8 bits                 0.19                     21.4
"""

import argparse
import json
import os
import runpy
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.in_turn import ROOT, print_machine, python_of

PROGRAM = ("float32", "auto")
BATCH = 16
RUNS = 20


def main() -> None:
    """Prints a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", help="exported networks, with their samples")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured(arguments.measure)))
        return
    print_machine("onnxruntime", "ai-edge-litert", "openvino")
    ways = [*PROGRAM, *arguments.folders]
    answers: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    # The first round, which fills caches, does not count.
    for number in range(1 + arguments.rounds):
        for way in ways:
            answer = subprocess.run(
                python_of("benchmarks.runtimes", "--measure", way),
                cwd=ROOT,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
            if number:
                answers[way].append(json.loads(answer.splitlines()[-1]))
    names = list(answers[ways[0]][0])
    print(f"{'':30}", *(f"{name:>22}" for name in names))
    for way, rounds in answers.items():
        medians = [statistics.median(each.get(name, np.nan) for each in rounds) for name in names]
        print(f"{way[-30:]:30}", *(f"{value:22.2f}" for value in medians), flush=True)


def measured(way: str) -> dict[str, float]:
    """Measures one way in this process, which has just begun."""
    predict, predict_batch = _program(way) if way in PROGRAM else (_sample(way), None)
    predict()
    # Since the start of the process, the start of Python included.
    started = os.times()
    born = float(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    answer = {
        "first, s": uptime - born / os.sysconf("SC_CLK_TCK"),
        "first, core s": started.user + started.system,
    }
    answer |= _each("alone", predict, 1)
    if predict_batch:
        answer |= _each(f"of {BATCH}", predict_batch, BATCH)
    return answer


def _each(name: str, run: Callable[[], object], images: int) -> dict[str, float]:
    run()
    clock, cores = [], []
    for _ in range(max(3, RUNS // images)):
        begun, before = time.perf_counter(), time.process_time()
        run()
        clock.append(1e3 * (time.perf_counter() - begun) / images)
        cores.append(1e3 * (time.process_time() - before) / images)
    return {
        f"{name}, ms": statistics.median(clock),
        f"{name}, core ms": statistics.median(cores),
    }


def _program(precision: str) -> tuple[Callable[[], object], Callable[[], object]]:
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    from config.groups.presets import PRETRAINED_WEIGHTS
    from inference.photo_colorizer import PhotoColorizer

    colorizer = PhotoColorizer.from_folder(PRETRAINED_WEIGHTS / "sagan", precision=precision)
    lightness = 50.0 * (1.0 + _lightness(colorizer.render_size))
    return (
        lambda: colorizer.predict([lightness]),
        lambda: colorizer.predict([lightness] * BATCH),
    )


def _sample(folder: str) -> Callable[[], object]:
    names = runpy.run_path(str(Path(folder, "color.py")))
    inputs = names["inputs_of"](50.0 * (1.0 + _lightness(names["SIDE"])[..., 0]))
    return lambda: names["predict"](inputs)


def _lightness(side: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1.0, 1.0, (side, side, 1)).astype("float32")


if __name__ == "__main__":
    main()
