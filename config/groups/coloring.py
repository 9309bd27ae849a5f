"""The settings of coloring photographs."""

import functools
from dataclasses import dataclass
from typing import Literal

from config.groups.argument_types import (
    File,
    Folder,
    NamePart,
    NotNegative,
    Part,
    Percent,
    PositiveInt,
    Proportion,
    Side,
)
from config.groups.setting import Jobs, Need, setting

_LOSSY = Need(
    lambda settings: settings.format not in ("png", "tif", "bmp"),
    "with --format {format}, which is lossless",
)
# What colored photographs can be written as.
Format = Literal["jpg", "png", "tif", "webp", "bmp", "heic"]

_QUANTIZABLE = Need(
    lambda settings: set(settings.export or ()) <= {"onnx", "litert"},
    "with --export openvino or saved_model, whose weights stay float32",
)
_photograph_setting = functools.partial(setting, jobs=Jobs.COLORIZING)
_result_setting = functools.partial(setting, jobs=Jobs.COLORIZING | Jobs.SERVING)


@dataclass(frozen=True, init=False, repr=False, eq=False)
class ColoringSettings:
    """How photographs are colored and written."""

    output_dir: Folder = setting(
        "folder for the colored photographs, for the sheets of --inspect and --evaluate, and for "
        "the folders of --export",
        "results",
        jobs=Jobs.NAMING_PHOTOGRAPHS | Jobs.INSPECTING | Jobs.EXPORTING,
    )
    render_size: Side | None = setting(
        "side of the square to which a photograph is resized for the network, at least 16; larger "
        "is more detailed and slower, and too large turns gray (default: saved with the weights)",
        jobs=Jobs.USING_WEIGHTS,
        aliases=("export_size",),
    )
    quantize: bool = setting(
        "store the weights with 8 bits: a quarter of the size, and slightly other colors",
        False,
        needs=[_QUANTIZABLE],
        jobs=Jobs.EXPORTING,
    )
    format: Format | None = _result_setting(
        "output format (default: that of the photograph if it can hold color, otherwise png)"
    )
    # At this quality JPEG changes lightness little more than rounding to 8 bits does.
    quality: Percent = _result_setting(
        "quality of JPEG, lossy WebP and HEIC, 1 to 100", 95, needs=[_LOSSY]
    )
    suffix: NamePart = _photograph_setting(
        "append this to the names of colored photographs, as in --suffix _colored (default: none)",
        "",
    )
    overwrite: bool = _photograph_setting(
        "color photographs again whose results are already in --output_dir", False
    )
    shard: Part | None = _photograph_setting(
        "color only part I of N, the same photographs in every call: N machines, each with its own "
        "I, can share a folder"
    )
    comparison: bool = _photograph_setting(
        "also write gray and colored side by side, as NAME_comparison", False
    )
    variants: PositiveInt | None = _photograph_setting(
        "also write N variants of each photograph to choose from, as NAME_VARIANT (calm, as_is, "
        "vivid, four palettes, then those of other weights that ship), and a sheet of them, "
        "NAME_variants; --saturation and --calm do not change them"
    )
    saturation: NotNegative = setting(
        "multiply all colors by this factor", 1.0, jobs=Jobs.COLORING, metavar="FACTOR"
    )
    calm: Proportion = setting(
        "pull colors that the network is unsure of toward gray by up to this share, 0 to 1: fewer "
        "blotches, paler colors",
        0.0,
        jobs=Jobs.COLORING,
    )
    flip_average: bool = setting(
        "also color the mirrored photograph and average: calmer colors, twice the network's time",
        False,
        jobs=Jobs.COLORING,
    )
    # Archives ask for it, and in Europe article 50 of the AI Act.
    provenance: bool = _result_setting(
        "say in the XMP of colored photographs that the colors are machine-made, and by which "
        "weights; nothing is drawn into the photograph",
        True,
    )
    hints: File | None = _photograph_setting(
        "colors that you ask for at some places: a file of hints, or a folder with NAME.hints.json "
        "for photographs (default: such files beside the photographs)"
    )
    quiet: bool = setting(
        "print only what went wrong", False, jobs=Jobs.COLORIZING | Jobs.TRAINING, saved=False
    )
