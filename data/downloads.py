"""Downloads that cannot be had are given up soon."""

import contextlib
import http.client
import io
import ssl
import sys
import threading
import urllib.request
from collections.abc import Iterator

# A network that drops packets answers nothing, and would keep a program waiting for minutes. Once
# one server has not answered, the others have less time.
SECONDS = 10.0
_SECONDS_AFTERWARDS = 2.0


def limit_waiting() -> None:
    """Lets downloads of `urllib`, with which Keras downloads, fail after ten silent seconds."""
    _Connection.limit = SECONDS
    urllib.request.install_opener(urllib.request.build_opener(_Handler))


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Discards standard output, where Keras draws the progress of a download, if it is a log."""
    if sys.stdout.isatty():
        yield
        return
    with contextlib.redirect_stdout(io.StringIO()):
        yield


class _Connection(http.client.HTTPSConnection):
    limit = SECONDS

    def connect(self):
        """Connects within ten seconds, however many addresses and servers of names there are."""
        errors = []

        def connect():
            try:
                super(_Connection, self).connect()
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(self.limit)
        if thread.is_alive():
            _Connection.limit = _SECONDS_AFTERWARDS
            raise TimeoutError(f"{self.host} does not answer")
        if errors:
            raise errors[0]


class _Handler(urllib.request.HTTPSHandler):
    def https_open(self, request):
        if not sys.stdout.isatty():
            print(f"downloading {request.full_url}", file=sys.stderr, flush=True)
        request.timeout = SECONDS
        return self.do_open(_Connection, request, context=ssl.create_default_context())
