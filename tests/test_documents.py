"""The commands in the documents are accepted as they are written, and their paths exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from config.parser import parse
from config.settings import JOBS

_ROOT = Path(__file__).resolve().parent.parent
_DOCUMENTS = ("README.md", "docs/*.md", "weights/pretrained/*/README.md")
_COMMAND = ["python", "run.py"]


def documented_commands() -> list:
    """The arguments of every `run.py` command in a shell block, with the document in the id."""
    found = []
    for path in sorted(path for pattern in _DOCUMENTS for path in _ROOT.glob(pattern)):
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith(" ".join(_COMMAND)):
                    words = shlex.split(line, comments=True)[len(_COMMAND) :]
                    found.append(pytest.param(words, id=f"{path.relative_to(_ROOT)}: {line[:60]}"))
    return found


def test_documents_contain_commands():
    documents = {parameter.id.split(":")[0] for parameter in documented_commands()}
    assert "README.md" in documents
    assert "docs/experiments.md" in documents


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the settings in the README, each in the file that its first line names."""
    readme = (_ROOT / "README.md").read_text()
    for block in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL):
        (tmp_path / block.splitlines()[0].removeprefix("# ")).write_text(block)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", documented_commands())
def test_documented_command_is_accepted(arguments, here):
    settings, explicit = parse(arguments)
    assert settings.job in {"train", *JOBS}
    filed = tomllib.loads((here / settings.config).read_text()) if settings.config else {}
    options = {word.removeprefix("--") for word in arguments if word.startswith("--")}
    assert len(explicit) == len(options | filed.keys())


def documented_paths() -> list:
    """Links to files, and paths of modules in backticks, of every page."""
    found = []
    pages = (*_DOCUMENTS, "CONTRIBUTING.md", "benchmarks/README.md")
    for page in sorted(path for pattern in pages for path in _ROOT.glob(pattern)):
        text = page.read_text()
        links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
        modules = re.findall(r"`([a-z_]+/[\w/]+\.py)`", text)
        paths = {page.parent / link for link in links} | {_ROOT / module for module in modules}
        name = page.relative_to(_ROOT)
        found += [pytest.param(path, id=f"{name}: {path.name}") for path in sorted(paths)]
    return found


@pytest.mark.parametrize("path", documented_paths())
def test_documented_path_exists(path):
    # NAME stands for a file that a reader adds.
    assert path.exists() or "NAME" in path.name
