"""Makes a folder of weights that ships from the folder of a training.

    python -m jobs.export.weights weights/sagan weights/pretrained/sagan --render_size 192
    python -m jobs.export.weights eighth shipped --render_size 192 --mixed_with fourth --share 0.3

What ships is what colors: the EMA generator's best weights in half precision and their settings,
without checkpoints and without the paths of the machine that trained them.
"""

import argparse
import sys

from config.argument_types import proportion
from config.settings import PATHS
from errors import ColorizerError
from jobs.common.runtime import import_tensorflow_quietly


def export_weights(
    source: str, target: str, render_size: int, mixed_with: str | None = None, share: float = 0.0
) -> None:
    """Writes the folder that ships.

    Args:
        source: path of the folder of a training.
        target: path of the folder to write.
        render_size: int, the side of the square as which the network shall see photographs.
        mixed_with: path of another folder whose weights are mixed in, or None: those of an earlier
            stage or epoch of the same training. Between the two lies what neither alone reaches
            (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
        share: float in [0, 1], of the other weights.

    Raises:
        InputError: a source is no folder of weights, or they are of other networks.
    """
    from models.catalog import COLORIZERS
    from models.checkpoints.folder import WeightsFolder

    source, target = WeightsFolder(source), WeightsFolder(target)
    saved = source.read_settings()
    generator = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
    source.load_generator(generator)
    if mixed_with is not None:
        earlier = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
        WeightsFolder(mixed_with).load_generator(earlier)
        pairs = zip(generator.get_weights(), earlier.get_weights(), strict=True)
        generator.set_weights([(1.0 - share) * one + share * other for one, other in pairs])
    target.save_generator(generator, half=True)
    saved["render_size"] = render_size
    saved["settings"] = {
        name: value for name, value in saved.get("settings", {}).items() if name not in PATHS
    }
    target.write_settings(saved)


def main(arguments: list[str]) -> int:
    """Reads the command line and returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.export.weights", description=export_weights.__doc__
    )
    parser.add_argument("source", help="the folder of a training")
    parser.add_argument("target", help="the folder to write")
    parser.add_argument("--render_size", type=int, required=True)
    parser.add_argument("--mixed_with", metavar="DIR", help="weights of an earlier stage or epoch")
    parser.add_argument("--share", type=proportion, default=0.5, help="of these (0.5)")
    options = parser.parse_args(arguments)
    import_tensorflow_quietly()
    try:
        export_weights(
            options.source, options.target, options.render_size, options.mixed_with, options.share
        )
    except ColorizerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
