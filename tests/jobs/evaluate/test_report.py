"""Tests of the report of an evaluation: the text, CSV, JSON and TensorBoard."""

import csv
import io
import json
import math
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jobs.evaluate.report import EvaluationRecord, write_csv, write_json, write_to_tensorboard

ODD = os.fsdecode(b'line\nbreak, "quoted" \xff')


def row(name, **numbers):
    return {"name": name, "kind": "weights", "path": f"w/{name}", **numbers}


@pytest.fixture
def record():
    return EvaluationRecord(
        title="7 images of set at 16 px",
        table="       PSNR\ntruth   inf\nmine  12.35\n- LPIPS: none",
        footnotes=["- LPIPS: none"],
        images=7,
        feature_network="somebody's network",
        settings={"dataset": ["set"], "resolution": 16},
        versions={"python": "3.11.7"},
        rows=[
            row("truth", psnr=math.inf, lpips=None, kid=0.0),
            row("mine", psnr=12.3456789, lpips=None, kid=-0.25),
            row(ODD, psnr=-1.5, lpips=None, kid=1e-12),
        ],
    )


def test_csv_has_a_line_for_each_row(record, tmp_path):
    write_csv(tmp_path / "a.csv", record)
    text = (tmp_path / "a.csv").read_text("utf-8", "surrogateescape")
    assert text.splitlines()[:3] == [
        "name,kind,path,psnr,lpips,kid,images,resolution",
        "truth,weights,w/truth,inf,,0.0,7,16",
        "mine,weights,w/mine,12.3456789,,-0.25,7,16",
    ]
    odd = list(csv.DictReader(io.StringIO(text)))[2]
    assert (odd["name"], odd["path"], float(odd["kid"])) == (ODD, f"w/{ODD}", 1e-12)


def test_json_is_valid_and_has_everything_but_the_table(record, tmp_path):
    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")

    write_json(tmp_path / "a.json", record)
    found = json.loads((tmp_path / "a.json").read_text("utf-8"), parse_constant=refuse)
    rows = found.pop("rows")
    assert found == {
        "title": record.title,
        "footnotes": ["- LPIPS: none"],
        "images": 7,
        "feature_network": "somebody's network",
        "settings": {"dataset": ["set"], "resolution": 16},
        "versions": {"python": "3.11.7"},
    }
    assert rows == [{**record.rows[0], "psnr": "inf"}, *record.rows[1:]]


@pytest.mark.parametrize("write", [write_csv, write_json])
def test_an_earlier_file_is_replaced_as_a_whole(record, tmp_path, write):
    path = tmp_path / "deep" / "numbers"
    path.parent.mkdir()
    path.write_text("x" * 10_000)
    write(path, record)
    assert "x" * 100 not in path.read_text("utf-8", "surrogateescape")
    assert os.listdir(path.parent) == ["numbers"]


@pytest.mark.parametrize("write", [write_csv, write_json])
def test_a_failure_leaves_the_earlier_file(record, tmp_path, write, monkeypatch):
    def disk_is_full(descriptor):
        raise OSError("No space left on device")

    (tmp_path / "numbers").write_text("earlier")
    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "numbers", record)
    assert (tmp_path / "numbers").read_text() == "earlier"
    assert os.listdir(tmp_path) == ["numbers"]


def test_text_is_the_title_and_the_table(record):
    assert record.text() == f"{record.title}\n\n{record.table}\n"


def test_tensorboard_has_the_sheet_and_the_table(record, tmp_path):
    sheet = np.random.default_rng(0).integers(0, 256, (30, 40, 3), "uint8")
    write_to_tensorboard(tmp_path / "logs", record, sheet)
    records = EventAccumulator(str(tmp_path / "logs"), {"tensors": 0}).Reload()
    assert sorted(records.Tags()["tensors"]) == ["sheet", "table"]
    [image], [text] = records.Tensors("sheet"), records.Tensors("table")
    with Image.open(io.BytesIO(tf.make_ndarray(image.tensor_proto)[2])) as drawn:
        np.testing.assert_array_equal(drawn, sheet)
    lines = tf.make_ndarray(text.tensor_proto).item().decode().splitlines()
    # Four spaces make a Markdown code block, which keeps the columns aligned.
    assert lines == [record.title, "", *(f"    {each}" for each in record.table.splitlines())]
    assert image.step == text.step == 0
