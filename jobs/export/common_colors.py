"""Finds the commonest colors of training images, which the page suggests, for a folder of weights.

Usage:
    python -m jobs.export.common_colors weights/sagan photos/

The datasets are named as for `--dataset`; their training images are counted.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from data.datasets.image_source import ImageSource
from errors import ColorizerError
from jobs.common.runtime import import_tensorflow_quietly

# Pixels of the shorter side of the images that are counted. More would not change what is common.
_SIDE = 48


def export_common_colors(folder: str, datasets: Sequence[str]) -> None:
    """Writes the commonest colors at each lightness beside weights.

    Args:
        folder: str, path of the folder of weights.
        datasets: sequence of str, names as for `find_images`.

    Raises:
        InputError: it is not a folder of weights, or a dataset cannot be used.
        OSError: the file cannot be written.
    """
    from data.color.common_colors import find_common_colors
    from data.datasets.find_images import find_images
    from models.checkpoints.folder import WeightsFolder

    weights = WeightsFolder(folder)
    weights.read_settings()
    weights.write_common_colors(find_common_colors(_lab_images(find_images(datasets).training)))


def _lab_images(source: ImageSource) -> Iterator:
    from data.color.lab import rgb1_to_lab100, rgb255_to_rgb1
    from data.image_io import UnreadableImageError
    from jobs.common.progress_bar import progress_bar

    skipped = 0
    with progress_bar("counting colors", len(source)) as bar:
        for number in range(len(source)):
            try:
                yield rgb1_to_lab100(rgb255_to_rgb1(source.read_rgb(number, _SIDE)))
            except UnreadableImageError:
                skipped += 1
            bar.update()
    if skipped:
        print(f"left out, as they cannot be read: {skipped} images", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Reads the command line and returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.export.common_colors", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", help="the folder of weights")
    parser.add_argument("datasets", nargs="+", metavar="dataset", help="as for --dataset")
    options = parser.parse_args(arguments)
    import_tensorflow_quietly()
    try:
        export_common_colors(options.folder, options.datasets)
    except (ColorizerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_status", 2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
