"""The commands in the documents are accepted as they are written."""

import re
import shlex
from pathlib import Path

import pytest

from config.parser import parse

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
    assert "weights/pretrained/sagan/README.md" in documents


@pytest.mark.parametrize("arguments", documented_commands())
def test_documented_command_is_accepted(arguments):
    settings, explicit = parse(arguments)
    assert settings.job in {"train", "inspect", "colorize", "evaluate"}
    assert len(explicit) == sum(word.startswith("--") for word in arguments)
