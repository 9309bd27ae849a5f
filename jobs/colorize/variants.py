"""Several ways to color a photograph: a file for each, and a sheet of all."""

import sys
from pathlib import Path

import numpy as np

from data.photos.file import PhotoFile
from data.photos.page import page_of_pixels, to_depth
from data.photos.provenance import Provenance
from data.photos.writer import write_photo
from errors import InputError, shown
from inference.look import Look
from inference.pipeline import Job
from inference.variants import VARIANTS
from jobs.common.contact_sheet import draw_contact_sheet
from jobs.common.pretrained_colorizers import is_there, pretrained_folder, variants_beside
from models.checkpoints.folder import WeightsFolder

_SHEET = "_variants"

# What the names of variants and of their sheet end in.
ENDINGS = (*(f"_{name}" for name in VARIANTS), _SHEET)

# The longer side of each image on a sheet, in pixels.
_SIDE = 480


def choose_variants(count: int, folder: WeightsFolder) -> list[Look]:
    """Chooses the first variants of those that there are beside the weights in a folder.

    Prints a note for one whose weights are missing.

    Raises:
        InputError: there are fewer.
    """
    others = variants_beside(folder)
    if count > len(others):
        raise InputError(
            f"--variants {count}: there are {len(others)} variants of these weights "
            f"({', '.join(each.name for each in others)}); give at most {len(others)}"
        )
    chosen = []
    for variant in others[:count]:
        if is_there(variant):
            chosen.append(variant)
        elif variant.weights:
            print(
                f"note: the variant {variant.name} is left out, because its weights are not at "
                f"{shown(pretrained_folder(variant.weights))}",
                file=sys.stderr,
            )
    return chosen


def add_variants(job: Job, variants: list[Look]) -> None:
    """Adds the jobs of the variants of a photograph to its own."""
    for variant in variants:
        target = job.target.with_stem(f"{job.target.stem}_{variant.name}")
        job.variants.append(Job(job.source, target, hints_file=job.hints_file, variant=variant))


def sheet_path(job: Job) -> Path:
    """The path of the sheet of the variants of a photograph."""
    return job.target.with_stem(job.target.stem + _SHEET)


def write_sheet(job: Job, quality: int, provenance: Provenance | None) -> None:
    """Writes the variants of a photograph, which have been written, side by side.

    Args:
        job: `Job` of the photograph.
        quality: int, quality of lossy formats.
        provenance: `Provenance` or None, as for `write_photo`.

    Raises:
        OSError: it cannot be written.
    """
    small = {
        each.variant.name.replace("_", " "): _small(each.target)[None]
        for each in job.variants
        if each.variant
    }
    sheet = draw_contact_sheet(small)
    write_photo(sheet_path(job), [(page_of_pixels(sheet), [sheet])], quality, provenance)


def _small(path: Path) -> np.ndarray:
    page = PhotoFile(path).pages[0]
    scale = min(1.0, _SIDE / max(page.height, page.width))
    height, width = (max(1, round(side * scale)) for side in (page.height, page.width))
    return np.broadcast_to(to_depth(page.shrunk(height, width), 8), (height, width, 3))
