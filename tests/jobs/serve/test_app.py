"""What the page may ask the server for, and what comes back."""

import io
import json
import socket
import struct
import time
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

import run
from data.image_io import is_heif_supported
from inference.hints import Hint
from inference.look import Look

HINT = {"x": 0.25, "y": 0.5, "color": "#a03020"}
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


def pixels_of(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image).astype(int)


def wait_until(holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def bytes_in(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def gray_png(size):
    encoded = io.BytesIO()
    Image.effect_noise(size, 50).save(encoded, "PNG")
    return encoded.getvalue()


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


def test_another_format_may_be_asked_for(client, photograph):
    id = client.upload(photograph().read_bytes())["id"]
    _, headers, result = client.ask("GET", f"/api/photos/{id}/result?format=png")
    assert headers["content-disposition"].endswith("photo.png")
    assert result.startswith(b"\x89PNG")


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


def test_a_photograph_is_deleted_with_its_file(client, photograph):
    id = client.upload(photograph().read_bytes())["id"]
    client.ready(id)
    assert client.ask("DELETE", f"/api/photos/{id}")[0] == 204
    assert client.json("GET", "/api/photos") == {"photos": [], "dropped": []}
    assert [path.name for path in client.folder.iterdir()] == ["results"]
    assert client.json("GET", f"/api/photos/{id}", status=404)


def test_the_photograph_untouched_longest_makes_room(start, photograph):
    client = start(max_photos=2)
    first, second = (client.upload(photograph().read_bytes(), f"{n}.jpg")["id"] for n in (1, 2))
    client.json("GET", f"/api/photos/{first}")
    client.upload(photograph().read_bytes(), "3.jpg")
    listed = client.json("GET", "/api/photos")
    assert [photo["name"] for photo in listed["photos"]] == ["1.jpg", "3.jpg"]
    assert listed["dropped"] == [{"id": second, "name": "2.jpg"}]
    assert len(list(client.folder.iterdir())) == 3


def test_photographs_are_limited_in_bytes_too(start, photograph):
    content = photograph("photo.png", size=(200, 100)).read_bytes()
    client = start(max_upload=len(content))
    for number in range(11):
        client.upload(content, f"{number}.png")
    assert len(client.json("GET", "/api/photos")["photos"]) == 10


def begin_upload(client, content):
    """Sends a form up to the end of its file, and nothing more."""
    connection = socket.create_connection(("127.0.0.1", client.port), timeout=30)
    head = '--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    connection.sendall(
        f"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n"
        f"Content-Length: {len(content) + len(head) + 100}\r\n\r\n{head}".encode()
        + content
    )
    return connection


def test_uploads_under_way_count_into_the_bytes(start):
    content = np.random.default_rng(0).bytes(100_000)
    client = start(max_upload=len(content))
    client.server.worker.submit(lambda: None).result()
    opened = [begin_upload(client, content) for _ in range(9)]
    try:
        # What Python's buffers hold is not on the disk yet.
        wait_until(lambda: len(list(client.folder.rglob("photograph"))) == 9)
        wait_until(lambda: bytes_in(client.folder) > 9 * 90_000)
        photo = gray_png((200, 200))
        assert client.upload(photo, "kept.png")["name"] == "kept.png"
        opened.append(begin_upload(client, content))
        wait_until(lambda: client.json("GET", "/api/photos")["photos"] == [])
        assert client.json("GET", "/api/photos")["dropped"][0]["name"] == "kept.png"
        assert "under way" in client.upload(content, status=429)["detail"]
    finally:
        for connection in opened:
            connection.close()
    wait_until(lambda: bytes_in(client.folder) == 0)
    assert client.upload(photo, "kept.png")["name"] == "kept.png"


def test_the_archive_has_every_result_under_a_name_of_its_own(client, photograph):
    content = photograph().read_bytes()
    ids = [client.upload(content, name)["id"] for name in ("a.jpg", "A.jpg", "b.gif")]
    broken = photograph("photo.png", size=(300, 300)).read_bytes()
    client.upload(broken[: len(broken) // 2], "broken.png")
    client.json("PUT", f"/api/photos/{ids[0]}/edits", {"version": 1, "hints": [HINT]})
    status, headers, archive = client.ask("GET", "/api/archive")
    assert (status, headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.testzip() is None
        names = ["a.jpg", "a.jpg.hints.json", "A (2).jpg", "b.png", "not colored.txt"]
        assert files.namelist() == names
        assert files.read("a.jpg") == client.ask("GET", f"/api/photos/{ids[0]}/result")[2]
        assert b"broken.png: damaged" in files.read("not colored.txt")
    assert not list((client.folder / "results").iterdir())


@pytest.mark.parametrize("name", ["../../escaped.jpg", "..\\..\\escaped.jpg", "/etc/escaped.jpg"])
def test_no_path_from_a_browser_touches_the_disk(client, photograph, name):
    photo = client.upload(photograph().read_bytes(), name.replace("\\", "\\\\"))
    assert photo["name"] == "escaped.jpg"
    files = [path.name for path in client.folder.rglob("*.jpg")]
    assert files == ["photograph.jpg"]


def test_an_upload_above_the_limit_is_refused_before_it_is_received(start):
    client = start(max_upload=100_000)
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall(
            f"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
            "Content-Type: multipart/form-data; boundary=edge\r\n"
            "Content-Length: 99999999999\r\n\r\n".encode()
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_an_endless_upload_is_ended_at_the_limit(start):
    client = start(max_upload=100_000)
    head = '--edge\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    chunk = b"2710\r\n" + bytes(10_000) + b"\r\n"
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
        connection.sendall(
            f"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
            "Content-Type: multipart/form-data; boundary=edge\r\nTransfer-Encoding: chunked\r\n\r\n"
            f"{len(head):x}\r\n{head}\r\n".encode()
        )
        # What the system's buffers hold is sent in vain.
        with pytest.raises(ConnectionError):
            connection.sendall(1000 * chunk)
    assert [path.name for path in client.folder.iterdir()] == ["results"]


def test_a_hundred_uploads_at_once_are_too_many(client):
    opened = []
    try:
        for _ in range(64):
            connection = socket.create_connection(("127.0.0.1", client.port), timeout=30)
            opened.append(connection)
            connection.sendall(
                f"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
                "Content-Type: multipart/form-data; boundary=edge\r\n"
                "Content-Length: 100\r\n\r\n".encode()
            )
        wait_until(lambda: len(list(client.folder.iterdir())) == 65)
        assert "64" in client.upload(b"", status=429)["detail"]
    finally:
        for connection in opened:
            connection.close()
    assert client.json("GET", "/api/health")["status"] == "ok"


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


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"a"),
        ("multipart/form-data", b"a"),
        ("multipart/form-data; boundary=edge", b"no form"),
        ("multipart/form-data; boundary=edge", b"--edge--\r\n"),
        (
            "multipart/form-data; boundary=edge",
            b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--edge--\r\n',
        ),
        (
            "multipart/form-data; boundary=edge",
            b'--edge\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\na\r\n' * 2
            + b"--edge--\r\n",
        ),
        (
            "multipart/form-data; boundary=edge",
            b'--edge\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n'
            + b"X: y\r\n" * 1000
            + b"\r\na\r\n--edge--\r\n",
        ),
    ],
)
def test_a_form_that_is_wrong_is_refused(client, kind, body):
    status, _, answer = client.ask("POST", "/api/photos", body, {"Content-Type": kind})
    assert status == 400
    assert "form" in json.loads(answer)["detail"]
    assert [path.name for path in client.folder.iterdir()] == ["results"]


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
