"""The folder of photographs is private and is gone at the end, also that of a killed process."""

import subprocess
import sys
import tempfile

import pytest

from jobs.serve.private_folder import private_folder


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folder_is_private_and_removed_with_its_contents(temporary):
    with private_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "photograph").write_text("a")
    assert not list(temporary.iterdir())


def test_folder_is_removed_after_an_error(temporary):
    with pytest.raises(KeyboardInterrupt), private_folder():
        raise KeyboardInterrupt
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_stays(temporary):
    program = (
        "import os, tempfile; from jobs.serve.private_folder import private_folder\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "with private_folder() as folder:\n"
        "    (folder / 'photograph').write_text('a')\n"
        "    os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    [left] = temporary.glob("*/photograph")
    with private_folder() as first:
        assert not left.parent.exists()
        with private_folder() as second:
            assert first.is_dir()
            assert second != first
