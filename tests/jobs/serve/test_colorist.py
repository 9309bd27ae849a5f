"""Photographs are colored as the command line does it, as a person chooses or as is suggested."""

import io
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import run
from config.settings import Settings
from inference.photo_colorizer import PhotoColorizer
from jobs.common.pretrained_colorizers import PretrainedColorizers, is_there, variants_beside
from models.checkpoints.folder import WeightsFolder
from tests.jobs.serve.answers import HINT, pixels_of


def chroma(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.ptp(np.asarray(image).astype(int), axis=-1).mean()


def chosen(client, path):
    variants = client.json("GET", f"{path}/variants")["variants"]
    return [variant["name"] for variant in variants if variant["is_chosen"]]


@pytest.fixture
def start_beside(start, hinted_weights, tmp_path, monkeypatch):
    """Returns a function that starts a server beside whose weights only chromagan ships."""
    pretrained = tmp_path / "pretrained"
    monkeypatch.setattr("jobs.common.pretrained_colorizers.PRETRAINED_WEIGHTS", pretrained)

    def call(weights, colorizer):
        shutil.copytree(hinted_weights, pretrained / "chromagan")
        folder = WeightsFolder(weights)
        return start(
            colorizer=colorizer,
            variants=[variant for variant in variants_beside(folder) if is_there(variant)],
            with_weights=PretrainedColorizers(Settings(), folder, colorizer),
        )

    return call


def test_variants_have_names_and_pictures_and_one_is_chosen(client, photograph):
    path = f"/api/photos/{client.upload(photograph().read_bytes())['id']}"
    variants = client.json("GET", f"{path}/variants")["variants"]
    assert [variant["label"] for variant in variants] == ["calm", "as is", "vivid"]
    assert [variant["is_chosen"] for variant in variants] == [False, True, False]
    pictures = [client.ask("GET", variant["image"] + "?size=30")[2] for variant in variants]
    calm, as_is, vivid = map(chroma, pictures)
    assert calm < as_is < vivid
    assert pictures[1] == client.ask("GET", f"{path}/colored?size=30")[2]
    photo = client.json("PUT", f"{path}/edits", {"version": 1, "variant": "vivid"})
    assert (photo["saturation"], photo["calm"]) == (1.4, 0.0)
    assert chosen(client, path) == ["vivid"]
    assert client.ask("GET", f"{path}/colored?size=30")[2] == pictures[2]
    photo = client.json("PUT", f"{path}/edits", {"version": 1, "calm": 1.0})
    assert (photo["saturation"], photo["calm"]) == (1.0, 1.0)
    assert chosen(client, path) == ["calm"]
    client.json("PUT", f"{path}/edits", {"version": 1, "calm": 0.5})
    assert chosen(client, path) == []


def test_pictures_of_variants_follow_hints(client, photograph):
    path = f"/api/photos/{client.upload(photograph().read_bytes())['id']}"
    client.json("PUT", f"{path}/edits", {"version": 1, "hints": [HINT], "saturation": 0.2})
    _, _, vivid = client.ask("GET", f"{path}/variants/vivid?size=60")
    edits = {"version": 1, "hints": [HINT], "variant": "vivid"}
    client.json("PUT", f"{path}/edits", edits)
    assert client.ask("GET", f"{path}/colored?size=60")[2] == vivid


def test_a_variant_that_is_not_there_is_refused(client, photograph):
    path = f"/api/photos/{client.upload(photograph().read_bytes())['id']}"
    assert client.json("GET", f"{path}/variants/pale", status=404)["detail"]
    assert client.json("GET", f"{path}/variants/chromagan", status=404)["detail"]
    edits = {"version": 1, "variant": "chromagan"}
    refused = client.json("PUT", f"{path}/edits", edits, status=422)
    assert "no weights chromagan" in refused["detail"]


def test_pictures_of_variants_wait_until_nothing_else_is_asked_for(client, photograph):
    path = f"/api/photos/{client.upload(photograph().read_bytes())['id']}"
    worker, begun, may_end = client.server.worker, threading.Event(), threading.Event()
    worker.submit(lambda: (begun.set(), may_end.wait()))
    begun.wait()
    with ThreadPoolExecutor() as pool:
        picture = pool.submit(client.ask, "GET", f"{path}/variants/vivid")
        while not worker.waiting:
            client.json("GET", "/api/health")
        still_waiting = worker.submit(lambda: worker.waiting, is_urgent=True)
        may_end.set()
        assert still_waiting.result() == 1
        assert picture.result()[0] == 200


def test_variants_of_other_weights_are_those_of_the_command_line(
    start_beside, weights, colorizer, photograph, here
):
    client, source = start_beside(weights, colorizer), photograph("photo.png")
    path = f"/api/photos/{client.upload(source.read_bytes(), 'photo.png')['id']}"
    variants = client.json("GET", f"{path}/variants")["variants"]
    names = [variant["name"] for variant in variants]
    assert names == ["calm", "as_is", "vivid", "chromagan"]
    edits = {"version": 1, "hints": [HINT], "variant": "chromagan"}
    assert client.json("PUT", f"{path}/edits", edits)["takes_palette"]
    assert chosen(client, path) == ["chromagan"]
    # A part at full size is colored by the same weights.
    for view in ("size=60", "part=0,0,30,30"):
        assert chroma(client.ask("GET", f"{path}/colored?{view}")[2]) > 0
    (here / "photo.hints.json").write_bytes(client.ask("GET", f"{path}/hints")[2])
    arguments = ["--weights", weights, "--precision", "float32", "--output_dir", "out"]
    assert run.main(["--images", str(source), "--hints", "photo.hints.json", *arguments]) == 0
    result = client.ask("GET", f"{path}/result")[2]
    assert result == (here / "out/photo.png").read_bytes()
    refused = client.json("PUT", f"{path}/edits", edits | {"variant": "pix2pix"}, status=422)
    assert "the weights pix2pix are not at" in refused["detail"]


def test_variants_that_were_looked_at_are_suggested_first(start, weights, photograph):
    pale = PhotoColorizer.from_folder(weights, precision="float32", saturation=0.1)
    client = start(colorizer=pale, common_colors=[[[20.0, -30.0]]] * 10)
    path = f"/api/photos/{client.upload(photograph().read_bytes())['id']}"

    def names():
        found = client.json("GET", f"{path}/suggestions?x=0.5&y=0.5")["colors"]
        return [color["name"] for color in found[:3]]

    assert names()[:2] == ["as predicted", "violet"]
    client.ask("GET", f"{path}/variants/vivid")
    assert names() == ["as predicted", "vivid", "violet"]
    # They are what is predicted without hints, whatever there was since.
    client.json("PUT", f"{path}/edits", {"version": 1, "hints": [HINT]})
    assert names() == ["as predicted", "vivid", "violet"]


def test_a_photograph_takes_the_colors_of_another(
    start, hinted_colorizer, photograph, red_photograph
):
    client = start(colorizer=hinted_colorizer)
    gray = client.upload(photograph().read_bytes())
    red = client.upload(red_photograph.read_bytes(), "red.png")["id"]
    assert gray["takes_palette"]
    assert [client.ready(id)["is_in_color"] for id in (gray["id"], red)] == [False, True]
    path = f"/api/photos/{gray['id']}"
    _, _, before = client.ask("GET", f"{path}/variants/vivid")
    client.json("PUT", f"{path}/edits", {"version": 1, "palette_from": red})
    edits = client.json("GET", f"{path}/edits")
    assert "palette_from" not in edits
    assert all(a > 5 for a, _, _ in edits["palette"])
    assert client.ask("GET", f"{path}/variants/vivid")[2] != before
    # The photograph that they are from is not needed any more.
    client.ask("DELETE", f"/api/photos/{red}")
    assert client.json("PUT", f"{path}/edits", edits | {"saturation": 0.5})["revision"] == 2
    refused = client.json(
        "PUT", f"{path}/edits", {"version": 1, "palette_from": gray["id"]}, status=422
    )
    assert "not in color" in refused["detail"]


def test_variants_that_take_no_palette_are_left_out_where_there_is_one(
    start_beside, weights, colorizer, photograph
):
    client = start_beside(weights, colorizer)
    photo = client.upload(photograph().read_bytes())
    assert not photo["takes_palette"]
    path = f"/api/photos/{photo['id']}"
    edits = {"version": 1, "variant": "chromagan", "palette": [[40, 20, 1]]}
    client.json("PUT", f"{path}/edits", edits)
    variants = client.json("GET", f"{path}/variants")["variants"]
    assert [variant["name"] for variant in variants] == ["chromagan"]
    refused = client.json("PUT", f"{path}/edits", edits | {"variant": "vivid"}, status=422)
    assert "take no palette" in refused["detail"]


@pytest.mark.parametrize("name", ["photo.jpg", "photo.PNG", "photo.tif", "photo"])
def test_result_is_that_of_the_command_line_to_the_last_byte(
    client, photograph, weights, here, name
):
    path = photograph(name, format=None if "." in name else "WEBP", dpi=(300, 300))
    id = client.upload(path.read_bytes(), name)["id"]
    edits = {"version": 1, "hints": [HINT], "saturation": 1.3}
    client.json("PUT", f"/api/photos/{id}/edits", edits)
    _, headers, result = client.ask("GET", f"/api/photos/{id}/result")
    _, _, hints = client.ask("GET", f"/api/photos/{id}/hints")
    (here / "touched up.json").write_bytes(hints)
    arguments = ["--weights", weights, "--precision", "float32", "--output_dir", "out"]
    assert run.main(["--images", str(path), "--hints", "touched up.json", *arguments]) == 0
    [colored] = (here / "out").iterdir()
    assert headers["content-disposition"].endswith(f"''{colored.name}")
    assert result == colored.read_bytes()


def test_pages_of_a_tiff_have_hints_of_their_own(client, photograph):
    second = Image.new("L", (30, 20), 120)
    path = photograph("scan.tif", save_all=True, append_images=[second])
    id = client.upload(path.read_bytes(), "scan.tif")["id"]
    edits = {"version": 1, "hints": [{**HINT, "page": 1}]}
    _, _, first = client.ask("GET", f"/api/photos/{id}/colored?page=0")
    assert client.json("PUT", f"/api/photos/{id}/edits", edits)["pages"] == 2
    assert client.ask("GET", f"/api/photos/{id}/colored?page=0")[2] == first
    red, green, blue = pixels_of(client.ask("GET", f"/api/photos/{id}/colored?page=1")[2])[10, 7]
    assert red > max(green, blue)
    assert client.json("GET", f"/api/photos/{id}/gray?page=2", status=404)
    edits["hints"][0]["page"] = 2
    assert "page" in client.json("PUT", f"/api/photos/{id}/edits", edits, status=422)["detail"]


def test_suggestions_have_the_lightness_of_the_place(client, photograph):
    id = client.upload(photograph().read_bytes())["id"]
    dark = client.json("GET", f"/api/photos/{id}/suggestions?x=0.5&y=0")
    light = client.json("GET", f"/api/photos/{id}/suggestions?x=0.5&y=1")
    assert dark["lightness"] + 20 < light["lightness"]
    assert dark["colors"][0]["name"] == "as predicted"
    assert len(dark["colors"]) == 3


def test_common_colors_of_the_training_images_are_suggested(start, photograph):
    client = start(common_colors=[[[20.0, -30.0]]] * 10)
    id = client.upload(photograph().read_bytes())["id"]
    found = client.json("GET", f"/api/photos/{id}/suggestions?x=0.5&y=0.5")["colors"]
    assert [color["name"] for color in found[:2]] == ["as predicted", "violet"]


def test_a_part_at_full_size_is_that_part_of_the_result(client, photograph):
    photo = client.upload(photograph(size=(600, 400)).read_bytes(), "photo.png")
    assert photo["sizes"] == [[600, 400]]
    path = f"/api/photos/{photo['id']}"
    client.json("PUT", f"{path}/edits", {"version": 1, "hints": [HINT]})
    _, _, gray = client.ask("GET", f"{path}/gray?part=100,50,200,150")
    _, _, colored = client.ask("GET", f"{path}/colored?part=100,50,200,150")
    _, _, result = client.ask("GET", f"{path}/result?format=png")
    wanted = pixels_of(result)[50:200, 100:300]
    # They are compressed as JPEG, and the photograph is a JPEG too.
    assert np.abs(pixels_of(colored) - wanted).mean() < 3
    assert pixels_of(gray).shape == (150, 200)
    _, _, corner = client.ask("GET", f"{path}/gray?part=590,390,100,100")
    assert pixels_of(corner).shape == (10, 10)
