"""What the page may ask the server for, and what comes back."""

import io
import json
import socket
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from data.image_io import is_heif_supported
from inference.hints import Hint
from inference.look import Look
from tests.jobs.serve.answers import HINT, pixels_of, wait_until

FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


def bomb():
    """A small PNG whose head claims 30,000 x 30,000 pixels."""
    head = b"IHDR" + struct.pack(">LLBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = [
        struct.pack(">L", len(chunk) - 4) + chunk + struct.pack(">L", zlib.crc32(chunk))
        for chunk in (head, b"IDAT", b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_photograph_is_colored_touched_up_and_downloaded(client, photograph, colorizer, tmp_path):
    path = photograph()
    added = client.upload(path.read_bytes(), "in the garden.jpg")
    assert (added["width"], added["height"], added["pages"]) == (60, 40, 1)
    id = added["id"]
    photo = client.ready(id)
    assert photo == client.json("GET", f"/api/photos/{id}")
    assert (photo["state"], photo["name"], photo["revision"]) == ("ready", "in the garden.jpg", 0)
    _, headers, gray = client.ask("GET", f"/api/photos/{id}/gray")
    assert headers["content-type"] == "image/jpeg"
    assert pixels_of(gray).shape == (40, 60)
    _, _, before = client.ask("GET", f"/api/photos/{id}/colored?size=30")
    assert pixels_of(before).shape == (20, 30, 3)
    edits = {"version": 1, "hints": [HINT], "saturation": 0.5}
    assert client.json("PUT", f"/api/photos/{id}/edits", edits)["revision"] == 1
    kept = {"radius": 0.0, "page": 0}
    assert client.json("GET", f"/api/photos/{id}/edits") == edits | {"hints": [HINT | kept]}
    _, headers, hints = client.ask("GET", f"/api/photos/{id}/hints")
    assert "in%20the%20garden.jpg.hints.json" in headers["content-disposition"]
    assert json.loads(hints) == client.json("GET", f"/api/photos/{id}/edits")
    _, _, after = client.ask("GET", f"/api/photos/{id}/colored?size=30")
    assert np.abs(pixels_of(after) - pixels_of(before)).max() > 10
    red, green, blue = pixels_of(after)[10, 7]
    assert red > max(green, blue)
    _, headers, result = client.ask("GET", f"/api/photos/{id}/result")
    assert "in%20the%20garden.jpg" in headers["content-disposition"]
    colorizer.color(path, tmp_path / "same.jpg", hints=[Hint(**HINT)], look=Look(saturation=0.5))
    assert result == (tmp_path / "same.jpg").read_bytes()
    # Results are removed once they were sent.
    assert not list((client.folder / "results").iterdir())


def test_another_format_may_be_asked_for(client, photograph):
    id = client.upload(photograph().read_bytes())["id"]
    _, headers, result = client.ask("GET", f"/api/photos/{id}/result?format=png")
    assert headers["content-disposition"].endswith("photo.png")
    assert result.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({}, "version"),
        ({"version": 2}, "version 2"),
        ({"version": 1, "calm": 3}, "`calm`"),
        ({"version": 1, "palette": [[0, 0, 1]]}, "these weights take no palette"),
        ({"version": 1, "palette_from": "another"}, "palette_from another: there is no such"),
        ({"version": 1, "saturation": "high"}, "saturation"),
        ({"version": 1, "hints": [HINT, {"x": 0.5, "y": 0.5}]}, "hint 2"),
        ({"version": 1, "hints": [{**HINT, "x": 1.5}]}, "`x`"),
        ({"version": 1, "hints": [{**HINT, "color": "red; }"}]}, "`color`"),
        ({"version": 1, "hints": [HINT] * 1001}, "at most 1000"),
    ],
)
def test_edits_that_are_wrong_are_refused_with_the_field(client, photograph, edits, words):
    id = client.upload(photograph().read_bytes())["id"]
    refused = client.json("PUT", f"/api/photos/{id}/edits", edits, status=422)
    assert words in refused["detail"]
    assert client.json("GET", f"/api/photos/{id}")["revision"] == 0


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_edits_that_are_no_json_are_refused(client, photograph, body):
    id = client.upload(photograph().read_bytes())["id"]
    status, _, answer = client.ask("PUT", f"/api/photos/{id}/edits", body)
    assert status == 422
    assert "JSON" in json.loads(answer)["detail"]


@pytest.mark.parametrize("size", ["15", "2049", "big"])
def test_pictures_have_the_size_of_a_screen(client, photograph, size):
    id = client.upload(photograph().read_bytes())["id"]
    refused = client.json("GET", f"/api/photos/{id}/gray?size={size}", status=422)
    assert refused["detail"].startswith("size")


@pytest.mark.parametrize(
    "part", ["600,0,10,10", "0,400,10,10", "0,0,0,5", "-1,0,5,5", "1,2,3", "a"]
)
def test_a_part_that_is_not_in_the_photograph_is_refused(client, photograph, part):
    id = client.upload(photograph(size=(600, 400)).read_bytes())["id"]
    refused = client.json("GET", f"/api/photos/{id}/gray?part={part}", status=422)
    assert refused["detail"].startswith("part")


@pytest.mark.parametrize("content", [b"no photograph", b"", bomb()], ids=["text", "empty", "bomb"])
def test_what_is_no_photograph_is_refused_and_leaves_nothing(client, content):
    assert client.upload(content, "photo.png", status=415)["detail"]
    assert [path.name for path in client.folder.iterdir()] == ["results"]


def test_a_photograph_whose_pixels_are_damaged_says_so_and_stays(client, photograph):
    content = photograph("photo.png", size=(300, 300)).read_bytes()
    id = client.upload(content[: len(content) // 2], "photo.png")["id"]
    photo = client.ready(id)
    assert photo["state"] == "failed"
    assert "damaged" in photo["error"]
    for what in ("gray", "colored", "result"):
        assert client.json("GET", f"/api/photos/{id}/{what}", status=415)["detail"]
    # The server goes on.
    good = client.upload(photograph().read_bytes())["id"]
    assert client.ready(good)["state"] == "ready"
    assert client.ask("DELETE", f"/api/photos/{id}")[0] == 204


def test_a_head_that_does_not_arrive_is_not_waited_for(start):
    client = start(seconds_for_head=0.2)
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert connection.recv(1000) == b""
    assert client.json("GET", "/api/health")["status"] == "ok"


def test_more_connections_than_the_limit_are_refused_and_the_server_goes_on(client):
    opened = [socket.create_connection(("127.0.0.1", client.port), timeout=30) for _ in range(300)]
    assert client.ask("GET", "/api/health")[0] == 503
    for connection in opened:
        connection.close()
    wait_until(lambda: client.ask("GET", "/api/health")[0] == 200)


def mutated(content, random):
    """The content with a part flipped, cut, left out or inserted."""
    first, length = random.integers(len(content)), random.integers(1, 60)
    noise = random.bytes(length)
    return [
        content[:first],
        content[:first] + content[first + length :],
        content[:first] + noise + content[first:],
        content[:first] + noise + content[first + length :],
    ][random.integers(4)]


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "bmp", "gif"])
def test_broken_files_are_answered_and_the_server_goes_on(client, photograph, suffix):
    random = np.random.default_rng(0)
    content = photograph(f"photo.{suffix}").read_bytes()
    for _ in range(8):
        status, _, answer = client.ask(
            *("POST", "/api/photos"),
            b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.'
            + suffix.encode()
            + b'"\r\n\r\n'
            + mutated(content, random)
            + b"\r\n--edge--\r\n",
            FORM,
        )
        assert status in (200, 415)
        if status == 200:
            id = json.loads(answer)["id"]
            assert client.ready(id)["state"] in ("ready", "failed")
            assert client.ask("GET", f"/api/photos/{id}/result")[0] in (200, 415)
    assert client.json("GET", "/api/health")["queue"] == 0


def test_what_is_not_there_is_not_found(client):
    for method, path in (("GET", "/api/photos/a"), ("DELETE", "/api/photos/a"), ("GET", "/api/x")):
        assert client.json(method, path, status=404)["detail"]
    for path in ("/../run.py", "/%2e%2e/run.py", "/..%2frun.py", "/docs", "/redoc"):
        assert client.ask("GET", path)[0] == 404


def test_results_have_the_format_that_was_asked_for(start, photograph):
    client = start(format="webp")
    id = client.upload(photograph().read_bytes(), "garden.jpg")["id"]
    health = client.json("GET", "/api/health")
    assert (health["format"], health["formats"][:5]) == (
        "webp",
        ["jpg", "png", "tif", "webp", "bmp"],
    )
    for query, kind in (("", "WEBP"), *((f"?format={each}", each) for each in health["formats"])):
        content = client.ask("GET", f"/api/photos/{id}/result{query}")[2]
        with Image.open(io.BytesIO(content)) as image:
            wanted = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}.get(kind, kind.upper())
            assert image.format == wanted
    with zipfile.ZipFile(io.BytesIO(client.ask("GET", "/api/archive")[2])) as files:
        assert files.namelist() == ["garden.webp"]
    refused = client.json("GET", f"/api/photos/{id}/result?format=gif", status=422)
    assert refused["detail"].startswith("format")


@pytest.mark.skipif(is_heif_supported(), reason="pillow-heif is installed")
def test_heic_is_refused_where_it_cannot_be_written(client, photograph):
    id = client.upload(photograph().read_bytes())["id"]
    refused = client.json("GET", f"/api/photos/{id}/result?format=heic", status=422)
    assert "pillow-heif" in refused["detail"]
    assert "heic" not in client.json("GET", "/api/health")["formats"]


def test_the_interface_describes_itself(client):
    described = client.json("GET", "/openapi.json")["paths"]
    assert set(described["/api/photos/{id}"]) == {"get", "delete"}
    body = described["/api/photos"]["post"]["requestBody"]["content"]
    assert "multipart/form-data" in body
