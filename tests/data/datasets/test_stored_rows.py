"""Images are found in pickles and .npz files without loading them, and no hostile code is run."""

import copyreg
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data.datasets.stored_rows import find_batch
from errors import InputError

ROOT = Path(__file__).resolve().parents[3]

WIDTH = 12288


def random_rows(count, width=WIDTH):
    return np.random.default_rng(count).integers(0, 256, (count, width), dtype="uint8")


def write(folder, content, name="batch"):
    (folder / name).write_bytes(content)
    return str(folder / name)


def check_rows(rows, expected):
    assert rows.shape == expected.shape
    np.testing.assert_array_equal([rows[number] for number in range(len(expected))], expected)


def refusal(path):
    """Returns the one-line message that a file is refused with."""
    with pytest.raises(InputError) as caught:
        find_batch(path)
    message = str(caught.value)
    assert message.startswith(path)
    assert message.isprintable()
    assert len(message) < len(path) + 500
    return message


PICKLED = pickle.dumps({"data": random_rows(1), "labels": [7]}, protocol=3)


# --- pickles by hand ---------------------------------------------------------------------------


def text(value):
    return pickle.BINUNICODE + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return pickle.BININT + struct.pack("<i", value)


def called(module, name, *arguments):
    return text(module) + text(name) + pickle.STACK_GLOBAL + b"(" + b"".join(arguments) + b"tR"


U1 = called("numpy", "dtype", text("u1"))


def array(raw, kind, *shape):
    sides = b"(" + b"".join(map(number, shape)) + b"t"
    return called("numpy._core.numeric", "_frombuffer", raw, kind, sides, text("C"))


def dictionary(**values):
    items = b"".join(text(name) + value for name, value in values.items())
    return b"\x80\x04}(" + items + b"u."


def python_2_parts(count, labels):
    """Returns a pickle of Python 2 before and after the bytes of `count` images."""
    before = b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
    before += b"K\x00\x85U\x01b\x87R(K\x01" + number(count) + number(WIDTH) + b"\x86cnumpy\ndtype\n"
    before += b"U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN" + number(-1) * 2 + b"K\x00tb\x89"
    before += pickle.BINSTRING + struct.pack("<i", count * WIDTH)
    return before, b"tbU\x06labels](" + b"".join(map(number, labels)) + b"eu."


# --- pickles are read --------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("names", [("data", "labels"), ("mean", "labels", "data", "license")])
def test_rows_of_a_pickle_are_those_that_were_pickled(tmp_path, names, protocol, count):
    content = {"data": random_rows(count), "labels": [7] * count, "mean": np.ones(WIDTH)}
    content["license"] = "ä" * 9000
    path = write(tmp_path, pickle.dumps({name: content[name] for name in names}, protocol))
    rows, labels = find_batch(path)
    check_rows(rows, content["data"])
    assert rows[0].dtype == np.uint8
    assert labels == [7] * count


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize(
    "labels",
    [
        [3, 1, 1000],
        np.array([3, 1, 1000]),
        np.array([3, 1, 1000], ">i4"),
        np.array([3, 1, 1000] * 500, "uint16"),
        [np.int16(3), np.int32(1), np.uint64(1000)],
    ],
    ids=["list", "int64", "big-endian", "long", "scalars"],
)
def test_labels_may_be_a_list_an_array_or_scalars(tmp_path, labels, protocol):
    content = pickle.dumps({"data": random_rows(1), "labels": labels}, protocol)
    np.testing.assert_array_equal(find_batch(write(tmp_path, content))[1], labels)


@pytest.mark.parametrize("core", [b"numpy.core", b"numpy._core"])
def test_module_names_of_numpy_1_and_2_are_supported(tmp_path, core):
    content = pickle.dumps({"data": random_rows(8), "labels": [np.int64(7)]}, protocol=3)
    assert b"numpy._core.multiarray" in content
    rows, labels = find_batch(write(tmp_path, content.replace(b"numpy._core", core)))
    check_rows(rows, random_rows(8))
    assert labels == [7]


def test_pickle_of_python_2_is_read(tmp_path):
    before, after = python_2_parts(8, [5, 1000])
    content = before + random_rows(8).tobytes() + after
    np.testing.assert_array_equal(pickle.loads(content, encoding="bytes")[b"data"], random_rows(8))
    rows, labels = find_batch(write(tmp_path, content))
    check_rows(rows, random_rows(8))
    assert labels == [5, 1000]


# --- memory ------------------------------------------------------------------------------------

# Prints the growth of the peak memory, in bytes, caused by opening a file.
MEASURE = """
import re, sys
from pathlib import Path
from data.datasets.stored_rows import find_batch
from errors import InputError

def most_used():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

before = most_used()
try:
    rows, labels = find_batch(sys.argv[1])
    assert rows.shape[0] > 1000 and not rows[rows.shape[0] - 1].any()
except InputError:
    print("refused", end=" ")
print(most_used() - before)
"""


def growth_of_memory(path):
    if not os.path.exists("/proc/self/status"):
        pytest.skip("the memory of a process is measured on Linux only")
    return subprocess.run(
        [sys.executable, "-c", MEASURE, path], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


COUNT = 16384


@pytest.mark.parametrize(
    "opcode",
    [
        pickle.BINSTRING,
        pickle.BINBYTES + struct.pack("<I", COUNT * WIDTH),
        pickle.BINBYTES8 + struct.pack("<Q", COUNT * WIDTH),
        pickle.BYTEARRAY8 + struct.pack("<Q", COUNT * WIDTH),
    ],
    ids=["Python 2", "bytes", "long bytes", "bytearray"],
)
def test_large_pickle_is_opened_without_reading_it(tmp_path, opcode):
    before, after = python_2_parts(COUNT, [7])
    if opcode != pickle.BINSTRING:
        before = before[: -len(pickle.BINSTRING + b"size")] + opcode
    with open(tmp_path / "batch", "wb") as file:
        # A hole of 200 MB occupies no space in most file systems.
        file.write(before)
        file.seek(COUNT * WIDTH, os.SEEK_CUR)
        file.write(after)
    assert float(growth_of_memory(str(tmp_path / "batch"))) < 20e6


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_large_npz_is_opened_without_reading_it(tmp_path, save):
    path = tmp_path / "batch.npz"
    save(path, data=np.zeros((4096, WIDTH), "uint8"), labels=[7])
    assert float(growth_of_memory(str(path))) < 20e6


def test_large_memo_index_takes_no_memory(tmp_path):
    # The unpickler allocates its memo up to the index that this file of 9 bytes names.
    path = write(tmp_path, b"\x80\x03}r" + struct.pack("<I", 2**24) + b".")
    refused, growth = growth_of_memory(path).split()
    assert refused == "refused"
    assert float(growth) < 20e6


@pytest.mark.parametrize(
    "content",
    [
        *(b"\x80\x05" + code + struct.pack("<Q", 2**62) for code in (b"\x8e", b"\x96", b"\x8d")),
        *(
            b"\x80\x02" + code + struct.pack("<i", 2**31 - 1)
            for code in (b"B", b"X", b"T", b"\x8b")
        ),
        b"\x80\x05\x95" + struct.pack("<Q", 2**62),
        b"\x80\x02T" + struct.pack("<i", -1),
    ],
)
def test_size_beyond_the_file_is_refused(tmp_path, content):
    refusal(write(tmp_path, content + b"."))


# --- hostile pickles ---------------------------------------------------------------------------


class Hostile:
    """An object that is pickled as a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


EVIL = {
    **{
        f"protocol {protocol}": lambda trace, protocol=protocol: pickle.dumps(
            {"data": Hostile(os.mkdir, trace)}, protocol
        )
        for protocol in range(6)
    },
    "among labels": lambda trace: pickle.dumps(
        {"data": random_rows(8), "labels": [1, Hostile(os.mkdir, trace)]}
    ),
    "among objects": lambda trace: pickle.dumps(
        {"data": np.array([[Hostile(os.mkdir, trace)]], object)}
    ),
    "discarded": lambda trace: b"\x80\x04" + called("os", "mkdir", text(trace)) + b"0" + PICKLED,
    "Python 2": lambda trace: (
        b"\x80\x02c__builtin__\neval\n" + text(f"open({trace!r}, 'w')") + b"\x85R."
    ),
    "opcode i": lambda trace: b"(S" + repr(trace).encode() + b"\nios\nmkdir\n.",
    "opcode o": lambda trace: b"(cos\nmkdir\n" + text(trace) + b"o.",
    "extension": lambda trace: b"\x80\x02\x82\xf0" + text(trace) + b"\x85R.",
}


@pytest.fixture
def _extension():
    copyreg.add_extension("os", "mkdir", 0xF0)
    yield
    copyreg.remove_extension("os", "mkdir", 0xF0)


@pytest.mark.usefixtures("_extension")
@pytest.mark.parametrize("attack", EVIL.values(), ids=EVIL)
def test_hostile_pickle_is_refused_and_runs_nothing(tmp_path, attack):
    trace = tmp_path / "trace"
    content = attack(str(trace))
    path = write(tmp_path, content)
    # The second time, Python's unpickler has cached the function of the extension.
    for _ in range(2):
        message = refusal(path)
        assert "only arrays are supported" in message or "the opcode EXT1" in message
        assert not trace.exists()
        pickle.loads(content)
        assert trace.exists()
        trace.rmdir() if trace.is_dir() else trace.unlink()


@pytest.mark.parametrize(
    "name",
    [
        *("numpy._core.multiarray _reconstruct.__globals__", "numpy._core.multiarray fromfile"),
        *("numpy._core.numeric _frombuffer.__globals__", "numpy ndarray.__class__"),
        *(
            "numpy load",
            "numpy memmap",
            "numpy.dtypes ObjectDType",
            "numpy.core.multiarray.os system",
        ),
        *(
            "builtins getattr",
            "copyreg _reconstructor",
            "data.datasets.stored_rows StoredRows",
            " ",
        ),
        *("A" * 1_000_000 + " x", "a\x1b[2J\x07b\rc x"),
    ],
)
def test_request_for_anything_but_arrays_is_refused(tmp_path, name):
    module, name = name.split(" ")
    message = refusal(write(tmp_path, dictionary(data=text(module) + text(name) + b"\x93")))
    if module.isprintable() and len(module) < 99:
        assert f"it requests {module}.{name}; only arrays are supported" in message


ARRAY = text("numpy") + text("ndarray") + b"\x93"
DTYPE = text("numpy") + text("dtype") + b"\x93"
BUFFERED = text("numpy._core.numeric") + text("_frombuffer") + b"\x93"
LONG = pickle.BINBYTES + struct.pack("<I", WIDTH) + bytes(WIDTH)


@pytest.mark.parametrize(
    "data",
    [
        *(ARRAY + b"N}" + text("shape") + b"Ns\x86b", DTYPE + b"N}" + text("dtype") + b"Ns\x86b"),
        *(BUFFERED + b"N}" + text("__defaults__") + b"N\x85s\x86b", ARRAY + b")\x81", ARRAY),
        *(array(LONG, b"N", 1, WIDTH), array(LONG, DTYPE + b")\x81", 1, WIDTH)),
        *(array(b"N", U1), array(text("a"), U1, 1), array(LONG, U1, 2**31 - 1, 2**31 - 1)),
        *(number(0) + pickle.BINPERSID, text("a") + pickle.BINPERSID, b"\x97", b"N\x98"),
        called("numpy", "dtype", b")" + b"\x85" * 50_000),
        b"]" * 100_000 + b"a" * 99_999,
    ],
)
def test_array_that_is_not_pickled_as_by_numpy_is_refused(tmp_path, data):
    refusal(write(tmp_path, dictionary(data=data)))
    # What a pickle does to the classes that describe arrays would harm the next one.
    check_rows(find_batch(write(tmp_path, PICKLED))[0], random_rows(1))


# --- files of another form ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.asfortranarray(random_rows(8)), "in C order"),
        (random_rows(8).reshape(8, 3, -1), "two-dimensional"),
        (random_rows(8)[0], "two-dimensional"),
        (random_rows(8).astype("float32"), "array of uint8"),
        (np.zeros((800, 2), "U3"), "instead of numbers"),
        (np.zeros((800, 2), [("a", "u1"), ("b", "u1")]), "instead of numbers"),
        (random_rows(8).tolist(), "should be an array"),
        (None, "should be an array"),
    ],
)
@pytest.mark.parametrize("protocol", [3, 5])
def test_images_of_another_form_are_refused(tmp_path, data, reason, protocol):
    content = pickle.dumps({"data": data, "labels": [7] * 8}, protocol)
    assert reason in refusal(write(tmp_path, content))


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_protocol_whose_bytes_are_text_is_refused_with_advice(tmp_path, protocol):
    message = refusal(write(tmp_path, pickle.dumps({"data": random_rows(2)}, protocol)))
    assert "with pickle protocol 3 or later" in message


@pytest.mark.parametrize("shape", [(1, WIDTH - 1), (1, WIDTH + 1), (2, WIDTH)])
def test_array_whose_size_does_not_match_its_bytes_is_refused(tmp_path, shape):
    path = write(tmp_path, dictionary(data=array(LONG, U1, *shape)))
    assert "does not match that of its bytes" in refusal(path)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.9, 0.999, 0.99999])
def test_truncated_pickle_is_refused(tmp_path, protocol, share):
    content = pickle.dumps({"data": random_rows(8), "labels": list(range(8))}, protocol)
    assert "download it again" in refusal(write(tmp_path, content[: int(share * len(content))]))


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html>\n<html>\n",
        b"\x1f\x8b\x08\x00",
        b"\x00" * 5000,
        b"\x80\x63N.",
        b"\x80\x04N.",
    ],
    ids=["HTML", "gzip", "zeros", "protocol 99", "no dictionary"],
)
@pytest.mark.parametrize("name", ["batch", "batch.npz"])
def test_file_that_is_not_a_batch_is_refused(tmp_path, content, name):
    assert "is not a batch" in refusal(write(tmp_path, content, name))


def test_missing_file_is_refused(tmp_path):
    assert "No such file" in refusal(str(tmp_path / "nowhere"))


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_damaged_pickle_is_either_refused_or_read(tmp_path):
    random = np.random.default_rng(0)
    refused = 0
    for trial in range(600):
        content = bytearray(pickle.dumps({"data": random_rows(1), "labels": [1, 2]}, 3 + trial % 3))
        ends = [*range(200), *range(len(content) - 50, len(content))]
        for position in random.choice(ends, 1 + trial % 4):
            content[position] = random.integers(0, 256)
        path = write(tmp_path, content)
        try:
            assert find_batch(path)[0].shape[1] > 0
        except InputError:
            refused += 1
    assert 200 < refused < 600


def test_row_of_a_file_truncated_or_deleted_meanwhile_is_an_os_error(tmp_path):
    path = write(tmp_path, pickle.dumps({"data": random_rows(8), "labels": [7] * 8}))
    rows, _ = find_batch(path)
    os.truncate(path, 5 * WIDTH)
    assert len(rows[3]) == WIDTH
    with pytest.raises(OSError, match=f"the end of {path} is missing"):
        rows[7]
    os.remove(path)
    with pytest.raises(FileNotFoundError):
        rows[0]


# --- .npz --------------------------------------------------------------------------------------


def write_npz(folder, save=np.savez, **arrays):
    path = folder / "batch.npz"
    save(path, **{"labels": np.arange(8), "data": random_rows(8), "mean": np.ones(3)} | arrays)
    return str(path)


def test_npz_is_read_without_unpacking_it(tmp_path):
    rows, labels = find_batch(write_npz(tmp_path))
    check_rows(rows, random_rows(8))
    np.testing.assert_array_equal(labels, np.arange(8))
    assert os.listdir(tmp_path) == ["batch.npz"]


def test_compressed_npz_is_unpacked_once(tmp_path):
    path = write_npz(tmp_path, np.savez_compressed)
    check_rows(find_batch(path)[0], random_rows(8))
    first = os.stat(tmp_path / "batch.data.npy").st_ino
    check_rows(find_batch(path)[0], random_rows(8))
    assert os.stat(tmp_path / "batch.data.npy").st_ino == first
    assert sorted(os.listdir(tmp_path)) == ["batch.data.npy", "batch.npz"]


def test_partly_unpacked_npz_is_unpacked_again(tmp_path):
    path = write_npz(tmp_path, np.savez_compressed)
    find_batch(path)
    os.truncate(tmp_path / "batch.data.npy", 5000)
    check_rows(find_batch(path)[0], random_rows(8))


def test_changed_npz_is_unpacked_again(tmp_path):
    for value in (1, 2):
        data = np.full((8, WIDTH), value, "uint8")
        path = write_npz(tmp_path, np.savez_compressed, data=data)
        os.utime(path, ns=(value * 10**18, value * 10**18))
        check_rows(find_batch(path)[0], data)


def test_npz_that_cannot_be_unpacked_says_what_to_do(tmp_path):
    path = write_npz(tmp_path, np.savez_compressed)
    (tmp_path / "batch.data.npy").mkdir()
    message = refusal(path)
    assert f"cannot be unpacked to {tmp_path}/batch.data.npy: Is a directory" in message
    assert "make the folder writable, or give the pickled batches" in message


@pytest.mark.parametrize("name", ["data", "labels"])
def test_objects_in_an_npz_are_refused_and_run_nothing(tmp_path, name):
    trace = tmp_path / "trace"
    objects = np.array([[Hostile(os.mkdir, str(trace))]], object)
    path = write_npz(tmp_path, **{name: objects})
    refusal(path)
    assert not trace.exists()
    np.load(path, allow_pickle=True)[name]
    assert trace.exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.9999])
def test_truncated_npz_is_refused(tmp_path, save, share):
    path = write_npz(tmp_path, save)
    os.truncate(path, int(share * os.path.getsize(path)))
    assert "is not a batch" in refusal(path)


def test_damaged_npz_is_refused_and_leaves_no_file(tmp_path):
    path = write_npz(tmp_path, np.savez_compressed)
    with open(path, "r+b") as file:
        file.seek(50_000)
        file.write(bytes(100))
    assert "download it again" in refusal(path)
    assert os.listdir(tmp_path) == ["batch.npz"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("data", [np.asfortranarray(random_rows(8)), np.zeros((8, WIDTH))])
def test_npz_of_another_form_is_refused(tmp_path, save, data):
    assert "array of uint8 in C order" in refusal(write_npz(tmp_path, save, data=data))
    assert os.listdir(tmp_path) == ["batch.npz"]


def test_npz_with_a_truncated_array_is_refused(tmp_path):
    path = write_npz(tmp_path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in ("labels.npy", "data.npy")}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("labels.npy", content["labels.npy"])
        archive.writestr("data.npy", content["data.npy"][:-1])
    assert "does not match that of its bytes" in refusal(path)
