"""Names that browsers send become plain names; uploads that are too large or too slow end."""

import asyncio
import itertools
import json
import socket

import pytest
from fastapi import HTTPException, Request

from jobs.serve import upload
from tests.jobs.serve.answers import wait_until


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a.jpg", "a.jpg"),
        ("folder/b c.tiff", "b c.tiff"),
        ("C:\\photos\\d.jpg", "d.jpg"),
        ("..", "photograph"),
        ("", "photograph"),
        ('e<>:"|?*\x00\n.png', "e_________.png"),
        ("Großmutter 1920.jpg", "Großmutter 1920.jpg"),
        ("x" * 500 + ".jpg", "x" * 150 + ".jpg"),
    ],
)
def test_names_become_plain(name, plain):
    assert upload.plain_name(name) == plain


def test_a_slow_body_is_ended(monkeypatch):
    clock = itertools.count(0, 20)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))

    async def receive():
        return {"type": "http.request", "body": b"a", "more_body": True}

    request = Request({"type": "http", "headers": [], "method": "POST"}, receive)
    with pytest.raises(HTTPException) as raised:
        asyncio.run(upload.receive_body(request, 1_000_000))
    assert raised.value.status_code == 408


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
