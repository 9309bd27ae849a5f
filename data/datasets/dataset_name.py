"""Names of datasets on the command line: `demo`, a folder, or `KIND:LOCATION`."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from errors import InputError, shown

DEMO = "demo"
FOLDER = "folder"
TINY_IMAGENET = "tiny-imagenet"
IMAGENET64 = "imagenet64"
COCO = "coco"
TFDS = "tfds"

# The placeholder for the part after the colon.
_PREFIXES = {TINY_IMAGENET: "DIR", IMAGENET64: "DIR", COCO: "DIR", TFDS: "NAME"}


def parse_name(name: str) -> tuple[str, str]:
    """Parses the name of a dataset.

    Args:
        name: str, as on the command line.

    Returns:
        Tuple of its kind and its location: a folder, the name of the builder for `tfds`, or an
        empty string for `demo`.

    Raises:
        InputError: if the kind is unknown, or the name is empty or incomplete.

    Example:
        parse_name("coco:my_coco")                  # ("coco", "my_coco")
        parse_name("my_photographs")                # ("folder", "my_photographs")
    """
    if name == DEMO:
        return DEMO, ""
    kind, colon, where = name.partition(":")
    if kind in _PREFIXES and where:
        # Shells expand a tilde only at the beginning of a word.
        return kind, where if kind == TFDS else os.path.expanduser(where)
    # The path of a folder may contain a colon, and on Windows often does.
    if os.path.exists(name):
        return FOLDER, name
    if kind in _PREFIXES:
        raise InputError(f"{name}: the part after the colon is missing; give {_forms([kind])}")
    choices = f"give {_forms(_PREFIXES)}, a folder or {DEMO}"
    if not name:
        raise InputError(f"the name of a dataset is empty; {choices}")
    if colon and len(kind) > 1 and os.sep not in kind:
        close = did_you_mean(kind, list(_PREFIXES))
        raise InputError(f"{name}: unknown kind of dataset {kind}{close}; {choices}")
    return FOLDER, os.path.expanduser(name)


def absolute_name(name: str) -> str:
    """Returns a name of the same dataset that is valid in any working directory."""
    kind, where = parse_name(name)
    if kind in (DEMO, TFDS):
        return name
    return os.path.abspath(where) if kind == FOLDER else f"{kind}:{os.path.abspath(where)}"


def may_overlap(one: str, other: str) -> bool:
    """Returns whether two datasets may share images, judging by their names only."""
    (kind, where), (other_kind, other_where) = parse_name(one), parse_name(other)
    if kind in (DEMO, TFDS) or other_kind in (DEMO, TFDS):
        builders = (re.split(r"[:/]", text)[0] for text in (where, other_where))
        return kind == other_kind and len(set(builders)) == 1
    folders = [Path(os.path.realpath(folder)) for folder in (where, other_where)]
    return folders[0].is_relative_to(folders[1]) or folders[1].is_relative_to(folders[0])


def did_you_mean(name: str, names: Iterable[str] | Mapping[str, str]) -> str:
    """Suggests existing names that are close to a mistyped one.

    Args:
        name: str, the mistyped name.
        names: iterable of the existing names, or mapping from each to the form to suggest.

    Returns:
        str such as ` (did you mean X or Y?)`, or an empty string if no name is close.

    Example:
        did_you_mean("cats", ["dog", "cat"])        # " (did you mean cat?)"
    """
    if not isinstance(names, Mapping):
        names = {name: name for name in names}
    forms = {existing.casefold(): form for existing, form in names.items()}
    close = difflib.get_close_matches(name.casefold(), list(forms), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(forms[match] for match in close)}?)" if close else ""


def names_like(folder: str) -> str:
    """Suggests neighboring folders and kinds of datasets for a folder that does not exist."""
    parent, name = os.path.split(folder.rstrip(os.sep))
    try:
        forms = {entry.name: entry.name for entry in os.scandir(parent or ".") if entry.is_dir()}
    except OSError:
        forms = {}
    if not parent:
        forms |= {DEMO: DEMO} | {kind: f"{kind}:{where}" for kind, where in _PREFIXES.items()}
    return shown(did_you_mean(name, forms))


def _forms(kinds: Iterable[str]) -> str:
    return ", ".join(f"{kind}:{_PREFIXES[kind]}" for kind in kinds)
