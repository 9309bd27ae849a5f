"""Tests of the lock that allows one training at a time in a folder of weights."""

import signal
import subprocess
import sys

import pytest
from filelock import FileLock

from errors import InputError
from jobs.common.folder_lock import alone_in


def assert_is_refused(folder):
    with pytest.raises(InputError, match="another training"), alone_in(folder):
        pass


def test_a_second_training_is_refused_until_the_first_ends(tmp_path):
    (tmp_path / "weights.h5").touch()
    with (
        alone_in(tmp_path),
        pytest.raises(InputError, match="another training"),
        alone_in(tmp_path),
    ):
        pass
    with alone_in(tmp_path):
        pass


def test_a_killed_process_releases_its_lock(tmp_path):
    (tmp_path / "weights.h5").touch()
    hold = (
        "import sys, time, pathlib; from jobs.common.folder_lock import alone_in\n"
        "with alone_in(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    assert_is_refused(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with alone_in(tmp_path):
        pass


def test_an_empty_folder_is_not_left_behind(tmp_path):
    with alone_in(tmp_path / "deep" / "weights"):
        assert (tmp_path / "deep" / "weights").is_dir()
    assert not (tmp_path / "deep").exists()
    with alone_in(tmp_path / "weights"):
        (tmp_path / "weights" / "settings.json").touch()
    assert (tmp_path / "weights" / "settings.json").exists()


def test_a_disk_that_does_not_support_locks_is_reported(tmp_path, monkeypatch, capsys):
    def refuse(self, timeout):
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with alone_in(tmp_path / "weights"):
        assert "does not support locks" in capsys.readouterr().err
