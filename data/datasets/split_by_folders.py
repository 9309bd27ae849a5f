"""Finds the split of a dataset that the names of its folders tell."""

import functools
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from errors import shown

TRAINING, VALIDATION, TEST = "training", "validation", "test"

# Names without case and separators, with the letter of a side of CycleGAN, or a year as in COCO.
_END = r"(set|data|images|imgs|split)?([ab]|\d{4})?"
_ROLES = {
    TRAINING: re.compile(rf"(train|training){_END}"),
    VALIDATION: re.compile(rf"(validation|valid|val|dev|eval|evaluation){_END}"),
    TEST: re.compile(rf"(test|testing){_END}"),
}
# Of several folders with one role, the first of these.
_PREFERRED = ("train", "training", "validation", "val", "valid", "test", "testing")
_SEPARATORS = re.compile(r"[-_. ]")
# Folders that tell something, even if it is not clear what.
_LIKE_TEST = re.compile(r"(.*[-_.])?(test|testing|validation|valid|val)([-_.].*)?", re.IGNORECASE)
# The sides of CycleGAN.
_SIDES = re.compile(r"(train|test|val)[ab]", re.IGNORECASE)


@dataclass(frozen=True)
class FolderSplit:
    """The images of a dataset on each side of the split that its folders tell.

    Attributes:
        training: list of str, the paths of the training images.
        validation: list of str, the paths of the images to judge by.
        outside: str, what the other images are: outside of which folders.
        note: str, a line that says which folders are used for what.
    """

    training: list[str]
    validation: list[str]
    outside: str
    note: str


def split_by_folders(paths: Sequence[str]) -> FolderSplit | None:
    """Splits images by the names of their folders, such as `train` and `val`.

    The folders may be those at the top, or those in them (`dataset/train`, `cats/train`). Without
    images for validation, the test images are judged by; otherwise they are not used.

    Args:
        paths: sequence of str, the paths of the images relative to the dataset's folder.

    Returns:
        `FolderSplit`, or None if the names do not tell a split.
    """
    for depth in (0, 1):
        roles = _roles_at(paths, depth)
        names = {role: sorted({name for _, name in found}) for role, found in roles.items()}
        judged = VALIDATION if names[VALIDATION] else TEST
        if not names[TRAINING] or not names[judged]:
            continue
        if depth and 2 * sum(map(len, roles.values())) < len(paths):
            # These folders are a small part of something else.
            continue
        return _split(roles, names, judged, depth)
    return None


def warn_of_test_folders(paths: Sequence[str]) -> str | None:
    """A warning if images are used although their folders are named like those of a test set."""
    found: Counter[str] = Counter()
    for path in paths:
        for name in path.split(os.sep)[:-1]:
            if _is_like_test(name):
                found[name] += 1
                break
    if not found or found.total() == len(paths):
        return None
    names = ", ".join(map(shown, sorted(found)))
    return (
        f"{found.total():,} images in folders called {names} are split like all others; if they "
        "are not to be learned from, give a folder with train/ and val/ or test/, or one without "
        "them"
    )


def warn_of_sides(paths: Sequence[str]) -> str | None:
    """A warning if the folders are those of the two sides of CycleGAN: `trainA` and `trainB`."""
    names = {name for path in paths for name in path.split(os.sep)[:-1]}
    sides = sorted(name for name in names if _SIDES.fullmatch(name))
    if len({name[-1].lower() for name in sides}) < 2:
        return None
    return (
        f"{', '.join(sides)} are the two sides of a dataset for CycleGAN, and both are used; if "
        f"only one of them has the colors to learn, give that folder alone, such as {sides[-1]}"
    )


@functools.cache
def _is_like_test(name: str) -> bool:
    return _role_of(name) in (TEST, VALIDATION) or _LIKE_TEST.fullmatch(name) is not None


@functools.cache
def _role_of(name: str) -> str | None:
    plain = _SEPARATORS.sub("", name.casefold())
    return next((role for role, names in _ROLES.items() if names.fullmatch(plain)), None)


def _roles_at(paths: Sequence[str], depth: int) -> dict[str, list[tuple[str, str]]]:
    """The images of each role with the names of the folders at this depth that tell it."""
    roles: dict[str, list[tuple[str, str]]] = {TRAINING: [], VALIDATION: [], TEST: []}
    for path in paths:
        parts = path.split(os.sep, depth + 2)
        if len(parts) < depth + 2:
            continue
        if role := _role_of(parts[depth]):
            roles[role].append((path, parts[depth]))
    return roles


def _split(
    roles: dict[str, list[tuple[str, str]]], names: dict[str, list[str]], judged: str, depth: int
) -> FolderSplit:
    chosen = {role: _chosen(found, depth) for role, found in names.items()}

    def images(role):
        return [path for path, name in roles[role] if name in chosen[role]]

    train, judge = (" and ".join(map(shown, chosen[role])) for role in (TRAINING, judged))
    note = f"learns from {train}, is judged by {judge}"
    if judged == VALIDATION and names[TEST]:
        note += f"; {' and '.join(map(shown, names[TEST]))} is left untouched"
    return FolderSplit(images(TRAINING), images(judged), f"outside {train} and {judge}", note)


def _chosen(names: list[str], depth: int) -> list[str]:
    """The folders that are used of those with one role: at the top, a dataset has only one."""
    if depth or all(map(_SIDES.fullmatch, names)):
        return names
    plain = {name: _SEPARATORS.sub("", name.casefold()) for name in names}
    order = {name: place for place, name in enumerate(_PREFERRED)}
    return [min(names, key=lambda name: (order.get(plain[name], len(order)), name))]
