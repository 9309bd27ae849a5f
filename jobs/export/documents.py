"""What lies beside an exported network: a sample that colors with it, and its README."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from string import Template

from data.color.color_curves import RGB_TO_RELATIVE_XYZ
from data.color.lab import AB_SCALE, LIGHTNESS_SCALE
from errors import shown
from inference import __version__
from inference.saved_network import SavedNetwork
from jobs.export.fixed_network import OUTPUT, FixedNetwork
from jobs.export.formats import Format

_TEMPLATES = Path(__file__).parent / "templates"

_MEANINGS = {
    "lightness": f"L / {LIGHTNESS_SCALE:g} - 1: from -1, black, to 1, white",
    "hints": f"of each pixel a / {AB_SCALE:g}, b / {AB_SCALE:g} and 1 where a color is asked for, "
    "in squares, and 0 elsewhere or without hints",
    "palette": "shares, whose sum is 1, of the colors that the photograph should have, in squares "
    "of 10 x 10 of ab: number 23 (round(a / 10) + 11) + round(b / 10) + 11; 0 everywhere for none",
}


def write_sample(format: Format, network: FixedNetwork, folder: Path) -> Path:
    """Writes the sample of a format, and its page, if it has one.

    Args:
        format: `Format`.
        network: `FixedNetwork`.
        folder: where its file is.

    Returns:
        The path of the sample.
    """
    others = {name: shape for name, shape in network.shapes.items() if name != "lightness"}
    values = {
        "imports": format.imports,
        "load": format.load,
        "predict": format.predict,
        "side": network.side,
        "output_shape": network.output_shape,
        "output_scale": f"{AB_SCALE:g}",
        "others": "".join(f", {name} {shape}" for name, shape in others.items()),
        "zeros": "".join(
            f'    inputs["{name}"] = np.zeros({shape}, "float32")\n'
            for name, shape in others.items()
        ),
        "shapes": {name: [*shape] for name, shape in network.shapes.items()},
        "output_side": network.output_shape[1],
        **{
            f"to_{name}": ", ".join(f"{value:.7g}" for value in row)
            for name, row in zip("xyz", RGB_TO_RELATIVE_XYZ.T, strict=True)
        },
    }
    if format.page:
        (folder / format.page).write_text(_filled(f"{format.page}.txt", values))
    path = folder / "color.py"
    path.write_text(_filled("color.py.txt", values))
    return path


def write_readme(
    format: Format,
    saved: SavedNetwork,
    network: FixedNetwork,
    folder: Path,
    precision: str,
    difference: str,
    photographs: Sequence[str],
) -> None:
    """Writes the README of an exported network.

    Args:
        format: `Format`.
        saved: `SavedNetwork`, where the weights come from.
        network: `FixedNetwork`.
        folder: where its file is.
        precision: str, how the weights are stored.
        difference: str, how far its colors are from those of Keras.
        photographs: sequence of str, the names of the photographs that were compared.
    """
    rows = [
        f"| input | `{name}` | {_product(shape)} | {_MEANINGS[name]} |"
        for name, shape in network.shapes.items()
    ]
    rows.append(
        f"| output | `{OUTPUT}` | {_product(network.output_shape)} | a / {AB_SCALE:g} and b / "
        f"{AB_SCALE:g}, each in [-1, 1] |"
    )
    packages = {**{name: name for name in ("tensorflow", "keras")}, **format.packages}
    values = {
        "title": format.title,
        "file": format.file,
        # The name alone: a whole path may be private.
        "weights": shown(saved.folder.path.resolve().name),
        "hash": saved.folder.weights_hash()[:12],
        "model": saved.model,
        "precision": precision,
        "version": __version__,
        "rows": "\n".join(rows),
        "side": network.side,
        "packages": format.runtime,
        "photographs": ", ".join(photographs),
        "versions": ", ".join(f"{name} {version(name)}" for name in packages.values()),
        "difference": difference,
        "page": _filled("page.md.txt", {}) if format.page else "",
    }
    (folder / "README.md").write_text(_filled("README.md.txt", values))


def _filled(name: str, values: Mapping[str, object]) -> str:
    return Template((_TEMPLATES / name).read_text()).substitute(values)


def _product(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
