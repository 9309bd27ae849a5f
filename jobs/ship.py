"""Makes a folder of weights that ships from the folder of a training.

    python -m jobs.ship weights/sagan weights/pretrained/sagan --render_size 256

What ships is what colors: the slow generator's best weights in half precision and their settings,
without snapshots and without the paths of the machine that trained them.
"""

import argparse
import sys

from errors import ColorizerError
from jobs.runtime import import_tensorflow_quietly
from jobs.settings import PATHS


def ship(source: str, target: str, render_size: int) -> None:
    """Writes the folder that ships.

    Args:
        source: path of the folder of a training.
        target: path of the folder to write.
        render_size: int, the side of the square as which the network shall see photographs.

    Raises:
        InputError: the source is no folder of weights.
    """
    from models.catalog import COLORIZERS
    from models.weights_folder import WeightsFolder

    source, target = WeightsFolder(source), WeightsFolder(target)
    saved = source.read_settings()
    generator = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
    source.load_generator(generator)
    target.save_generator(generator, half=True)
    saved["render_size"] = render_size
    saved["settings"] = {
        name: value for name, value in saved.get("settings", {}).items() if name not in PATHS
    }
    target.write_settings(saved)


def main(arguments: list[str]) -> int:
    """Reads the command line and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m jobs.ship", description=ship.__doc__)
    parser.add_argument("source", help="the folder of a training")
    parser.add_argument("target", help="the folder to write")
    parser.add_argument("--render_size", type=int, required=True)
    options = parser.parse_args(arguments)
    import_tensorflow_quietly()
    try:
        ship(options.source, options.target, options.render_size)
    except ColorizerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
