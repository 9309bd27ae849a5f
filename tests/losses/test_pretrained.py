"""Files of pretrained networks are found, or the error says in a line what is wrong."""

import keras
import pytest

from errors import InputError
from losses.pretrained import download, reading

ADDRESS = "https://example.org/networks/small.h5"


def test_a_file_is_downloaded_into_the_cache_of_keras(monkeypatch):
    asked = {}
    monkeypatch.setattr(keras.utils, "get_file", lambda **options: asked.update(options) or "path")
    assert download(ADDRESS, "1234", "the weights") == "path"
    assert asked == {"origin": ADDRESS, "file_hash": "1234", "cache_subdir": "models"}


def test_a_failed_download_says_where_to_put_the_file(monkeypatch, tmp_path):
    def no_network(**options):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError) as error:
        download(ADDRESS, "1234", "the weights")
    assert str(error.value) == (
        f"the weights cannot be downloaded; put {ADDRESS} at {tmp_path}/models/small.h5, or give "
        "a file"
    )


def test_a_file_that_does_not_exist_is_not_read(tmp_path):
    with (
        pytest.raises(InputError, match="absent: there is no such file; give the weights"),
        reading(tmp_path / "absent", "the weights"),
    ):
        pytest.fail("the block was entered")


def test_any_error_of_reading_becomes_one_line(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(InputError) as error, reading(tmp_path / "a", "the weights"):
        raise OSError("no signature\nand much more")
    assert str(error.value) == (
        f"{tmp_path / 'a'}: it cannot be read as the weights (no signature); give another file"
    )
