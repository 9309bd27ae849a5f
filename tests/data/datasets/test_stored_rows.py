"""Rows are found in pickles and .npz files without loading them, and no hostile code is run."""

import contextlib
import copyreg
import itertools
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from data.datasets import stored_rows
from data.datasets.stored_rows import StoredRows, find_in_npz, find_in_pickle
from errors import InputError

ROOT = Path(__file__).resolve().parents[3]

WIDTH = 12288


def random_rows(count, width=WIDTH):
    return np.random.default_rng(count).integers(0, 256, (count, width), dtype="uint8")


def written(folder, content, name="batch"):
    (folder / name).write_bytes(content)
    return str(folder / name)


def all_rows(rows):
    return np.array([rows.row(number) for number in range(rows.shape[0])])


def refusal(path, find=find_in_pickle):
    """Returns the one-line message that a file is refused with."""
    with pytest.raises(InputError) as caught:
        find(path)
    message = str(caught.value)
    assert message.startswith(path)
    assert len(message.splitlines()) == 1
    return message


def found_or_nothing(find, path):
    """Returns what is found, or an empty dict if the file is refused."""
    with contextlib.suppress(InputError):
        return find(path)
    return {}


# --- pickles by hand ---------------------------------------------------------------------------


def text(value):
    encoded = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def old_text(value):
    """Returns the opcodes of a Python 2 string."""
    if len(value) < 256:
        return b"U" + bytes([len(value)]) + value
    return b"T" + struct.pack("<i", len(value)) + value


def number(value):
    return b"J" + struct.pack("<i", value)


def called(module, name, *arguments):
    return text(module) + text(name) + b"\x93(" + b"".join(arguments) + b"tR"


def numpy_dtype(code="u1"):
    return called("numpy", "dtype", text(code))


def from_buffer(raw, kind, *shape):
    sides = b"(" + b"".join(map(number, shape)) + b"t"
    return called("numpy._core.numeric", "_frombuffer", raw, kind, sides, text("C"))


def dictionary(**values):
    items = b"".join(text(name) + value for name, value in values.items())
    return b"\x80\x04}(" + items + b"u."


def around(raw_begin, raw_end, shape, python_2=False):
    """Returns the parts of a pickle of `{"data": array}` before and after the bytes of the array.

    The pickle is that of NumPy 1 with protocol 3 or with Python 2.
    """
    string = old_text if python_2 else (lambda value: text(value.decode()))
    before = (
        (b"\x80\x02}" if python_2 else b"\x80\x03}")
        + string(b"data")
        + b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01"
        + number(shape[0])
        + number(shape[1])
        + b"\x86cnumpy\ndtype\n"
        + string(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + string(b"|")
        + b"NNN"
        + number(-1) * 2
        + b"K\x00tb\x89"
        + raw_begin
    )
    return before.replace(b"C\x01b", b"U\x01b") if python_2 else before, raw_end + b"tbs."


def python_2_pickle(rows, labels):
    raw = rows.tobytes()
    before, after = around(old_text(raw)[: -len(raw)], b"", rows.shape, python_2=True)
    listed = old_text(b"labels") + b"](" + b"".join(map(number, labels)) + b"es."
    return before + raw + after.removesuffix(b".") + listed


# --- pickles are read --------------------------------------------------------------------------


# Eight rows are a piece of their own; three, with protocol 4, share a frame with other data.
@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_rows_of_a_pickle_are_those_that_were_pickled(tmp_path, protocol, count):
    rows = random_rows(count)
    path = written(tmp_path, pickle.dumps({"data": rows}, protocol))
    found = find_in_pickle(path)["data"]
    assert found.shape == (count, WIDTH)
    np.testing.assert_array_equal(all_rows(found), rows)
    assert found.row(0).dtype == np.uint8


@pytest.mark.parametrize("order", list(itertools.permutations(["labels", "data", "mean"])))
def test_order_of_the_dictionary_does_not_matter(tmp_path, order):
    rows, labels, mean = random_rows(8), np.arange(900), np.linspace(0, 1, WIDTH)
    content = {"data": rows, "labels": labels, "mean": mean}
    found = find_in_pickle(written(tmp_path, pickle.dumps({name: content[name] for name in order})))
    np.testing.assert_array_equal(all_rows(found["data"]), rows)
    np.testing.assert_array_equal(found["labels"], labels)
    np.testing.assert_array_equal(found["mean"], mean)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize(
    "labels",
    [
        [3, 1, 1000],
        np.array([3, 1, 1000]),
        np.array([3, 1, 1000], ">i4"),
        np.array([3, 1, 1000], "uint16"),
        [np.int64(3), np.int64(1), np.int64(1000)],
        [np.int16(3), np.int32(1), np.uint64(1000)],
    ],
    ids=["list", "int64", "big-endian", "uint16", "scalars", "mixed scalars"],
)
def test_labels_may_be_a_list_an_array_or_scalars(tmp_path, labels, protocol):
    found = find_in_pickle(written(tmp_path, pickle.dumps({"labels": labels}, protocol)))
    np.testing.assert_array_equal(found["labels"], [3, 1, 1000])


@pytest.mark.parametrize("code", ["int8", "float32", "float64", ">f8", "bool", "uint8"])
@pytest.mark.parametrize("shape", [(5000,), (2, 3, 4), ()], ids=["long", "cube", "scalar"])
def test_other_arrays_are_read_completely(tmp_path, code, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(code)
    found = find_in_pickle(written(tmp_path, pickle.dumps({"array": np.asarray(array)})))["array"]
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


def test_values_other_than_arrays_are_unchanged(tmp_path):
    content = {"epoch": 3, "share": 0.25, "note": "ä" * 9000, "nothing": None, "pair": (1, b"2")}
    assert find_in_pickle(written(tmp_path, pickle.dumps(content))) == content


def test_long_bytes_are_unchanged(tmp_path):
    content = {"license": b"as is" * 100_000}
    assert find_in_pickle(written(tmp_path, pickle.dumps(content))) == content


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_module_names_of_numpy_1_and_2_are_supported(tmp_path, core):
    rows = random_rows(8)
    content = pickle.dumps({"data": rows, "labels": [np.int64(7)]}, protocol=3)
    assert b"numpy._core.multiarray" in content
    path = written(tmp_path, content.replace(b"numpy._core", core.encode()))
    np.testing.assert_array_equal(all_rows(find_in_pickle(path)["data"]), rows)
    assert find_in_pickle(path)["labels"] == [7]


@pytest.mark.parametrize("count", [1, 8])
def test_pickle_of_python_2_is_read(tmp_path, count):
    rows = random_rows(count)
    content = python_2_pickle(rows, [5, 1000])
    as_python = pickle.loads(content, encoding="bytes")
    np.testing.assert_array_equal(as_python[b"data"], rows)
    found = find_in_pickle(written(tmp_path, content))
    assert found["labels"] == [5, 1000]
    np.testing.assert_array_equal(all_rows(found["data"]), rows)


def test_array_with_two_names_is_found_twice(tmp_path):
    rows = random_rows(8)
    found = find_in_pickle(written(tmp_path, pickle.dumps({"a": rows, "b": rows})))
    np.testing.assert_array_equal(all_rows(found["a"]), rows)
    np.testing.assert_array_equal(all_rows(found["b"]), rows)


@pytest.mark.parametrize("length", [4095, 4096, 4097, 65535, 65536])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_rows_of_any_length_are_found(tmp_path, length, protocol):
    rows = random_rows(1, length)
    found = find_in_pickle(written(tmp_path, pickle.dumps({"data": rows}, protocol)))["data"]
    np.testing.assert_array_equal(all_rows(found), rows)


def test_array_without_rows_is_found(tmp_path):
    found = find_in_pickle(written(tmp_path, pickle.dumps({"data": random_rows(0)})))
    assert found["data"].shape == (0, WIDTH)


@pytest.mark.parametrize("protocol", [3, 5])
def test_many_threads_may_read_rows(tmp_path, protocol):
    rows = random_rows(40)
    found = find_in_pickle(written(tmp_path, pickle.dumps({"data": rows}, protocol)))["data"]
    order = np.random.default_rng(0).integers(0, 40, 800)
    with ThreadPoolExecutor(8) as threads:
        read = np.array(list(threads.map(found.row, order)))
    np.testing.assert_array_equal(read, rows[order])


# --- memory ------------------------------------------------------------------------------------

# Prints the growth of the peak memory, in bytes, caused by opening a file.
MEASURE = """
import re, sys
from pathlib import Path
from data.datasets.stored_rows import find_in_npz, find_in_pickle
from errors import InputError

def most_used():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

before = most_used()
path = sys.argv[1]
try:
    rows = (find_in_npz if path.endswith(".npz") else find_in_pickle)(path).get("data")
except InputError:
    rows = None
if rows is not None:
    assert rows.shape[0] > 1000 and not rows.row(rows.shape[0] - 1).any()
print(most_used() - before)
"""


def growth_of_memory(path):
    if not os.path.exists("/proc/self/status"):
        pytest.skip("the memory of a process is measured on Linux only")
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(result.stdout)


@pytest.mark.parametrize(
    ("begin", "python_2"),
    [
        (lambda size: b"B" + struct.pack("<I", size), False),
        (lambda size: b"\x8e" + struct.pack("<Q", size), False),
        (lambda size: b"\x96" + struct.pack("<Q", size), False),
        (lambda size: b"T" + struct.pack("<i", size), True),
    ],
    ids=["bytes", "long bytes", "bytearray", "Python 2"],
)
def test_large_batch_is_opened_without_reading_it(tmp_path, begin, python_2):
    count = 16384
    before, after = around(begin(count * WIDTH), b"", (count, WIDTH), python_2)
    path = tmp_path / "batch"
    with open(path, "wb") as file:
        # A hole of 200 MB occupies no space in most file systems.
        file.write(before)
        file.seek(count * WIDTH, os.SEEK_CUR)
        file.write(after)
    assert growth_of_memory(str(path)) < 20e6
    assert find_in_pickle(str(path))["data"].shape == (count, WIDTH)


def test_large_memo_index_takes_no_memory(tmp_path):
    # Python's own unpickler allocates its memo up to the index that this file of 9 bytes names.
    path = written(tmp_path, b"\x80\x03}r" + struct.pack("<I", 2**24) + b".")
    assert growth_of_memory(path) < 20e6


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_large_npz_is_opened_without_reading_it(tmp_path, save):
    path = tmp_path / "batch.npz"
    save(path, data=np.zeros((4096, WIDTH), "uint8"))
    growth = growth_of_memory(str(path))
    for file in tmp_path.iterdir():
        file.unlink()
    assert growth < 20e6


# --- hostile pickles ---------------------------------------------------------------------------


class Hostile:
    """An object that is pickled as a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def leave_a_trace(path):
    return f"open({path!r}, 'w').close()"


def by_system(trace):
    return pickle.dumps({"data": Hostile(os.system, f"touch '{trace}'")})


def by_eval(trace):
    return pickle.dumps({"data": Hostile(eval, leave_a_trace(trace))})


def by_exec(trace):
    return pickle.dumps({"data": Hostile(exec, leave_a_trace(trace))})


def by_open(trace):
    return pickle.dumps({"data": Hostile(open, trace, "w")})


def by_another_process(trace):
    return pickle.dumps({"data": Hostile(subprocess.check_call, ["touch", trace])})


def by_getattr(trace):
    system = called(
        "builtins", "getattr", called("importlib", "import_module", text("os")), text("system")
    )
    return b"\x80\x04" + system + text(f"touch '{trace}'") + b"\x85R."


def by_numpy(trace):
    return pickle.dumps({"data": Hostile(np.savetxt, trace, [1])})


def by_method_of_an_array(trace):
    return (
        b"\x80\x04"
        + called(
            "numpy",
            "ndarray.tofile",
            called("numpy", "ndarray", number(3)),
            text(trace),
        )
        + b"."
    )


def by_module_within_numpy(trace):
    return (
        b"\x80\x04" + called("numpy.lib._npyio_impl", "os.system", text(f"touch '{trace}'")) + b"."
    )


def by_name_of_python_2(trace):
    return b"\x80\x02c__builtin__\neval\n" + text(leave_a_trace(trace)) + b"\x85R."


def by_oldest_opcodes(trace):
    return b"(S" + repr(leave_a_trace(trace)).encode() + b"\nibuiltins\neval\n."


def by_constructor(trace):
    """The opcode `o` constructs an object by calling its class."""
    return b"(cbuiltins\neval\n" + text(leave_a_trace(trace)) + b"o."


def by_extension_code(trace):
    return b"\x80\x02\x82\xf0" + text(leave_a_trace(trace)) + b"\x85R."


def within_an_object_array(trace):
    return pickle.dumps({"data": np.array([[Hostile(eval, leave_a_trace(trace))]], object)})


def among_labels(trace):
    return pickle.dumps(
        {"data": random_rows(8), "labels": [1, Hostile(eval, leave_a_trace(trace))]}
    )


def as_a_key(trace):
    return b"\x80\x04}" + called("builtins", "eval", text(leave_a_trace(trace))) + b"Ns."


def as_a_dtype(trace):
    evil = called("builtins", "eval", text(leave_a_trace(trace)))
    return dictionary(data=called("numpy", "dtype", evil))


def with_a_discarded_result(trace):
    """The result of the call is discarded, and the rest is a valid batch."""
    evil = called("builtins", "eval", text(leave_a_trace(trace)))
    return (
        b"\x80\x04" + evil + b"0" + pickle.dumps({"data": random_rows(8)}).removeprefix(b"\x80\x04")
    )


HOSTILE = [
    by_system,
    by_eval,
    by_exec,
    by_open,
    by_another_process,
    by_getattr,
    by_numpy,
    by_method_of_an_array,
    by_module_within_numpy,
    by_name_of_python_2,
    by_oldest_opcodes,
    by_constructor,
    by_extension_code,
    within_an_object_array,
    among_labels,
    as_a_key,
    as_a_dtype,
    with_a_discarded_result,
]


@pytest.fixture
def _eval_by_code():
    copyreg.add_extension("builtins", "eval", 0xF0)
    yield
    copyreg.remove_extension("builtins", "eval", 0xF0)


@pytest.mark.usefixtures("_eval_by_code")
@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_pickle_is_refused_and_runs_nothing(tmp_path, attack):
    trace = tmp_path / "trace"
    message = refusal(written(tmp_path, attack(str(trace))))
    assert "it requests" in message
    assert "only NumPy arrays are supported" in message
    assert not trace.exists()


@pytest.mark.usefixtures("_eval_by_code")
@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_pickle_runs_code_when_unpickled(tmp_path, attack):
    # Otherwise the test above would prove nothing.
    trace = tmp_path / "trace"
    try:
        pickle.loads(attack(str(trace)))
    except (TypeError, ValueError):
        assert attack in (as_a_key, as_a_dtype)
    assert trace.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_hostile_pickle_of_any_protocol_is_refused(tmp_path, protocol):
    trace = tmp_path / "trace"
    evil = Hostile(os.system, f"touch '{trace}'")
    refusal(written(tmp_path, pickle.dumps({"data": evil}, protocol)))
    assert not trace.exists()


class Ours:
    def __setstate__(self, state):
        raise AssertionError("it was unpickled")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (__name__, "Ours"),
        ("data.datasets.stored_rows", "StoredRows"),
        ("data.datasets.stored_rows", "_PickledArray"),
        ("numpy._core.multiarray", "_reconstruct.__globals__"),
        ("numpy._core.multiarray", "_reconstruct.__call__"),
        ("numpy._core.multiarray", "_reconstruct.__class__"),
        ("numpy._core.multiarray", "fromfile"),
        ("numpy._core.multiarray", ""),
        ("numpy._core.numeric", "_frombuffer.__globals__"),
        ("numpy._core.numeric", "_frombuffer.__func__.__globals__"),
        ("numpy", "ndarray.__class__"),
        ("numpy", "ndarray.__init__.__globals__"),
        ("numpy", "dtype.__class__"),
        ("numpy", "load"),
        ("numpy", "fromfile"),
        ("numpy", "memmap"),
        ("numpy.dtypes", "ObjectDType"),
        ("numpy.core.multiarray.os", "system"),
        ("builtins", "getattr"),
        ("builtins", "bytearray"),
        ("copyreg", "_reconstructor"),
        ("copyreg", "add_extension"),
        ("collections", "OrderedDict"),
        ("", ""),
    ],
)
def test_request_for_anything_but_arrays_is_refused(tmp_path, module, name):
    path = written(tmp_path, dictionary(data=text(module) + text(name) + b"\x93"))
    assert f"it requests {module}.{name}; only NumPy arrays are supported" in refusal(path)


def test_bytes_of_a_protocol_below_3_are_refused_with_advice(tmp_path):
    for protocol in (0, 1, 2):
        path = written(tmp_path, pickle.dumps({"data": random_rows(2)}, protocol))
        message = refusal(path)
        assert "pickle protocol below 3" in message
        assert "save it with a newer one" in message


@pytest.mark.parametrize(
    "array",
    [
        np.array([["a", None]], object),
        np.zeros((2, 2), [("a", "O"), ("b", "u1")]),
        np.zeros((2, 2), [("a", "u1"), ("b", "u1")]),
        np.zeros((2, 2), "U3"),
        np.zeros((2, 2), "S3"),
        np.zeros((2, 2), "M8[s]"),
        np.zeros((2, 2), "complex128"),
    ],
    ids=["objects", "fields of objects", "fields", "text", "bytes", "times", "complex"],
)
@pytest.mark.parametrize("protocol", [3, 5])
def test_array_of_anything_but_numbers_is_refused(tmp_path, array, protocol):
    message = refusal(written(tmp_path, pickle.dumps({"data": array}, protocol)))
    assert "instead of numbers" in message


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04Pid\n.",
        b"\x80\x04NQ.",
        b"\x80\x04\x82\x01.",
        b"\x80\x04\x83\x01\x02.",
        b"\x80\x04\x84\x01\x02\x03\x04.",
        b"\x80\x05\x97.",
        b"\x80\x05N\x98.",
        b"\x80\x63N.",
    ],
    ids=[
        *("persistent id", "persistent id of an object", "extension of 1 byte"),
        *("extension of 2 bytes", "extension of 4 bytes", "buffer", "read-only buffer"),
        "protocol 99",
    ],
)
def test_reference_outside_of_the_file_is_refused(tmp_path, content):
    refusal(written(tmp_path, content))


ARRAY = text("numpy") + text("ndarray") + b"\x93"
DTYPE = text("numpy") + text("dtype") + b"\x93"
REBUILT = text("numpy._core.multiarray") + text("_reconstruct") + b"\x93"
BUFFERED = text("numpy._core.numeric") + text("_frombuffer") + b"\x93"


@pytest.mark.parametrize(
    "value",
    [
        ARRAY + b"}" + text("shape") + b"Nsb",
        ARRAY + b"N}" + text("shape") + b"Ns\x86b",
        DTYPE + b"N}" + text("dtype") + b"Ns\x86b",
        REBUILT + b"N}" + text("__code__") + b"Ns\x86b",
        BUFFERED + b"N}" + text("__func__") + b"Ns\x86b",
        ARRAY + b")\x81",
        ARRAY + b")}\x92",
        ARRAY + numpy_dtype() + b"\x85R",
        DTYPE + b")R",
        from_buffer(b"C\x01a", DTYPE + b")\x81", 1, 1),
        REBUILT + b")R",
        BUFFERED + b")R",
        called("numpy._core.multiarray", "scalar", text("u1"), b"C\x01a"),
        called("numpy._core.multiarray", "scalar", numpy_dtype(), b"C\x00"),
        called("numpy._core.multiarray", "scalar", numpy_dtype("O8"), b"N"),
        called("numpy._core.multiarray", "_reconstruct", ARRAY, b")", b"C\x01b"),
        from_buffer(b"C\x01a", b"N", 1, 1),
        from_buffer(b"N", numpy_dtype(), 1, 1),
        from_buffer(text("a"), numpy_dtype(), 1, 1),
        from_buffer(b"C\x01a", numpy_dtype("O"), 1, 1),
        from_buffer(b"C\x01a", numpy_dtype("f1"), 1, 1),
        from_buffer(b"C\x01a", numpy_dtype("u1,u1"), 1, 1),
        from_buffer(b"C\x01a", numpy_dtype(), 2, 1),
        from_buffer(b"C\x01a", numpy_dtype(), 2**31 - 1, 2**31 - 1),
        called("numpy._core.numeric", "_frombuffer", b"C\x01a", numpy_dtype(), b"N", text("C")),
    ],
)
def test_array_that_is_not_pickled_as_by_numpy_is_refused(tmp_path, value):
    refusal(written(tmp_path, dictionary(data=value)))
    rows = random_rows(8)
    found = find_in_pickle(written(tmp_path, pickle.dumps({"data": rows})))
    np.testing.assert_array_equal(all_rows(found["data"]), rows)


@pytest.mark.parametrize(
    "begin",
    [
        *(
            b"\x80\x05" + code + struct.pack("<Q", 2**power)
            for code in (b"\x8e", b"\x96", b"\x8d", b"\x95")
            for power in (34, 45, 62, 63)
        ),
        b"\x80\x03B" + struct.pack("<I", 2**32 - 1),
        b"\x80\x03X" + struct.pack("<I", 2**32 - 1),
        b"\x80\x02T" + struct.pack("<i", 2**31 - 1),
        b"\x80\x02T" + struct.pack("<i", -1),
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1),
    ],
)
def test_size_beyond_the_file_is_refused(tmp_path, capfd, begin):
    refusal(written(tmp_path, begin + b"."))
    # Python must not print a traceback of its own either.
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b".",
        b"\x80\x04}" + b")" + b"\x85" * 100_000 + b"Ns.",
        dictionary(
            data=from_buffer(b"C\x01a", called("numpy", "dtype", b")" + b"\x85" * 50_000), 1)
        ),
    ],
    ids=["lists", "name", "dtype"],
)
def test_deeply_nested_content_is_refused(tmp_path, content):
    refusal(written(tmp_path, content))


@pytest.mark.parametrize("shape", [(1, 3), (1, 5), (2, 3)])
def test_array_whose_size_does_not_match_its_bytes_is_refused(tmp_path, shape):
    value = from_buffer(b"C\x04abcd", numpy_dtype(), *shape)
    assert "does not match that of its bytes" in refusal(written(tmp_path, dictionary(data=value)))


@pytest.mark.parametrize(
    "value",
    [
        text("A" * 1_000_000) + text("x") + b"\x93",
        from_buffer(b"C\x01a", numpy_dtype("A" * 1_000_000), 1, 1),
    ],
    ids=["module", "dtype"],
)
def test_length_of_an_error_message_is_limited(tmp_path, value):
    assert len(refusal(written(tmp_path, dictionary(data=value)))) < len(str(tmp_path)) + 1000


@pytest.mark.parametrize("name", ["a\x1b[2J\x07b\rc", "\ud800"], ids=["control", "surrogate"])
def test_error_message_is_printable(tmp_path, name):
    path = written(tmp_path, dictionary(data=text(name) + text("x") + b"\x93"))
    assert refusal(path).isprintable()


# --- damaged pickles ---------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.9, 0.999, 0.99999])
def test_truncated_pickle_is_refused(tmp_path, protocol, share):
    content = pickle.dumps({"data": random_rows(8), "labels": list(range(8))}, protocol)
    message = refusal(written(tmp_path, content[: int(share * len(content))]))
    assert "download it again" in message


def test_missing_end_is_reported(tmp_path):
    content = pickle.dumps({"data": random_rows(8)})
    path = written(tmp_path, content[:50_000])
    assert refusal(path) == f"{path}: the end is missing; download it again"


# Opens randomly damaged pickles and prints how many of them are refused.
DAMAGE = """
import pickle, resource, sys
import numpy as np
from data.datasets.stored_rows import find_in_pickle
from errors import InputError

path = sys.argv[1]
random = np.random.default_rng(0)
refused = 0
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for trial in range(1500):
    rows = random.integers(0, 256, (2, 20), dtype="uint8")
    content = bytearray(pickle.dumps({"data": rows, "labels": [1, 2]}, 3 + trial % 3))
    for position in random.integers(0, len(content), 1 + trial % 4):
        content[position] = random.integers(0, 256)
    with open(path, "wb") as file:
        file.write(content)
    try:
        assert isinstance(find_in_pickle(path), dict)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        refused += 1
print(refused)
"""


def test_damaged_pickle_is_either_refused_or_read(tmp_path):
    pytest.importorskip("resource")
    result = subprocess.run(
        # The threads of OpenBLAS would count toward the memory limit.
        [sys.executable, "-c", DAMAGE, str(tmp_path / "batch")],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.stderr == ""
    assert 500 < int(result.stdout) < 1500


@pytest.mark.parametrize(
    "content",
    [b"<!DOCTYPE html>\n<html>\n", b"\x1f\x8b\x08\x00", b"hello\n", b"\x00" * 5000, b"PK\x03\x04"],
    ids=["HTML", "gzip", "text", "zeros", "zip"],
)
def test_file_that_is_not_a_pickle_is_refused(tmp_path, content):
    assert "is not a pickled batch" in refusal(written(tmp_path, content))


@pytest.mark.parametrize("content", [[1, 2], None, 7, "text", np.zeros(3)])
def test_pickle_of_anything_but_a_dictionary_is_refused(tmp_path, content):
    assert "instead of a dictionary" in refusal(written(tmp_path, pickle.dumps(content)))


def test_missing_file_is_refused(tmp_path):
    assert "No such file" in refusal(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("protocol", [3, 5])
def test_array_in_fortran_order_is_refused(tmp_path, protocol):
    rows = np.asfortranarray(random_rows(8))
    path = written(tmp_path, pickle.dumps({"data": rows}, protocol))
    assert "Fortran order" in refusal(path)


def test_row_of_a_file_truncated_meanwhile_is_an_os_error(tmp_path):
    path = written(tmp_path, pickle.dumps({"data": random_rows(8)}))
    found = find_in_pickle(path)["data"]
    os.truncate(path, 5 * WIDTH)
    assert len(found.row(3)) == WIDTH
    with pytest.raises(OSError, match=f"the end of {path} is missing"):
        found.row(7)


def test_row_of_a_deleted_file_is_an_os_error(tmp_path):
    path = written(tmp_path, pickle.dumps({"data": random_rows(8)}))
    found = find_in_pickle(path)["data"]
    os.remove(path)
    with pytest.raises(FileNotFoundError):
        found.row(0)


def test_rows_beyond_the_end_of_a_file_are_refused_at_once(tmp_path):
    path = written(tmp_path, bytes(100))
    assert StoredRows(path, 20, (4, 20)).shape == (4, 20)
    with pytest.raises(ValueError, match="the end is missing"):
        StoredRows(path, 21, (4, 20))


# --- .npz --------------------------------------------------------------------------------------


def npz(folder, save=np.savez, **arrays):
    path = folder / "batch.npz"
    save(path, **arrays)
    return str(path)


def zipped(folder, name, content, compression=zipfile.ZIP_DEFLATED):
    path = folder / "batch.npz"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, content)
    return str(path)


def as_npy(folder, array):
    np.save(folder / "array.npy", array)
    content = (folder / "array.npy").read_bytes()
    (folder / "array.npy").unlink()
    return content


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("count", [0, 1, 8])
def test_rows_of_an_npz_are_those_that_were_saved(tmp_path, save, count):
    rows, labels = random_rows(count), np.arange(count)
    found = find_in_npz(npz(tmp_path, save, labels=labels, data=rows, mean=np.ones((2, 3))))
    assert found["data"].shape == (count, WIDTH)
    np.testing.assert_array_equal(all_rows(found["data"]).reshape(-1, WIDTH), rows)
    np.testing.assert_array_equal(found["labels"], labels)
    np.testing.assert_array_equal(found["mean"], np.ones((2, 3)))


def test_other_arrays_of_an_npz_may_be_in_fortran_order(tmp_path):
    mean = np.random.default_rng(0).random((4, 3))
    found = find_in_npz(npz(tmp_path, mean=np.asfortranarray(mean)))
    np.testing.assert_array_equal(found["mean"], mean)


def test_rows_of_an_npz_in_fortran_order_are_refused(tmp_path):
    path = npz(tmp_path, data=np.asfortranarray(random_rows(8)))
    assert "Fortran order" in refusal(path, find_in_npz)


def test_uncompressed_npz_is_not_unpacked(tmp_path):
    find_in_npz(npz(tmp_path, data=random_rows(8)))
    assert os.listdir(tmp_path) == ["batch.npz"]


def test_compressed_npz_is_unpacked_once(tmp_path, monkeypatch):
    path = npz(tmp_path, np.savez_compressed, data=random_rows(8), labels=np.arange(8))
    find_in_npz(path)
    assert sorted(os.listdir(tmp_path)) == ["batch.data.npy", "batch.npz"]
    monkeypatch.delattr(stored_rows, "write_beside")
    np.testing.assert_array_equal(all_rows(find_in_npz(path)["data"]), random_rows(8))


def test_partly_unpacked_npz_is_unpacked_again(tmp_path):
    path = npz(tmp_path, np.savez_compressed, data=random_rows(8))
    find_in_npz(path)
    os.truncate(tmp_path / "batch.data.npy", 5000)
    np.testing.assert_array_equal(all_rows(find_in_npz(path)["data"]), random_rows(8))


def test_changed_npz_is_unpacked_again(tmp_path):
    for value in (1, 2):
        path = npz(tmp_path, np.savez_compressed, data=np.full((8, WIDTH), value, "uint8"))
        os.utime(path, ns=(value * 10**18 * 2, value * 10**18 * 2))
        assert (all_rows(find_in_npz(path)["data"]) == value).all()


def test_npz_that_cannot_be_unpacked_says_what_to_do(tmp_path, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored_rows, "write_beside", full)
    message = refusal(npz(tmp_path, np.savez_compressed, data=random_rows(8)), find_in_npz)
    assert f"cannot be unpacked to {tmp_path}/batch.data.npy: No space left on device" in message
    assert (
        "free disk space there and make the folder writable, or give the pickled batches" in message
    )


@pytest.mark.parametrize("name", ["x/../../trace.npy", "/../../trace.npy", "x/../../trace"])
def test_hostile_npz_writes_only_beside_itself(tmp_path, name):
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    path = zipped(folder, name, as_npy(folder, random_rows(2)))
    found_or_nothing(find_in_npz, path)
    written_files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [file for file in written_files if file.parent != folder] == []


def test_hostile_npz_replaces_no_file(tmp_path):
    (tmp_path / "batch.important").write_text("of yesterday")
    path = zipped(tmp_path, "important", as_npy(tmp_path, random_rows(2)))
    found_or_nothing(find_in_npz, path)
    assert (tmp_path / "batch.important").read_text() == "of yesterday"


def test_objects_in_an_npz_are_refused_and_run_nothing(tmp_path):
    trace = tmp_path / "trace"
    evil = np.array([[Hostile(eval, leave_a_trace(str(trace)))]], object)
    assert "of objects" in refusal(npz(tmp_path, data=evil), find_in_npz)
    assert not trace.exists()
    np.load(tmp_path / "batch.npz", allow_pickle=True)["data"]
    assert trace.exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.9999])
def test_truncated_npz_is_refused(tmp_path, save, share):
    path = npz(tmp_path, save, data=random_rows(8))
    os.truncate(path, int(share * os.path.getsize(path)))
    assert "is not an .npz batch" in refusal(path, find_in_npz)


def test_damaged_npz_is_refused_and_leaves_no_file(tmp_path):
    path = npz(tmp_path, np.savez_compressed, data=random_rows(8))
    with open(path, "r+b") as file:
        file.seek(50_000)
        file.write(bytes(100))
    assert "download it again" in refusal(path, find_in_npz)
    assert os.listdir(tmp_path) == ["batch.npz"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        b"\x93NUMPY\x09\x00" + bytes(100),
        b"\x93NUMPY\x01\x00\x10\x00" + b"__import__('os')",
        b"\x93NUMPY\x01\x00\x10\x00" + b"{'descr': '|u1'}",
    ],
    ids=["empty", "text", "version", "code", "half a header"],
)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_member_of_an_npz_that_is_not_an_array_is_refused(tmp_path, content, compression):
    path = zipped(tmp_path, "data.npy", content, compression)
    assert "is not an .npz batch" in refusal(path, find_in_npz)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_truncated_array_of_an_npz_is_refused(tmp_path, compression):
    content = as_npy(tmp_path, random_rows(8))[:-1000]
    assert "the end is missing" in refusal(
        zipped(tmp_path, "data.npy", content, compression), find_in_npz
    )


def test_file_that_is_not_an_npz_is_refused(tmp_path):
    path = written(tmp_path, pickle.dumps({"data": random_rows(8)}), "batch.npz")
    assert "is not an .npz batch" in refusal(path, find_in_npz)
