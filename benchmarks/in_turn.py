"""Measures several programs in turn, each in a process of its own that measures on request.

The load of a machine changes from minute to minute. Programs that are measured one after the other,
round after round, meet the same load, so the ratios of their medians are reliable.

A benchmark calls `measure` with commands; each command calls `serve` in its process.
"""

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tensorflow", "keras", "numpy")

# The line that a worker prints after a first, discarded measurement.
_READY = "ready"


def measure(
    commands: Mapping[str, Sequence[str]],
    rounds: int,
    environment: Mapping[str, str] | None = None,
) -> dict[str, list[float]]:
    """Starts the commands and collects one measurement of each in every round.

    Args:
        commands: mapping of names to command lines, run in the root folder of the project.
        rounds: int, the number of rounds.
        environment: mapping, additional environment variables of all commands. Defaults to `None`.

    Returns:
        dict, by name a list of one float for each round. A command that ends before it is ready is
        missing, and is reported on standard error.
    """
    workers = {}
    for name, command in commands.items():
        worker = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if any(line.strip() == _READY for line in worker.stdout):
            workers[name] = worker
        else:
            print(f"{name}: cannot be measured (exit status {worker.wait()})", file=sys.stderr)
    answers = {name: [] for name in workers}
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
    """Measures once for each line on standard input, in the process of a worker.

    Args:
        measured: function without arguments that returns the measurement.
    """
    measured()
    print(_READY, flush=True)
    while sys.stdin.readline():
        print(measured(), flush=True)


def python_of(module: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """The command line that runs a module of the project."""
    return [python, "-m", module, *arguments]


def show(answers: Mapping[str, Sequence[float]], unit: str, beside: str | None = None) -> None:
    """Prints medians and ranges, and ratios to the answers with the name `beside`."""
    width = max(map(len, answers))
    for name, values in answers.items():
        median = statistics.median(values)
        line = f"{name:{width}}  {median:9.3f} {unit} ({min(values):.3f} to {max(values):.3f})"
        if beside in answers:
            line += f"  x {median / statistics.median(answers[beside]):.2f}"
        print(line, flush=True)


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
