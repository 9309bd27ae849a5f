"""Which file of one folder belongs to which image of another, by their names."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from data.image_io import IMAGE_SUFFIXES
from errors import InputError, shown

# Paths by their name without its ending, and by that and each number of folders above.
_Index = dict[tuple[str, ...], list[str]]


def match_by_name(names: Sequence[str], paths: Sequence[str]) -> list[str | None]:
    """Finds for each image the file that is named like it.

    The endings of the names do not matter, unless nothing else tells two apart. Where several
    files are named alike, the folders that they lie in decide: the more of them agree, counted
    from the file upwards, the better, and then a file of which all folders agree.

    Args:
        names: paths of images.
        paths: paths of files.

    Returns:
        For each name one of the paths, or None where none is named like it; no path twice.

    Raises:
        InputError: two files fit an image equally well, or one file two images.
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
    """The name without its ending, then with one folder, with two ..., counted upwards."""
    *folders, name = PurePath(path).parts
    # Some programs put their ending behind that of the image. What has no ending of an image is
    # a record of a dataset: its dots tell nothing.
    while PurePath(name).suffix.lower() in IMAGE_SUFFIXES:
        name = PurePath(name).stem
    parts = (name, *folders[::-1])
    yield from (parts[:count] for count in range(1, len(parts) + 1))


def _closest(wanted: str, index: _Index) -> tuple[int, list[str]]:
    """How many folders the closest paths share with this one, and these paths."""
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
    # Not for the owner of a file: a program that converts may have made it of either.
    ending = PurePath(name).suffix
    files = [path for path in files if PurePath(path).suffix == ending] or files
    if len(files) > 1:
        raise InputError(
            f"{shown(files[0])} and {shown(files[1])} are both named like {shown(name)}, and "
            "nothing tells which belongs to it; put them into folders named as its own"
        )
    return files[0]


def _owner_of(path: str, claimants: Sequence[str]) -> str:
    if len(claimants) == 1:
        return claimants[0]
    _, names = _closest(path, _index(claimants))
    if len(names) > 1:
        raise InputError(
            f"{shown(path)} is named like both {shown(names[0])} and {shown(names[1])}, and "
            "nothing tells to which it belongs; put it into folders named as those of its image"
        )
    return names[0]
