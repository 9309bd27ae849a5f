"""How datasets are named on the command line: `demo`, a folder, or KIND:WHERE."""

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

# What stands behind the colon.
_PREFIXES = {TINY_IMAGENET: "DIR", IMAGENET64: "DIR", COCO: "DIR", TFDS: "NAME"}


def parse_name(name: str) -> tuple[str, str]:
    """Reads the name of a dataset.

    Returns:
        Its kind, and the folder or, of `tfds`, the builder's name; nothing of `demo`.

    Raises:
        InputError: there is no such kind; the closest are named.
    """
    if name == DEMO:
        return DEMO, ""
    kind, colon, where = name.partition(":")
    if colon and kind in _PREFIXES:
        if not where:
            raise InputError(f"--dataset {name}: say where it is: {_forms([kind])}")
        # A shell expands a tilde only at the beginning of a word.
        return kind, where if kind == TFDS else os.path.expanduser(where)
    # A name with a colon may be that of a folder, and on Windows often is.
    if os.path.exists(name):
        return FOLDER, name
    if not name:
        raise InputError(
            f"--dataset: a name is empty; give {_forms(_PREFIXES)}, a folder or {DEMO}"
        )
    if name in _PREFIXES:
        raise InputError(f"--dataset {name}: say where it is: {_forms([name])}")
    if colon and len(kind) > 1 and os.sep not in kind:
        close = did_you_mean(kind, list(_PREFIXES))
        raise InputError(
            f"--dataset {name}: there is no kind of dataset {kind}{close}; give "
            f"{_forms(_PREFIXES)}, a folder or {DEMO}"
        )
    return FOLDER, os.path.expanduser(name)


def absolute_name(name: str) -> str:
    """The same dataset, named so that it is found from any working folder."""
    kind, where = parse_name(name)
    if kind in (DEMO, TFDS):
        return name
    return os.path.abspath(where) if kind == FOLDER else f"{kind}:{os.path.abspath(where)}"


def may_overlap(one: str, other: str) -> bool:
    """Whether two datasets may have images in common, by their names alone."""
    (kind, where), (other_kind, other_where) = parse_name(one), parse_name(other)
    if kind in (DEMO, TFDS) or other_kind in (DEMO, TFDS):
        builders = (re.split(r"[:/]", each)[0] for each in (where, other_where))
        return kind == other_kind and len(set(builders)) == 1
    folders = [Path(os.path.realpath(each)) for each in (where, other_where)]
    return folders[0].is_relative_to(folders[1]) or folders[1].is_relative_to(folders[0])


def did_you_mean(name: str, names: Iterable[str] | Mapping[str, str]) -> str:
    """` (did you mean X or Y?)` with the names that are close to this one, or nothing.

    Args:
        name: str.
        names: those that exist; or, by name, what to say in place of it.
    """
    forms = {each.casefold(): form for each, form in _with_forms(names).items()}
    close = difflib.get_close_matches(name.casefold(), list(forms), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(forms[each] for each in close)}?)" if close else ""


def _with_forms(names: Iterable[str] | Mapping[str, str]) -> Mapping[str, str]:
    return names if isinstance(names, Mapping) else {each: each for each in names}


def names_like(folder: str) -> str:
    """`did_you_mean` of a folder that is not there: its neighbors and the kinds of datasets."""
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
