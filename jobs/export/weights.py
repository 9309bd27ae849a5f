"""Exports the folder of a training as a folder of weights to ship.

Usage:
    python -m jobs.export.weights weights/sagan weights/pretrained/sagan --render_size 192
    python -m jobs.export.weights second mixed --render_size 192 --mixed_with first --share 0.3

The exported folder holds only what coloring needs: the weights of the EMA generator in half
precision and their settings, without checkpoints and without the paths of the machine that trained
them.
"""

import argparse
import sys

from config.groups.argument_types import proportion
from config.settings import is_path, names_where
from errors import ColorizerError
from jobs.common.runtime import import_tensorflow_quietly


def export_weights(
    source: str, target: str, render_size: int, mixed_with: str | None = None, share: float = 0.5
) -> None:
    """Writes a folder of weights to ship.

    Args:
        source: str, path of the folder of a training.
        target: str, path of the folder to write.
        render_size: int, the side in pixels of the square images that the network receives.
        mixed_with: str or None, path of a folder of weights from an earlier stage or epoch of the
            same training. Interpolating between the two can reach results that neither reaches
            alone. Defaults to `None`.
        share: float in [0, 1], the share of the weights in `mixed_with`. Defaults to `0.5`.

    Raises:
        InputError: a folder is not a folder of weights, or the two hold different networks.

    Reference: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
    """
    from models.catalog import COLORIZERS
    from models.checkpoints.folder import WeightsFolder

    training, shipped = WeightsFolder(source), WeightsFolder(target)
    saved = training.read_settings()
    generator = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
    training.load_generator(generator)
    if mixed_with is not None:
        earlier = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
        WeightsFolder(mixed_with).load_generator(earlier)
        pairs = zip(generator.get_weights(), earlier.get_weights(), strict=True)
        generator.set_weights([(1.0 - share) * weight + share * other for weight, other in pairs])
    shipped.save_generator(generator, half=True)
    saved["render_size"] = render_size
    paths = names_where(is_path)
    saved["settings"] = {
        name: value for name, value in saved.get("settings", {}).items() if name not in paths
    }
    shipped.write_settings(saved)


def main(arguments: list[str]) -> int:
    """Reads the command line and returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.export.weights", description=__doc__.splitlines()[0]
    )
    parser.add_argument("source", help="the folder of a training")
    parser.add_argument("target", help="the folder to write")
    parser.add_argument("--render_size", type=int, required=True)
    parser.add_argument("--mixed_with", metavar="DIR", help="weights of an earlier stage to mix in")
    parser.add_argument("--share", type=proportion, default=0.5, help="the share of DIR (0.5)")
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
