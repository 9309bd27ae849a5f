"""Downloads end soon where no server answers."""

import socket
import urllib.error
import urllib.request

import pytest

from data import downloads


def test_a_server_that_does_not_answer_is_given_up(monkeypatch, capsys):
    monkeypatch.setattr(downloads, "SECONDS", 0.1)
    downloads.limit_waiting()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"https://127.0.0.1:{server.getsockname()[1]}/a.h5"
        # Either the connection as a whole, or its last part, takes too long.
        with pytest.raises(urllib.error.URLError, match=r"does not answer|timed out"):
            urllib.request.urlopen(address)
    urllib.request.install_opener(None)
    assert capsys.readouterr().err == f"downloading {address}\n"


def test_bars_are_not_drawn_in_a_log(capsys):
    with downloads.without_bars():
        print("###")
    print("done")
    assert capsys.readouterr().out == "done\n"
