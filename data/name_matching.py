"""Which file of one folder belongs to which picture of another, by their names."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePath

from errors import InputError, shown


def match_by_name(names: Sequence[str], paths: Sequence[str]) -> list[str | None]:
    """Finds for each picture the file that is named like it.

    The endings of the names do not matter. Where several files are named alike, the folders that
    they lie in decide: the more of them agree, counted from the file upwards, the better.

    Args:
        names: paths of pictures.
        paths: paths of files.

    Returns:
        For each name one of the paths, or None where none is named like it; no path twice.

    Raises:
        InputError: two files fit a picture equally well, or one file two pictures.
    """
    files = defaultdict(list)
    for path in paths:
        files[PurePath(path).stem].append(path)
    matches = [_best(name, files[PurePath(name).stem]) for name in names]
    claims = defaultdict(list)
    for name, path in zip(names, matches, strict=True):
        if path is not None:
            claims[path].append(name)
    owners = {path: _best(path, claimants) for path, claimants in claims.items()}
    return [
        path if path is not None and owners[path] == name else None
        for name, path in zip(names, matches, strict=True)
    ]


def _best(wanted: str, candidates: Sequence[str]) -> str | None:
    """The candidate whose folders agree best with those of the wanted path."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    agreements = [_shared_folders(wanted, each) for each in candidates]
    best = max(agreements)
    chosen = [
        each for each, agreement in zip(candidates, agreements, strict=True) if agreement == best
    ]
    if len(chosen) > 1:
        raise InputError(
            f"{shown(chosen[0])} and {shown(chosen[1])} are both named like {shown(wanted)}, and "
            "nothing tells which belongs to it; put them into folders named as its own"
        )
    return chosen[0]


def _shared_folders(one: str, other: str) -> int:
    """How many folders have the same name in both, counted from the file upwards."""
    pairs = zip(PurePath(one).parts[-2::-1], PurePath(other).parts[-2::-1], strict=False)
    count = 0
    for first, second in pairs:
        if first != second:
            break
        count += 1
    return count
