"""The page is served from the command line until a signal comes."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import run

RUN = Path(__file__).resolve().parents[3] / "run.py"


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_signal_stops_the_page_and_nothing_is_left(weights, tmp_path, monkeypatch, number):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    arguments = ["--serve", "--port", "0", "--weights", weights]
    with subprocess.Popen(
        [sys.executable, RUN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        address = re.fullmatch(r"the page is at (http\S+)\n", process.stdout.readline()).group(1)
        assert b"<title>" in urllib.request.urlopen(address).read()
        assert list(tmp_path.glob("colorizer-page-*"))
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("colorizer-page-*"))


def test_a_port_that_is_taken_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run.main(["--serve", "--port", str(port)]) == 2
    assert capsys.readouterr().err.startswith(f"error: --host 127.0.0.1 --port {port}: Address")


def test_an_address_of_another_machine_is_one_line(capsys):
    assert run.main(["--serve", "--host", "192.0.2.1"]) == 2
    assert capsys.readouterr().err.startswith("error: --host 192.0.2.1 --port 7860: ")
