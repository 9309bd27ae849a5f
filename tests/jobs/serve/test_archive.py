"""All results are sent in one zip."""

import io
import zipfile

from tests.jobs.serve.answers import HINT


def test_the_archive_has_every_result_under_a_name_of_its_own(client, photograph):
    content = photograph().read_bytes()
    ids = [client.upload(content, name)["id"] for name in ("a.jpg", "A.jpg", "b.gif")]
    broken = photograph("photo.png", size=(300, 300)).read_bytes()
    client.upload(broken[: len(broken) // 2], "broken.png")
    client.json("PUT", f"/api/photos/{ids[0]}/edits", {"version": 1, "hints": [HINT]})
    status, headers, archive = client.ask("GET", "/api/archive")
    assert (status, headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.testzip() is None
        names = ["a.jpg", "a.jpg.hints.json", "A (2).jpg", "b.png", "not colored.txt"]
        assert files.namelist() == names
        assert files.read("a.jpg") == client.ask("GET", f"/api/photos/{ids[0]}/result")[2]
        assert b"broken.png: damaged" in files.read("not colored.txt")
    assert not list((client.folder / "results").iterdir())
