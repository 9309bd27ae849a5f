"""The interface of the page: what a browser, or curl, may ask for."""

import asyncio
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from config.groups.coloring import Format
from data.color.common_colors import CommonColors
from errors import first_line
from inference import __version__
from inference.hints_file import HintsFile
from inference.look import Look
from inference.palette import Palette
from inference.photo_colorizer import PhotoColorizer
from jobs.serve.archive import streamed_zip
from jobs.serve.colorist import (
    OWN_VARIANTS,
    Colorist,
    Part,
    UncolorableError,
    is_writable,
    label,
    open_photo,
    result_name,
)
from jobs.serve.photos import FAILED, WAITING, Photo, Photos, State, with_suffix_of
from jobs.serve.upload import receive_body, receive_file
from jobs.serve.worker import Worker

PAGE = Path(__file__).resolve().parents[2] / "web"

_MOST_UPLOADS = 64
_LARGEST_SIDE, _LARGEST_PART = 2048, 3072
_MOST_BYTES_OF_EDITS = 2**20
_BLOCK = 2**20

_Side = Annotated[int, Query(ge=16, le=_LARGEST_SIDE, description="the longer side in pixels")]
_Page = Annotated[int, Query(ge=0, description="the page of a TIFF, from 0 on")]
_Part = Annotated[
    str | None,
    Query(
        pattern=r"^\d{1,9}(,\d{1,9}){3}$",
        description="left,top,width,height in pixels: only this part, at full size",
    ),
]
_Share = Annotated[float, Query(ge=0, le=1)]

_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    },
}
_EDITS = {
    "required": True,
    "content": {
        "application/json": {
            "example": HintsFile().to_json()
            | {"hints": [{"x": 0.25, "y": 0.5, "color": "#a03020", "radius": 0.02}]}
        }
    },
}


class PhotoState(BaseModel):
    """A photograph, and how far it is."""

    id: str
    name: str
    width: int
    height: int
    pages: int
    sizes: list[tuple[int, int]]
    state: State
    place: int
    error: str
    notes: list[str]
    revision: int
    saturation: float
    calm: float
    is_in_color: bool
    takes_palette: bool


class AllPhotos(BaseModel):
    """The photographs on the page, and those that were dropped for others."""

    photos: list[PhotoState]
    dropped: list[dict[str, str]]


class Color(BaseModel):
    """A color, and why it is suggested."""

    name: str
    color: str


class Suggestions(BaseModel):
    """The lightness L of a place, in [0, 100], and colors of that lightness."""

    lightness: float
    colors: list[Color]


class Variant(BaseModel):
    """A way to color a photograph, and the address of a picture of it."""

    name: str
    label: str
    is_chosen: bool
    image: str


class Variants(BaseModel):
    """The ways to color a photograph from which a person may choose."""

    variants: list[Variant]


class Health(BaseModel):
    """Whether the server works, and what it accepts."""

    status: Literal["ok"] = "ok"
    version: str = __version__
    photos: int
    queue: int
    max_upload: int
    max_photos: int
    formats: list[Format]
    format: Format | None


class Server:
    """Answers the requests of the page.

    Args:
        folder: `Path`, the private folder for photographs.
        colorizer: `PhotoColorizer`.
        quality: int, of results in lossy formats. Defaults to `95`.
        says_provenance: bool, whether results say that their colors are machine-made. Defaults to
            `True`.
        max_upload: int, the largest file in bytes. Defaults to 200 MB.
        max_photos: int, the largest number of photographs. Defaults to `100`.
        format: `Format` or None, of results of which no other is asked for. Defaults to `None`,
            that of the photograph.
        common_colors: `CommonColors` of the training images, to be suggested, or None if they are
            not known. Defaults to `None`.
        variants: sequence of `Look`, what a person may choose from. Defaults to the variants that
            need no other weights.
        with_weights: function of the name of pretrained weights that returns a `PhotoColorizer`, or
            None if there are no other weights. Defaults to `None`.

    Attributes:
        app: the `FastAPI` application.
        worker: the `Worker`, to be stopped at the end.
    """

    def __init__(
        self,
        folder: Path,
        colorizer: PhotoColorizer,
        quality: int = 95,
        says_provenance: bool = True,
        max_upload: int = 200_000_000,
        max_photos: int = 100,
        format: Format | None = None,
        common_colors: CommonColors | None = None,
        variants: Sequence[Look] = OWN_VARIANTS,
        with_weights: Callable[[str], PhotoColorizer] | None = None,
    ):
        self.worker = Worker()
        self._colorizer = colorizer
        self._max_upload = max_upload
        self._max_photos = max_photos
        self._formats = [each for each in get_args(Format) if is_writable(each)]
        self._format = format
        self._uploads = 0
        self._variants = {each.name: each for each in variants}
        self._colorist = Colorist(
            colorizer, quality, says_provenance, common_colors, variants, with_weights
        )
        # Ten of the largest files, so that the disk cannot be filled with them. Uploads under way
        # count.
        self._photos = Photos(folder, max_photos, 10 * max_upload, self._forget)
        self._first_looks: dict[str, Future] = {}
        self._results = folder / "results"
        self._results.mkdir(mode=0o700)
        self._result_count = 0
        self.app = self._make_app()

    def _make_app(self) -> FastAPI:
        # FastAPI's pages of documentation load scripts from other servers.
        app = FastAPI(title="Colorizer", version=__version__, docs_url=None, redoc_url=None)
        app.add_exception_handler(RequestValidationError, _explain_validation)
        app.add_exception_handler(UncolorableError, _explain_uncolorable)
        app.add_exception_handler(CancelledError, _explain_stop)
        one = "/api/photos/{id}"
        for method, path, function, options in (
            ("POST", "/api/photos", self.add, {"openapi_extra": {"requestBody": _FORM}}),
            ("GET", "/api/photos", self.every, {}),
            ("GET", one, self.get, {}),
            ("DELETE", one, self.delete, {"status_code": 204}),
            ("GET", f"{one}/gray", self.gray, {"response_class": _Jpeg}),
            ("GET", f"{one}/colored", self.colored, {"response_class": _Jpeg}),
            ("PUT", f"{one}/edits", self.edit, {"openapi_extra": {"requestBody": _EDITS}}),
            ("GET", f"{one}/edits", self.edits, {}),
            ("GET", f"{one}/variants", self.variants, {}),
            ("GET", f"{one}/variants/{{name}}", self.variant, {"response_class": _Jpeg}),
            ("GET", f"{one}/suggestions", self.suggestions, {}),
            ("GET", f"{one}/result", self.result, {"response_class": _Download}),
            ("GET", f"{one}/hints", self.hints, {"response_class": _Download}),
            ("GET", "/api/archive", self.archive, {"response_class": _Download}),
            ("GET", "/api/health", self.health, {}),
        ):
            app.add_api_route(path, function, methods=[method], **options)
        app.mount("/", StaticFiles(directory=PAGE, html=True))
        return app

    async def add(self, request: Request) -> PhotoState:
        """Adds a photograph: a form with one file."""
        if self._uploads >= _MOST_UPLOADS:
            raise HTTPException(429, f"{_MOST_UPLOADS} uploads are under way; try again later")
        self._uploads += 1
        path = self._photos.new_path()
        try:
            count = functools.partial(self._count, path)
            name = await receive_file(request, path, self._max_upload, count)
            path = with_suffix_of(path, name)
            sizes, notes = await run_in_threadpool(
                open_photo, path, name, self._format, self._colorizer
            )
        except UncolorableError as error:
            self._photos.discard(path)
            raise HTTPException(415, str(error)) from error
        except BaseException:
            self._photos.discard(path)
            raise
        finally:
            self._uploads -= 1
        photo = self._photos.add(path, name, sizes, notes)
        photo.takes_palette = self._colorizer.takes_palette
        self._first_looks[photo.id] = self.worker.submit(lambda: self._colorist.first_look(photo))
        return self._state(photo)

    async def every(self) -> AllPhotos:
        """All photographs, and the names of those that were dropped to make room."""
        return AllPhotos(
            photos=[self._state(photo) for photo in self._photos.every()],
            dropped=[{"id": photo.id, "name": photo.name} for photo in self._photos.dropped],
        )

    async def get(self, id: str) -> PhotoState:
        """One photograph."""
        return self._state(self._find(id))

    async def delete(self, id: str) -> None:
        """Removes a photograph."""
        self._photos.remove(self._find(id))

    async def gray(
        self, id: str, size: _Side = 1280, page: _Page = 0, part: _Part = None
    ) -> Response:
        """A photograph in gray, at the size of a screen, or a part of it at full size."""
        photo = self._find_page(id, page)
        view = _inside(part, photo.sizes[page]) if part else size
        return _Jpeg(await self._soon(lambda: self._colorist.gray(photo, page, view)))

    async def colored(
        self, id: str, size: _Side = 1280, page: _Page = 0, part: _Part = None
    ) -> Response:
        """A photograph in color with its edits, as in gray."""
        photo = self._find_page(id, page)
        view = _inside(part, photo.sizes[page]) if part else size
        return _Jpeg(await self._soon(lambda: self._colorist.colored(photo, page, view)))

    async def edits(self, id: str) -> dict[str, Any]:
        """The hints and the saturation of a photograph, as a file of hints holds them."""
        return self._find(id).edits.to_json()

    async def edit(self, id: str, request: Request) -> PhotoState:
        """Changes the hints, the palette and the saturation of a photograph to these.

        `palette_from` is the id of another photograph.
        """
        photo = self._find(id)
        body = await receive_body(request, _MOST_BYTES_OF_EDITS)
        try:
            content = json.loads(body)
            # A palette has to be read from a photograph.
            edits, takes_palettes = await self._soon(lambda: self._read_edits(content))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise HTTPException(422, f"it is not JSON: {first_line(error)}") from error
        except ValueError as error:
            raise HTTPException(422, first_line(error)) from error
        for number, hint in enumerate(edits.hints, start=1):
            if hint.page >= len(photo.sizes):
                raise HTTPException(
                    422, f"hint {number}: `page` should be below {len(photo.sizes)}, from 0 on"
                )
        photo.edits, photo.takes_palette = edits, takes_palettes
        photo.revision += 1
        return self._state(photo)

    async def variants(self, id: str) -> Variants:
        """The variants of a photograph, with the addresses of pictures of them."""
        photo = self._find_page(id)
        found = await self._soon(lambda: self._colorist.variants(photo))
        return Variants(
            variants=[
                Variant(
                    name=variant.name,
                    label=label(variant),
                    is_chosen=is_chosen,
                    image=f"/api/photos/{id}/variants/{variant.name}",
                )
                for variant, is_chosen in found
            ]
        )

    async def variant(self, id: str, name: str, size: _Side = 320, page: _Page = 0) -> Response:
        """A photograph as a variant with its hints and palette, at the size of a screen."""
        photo = self._find_page(id, page)
        variant = self._variants.get(name)
        if variant is None:
            names = ", ".join(self._variants)
            raise HTTPException(404, f"there is no such variant; give one of {names}")
        # Whoever edits should not wait for all of them.
        run = functools.partial(self._colorist.variant, photo, page, variant, size)
        return _Jpeg(await asyncio.wrap_future(self.worker.submit(run)))

    async def suggestions(self, id: str, x: _Share, y: _Share, page: _Page = 0) -> Suggestions:
        """Colors that are likely at a place, given as shares of the width and the height."""
        photo = self._find_page(id, page)
        lightness, colors = await self._soon(lambda: self._colorist.suggestions(photo, page, x, y))
        return Suggestions(
            lightness=lightness, colors=[Color(name=name, color=color) for name, color in colors]
        )

    async def result(self, id: str, format: Format | None = None) -> Response:
        """A photograph in color at full size, with its metadata."""
        photo = self._find_page(id)
        if format and format not in self._formats:
            raise HTTPException(422, f"format: {format} needs pillow-heif on the server")
        format, target = format or self._format, self._new_result()
        path = await self._soon(lambda: self._colorist.result(photo, format, target))
        return _Download(_read_and_remove(path), headers=_named(result_name(photo, format)))

    async def hints(self, id: str) -> Response:
        """The file of hints of a photograph, which `run.py --images` takes."""
        photo = self._find(id)
        return _Download(iter([_hints_file(photo)]), headers=_named(f"{photo.name}.hints.json"))

    async def archive(self) -> Response:
        """A zip with all results, and with the files of hints of what was touched up."""
        return _Download(
            streamed_zip(self._archived(self._photos.every())),
            media_type="application/zip",
            headers=_named("colored.zip"),
        )

    async def health(self) -> Health:
        """Whether the server works."""
        return Health(
            photos=len(self._photos.every()),
            queue=self.worker.waiting,
            max_upload=self._max_upload,
            max_photos=self._max_photos,
            formats=self._formats,
            format=self._format,
        )

    def _read_edits(self, content: Any) -> tuple[HintsFile, bool]:
        """The edits, and whether the weights that they ask for take a palette."""
        edits = HintsFile.from_json(content, self._palette_of)
        return edits, self._colorist.check(edits)

    def _palette_of(self, id: str) -> Palette:
        photo = self._photos.find(id)
        if photo is None:
            raise ValueError("there is no such photograph (any more)")
        return Palette.of_photograph(photo.path)

    def _count(self, path: Path, received: int) -> None:
        """Counts bytes of an upload under way."""
        if not self._photos.count(path, received):
            raise HTTPException(429, "the uploads under way fill the disk's share; try again later")

    def _find(self, id: str) -> Photo:
        photo = self._photos.find(id)
        if photo is None:
            raise HTTPException(404, "there is no such photograph (any more)")
        return photo

    def _find_page(self, id: str, page: int = 0) -> Photo:
        """The photograph, if its pixels can be read and it has this page."""
        photo = self._find(id)
        if page >= len(photo.sizes):
            raise HTTPException(404, f"it has only {len(photo.sizes)} pages, from 0 on")
        if photo.state == FAILED:
            raise UncolorableError(photo.error)
        return photo

    def _forget(self, photo: Photo) -> None:
        self._first_looks.pop(photo.id).cancel()
        self._colorist.forget(photo)

    def _state(self, photo: Photo) -> PhotoState:
        look = self._first_looks.get(photo.id)
        width, height = photo.sizes[0]
        saturation, calm = self._colorist.values(photo.edits.look())
        return PhotoState(
            id=photo.id,
            name=photo.name,
            width=width,
            height=height,
            pages=len(photo.sizes),
            sizes=photo.sizes,
            state=photo.state,
            place=self.worker.place_of(look) if look and photo.state == WAITING else 0,
            error=photo.error,
            notes=photo.notes,
            revision=photo.revision,
            saturation=saturation,
            calm=calm,
            is_in_color=photo.is_in_color,
            takes_palette=photo.takes_palette,
        )

    async def _soon(self, run: Callable[[], Any]) -> Any:
        """What a function returns that the worker calls before photographs nobody waits for."""
        return await asyncio.wrap_future(self.worker.submit(run, is_urgent=True))

    def _new_result(self) -> Path:
        self._result_count += 1
        return self._results / str(self._result_count)

    def _archived(self, photos: list[Photo]) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Yields names and contents, one photograph after the other."""
        failures = []
        for photo in photos:
            target = self._new_result()
            color = functools.partial(self._colorist.result, photo, self._format, target)
            try:
                path = self.worker.submit(color).result()
            except UncolorableError as error:
                failures.append(f"{photo.name}: {error}\n".encode())
                continue
            yield result_name(photo, self._format), _read_and_remove(path)
            if photo.revision:
                yield f"{photo.name}.hints.json", [_hints_file(photo)]
        if failures:
            yield "not colored.txt", failures


def _inside(text: str, size: tuple[int, int]) -> Part:
    """Reads a part of a page of this width and height."""
    left, top, width, height = (int(number) for number in text.split(","))
    width, height = min(width, size[0] - left), min(height, size[1] - top)
    if not (0 < width <= _LARGEST_PART and 0 < height <= _LARGEST_PART):
        raise HTTPException(
            422,
            f"part: should be inside the {size[0]} x {size[1]} pixels of the page, and at most "
            f"{_LARGEST_PART} wide and high",
        )
    return left, top, width, height


class _Jpeg(Response):
    media_type = "image/jpeg"


class _Download(StreamingResponse):
    media_type = "application/octet-stream"


def _read_and_remove(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                yield block
    finally:
        path.unlink(missing_ok=True)


def _hints_file(photo: Photo) -> bytes:
    return (json.dumps(photo.edits.to_json(), indent=1) + "\n").encode()


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}


async def _explain_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return JSONResponse({"detail": f"{first['loc'][-1]}: {first['msg']}"}, 422)


async def _explain_uncolorable(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 415)


async def _explain_stop(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "it was removed, or the server is stopping"}, 503)
