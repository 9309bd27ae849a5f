"""Files of networks are looked for where Keras keeps them."""

import keras
import pytest

from data.keras_cache import in_keras_cache


def keep(home, name="network.h5"):
    """Puts a file into a home of Keras."""
    path = home / "models" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    return path


def found_by_keras(home, name="network.h5"):
    """The file in a home of Keras; nothing is downloaded when it is not there."""
    return keras.utils.get_file(
        name, origin="file:///nowhere/at/all", cache_dir=str(home), cache_subdir="models"
    )


@pytest.mark.parametrize("home", ["keras", "my keras", "größe/.keras", "\udcff"])
def test_home_of_keras_is_taken_where_one_is_set(tmp_path, monkeypatch, home):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / home))
    assert in_keras_cache("network.h5") == tmp_path / home / "models" / "network.h5"


def test_home_folder_is_taken_where_no_home_of_keras_is_set(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert in_keras_cache("network.h5") == tmp_path / ".keras" / "models" / "network.h5"


def test_home_of_keras_is_looked_up_anew_each_time(tmp_path, monkeypatch):
    for home in ("first", "second"):
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / home))
        assert in_keras_cache("network.h5") == tmp_path / home / "models" / "network.h5"


def test_file_is_the_one_that_keras_finds(tmp_path, monkeypatch):
    keep(tmp_path / "keras")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert str(in_keras_cache("network.h5")) == found_by_keras(tmp_path / "keras")


def test_file_need_not_be_there_and_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert not in_keras_cache("network.h5").exists()
    assert list(tmp_path.iterdir()) == []


def test_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", "~/my keras")
    path = keep(tmp_path / "my keras")
    assert found_by_keras("~/my keras") == str(path)
    assert in_keras_cache("network.h5") == path


def test_home_folder_that_cannot_be_written_to_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    assert str(in_keras_cache("network.h5")) == "/tmp/.keras/models/network.h5"
