"""Measures several programs in turn: each is a process of its own that works when it is asked to.

What a machine does besides changes from minute to minute. Programs that are asked one after the
other, round after round, meet the same, and the ratios of their medians hold.

A benchmark calls `measure` with the commands; each command, in its process, calls `serve`.
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

# What a worker says when it has done all once.
_READY = "ready"


def measure(
    commands: Mapping[str, Sequence[str]],
    rounds: int,
    environment: Mapping[str, str] | None = None,
) -> dict[str, list[float]]:
    """Starts the commands, asks each once in every round, and returns what they answered.

    Args:
        commands: by name, what to run in the folder of the project.
        rounds: int.
        environment: variables for all of them.

    Returns:
        By name one number for each round. A command that ends before it is ready is not there, and
        is named on the standard error.
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
    """Answers in the process of a worker: calls the function whenever it is asked."""
    measured()
    print(_READY, flush=True)
    while sys.stdin.readline():
        print(measured(), flush=True)


def python_of(module: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """The command that runs a module of the project."""
    return [python, "-m", module, *arguments]


def show(answers: Mapping[str, Sequence[float]], unit: str, beside: str | None = None) -> None:
    """Prints medians, ranges and, with the name of one, ratios to it."""
    wide = max(map(len, answers))
    for name, values in answers.items():
        median = statistics.median(values)
        line = f"{name:{wide}}  {median:9.3f} {unit} ({min(values):.3f} to {max(values):.3f})"
        if beside in answers:
            line += f"  x {median / statistics.median(answers[beside]):.2f}"
        print(line, flush=True)


def print_machine(*packages: str) -> None:
    """Prints what the numbers were measured on."""
    versions = ", ".join(f"{name} {_version(name)}" for name in (*PACKAGES, *packages))
    print(f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}")
    print(versions)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
