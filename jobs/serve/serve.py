"""Serves the page on which photographs are colored.

python run.py --serve
python run.py --serve --port 8000 --weights weights/sagan
"""

import asyncio
import functools
import ipaddress
import secrets
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from threadpoolctl import threadpool_limits
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.settings import Settings
from errors import InputError, InterruptedBySignalError, shown
from inference.photo_colorizer import PhotoColorizer
from jobs.common.load_colorizer import load_colorizer, weights_folders
from jobs.common.pretrained_colorizers import PretrainedColorizers, is_there, variants_beside
from jobs.common.runtime import prepare_keras
from jobs.common.signals import SignalWatch
from jobs.serve.app import Server
from jobs.serve.colorist import is_writable, prepare
from jobs.serve.guard import Guard
from jobs.serve.private_folder import private_folder
from models.checkpoints.folder import WeightsFolder

_MEGABYTE = 1_000_000

# Beyond, requests are answered with status 503.
_MOST_CONNECTIONS = 256

# For what is in progress when the server stops.
_SECONDS_TO_FINISH = 3


def serve(settings: Settings) -> int:
    """Serves the page until a signal stops it.

    Args:
        settings: `Settings`.

    Raises:
        ColorizerError: the job could not start, or was stopped by a signal.
    """
    if settings.format and not is_writable(settings.format):
        raise InputError("--format heic: this format needs pillow-heif; pip install pillow-heif")
    listener = listen(settings.host, settings.port)
    with listener, SignalWatch() as watch:
        prepare_keras(settings.precision, settings.seed)
        [folder] = weights_folders(settings)
        colorizer = load_colorizer(folder, settings, settings.render_size)
        others = PretrainedColorizers(settings, folder, colorizer)
        # Threads of NumPy's BLAS would take longer to wait for each other than to compute.
        with threadpool_limits(1, user_api="blas"):
            _serve(settings, folder, colorizer, others, listener)
    if watch.received:
        raise InterruptedBySignalError(watch.received, "the page and its photographs are gone")
    return 0


def make_guard(app: ASGIApp, host: str, port: int) -> tuple[Guard, str]:
    """Guards an application, and says where it is found.

    Args:
        app: the ASGI application.
        host: str, the address that is listened to.
        port: int.

    Returns:
        The guarded application, and its address, with a token where others can reach it.
    """
    if _is_of_this_machine(host):
        names = ("localhost", "127.0.0.1", "[::1]", _bracketed(host))
        # Browsers leave out the port of HTTP.
        hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())
        return Guard(app, hosts, None), f"http://{_bracketed(host)}:{port}/"
    token = secrets.token_urlsafe(24)
    name = socket.gethostname() if host in ("0.0.0.0", "::") else _bracketed(host)
    return Guard(app, None, token), f"http://{name}:{port}/?token={token}"


def make_config(app: ASGIApp, seconds_for_head: float = 20.0) -> uvicorn.Config:
    """The configuration of uvicorn for an ASGI application.

    Args:
        app: the ASGI application.
        seconds_for_head: float, how long the head of a request may take. Defaults to `20.0`.
    """
    protocol = functools.partial(_Protocol, seconds_for_head=seconds_for_head)
    return uvicorn.Config(
        app,
        # uvicorn only calls it.
        http=protocol,  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        server_header=False,
    )


def _serve(
    settings: Settings,
    weights: WeightsFolder,
    colorizer: PhotoColorizer,
    others: PretrainedColorizers,
    listener: socket.socket,
) -> None:
    with private_folder() as folder:
        server = Server(
            folder,
            colorizer,
            settings.quality,
            settings.provenance,
            settings.max_upload * _MEGABYTE,
            settings.max_photos,
            settings.format,
            weights.read_common_colors(),
            [variant for variant in variants_beside(weights) if is_there(variant)],
            others,
        )
        try:
            # While the person opens the page.
            server.worker.submit(functools.partial(prepare, colorizer))
            guard, address = make_guard(server.app, settings.host, listener.getsockname()[1])
            print(f"the page is at {address}\nCtrl-C stops it", flush=True)
            uvicorn.Server(make_config(guard)).run(sockets=[listener])
        finally:
            server.worker.stop()


def listen(host: str, port: int) -> socket.socket:
    """Opens the socket of the server.

    Raises:
        InputError: the port is taken, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"--host {shown(host)} --port {port}: {reason}; give another --port, or an address of "
            "this machine"
        ) from error


def _is_of_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _Protocol(H11Protocol):
    """Closes connections on which the head of a request does not arrive."""

    def __init__(self, *args: Any, seconds_for_head: float, **options: Any):
        super().__init__(*args, **options)
        self._seconds_for_head = seconds_for_head

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def _watch(self) -> None:
        before = self.cycle

        def check() -> None:
            if self.transport.is_closing():
                return
            if self.cycle is before and (before is None or before.response_complete):
                self.transport.close()
            else:
                self._watch()

        self.loop.call_later(self._seconds_for_head, check)
