"""Model files are looked up in the folder in which Keras caches them."""

import keras
import pytest

from data.keras_cache import in_keras_cache


def save(home, name="network.h5"):
    """Saves a file in a Keras home folder."""
    path = home / "models" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    return path


def found_by_keras(home, name="network.h5"):
    """The path that Keras finds in a home folder; a missing file is not downloaded."""
    return keras.utils.get_file(
        name, origin="file:///nowhere/at/all", cache_dir=str(home), cache_subdir="models"
    )


@pytest.mark.parametrize("home", ["keras", "my keras", "größe/.keras", "\udcff"])
def test_keras_home_is_used_if_set(tmp_path, monkeypatch, home):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / home))
    assert in_keras_cache("network.h5") == tmp_path / home / "models" / "network.h5"


def test_home_folder_is_used_if_keras_home_is_not_set(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert in_keras_cache("network.h5") == tmp_path / ".keras" / "models" / "network.h5"


def test_keras_home_is_looked_up_each_time(tmp_path, monkeypatch):
    for home in ("first", "second"):
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / home))
        assert in_keras_cache("network.h5") == tmp_path / home / "models" / "network.h5"


def test_file_is_the_one_that_keras_finds(tmp_path, monkeypatch):
    save(tmp_path / "keras")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert str(in_keras_cache("network.h5")) == found_by_keras(tmp_path / "keras")


def test_file_need_not_exist_and_nothing_is_created(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert not in_keras_cache("network.h5").exists()
    assert list(tmp_path.iterdir()) == []


def test_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", "~/my keras")
    path = save(tmp_path / "my keras")
    assert found_by_keras("~/my keras") == str(path)
    assert in_keras_cache("network.h5") == path


def test_home_folder_that_cannot_be_written_is_not_used(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    assert str(in_keras_cache("network.h5")) == "/tmp/.keras/models/network.h5"
