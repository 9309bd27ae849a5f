"""Photographs in the private folder are limited, and those untouched longest make room."""

import contextlib
import io
import os
import socket

import numpy as np
import pytest
from PIL import Image

from tests.jobs.serve.answers import wait_until


def bytes_in(folder):
    """The bytes of all files, also while the server deletes some of them."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.path.getsize(os.path.join(path, name))
    return total


def gray_png(size):
    encoded = io.BytesIO()
    Image.effect_noise(size, 50).save(encoded, "PNG")
    return encoded.getvalue()


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


@pytest.mark.parametrize("name", ["../../escaped.jpg", "..\\..\\escaped.jpg", "/etc/escaped.jpg"])
def test_no_path_from_a_browser_touches_the_disk(client, photograph, name):
    photo = client.upload(photograph().read_bytes(), name.replace("\\", "\\\\"))
    assert photo["name"] == "escaped.jpg"
    files = [path.name for path in client.folder.rglob("*.jpg")]
    assert files == ["photograph.jpg"]
