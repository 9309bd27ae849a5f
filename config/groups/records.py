"""The settings of the records: logs, checkpoints, sample grids and validation metrics."""

from dataclasses import dataclass
from typing import Literal

from config.groups.argument_types import Count, File, Folder, PositiveInt
from config.groups.setting import TRUE_COLORS, Jobs, Need, setting

_SAMPLES = Need(lambda settings: settings.sample_every, "with --sample_every 0")
_LPIPS = Need(
    lambda settings: (
        settings.evaluate
        or "lpips" in settings.validation_metrics
        or "lpips" in settings.reconstruction_weights
    ),
    "without lpips in --validation_metrics or --reconstruction",
)


@dataclass(frozen=True, init=False, repr=False, eq=False)
class RecordSettings:
    """What a training writes, and how often."""

    # About one point a minute on a slow machine.
    log_every: PositiveInt = setting("write the losses to TensorBoard every N steps", 50)
    checkpoint_steps: PositiveInt | None = setting(
        "also write a checkpoint every N steps, not only after each epoch",
        aliases=("snapshot_steps",),
    )
    # If the last one is damaged, the one before it can be used.
    keep: PositiveInt = setting("checkpoints to keep", 2)
    sample_every: Count = setting("write sample grids every N epochs; 0 for never", 1)
    # As many as TensorBoard shows on a screen.
    sample_count: PositiveInt = setting(
        "images in a sample grid and on the sheet of --evaluate",
        8,
        needs=[_SAMPLES],
        jobs=Jobs.OPENING_DATASETS,
    )
    sample_images: Folder | None = setting(
        "folder of photographs without true colors to show in the sample grids as well",
        needs=[_SAMPLES],
    )

    validation_metrics: tuple[Literal["psnr", "ssim", "colorfulness", "lpips"], ...] = setting(
        "metrics of the validation images after every epoch, besides the losses: psnr, ssim, "
        "colorfulness (also of the true images), lpips",
        ("psnr", "colorfulness"),
    )
    lpips_weights: File | None = setting(
        "LPIPS weights for --evaluate, --validation_metrics and --reconstruction, an .npz "
        "(default: Keras' cache, or downloaded)",
        needs=[TRUE_COLORS, _LPIPS],
        jobs=Jobs.OPENING_DATASETS,
    )
