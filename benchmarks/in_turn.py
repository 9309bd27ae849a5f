"""What benchmarks share: measuring several things in turn, and printing medians and ratios.

The load of a machine changes from minute to minute. What is measured in turn, round after round,
meets the same load, so the ratios of medians are reliable. Functions of one process are timed by
`seconds_of`; programs that need a process each are measured by `measure`, and call `serve`.
"""

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tensorflow", "keras", "numpy")

# The line that a worker prints after a first, discarded measurement.
_READY = "ready"


def seconds_of(
    ways: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] | None = None
) -> dict[str, list[float]]:
    """Times functions of this process in turn.

    Args:
        ways: mapping of names to functions that return when their work is done.
        rounds: int, the number of rounds after a first, discarded one.
        clock: function that returns seconds. Defaults to `None`, `time.perf_counter`.

    Returns:
        dict, by name a list of seconds, one for each round.
    """
    clock = clock or time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(1 + rounds):
        for name, way in ways.items():
            begun = clock()
            way()
            seconds[name].append(clock() - begun)
    return {name: values[1:] for name, values in seconds.items()}


def measure(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[float]]:
    """Starts the commands and collects one measurement of each in every round.

    Args:
        commands: mapping of names to command lines, run in the root folder of the project.
        rounds: int, the number of rounds.

    Returns:
        dict, by name a list of one float for each round. A command that ends before it is ready is
        missing, and is reported on standard error.
    """
    workers = {}
    for name, command in commands.items():
        worker = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if any(line.strip() == _READY for line in worker.stdout):
            workers[name] = worker
        else:
            print(f"{name}: cannot be measured (exit status {worker.wait()})", file=sys.stderr)
    answers: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            worker.stdin.write("go\n")
            worker.stdin.flush()
            answers[name].append(float(worker.stdout.readline()))
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    return answers


def serve(measured: Callable[[], float]) -> None:
    """Measures once for each line on standard input, in the process of a worker."""
    measured()
    print(_READY, flush=True)
    while sys.stdin.readline():
        print(measured(), flush=True)


def python_of(module: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """The command line that runs a module of the project."""
    return [python, "-m", module, *arguments]


def show(answers: Mapping[str, Sequence[float]], unit: str, beside: str | None = None) -> None:
    """Prints medians and ranges, and ratios to the answers with the name `beside`."""
    width = max(map(len, answers), default=0)
    for name, values in answers.items():
        median = statistics.median(values)
        line = f"{name:{width}}  {median:9.3f} {unit} ({min(values):.3f} to {max(values):.3f})"
        if beside in answers:
            line += f"  x {median / statistics.median(answers[beside]):.2f}"
        print(line, flush=True)


def peak_megabytes() -> float:
    """The peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def print_machine(*packages: str) -> None:
    """Prints the machine and the versions of Python, the main packages and `packages`."""
    versions = ", ".join(f"{name} {_version(name)}" for name in (*PACKAGES, *packages))
    print(f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}")
    print(versions)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
