"""Finds the photographs that are named on the command line."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from data.datasets.dataset_name import DEMO
from data.datasets.folder import demo_images
from data.image_io import list_images
from errors import InputError, shown


def find_photographs(name: str, output_dir: Path) -> Iterator[tuple[Path, Path, str]]:
    """Finds the photographs that an argument names.

    Args:
        name: str, a file, a folder, which is searched recursively, or `demo`.
        output_dir: `Path`, the folder of results. Where it is below a searched folder, it is
            excluded.

    Yields:
        The path of each photograph, its path below the output folder, and the reason why it cannot
        be colored, or an empty string.

    Raises:
        InputError: the file or folder does not exist or cannot be read.
    """
    if name == DEMO:
        yield from ((file, Path(file.name), "") for file in demo_images())
    elif os.path.isdir(name):
        unread = []
        files = _without_results(_images_in(name, unread.append), name, output_dir)
        yield from ((file, file.relative_to(name), "") for file in files)
        for error in unread:
            folder = Path(error.filename)
            yield folder, folder.relative_to(name), f"{error.strerror}: not searched"
    elif os.path.exists(name):
        yield Path(name), Path(Path(name).name), ""
    else:
        raise InputError(
            f"--images {shown(name)}: there is no such file or folder; give photographs, folders "
            f"of them, or {DEMO}"
        )


def _images_in(folder: str, on_error: Callable[[OSError], None]) -> list[Path]:
    try:
        return list_images(folder, on_error)
    except OSError as error:
        raise InputError(
            f"--images {shown(folder)}: {error.strerror}; give a readable folder"
        ) from error


def _without_results(files: list[Path], folder: str, output_dir: Path) -> list[Path]:
    """Excludes the results of earlier runs, where the output folder is below the input folder."""
    results = os.path.realpath(output_dir)
    if not results.startswith(os.path.join(os.path.realpath(folder), "")):
        return files
    return [file for file in files if not os.path.realpath(file).startswith(results + os.sep)]
