"""A server with a tiny network on a real port, and a client of it."""

import contextlib
import http.client
import json
import threading
import time

import numpy as np
import pytest
import uvicorn
from PIL import Image

from inference.photo_colorizer import PhotoColorizer
from jobs.serve.app import Server
from jobs.serve.serve import listen, make_config, make_guard


class Client:
    """Sends requests to a server and returns answers."""

    def __init__(self, port):
        self.port = port
        self.headers = {}

    def ask(self, method, path, body=None, headers=None):
        """Returns the status, the headers and the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def json(self, method, path, body=None, headers=None, status=200):
        """Returns the JSON of an answer with this status."""
        body = None if body is None else json.dumps(body)
        received, _, content = self.ask(method, path, body, headers)
        assert received == status, content
        return json.loads(content)

    def upload(self, content, name="photo.jpg", status=200):
        """Uploads a file and returns the JSON of the answer."""
        head = (
            '--edge\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
        )
        received, _, answer = self.ask(
            "POST", "/api/photos", head.encode() + content + b"\r\n--edge--\r\n", FORM
        )
        assert received == status, answer
        return json.loads(answer)

    def ready(self, id):
        """Waits until a photograph is colored, and returns its state."""
        for _ in range(600):
            photo = next(
                each for each in self.json("GET", "/api/photos")["photos"] if each["id"] == id
            )
            if photo["state"] in ("ready", "failed"):
                return photo
            time.sleep(0.1)
        raise TimeoutError(photo)


FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.fixture(scope="session")
def colorizer(weights):
    return PhotoColorizer.from_folder(weights, precision="float32")


@pytest.fixture(scope="session")
def hinted_colorizer(hinted_weights):
    return PhotoColorizer.from_folder(hinted_weights, precision="float32")


@contextlib.contextmanager
def starting(own_colorizer, folders):
    """Yields a function that starts a server and returns a client of it."""
    with contextlib.ExitStack() as stack:

        def call(host="127.0.0.1", seconds_for_head=20.0, colorizer=own_colorizer, **options):
            folder = folders / f"server {len(list(folders.iterdir()))}"
            folder.mkdir()
            listener = stack.enter_context(listen(host, 0))
            server = Server(folder, colorizer, **options)
            stack.callback(server.worker.stop)
            guard, address = make_guard(server.app, host, listener.getsockname()[1])
            running = uvicorn.Server(make_config(guard, seconds_for_head))
            thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, running, "should_exit", True)
            client = Client(listener.getsockname()[1])
            client.folder, client.address, client.server = folder, address, server
            return client

        yield call


@pytest.fixture
def start(colorizer, tmp_path):
    with starting(colorizer, tmp_path) as call:
        yield call


@pytest.fixture
def client(start):
    return start()


@pytest.fixture(scope="module")
def shared_client(colorizer, tmp_path_factory):
    with starting(colorizer, tmp_path_factory.mktemp("servers")) as call:
        yield call()


@pytest.fixture
def red_photograph(tmp_path_factory):
    """The path of a photograph in color, with reds alone."""
    lightness = np.linspace(60, 200, 40)[:, None, None]
    strong, weak = ((1.0, 0.3, 0.3), (0.9, 0.7, 0.7))
    pixels = np.where(np.arange(60)[:, None] < 30, strong, weak) * lightness
    path = tmp_path_factory.mktemp("in color") / "red.png"
    Image.fromarray(pixels.astype("uint8")).save(path)
    return path


@pytest.fixture
def photograph(tmp_path_factory):
    """Returns a function that writes a gray photograph and returns its path."""
    folder = tmp_path_factory.mktemp("photographs")

    def write(name="photo.jpg", size=(60, 40), **options):
        pixels = np.linspace(60, 200, size[0] * size[1]).astype("uint8").reshape(size[::-1])
        Image.fromarray(pixels).save(folder / name, **options)
        return folder / name

    return write
