"""Other pages, other names of this machine and other people are refused."""

import pytest

from jobs.serve.guard import Guard
from jobs.serve.serve import make_guard


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:{port}", "127.0.0.1", ""])
def test_a_name_that_points_here_is_refused(client, host):
    refused = client.json(
        "GET", "/api/photos", headers={"Host": host.format(port=client.port)}, status=403
    )
    assert "address" in refused["detail"]


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_names_of_this_machine_are_accepted(client, host):
    client.json("GET", "/api/photos", headers={"Host": host.format(port=client.port)})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_requests_of_other_pages_are_refused(client, headers, method):
    refused = client.json(method, "/api/photos", headers=headers, status=403)
    assert refused["detail"] == "another page sent this request"


def test_the_page_itself_may_ask_and_links_to_it_work(client):
    own = {"Origin": f"http://127.0.0.1:{client.port}", "Sec-Fetch-Site": "same-origin"}
    client.json("GET", "/api/photos", headers=own)
    assert client.ask("GET", "/", headers={"Sec-Fetch-Site": "cross-site"})[0] == 200


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/none", "/openapi.json"])
def test_every_answer_has_a_strict_policy(client, path):
    _, headers, _ = client.ask("GET", path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_on_another_host_a_token_is_asked_for(start):
    client = start("0.0.0.0")
    token = client.address.split("?token=")[1]
    assert len(token) >= 32
    assert "token" in client.json("GET", "/api/photos", status=401)["detail"]
    for wrong in (token[:-1], "", "ü"):
        headers = {"Authorization": f"Bearer {wrong}".encode()}
        assert client.json("GET", "/api/photos", headers=headers, status=401)
        assert "set-cookie" not in client.ask("GET", f"/?token={token[:-1]}")[1]
    client.json("GET", "/api/photos", headers={"Authorization": f"Bearer {token}"})
    _, headers, _ = client.ask("GET", f"/?token={token}")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    client.json("GET", "/api/photos", headers={"Cookie": cookie.split(";")[0]})
    assert client.json("GET", "/api/photos", headers={"Cookie": "colorizer_token=a"}, status=401)
    assert client.json("GET", "/openapi.json", status=401)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_this_machine_no_token_is_needed(host):
    guard, address = make_guard(None, host, 80)
    assert isinstance(guard, Guard)
    assert "token" not in address
