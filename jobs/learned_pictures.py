"""Which pictures weights have learned from, as their own settings tell."""

import os
import sys
from collections.abc import Sequence

from data.dataset_name import may_overlap
from data.sources.picture_source import PictureSource
from errors import InputError, shown
from jobs.settings import Settings, fields
from jobs.training_data import find_training_pictures
from models.weights_folder import WeightsFolder


def find_learned_pictures(folder: WeightsFolder, names: Sequence[str]) -> list[PictureSource]:
    """Finds what weights, and those that their training began with, have learned from.

    Args:
        folder: of the weights.
        names: of data sets. What can have no picture in common with any of them is passed over,
            and so is what weights that ship learned from: they do not say it.

    Raises:
        InputError: the folder is no folder of weights.
    """
    saved = folder.read_settings().get("settings", {})
    sources = []
    if any(may_overlap(trained, name) for trained in saved.get("dataset", ()) for name in names):
        known = {entry.name for entry in fields()}
        settings = Settings(**{name: value for name, value in saved.items() if name in known})
        try:
            sources.append(find_training_pictures(settings).training)
        except InputError as error:
            print(
                f"warning: what {shown(folder.path)} learned from cannot be found, and may be "
                f"among what it is judged by: {error}",
                file=sys.stderr,
            )
    earlier = saved.get("pretrained")
    if earlier and os.path.isdir(earlier):
        sources += find_learned_pictures(WeightsFolder(earlier), names)
    return sources
