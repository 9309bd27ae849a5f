"""Records of TFRecord files are those that were written, and damaged files are reported."""

import os
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from data.datasets.tf_records import TFRecords


def contents(count, seed=0):
    """Returns byte strings of random lengths, the first of them empty."""
    random = np.random.default_rng(seed)
    return [random.bytes(length) for length in [0, *random.integers(1, 5000, count - 1)]]


def write_file(folder, records, name="a.tfrecord"):
    path = str(folder / name)
    with tf.io.TFRecordWriter(path) as writer:
        for record in records:
            writer.write(record)
    return path


def write_files(folder, counts):
    """Writes files with these numbers of records; returns them and a list of all records."""
    records = [contents(count, seed) if count else [] for seed, count in enumerate(counts)]
    paths = [write_file(folder, part, f"{number}.tfrecord") for number, part in enumerate(records)]
    return TFRecords(paths, counts), [record for part in records for record in part]


@pytest.mark.parametrize("counts", [[5], [3, 1, 4], [0, 2, 0, 0, 3, 0]])
def test_records_of_several_files_are_one_sequence(tmp_path, counts):
    records, expected = write_files(tmp_path, counts)
    assert len(records) == len(expected)
    assert [records[number] for number in range(len(records))] == expected


def test_records_may_be_read_in_any_order(tmp_path):
    records, expected = write_files(tmp_path, [20, 20])
    for number in np.random.default_rng(0).permutation(40):
        assert records[number] == expected[number]


def test_large_record_is_read(tmp_path):
    large = np.random.default_rng(0).bytes(3_000_000)
    records = TFRecords([write_file(tmp_path, [b"a", large, b"b"])], [3])
    assert [records[number] for number in range(3)] == [b"a", large, b"b"]


@pytest.mark.parametrize("number", [-1, 8, 1000])
def test_index_out_of_range_is_an_error(tmp_path, number):
    records, _ = write_files(tmp_path, [3, 5])
    with pytest.raises(IndexError, match=f"record index {number} is out of range for 8 records"):
        records[number]


def test_no_files_have_no_records():
    assert len(TFRecords([], [])) == 0


def test_file_is_scanned_once_when_its_first_record_is_read(tmp_path, monkeypatch):
    records, expected = write_files(tmp_path, [3, 5])
    scanned, getsize = [], os.path.getsize

    def recording(path):
        # A file is only scanned up to its size.
        scanned.append(os.path.basename(path))
        return getsize(path)

    monkeypatch.setattr(os.path, "getsize", recording)
    for number in (7, 3, 4, 7):
        assert records[number] == expected[number]
    assert scanned == ["1.tfrecord"]
    assert records[0] == expected[0]
    assert scanned == ["1.tfrecord", "0.tfrecord"]


def test_records_are_read_by_many_threads_at_once(tmp_path):
    records, expected = write_files(tmp_path, [10] * 5)
    order = np.random.default_rng(0).integers(0, 50, 1000)
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(records.__getitem__, order))
    assert read == [expected[number] for number in order]


# The cuts are in a length, its checksum, a record, the last record (twice) and its checksum.
@pytest.mark.parametrize("position", [3, 10, 14, -30, -5, -1])
def test_truncated_file_is_reported(tmp_path, position):
    path = write_file(tmp_path, [b"x" * 100] * 5)
    os.truncate(path, position % os.path.getsize(path))
    records = TFRecords([path], [5])
    complete = 0 if position > 0 else 4
    for number in range(5):
        with pytest.raises(OSError, match=f"{path} is cut off after {complete} of 5 records"):
            records[number]


def test_empty_file_is_reported_as_truncated(tmp_path):
    path = write_file(tmp_path, [])
    with pytest.raises(OSError, match="cut off after 0 of 2 records"):
        TFRecords([path], [2])[0]


def test_files_beside_a_truncated_one_are_read(tmp_path):
    records, expected = write_files(tmp_path, [3, 4, 5])
    os.truncate(records.paths[1], 20)
    for number in range(12):
        if 3 <= number < 7:
            with pytest.raises(OSError, match=r"1\.tfrecord is cut off"):
                records[number]
        else:
            assert records[number] == expected[number]


def test_file_with_more_records_than_expected_is_reported(tmp_path):
    path = write_file(tmp_path, [b"a", b"b", b"c"])
    with pytest.raises(OSError, match=f"{path} has more than the expected 2 records"):
        TFRecords([path], [2])[0]


def test_missing_file_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError):
        TFRecords([str(tmp_path / "nowhere")], [2])[0]


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**62, 10**6])
def test_length_beyond_the_file_is_reported(tmp_path, length):
    path = write_file(tmp_path, [b"a", b"b"])
    with open(path, "r+b") as file:
        file.write(struct.pack("<Q", length))
    with pytest.raises(OSError, match="cut off after 0 of 2 records"):
        TFRecords([path], [2])[1]


@pytest.mark.parametrize("size", [0, 4, 12, 50, 110])
def test_file_truncated_after_it_was_scanned_is_reported(tmp_path, size):
    path = write_file(tmp_path, [b"x" * 100])
    records = TFRecords([path], [1])
    assert records[0] == b"x" * 100
    os.truncate(path, size)
    with pytest.raises(OSError, match="cut off"):
        records[0]


def test_restored_file_is_read(tmp_path):
    path = write_file(tmp_path, [b"a", b"b"])
    complete = (tmp_path / "a.tfrecord").read_bytes()
    records = TFRecords([path], [2])
    os.truncate(path, 5)
    with pytest.raises(OSError, match="cut off"):
        records[0]
    (tmp_path / "a.tfrecord").write_bytes(complete)
    assert records[0] == b"a"
