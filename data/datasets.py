"""Where training pictures come from.

A data set is named on the command line by a folder, which is searched deep, or by `demo`, the
natural photographs that scikit-image installs. What comes back is two lists of files.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.pictures import PICTURE_SUFFIXES, list_pictures
from errors import InputError

DEMO = "demo"

# The color photographs of everyday things in scikit-image's wheel; the others are microscope
# pictures, textures and drawings.
_DEMO_FILES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")

_TRAINING_FOLDER = "train"
_VALIDATION_FOLDERS = ("validation", "val")


@dataclass(frozen=True)
class PictureLists:
    """The files of a data set.

    Attributes:
        training: the files to learn from.
        validation: the files to judge by, none of them in `training`, in a fixed random order:
            any first part of them is a fair sample.
    """

    training: list[str]
    validation: list[str]

    def __len__(self) -> int:
        return len(self.training) + len(self.validation)


def find_pictures(
    names: Sequence[str],
    validation_share: float = 0.05,
    max_pictures: int | None = None,
    seed: int = 0,
) -> PictureLists:
    """Lists the pictures of one or more data sets.

    A folder with the subfolders `train` and `validation` (or `val`) is split as it says. Any other
    is split by a hash of each file's name below the folder: a picture keeps its side when others
    are added or removed (but for sets so small that their share is less than one picture).

    Args:
        names: folders, or `demo`; their pictures are joined.
        validation_share: float in [0, 1), the share of pictures to judge by where the data set
            does not say. Unless it is 0, at least one picture of each set is.
        max_pictures: int or None. At most this many pictures of the whole, drawn at random, in
            the same proportion of training and validation.
        seed: int, of the hash and the draw.

    Raises:
        InputError: a name is no folder, or there is no picture in it.
    """
    # Dictionaries keep the order and each picture once, in sets that overlap too.
    training, validation = {}, {}
    for name in names:
        folder, files = _files_of(name)
        lists = _split(folder, files, validation_share, seed)
        training.update(dict.fromkeys(lists.training))
        validation.update(dict.fromkeys(lists.validation))
    validation = list(validation)
    random.Random(seed).shuffle(validation)
    judged = set(validation)
    lists = PictureLists([file for file in training if file not in judged], validation)
    if max_pictures is not None and max_pictures < len(lists):
        lists = _limit(lists, max_pictures, seed)
    return lists


def demo_pictures() -> list[Path]:
    """The natural color photographs that scikit-image installs.

    Raises:
        InputError: this scikit-image has none of them.
    """
    import skimage

    folder = Path(skimage.data_dir)
    pictures = [folder / name for name in _DEMO_FILES if (folder / name).exists()]
    if not pictures:
        raise InputError(
            f"scikit-image has no demo photographs in {folder}: install it again, or give a folder"
        )
    return pictures


def _files_of(name: str) -> tuple[Path, list[Path]]:
    if name == DEMO:
        pictures = demo_pictures()
        return pictures[0].parent, pictures
    folder = Path(name)
    if not name or not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"--dataset {name}: {what}; give a folder of pictures, or {DEMO}")
    try:
        pictures = list_pictures(folder)
    except OSError as error:
        raise InputError(f"--dataset {name}: {error.strerror}; give a readable folder") from error
    if not pictures:
        raise InputError(
            f"--dataset {name}: no picture in it; looked, in subfolders too, for names that end "
            f"in {' '.join(PICTURE_SUFFIXES)}"
        )
    return folder, pictures


def _split(folder: Path, files: list[Path], validation_share: float, seed: int) -> PictureLists:
    tops = {file.relative_to(folder).parts[0] for file in files}
    validation_folder = next((name for name in _VALIDATION_FOLDERS if name in tops), None)
    if _TRAINING_FOLDER in tops and validation_folder:
        sides = {_TRAINING_FOLDER: [], validation_folder: []}
        for file in files:
            sides.get(file.relative_to(folder).parts[0], []).append(str(file))
        return PictureLists(sides[_TRAINING_FOLDER], sides[validation_folder])

    places = {file: _place(file.relative_to(folder).as_posix(), seed) for file in files}
    # At least one picture is held out, and at least one is not.
    lowest, highest = min(places.values()), max(places.values())
    border = min(max(validation_share, lowest + 1e-12), highest) if validation_share else 0.0
    return PictureLists(
        [str(file) for file in files if places[file] >= border],
        [str(file) for file in files if places[file] < border],
    )


def _limit(lists: PictureLists, max_pictures: int, seed: int) -> PictureLists:
    """A random part of both lists, in the same proportion."""
    kept = round(max_pictures * len(lists.validation) / len(lists))
    if lists.validation:
        # At least one on each side.
        kept = min(max(1, kept), max(1, max_pictures - 1))
    training = random.Random(seed).sample(lists.training, max_pictures - kept)
    return PictureLists(sorted(training), lists.validation[:kept])


def _place(name: str, seed: int) -> float:
    """A number in [0, 1) that depends on the name and the seed alone."""
    name_bytes = name.encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(name_bytes, digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big") / 2**64
