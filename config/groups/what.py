"""The settings that say what to do."""

from dataclasses import dataclass
from typing import Literal

from config.groups.argument_types import ExportFormat, File, Folder, ModelName, Seed
from config.groups.presets import PRESETS
from config.groups.setting import MODELS, Jobs, Need, setting

_NO_WEIGHTS = Need(lambda settings: not settings.weights, "with --weights, which name their model")


@dataclass(frozen=True, init=False, repr=False, eq=False)
class WhatToDo:
    """The job, the model, and where weights and records are."""

    config: File | None = setting(
        "take settings from this file, .toml or .json, by their names here without the hyphens; "
        "also from the settings.json of a training; explicit options override them",
        jobs=Jobs.ANY,
        saved=False,
        metavar="FILE",
    )
    load_weights: bool = setting(
        "resume the training in --weights_dir from its last checkpoint; with --images, --serve, "
        "--evaluate or --export, use the weights of that training",
        False,
        jobs=Jobs.RESUMING,
        saved=False,
    )
    images: tuple[File, ...] | None = setting(
        "color these photographs: files, folders (searched recursively), or `demo`; with "
        "--evaluate, evaluate on them without true colors",
        jobs=Jobs.NAMING_PHOTOGRAPHS,
    )
    serve: bool = setting(
        "open a page for a browser on this machine, on which photographs are dropped, colored, "
        "touched up by hand and downloaded",
        False,
        jobs=Jobs.SERVING,
    )
    export: tuple[ExportFormat, ...] | None = setting(
        "write the network for other programs, in one or more formats, each in a folder of "
        "--output_dir with a sample that colors a photograph; each is read back and compared",
        jobs=Jobs.EXPORTING,
    )
    evaluate: bool = setting(
        "evaluate weights (and the results of other programs) on the validation images of "
        "--dataset: print a table of metrics and write a sheet of images (evaluation.png in "
        "--output_dir)",
        False,
        jobs=Jobs.EVALUATING,
    )
    inspect: bool = setting(
        "show the training data: the datasets, a sheet of images (inspect.png in --output_dir), "
        "their colorfulness and the loading speed",
        False,
        jobs=Jobs.INSPECTING,
    )
    model: ModelName = setting(
        "the colorizer",
        "sagan",
        needs=[_NO_WEIGHTS],
        jobs=Jobs.ANY,
        fixed="weights",
        choices=MODELS,
    )
    preset: str | None = setting(
        "use the settings of an experiment; explicit options override them: "
        + "; ".join(
            f"`{name}`: {preset.sentence}"
            + (f" (from the weights of {preset.starts_from})" if preset.starts_from else "")
            for name, preset in PRESETS.items()
        ),
        choices=tuple(PRESETS),
        metavar="NAME",
    )
    weights_dir: Folder | None = setting(
        "folder where training saves its weights and checkpoints (default: weights/MODEL or "
        "weights/PRESET)",
        jobs=Jobs.ANY,
        saved=False,
    )
    weights: tuple[Folder, ...] | None = setting(
        "color with, or export, the weights in this folder; with --evaluate, compare the weights "
        "in several folders (default: the pretrained weights of --model)",
        jobs=Jobs.USING_WEIGHTS,
    )
    pretrained: Folder | None = setting(
        "start a new training from the weights in this folder, for example to fine-tune them on "
        "other images (default: with a preset that starts from another, the weights of that one)"
    )
    log_dir: Folder | None = setting(
        "folder of the TensorBoard logs (default: logs/MODEL/TIME or logs/PRESET/TIME, or "
        "logs/evaluation/TIME)",
        jobs=Jobs.OPENING_DATASETS,
    )
    seed: Seed = setting(
        "seed of the initial weights, the split, the order of the images and the augmentation",
        0,
        jobs=Jobs.OPENING_DATASETS,
        fixed="checkpoint",
    )
    deterministic: bool = setting(
        "bitwise identical results in every run on one machine, at some cost in speed", False
    )
    strategy: Literal["auto", "none", "mirrored", "multiworker"] = setting(
        "devices to train on: `none` is one device; `mirrored`, all GPUs of this machine; "
        "`multiworker`, those of all machines in TF_CONFIG; `auto`, all that are available",
        "auto",
        saved=False,
    )
    # bfloat16 doubles the speed where the hardware supports it; elsewhere its emulation is slow.
    precision: Literal["auto", "float32", "mixed_bfloat16"] = setting(
        "precision of the networks; auto is float32 with --evaluate, otherwise bfloat16 where the "
        "CPU or GPU supports it natively, else float32",
        "auto",
        jobs=Jobs.TRAINING | Jobs.COLORING,
    )
