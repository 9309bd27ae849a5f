"""Names that browsers send become plain names; slow uploads end."""

import asyncio
import itertools

import pytest
from fastapi import HTTPException, Request

from jobs.serve import upload


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
