"""Records of TFRecord files are those that were written, and damaged files are told."""

import os
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from data.datasets import tf_records
from data.datasets.tf_records import TFRecords


def contents(count, seed=0):
    """Bytes of many lengths, of which the first is none."""
    random = np.random.default_rng(seed)
    return [random.bytes(length) for length in [0, *random.integers(1, 5000, count - 1)]]


def write_file(folder, records, name="a.tfrecord"):
    path = str(folder / name)
    with tf.io.TFRecordWriter(path) as writer:
        for record in records:
            writer.write(record)
    return path


def write_files(folder, counts):
    """Files with so many records, and all of these."""
    records = [contents(count, seed) if count else [] for seed, count in enumerate(counts)]
    paths = [write_file(folder, some, f"{number}.tfrecord") for number, some in enumerate(records)]
    return TFRecords(paths, counts), [record for some in records for record in some]


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


def test_file_of_each_record_is_known(tmp_path):
    records, _ = write_files(tmp_path, [2, 0, 1])
    names = [os.path.basename(records.path(number)) for number in range(3)]
    assert names == ["0.tfrecord", "0.tfrecord", "2.tfrecord"]


@pytest.mark.parametrize("number", [-1, 8, 1000])
def test_record_that_is_not_there_is_an_error(tmp_path, number):
    records, _ = write_files(tmp_path, [3, 5])
    with pytest.raises(IndexError, match=f"record index {number} is out of range for 8 records"):
        records[number]


def test_no_files_have_no_records():
    assert len(TFRecords([], [])) == 0


def test_file_is_searched_when_its_first_record_is_wanted_and_never_again(tmp_path, monkeypatch):
    records, expected = write_files(tmp_path, [3, 5])
    searched = []
    find_starts = tf_records._find_starts

    def watched(path, count):
        searched.append(os.path.basename(path))
        return find_starts(path, count)

    monkeypatch.setattr(tf_records, "_find_starts", watched)
    for number in (7, 3, 4, 7):
        assert records[number] == expected[number]
    assert searched == ["1.tfrecord"]
    assert records[0] == expected[0]
    assert searched == ["1.tfrecord", "0.tfrecord"]


def test_records_are_read_by_many_threads_at_once(tmp_path):
    records, expected = write_files(tmp_path, [10] * 5)
    order = np.random.default_rng(0).integers(0, 50, 1000)
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(records.__getitem__, order))
    assert read == [expected[number] for number in order]


# In a length, in its checksum, in a record, in the last checksum.
@pytest.mark.parametrize("place", [3, 10, 14, -30, -5, -1])
def test_file_that_is_cut_off_is_told(tmp_path, place):
    path = write_file(tmp_path, [b"x" * 100] * 5)
    os.truncate(path, place % os.path.getsize(path))
    records = TFRecords([path], [5])
    whole = 0 if place > 0 else 4
    for number in range(5):
        with pytest.raises(OSError, match=f"{path} is cut off after {whole} of 5 records"):
            records[number]


def test_empty_file_is_cut_off(tmp_path):
    path = write_file(tmp_path, [])
    with pytest.raises(OSError, match="cut off after 0 of 2 records"):
        TFRecords([path], [2])[0]


def test_other_files_are_read_all_the_same(tmp_path):
    records, expected = write_files(tmp_path, [3, 4, 5])
    os.truncate(records.paths[1], 20)
    for number in range(12):
        if 3 <= number < 7:
            with pytest.raises(OSError, match=r"1\.tfrecord is cut off"):
                records[number]
        else:
            assert records[number] == expected[number]


def test_file_with_more_records_than_it_should_have_is_told(tmp_path):
    path = write_file(tmp_path, [b"a", b"b", b"c"])
    with pytest.raises(OSError, match=f"{path} has more than the expected 2 records"):
        TFRecords([path], [2])[0]


def test_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        TFRecords([str(tmp_path / "nowhere")], [2])[0]


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**62, 10**6])
def test_length_beyond_the_file_is_told(tmp_path, length):
    path = write_file(tmp_path, [b"a", b"b"])
    with open(path, "r+b") as file:
        file.write(struct.pack("<Q", length))
    with pytest.raises(OSError, match="cut off after 0 of 2 records"):
        TFRecords([path], [2])[1]


@pytest.mark.parametrize("kept", [0, 4, 12, 50, 110])
def test_file_that_was_cut_off_after_it_was_searched_is_told(tmp_path, kept):
    path = write_file(tmp_path, [b"x" * 100])
    records = TFRecords([path], [1])
    assert records[0] == b"x" * 100
    os.truncate(path, kept)
    with pytest.raises(OSError, match="cut off"):
        records[0]


def test_file_that_becomes_whole_again_is_read(tmp_path):
    path = write_file(tmp_path, [b"a", b"b"])
    whole = (tmp_path / "a.tfrecord").read_bytes()
    records = TFRecords([path], [2])
    os.truncate(path, 5)
    with pytest.raises(OSError, match="cut off"):
        records[0]
    (tmp_path / "a.tfrecord").write_bytes(whole)
    assert records[0] == b"a"
