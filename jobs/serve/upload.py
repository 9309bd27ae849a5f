"""Receives what a browser sends, within limits of size and time."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import HTTPException, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

# A body may take half a minute, and longer as long as this many bytes a second arrive.
_SECONDS = 30.0
_LEAST_RATE = 2**14

# What surrounds the file in the body.
_ENVELOPE = 2**14
_LONGEST_NAME, _LONGEST_SUFFIX = 150, 10


async def receive_body(request: Request, most_bytes: int) -> bytes:
    """Receives a whole body.

    Raises:
        HTTPException: it is larger than `most_bytes` (413), or too slow (408).
    """
    return b"".join([chunk async for chunk in _chunks(request, most_bytes)])


async def receive_file(
    request: Request, path: Path, most_bytes: int, count: Callable[[int], None]
) -> str:
    """Receives a form with one file and writes the file as it arrives.

    Args:
        request: `Request`, multipart/form-data.
        path: `Path`, where to write it.
        most_bytes: int, the largest file.
        count: function of the number of bytes that are going to be written; what it raises ends the
            upload.

    Returns:
        The name of the file without folders, as one printable line.

    Raises:
        HTTPException: it is larger (413), too slow (408), or not a form with one file (400).
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise HTTPException(400, "send a form (multipart/form-data) with one file")
    with open(path, "wb") as file:
        form = _FormWithFile(file, count)
        try:
            parser = MultipartParser(options[b"boundary"], form.callbacks)
            async for chunk in _chunks(request, most_bytes + _ENVELOPE):
                parser.write(chunk)
            parser.finalize()
        except FormParserError as error:
            raise HTTPException(400, "the form is broken") from error
        if form.files != 1:
            raise HTTPException(400, f"send one file in a form; received {form.files}")
        if file.tell() > most_bytes:
            raise _too_large(most_bytes)
    return form.name


class _FormWithFile:
    """Writes the file of a form to disk, and remembers its name."""

    def __init__(self, file: BinaryIO, count: Callable[[int], None]):
        self.files = 0
        self.name = ""
        self._file, self._count = file, count
        self._is_file = False
        self._field, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self.callbacks: Any = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_to_field,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
        }

    def _begin_part(self) -> None:
        self._headers = {}

    def _add_to_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._is_file = b"filename" in options
        if self._is_file:
            self.files += 1
            self.name = plain_name(options[b"filename"].decode("utf-8", "replace"))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file and self.files == 1:
            self._count(end - start)
            self._file.write(data[start:end])


def plain_name(name: str) -> str:
    """The last part of a path, as a file name that every system accepts."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    allowed = (char if char.isprintable() and char not in '<>:"|?*' else "_" for char in last)
    plain = "".join(allowed).strip(" .")
    stem, suffix = os.path.splitext(plain)
    return (stem[:_LONGEST_NAME] + suffix[:_LONGEST_SUFFIX]) or "photograph"


async def _chunks(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """Yields a body as it arrives."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _too_large(most_bytes)
    started, received = time.monotonic(), 0
    stream = aiter(request.stream())
    while True:
        left = started + _SECONDS + received / _LEAST_RATE - time.monotonic()
        try:
            # Without it, a chunk that is there already would be received at any time.
            if left <= 0:
                raise TimeoutError
            chunk = await asyncio.wait_for(anext(stream), left)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise HTTPException(408, "the upload is too slow, and was ended") from error
        except ClientDisconnect as error:
            raise HTTPException(400, "the upload ended early") from error
        received += len(chunk)
        if received > most_bytes:
            raise _too_large(most_bytes)
        yield chunk


def _too_large(most_bytes: int) -> HTTPException:
    return HTTPException(413, f"it is larger than {most_bytes / 1e6:g} MB")
