"""PyTorch files are read exactly, and no code in them is run."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data.torch_file import read_state_dict

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
FORMATS = ["torch_archive.pth", "torch_legacy.pth"]


@pytest.mark.parametrize("name", FORMATS)
def test_tensors_equal_those_of_pytorch(name):
    expected = np.load(REFERENCE / "torch_expected.npz")
    read = read_state_dict(REFERENCE / name)
    assert list(read) == list(expected)
    for key, array in read.items():
        np.testing.assert_array_equal(array, expected[key])
        assert array.dtype == expected[key].dtype


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.95])
def test_truncated_file_is_refused(tmp_path, name, share):
    content = (REFERENCE / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="not a file of PyTorch weights"):
        read_state_dict(tmp_path / name)


class Hostile:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch '{self.trace}'",)


@pytest.mark.parametrize("is_archive", [True, False])
def test_hostile_file_is_refused_and_runs_nothing(tmp_path, is_archive):
    path = tmp_path / "weights.pth"
    content = pickle.dumps({"weight": Hostile(tmp_path / "trace")})
    if is_archive:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("weights/data.pkl", content)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="system; only tensors are read"):
        read_state_dict(path)
    assert not (tmp_path / "trace").exists()


def test_tensor_beyond_its_storage_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    with (
        zipfile.ZipFile(REFERENCE / "torch_archive.pth") as archive,
        zipfile.ZipFile(path, "w") as short,
    ):
        for name in archive.namelist():
            content = archive.read(name)
            short.writestr(name, content[:4] if "/data/" in name else content)
    with pytest.raises(ValueError, match="not a file of PyTorch weights"):
        read_state_dict(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(OSError, match="absent"):
        read_state_dict(tmp_path / "absent.pth")
