"""Matches the files of one folder to the images of another by their names."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from data.image_io import IMAGE_SUFFIXES
from errors import InputError, shown

# Maps (stem,), (stem, parent), (stem, parent, grandparent), ... to the paths that have them.
_Index = dict[tuple[str, ...], list[str]]


def match_by_name(names: Sequence[str], paths: Sequence[str]) -> list[str | None]:
    """Finds the file with the same name for each image.

    Extensions are ignored, unless nothing else distinguishes two files. Among files with the same
    name, the one that shares the most parent folders with the image, counted from the file
    upward, is chosen; among those, one all of whose folders agree is preferred.

    Args:
        names: sequence of str, the paths of the images.
        paths: sequence of str, the paths of the files.

    Returns:
        List with one of the paths for each image, or None where no file has its name. No path
        occurs twice.

    Raises:
        InputError: if two files match an image equally well, or two images match a file.

    Example:
        match_by_name(["in/aunt.jpg", "in/uncle.jpg"], ["out/aunt.png"])    # ["out/aunt.png", None]
    """
    index = _index(paths)
    matches = [_file_of(name, index) for name in names]
    claims = defaultdict(list)
    for name, path in zip(names, matches, strict=True):
        if path is not None:
            claims[path].append(name)
    owners = {path: _owner_of(path, claimants) for path, claimants in claims.items()}
    return [
        path if path is not None and owners[path] == name else None
        for name, path in zip(names, matches, strict=True)
    ]


def _index(paths: Sequence[str]) -> _Index:
    index = defaultdict(list)
    for path in paths:
        for key in _keys(path):
            index[key].append(path)
    return index


def _keys(path: str) -> Iterator[tuple[str, ...]]:
    """Yields the stem alone, then with its parent folder, then with two parents, and so on."""
    *folders, name = PurePath(path).parts
    # Some programs append their extension to that of the image. Names without an image extension
    # are records of a dataset, where a dot does not start an extension.
    while PurePath(name).suffix.lower() in IMAGE_SUFFIXES:
        name = PurePath(name).stem
    parts = (name, *folders[::-1])
    yield from (parts[:count] for count in range(1, len(parts) + 1))


def _closest(wanted: str, index: _Index) -> tuple[int, list[str]]:
    """Returns the closest paths and how many parent folders they share with this one."""
    shared, closest = -1, []
    for key in _keys(wanted):
        if key not in index:
            break
        shared, closest = shared + 1, index[key]
    return shared, closest


def _file_of(name: str, index: _Index) -> str | None:
    shared, files = _closest(name, index)
    if not files:
        return None
    whole = [path for path in files if len(PurePath(path).parts) - 1 == shared]
    files = whole or files
    # `_owner_of` does not compare extensions: a file may have been converted from either image.
    suffix = PurePath(name).suffix
    files = [path for path in files if PurePath(path).suffix == suffix] or files
    if len(files) > 1:
        raise InputError(
            f"{shown(files[0])} and {shown(files[1])} are both named like {shown(name)}, and it is "
            "unclear which belongs to it; put them into folders named like those of the image"
        )
    return files[0]


def _owner_of(path: str, claimants: Sequence[str]) -> str:
    if len(claimants) == 1:
        return claimants[0]
    _, names = _closest(path, _index(claimants))
    if len(names) > 1:
        raise InputError(
            f"{shown(path)} is named like both {shown(names[0])} and {shown(names[1])}, and it is "
            "unclear to which it belongs; put it into folders named like those of its image"
        )
    return names[0]
