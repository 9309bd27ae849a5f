"""Finds the photographs that are named on the command line."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data.datasets.dataset_name import DEMO
from data.datasets.folder import demo_photographs
from data.image_io import list_image_paths
from errors import InputError, shown
from inference.hints_file import HINTS_SUFFIX


def find_photographs(
    name: str, output_dir: Path, passed_over: Counter[str]
) -> Iterator[tuple[Path, Path, str]]:
    """Finds the photographs that an argument names.

    Args:
        name: str, a file, a folder, which is searched recursively, or `demo`.
        output_dir: `Path`, the folder of results. Where it is below a searched folder, it is
            excluded.
        passed_over: `Counter` of the suffixes of files in folders that are not images, updated in
            place.

    Yields:
        The path of each photograph, its path below the output folder, and the reason why it cannot
        be colored, or an empty string.

    Raises:
        InputError: the file or folder does not exist or cannot be read.
    """
    if name == DEMO:
        yield from ((file, Path(file.name), "") for file in demo_photographs())
    elif os.path.isdir(name):
        yield from _in_folder(Path(name), os.path.realpath(output_dir), passed_over)
    elif os.path.exists(name):
        yield Path(name), Path(Path(name).name), ""
    else:
        raise InputError(
            f"--images {shown(name)}: there is no such file or folder; give photographs, folders "
            f"of them, or {DEMO}"
        )


def _in_folder(
    folder: Path, results: str, passed_over: Counter[str]
) -> Iterator[tuple[Path, Path, str]]:
    unread: list[OSError] = []
    others: list[str] = []
    try:
        paths = list_image_paths(folder, unread.append, others.append)
    except OSError as error:
        raise InputError(
            f"--images {shown(folder)}: {error.strerror}; give a readable folder"
        ) from error
    # Results of earlier runs are excluded only where their folder is below the input folder.
    is_below = results.startswith(os.path.join(os.path.realpath(folder), ""))

    def is_result(path: str) -> bool:
        return is_below and os.path.realpath(folder / path).startswith(results + os.sep)

    passed_over.update(
        Path(path).suffix.lower()
        for path in others
        if not is_result(path) and not path.endswith(HINTS_SUFFIX)
    )
    for path in paths:
        if not is_result(path):
            yield folder / path, Path(path), ""
    for failure in unread:
        below = Path(failure.filename)
        yield below, below.relative_to(folder), f"{failure.strerror}: not searched"
