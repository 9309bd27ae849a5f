"""Images in COCO format are selected by the objects in them, and errors are reported."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import data.datasets.coco
from tests.data.datasets.found import (
    find_dataset,
    refusal,
    relative_names,
    skipped_counts,
    touch,
    used,
)

CATEGORIES = {
    "person": "person",
    "cat": "animal",
    "dog": "animal",
    "hot dog": "food",
    "traffic light": "outdoor",
}
NUMBERS = {name: 10 * number for number, name in enumerate(CATEGORIES, start=1)}

# The objects in each image.
TRAINING = {
    "1.jpg": ["cat", "cat", "person"],
    "2.jpg": ["dog"],
    "3.jpg": ["hot dog"],
    "4.jpg": [],
    "5.jpg": ["traffic light", "dog"],
}
VALIDATION = {"6.jpg": ["cat"], "7.jpg": [], "8.jpg": ["person"]}


def entries(contents, first=1):
    """Returns the annotations of images with these objects."""
    images = [
        {"id": number, "file_name": name, "width": 8, "height": 8}
        for number, name in enumerate(contents, start=first)
    ]
    objects = [
        {
            "id": 100 * number + index,
            "image_id": number,
            "category_id": NUMBERS[category],
            "segmentation": [[0.0, 0.0, 7.0, 0.0, 7.0, 7.0]],
            "bbox": [0, 0, 7, 7],
            "iscrowd": 0,
        }
        for number, names in enumerate(contents.values(), start=first)
        for index, category in enumerate(names)
    ]
    categories = [
        {"id": NUMBERS[name], "name": name, "supercategory": above}
        for name, above in CATEGORIES.items()
    ]
    return {"info": {}, "images": images, "annotations": objects, "categories": categories}


def annotate(folder, part, annotations):
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    path = folder / "annotations" / f"instances_{part}.json"
    path.write_text(annotations if isinstance(annotations, str) else json.dumps(annotations))


@pytest.fixture
def folder(tmp_path):
    """A dataset of five training and three validation images, with the published layout."""
    folder = tmp_path / "coco"
    annotate(folder, "train2017", entries(TRAINING))
    annotate(folder, "val2017", entries(VALIDATION, first=6))
    (folder / "annotations" / "captions_train2017.json").write_text("{}")
    touch(folder / "train2017", TRAINING)
    touch(folder / "val2017", VALIDATION)
    return folder


def find(folder, *categories, share=0.5, seed=0):
    return find_dataset(f"coco:{folder}", categories=categories, validation_share=share, seed=seed)


def error_of(folder, *categories):
    return refusal(f"coco:{folder}", categories=categories)


def replace_by_one_part(folder, annotations, names=None):
    """Replaces the dataset by one with a single part."""
    shutil.rmtree(folder)
    annotate(folder, "train", annotations)
    if names is None:
        names = [image["file_name"] for image in annotations["images"]]
    (folder / "train").mkdir(parents=True)
    touch(folder / "train", names)


# --- all images ------------------------------------------------------------------------------


def test_parts_are_the_split(folder):
    found = find(folder, share=0.9)
    assert relative_names(found.training, folder) == [f"train2017/{name}" for name in TRAINING]
    assert relative_names(found.validation, folder) == [f"val2017/{name}" for name in VALIDATION]
    assert skipped_counts(found) == {}


def test_images_have_no_labels(folder):
    found = find(folder)
    assert found.training.classes is None
    assert found.training.label(0) == -1


def test_parts_may_be_in_the_folder_images(folder):
    (folder / "images").mkdir()
    for part in ("train2017", "val2017"):
        (folder / part).rename(folder / "images" / part)
    found = find(folder)
    assert relative_names(found.training, folder) == [
        f"images/train2017/{name}" for name in TRAINING
    ]
    assert relative_names(found.validation, folder) == [
        f"images/val2017/{name}" for name in VALIDATION
    ]


def test_images_of_all_parts_may_be_in_one_folder(folder):
    for part in ("train2017", "val2017"):
        shutil.rmtree(folder / part)
    touch(folder / "images", [*TRAINING, *VALIDATION])
    found = find(folder)
    assert relative_names(found.training, folder) == [f"images/{name}" for name in TRAINING]
    assert relative_names(found.validation, folder) == [f"images/{name}" for name in VALIDATION]


@pytest.mark.parametrize("part", ["train2017", "val2017", "default", "my [set] #1"])
def test_one_part_is_split_by_names(folder, part):
    shutil.rmtree(folder)
    names = [f"{number}.jpg" for number in range(200)]
    annotate(folder, part, entries(dict.fromkeys(names, ())))
    touch(folder / part, names)
    found = find(folder, share=0.2)
    assert used(found, folder) == sorted(f"{part}/{name}" for name in names)
    assert 20 <= len(found.validation) <= 60
    assert relative_names(found.validation, folder) == relative_names(
        find(folder, share=0.2).validation, folder
    )
    assert relative_names(found.validation, folder) != relative_names(
        find(folder, share=0.2, seed=1).validation, folder
    )
    assert len(find(folder, share=0.0).validation) == 0


def test_split_does_not_depend_on_the_path_of_the_folder(folder, monkeypatch):
    names = [f"{number}.jpg" for number in range(100)]
    replace_by_one_part(folder, entries(dict.fromkeys(names, ())))
    before = relative_names(find(folder).validation, folder)
    other = folder.rename(folder.with_name("other"))
    assert relative_names(find(other).validation, other) == before
    monkeypatch.chdir(other.parent)
    found = find("other")
    assert relative_names(found.validation, "other") == before


def test_parts_of_the_same_side_are_joined(folder):
    annotate(folder, "extra", entries({"9.jpg": ["cat"]}))
    touch(folder / "extra", ["9.jpg"])
    assert relative_names(find(folder, "cat").training, folder) == [
        "extra/9.jpg",
        "train2017/1.jpg",
    ]


def test_image_in_parts_of_both_sides_is_a_validation_image_only(folder):
    for part in ("train2017", "val2017"):
        shutil.rmtree(folder / part)
    annotate(folder, "train2017", entries({**TRAINING, **VALIDATION}))
    touch(folder / "images", [*TRAINING, *VALIDATION])
    found = find(folder)
    assert relative_names(found.validation, folder) == [f"images/{name}" for name in VALIDATION]
    assert relative_names(found.training, folder) == [f"images/{name}" for name in TRAINING]


def test_image_in_two_parts_of_one_side_is_used_once(folder):
    for part in ("train2017", "val2017"):
        shutil.rmtree(folder / part)
    annotate(folder, "extra", entries(TRAINING))
    touch(folder / "images", [*TRAINING, *VALIDATION])
    assert relative_names(find(folder).training, folder) == [f"images/{name}" for name in TRAINING]


def test_images_can_be_read(folder):
    Image.new("RGB", (12, 8), (200, 100, 50)).save(folder / "val2017" / "6.jpg", "png")
    found = find(folder)
    np.testing.assert_array_equal(found.validation.read_rgb(0)[0, 0], (200, 100, 50))


def test_nothing_is_decoded(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(Image, "open", opened.append)
    find(folder, "cat")
    assert opened == []


def test_large_annotations_are_announced(folder, monkeypatch, capsys):
    find(folder)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(data.datasets.coco, "LARGE", 10)
    find(folder)
    assert f"reading {folder}/annotations/instances_train2017.json\n" in capsys.readouterr().out


# --- names of files ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["two words.jpg", "größe/日本.jpg", "#1:[a]*?.jpg", "\udcff.jpg", "line\nbreak.jpg", "A.JPG"],
    ids=ascii,
)
def test_image_is_found_whatever_its_name(folder, name):
    replace_by_one_part(folder, entries({name: ["cat"], "a.jpg": ["cat"]}))
    assert used(find(folder, "cat"), folder) == sorted([f"train/{name}", "train/a.jpg"])


@pytest.mark.parametrize("name", ["my set", "[a]*?", "größe #1", "\udcff", "a:b"], ids=ascii)
def test_folder_is_found_whatever_its_name(folder, name):
    folder = folder.rename(folder.with_name(name))
    assert len(find(folder).training) == 5


@pytest.mark.parametrize("name", ["./1.jpg", "deep/../1.jpg", ".//1.jpg"])
def test_path_of_an_image_may_be_indirect(folder, name):
    replace_by_one_part(folder, entries({name: [], "2.jpg": []}), ["1.jpg", "2.jpg"])
    assert used(find(folder), folder) == ["train/1.jpg", "train/2.jpg"]


def test_images_may_be_in_subfolders(folder):
    replace_by_one_part(
        folder, entries({"a/1.jpg": ["cat"], "b/1.jpg": ["dog"], "a/b/c/1.jpg": ["cat"]})
    )
    assert used(find(folder, "cat"), folder) == ["train/a/1.jpg", "train/a/b/c/1.jpg"]


@pytest.mark.parametrize("name", ["../outside.jpg", "{folder}/outside.jpg", "", "notes.txt"])
def test_path_of_no_image_in_the_folder_is_counted_and_skipped(folder, name):
    name = name.format(folder=folder)
    replace_by_one_part(folder, entries({name: [], "2.jpg": []}), ["2.jpg", "notes.txt"])
    (folder / "outside.jpg").touch()
    found = find(folder)
    assert used(found, folder) == ["train/2.jpg"]
    assert skipped_counts(found) == {"annotated, but missing": 1}


def test_image_that_is_listed_twice_is_used_once(folder):
    annotations = entries({"1.jpg": ["dog"], "2.jpg": []})
    annotations["images"].append({"id": 3, "file_name": "./1.jpg"})
    annotations["images"].append({"id": 1, "file_name": "1.jpg"})
    annotations["annotations"].append({"image_id": 3, "category_id": NUMBERS["cat"]})
    replace_by_one_part(folder, annotations, ["1.jpg", "2.jpg"])
    assert used(find(folder), folder) == ["train/1.jpg", "train/2.jpg"]
    assert used(find(folder, "cat"), folder) == ["train/1.jpg"]
    assert used(find(folder, "cat", "dog"), folder) == ["train/1.jpg"]


# --- categories --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("categories", "training", "validation"),
    [
        (["cat"], ["1.jpg"], ["6.jpg"]),
        (["dog"], ["2.jpg", "5.jpg"], []),
        (["hot dog"], ["3.jpg"], []),
        (["traffic light"], ["5.jpg"], []),
        (["animal"], ["1.jpg", "2.jpg", "5.jpg"], ["6.jpg"]),
        (["person"], ["1.jpg"], ["8.jpg"]),
        (["cat", "food"], ["1.jpg", "3.jpg"], ["6.jpg"]),
        (["cat", "cat", "animal"], ["1.jpg", "2.jpg", "5.jpg"], ["6.jpg"]),
        (["CAT"], ["1.jpg"], ["6.jpg"]),
        (["Hot Dog", "PERSON"], ["1.jpg", "3.jpg"], ["8.jpg"]),
    ],
)
def test_images_with_an_object_of_a_category_are_used(folder, categories, training, validation):
    found = find(folder, *categories)
    assert relative_names(found.training, folder) == [f"train2017/{name}" for name in training]
    assert relative_names(found.validation, folder) == [f"val2017/{name}" for name in validation]
    assert skipped_counts(found) == {
        f"without {' or '.join(categories)}": 8 - len(training) - len(validation)
    }


@pytest.mark.parametrize("asked", ["Straßen-Cat", "straßen-cat", "STRASSEN-CAT"])
@pytest.mark.parametrize("name", ["Straßen-Cat", "STRASSEN-CAT"])
def test_annotations_may_name_categories_in_any_case(folder, name, asked):
    annotations = entries(TRAINING)
    annotations["categories"][1] = {"id": NUMBERS["cat"], "name": name}
    replace_by_one_part(folder, annotations)
    assert used(find(folder, asked), folder) == ["train/1.jpg"]


@pytest.mark.parametrize("above", [{}, {"supercategory": None}, {"supercategory": ""}])
def test_supercategory_may_be_missing(folder, above):
    annotations = entries(TRAINING)
    annotations["categories"] = [
        {"id": each["id"], "name": each["name"], **above} for each in annotations["categories"]
    ]
    replace_by_one_part(folder, annotations)
    assert used(find(folder, "cat"), folder) == ["train/1.jpg"]
    for category in ("animal", ""):
        listed = error_of(folder, category).split("it has ")[1].split(", ")
        assert sorted(each.strip("'") for each in listed) == sorted(CATEGORIES)


def test_category_may_be_in_one_part_only(folder):
    annotations = entries(VALIDATION, first=6)
    annotations["categories"] = annotations["categories"][:1]
    annotations["annotations"] = annotations["annotations"][-1:]
    annotate(folder, "val2017", annotations)
    found = find(folder, "dog")
    assert relative_names(found.training, folder) == ["train2017/2.jpg", "train2017/5.jpg"]
    assert len(found.validation) == 0


def test_two_categories_may_have_the_same_name(folder):
    annotations = entries(TRAINING)
    annotations["categories"].append({"id": 999, "name": "cat", "supercategory": "toy"})
    annotations["annotations"].append({"image_id": 4, "category_id": 999})
    replace_by_one_part(folder, annotations)
    assert used(find(folder, "cat"), folder) == ["train/1.jpg", "train/4.jpg"]
    assert used(find(folder, "toy"), folder) == ["train/4.jpg"]


def test_objects_of_a_category_that_is_not_listed_do_not_matter(folder):
    annotations = entries(TRAINING)
    annotations["annotations"].append({"image_id": 4, "category_id": 12345})
    replace_by_one_part(folder, annotations)
    assert used(find(folder, "cat"), folder) == ["train/1.jpg"]
    assert len(used(find(folder), folder)) == 5


@pytest.mark.parametrize(
    ("typo", "closest"),
    [
        ("cta", "cat"),
        ("dogs", "dog"),
        ("hotdog", "'hot dog'"),
        ("Trafic Light", "'traffic light'"),
        ("aminal", "animal"),
        ("PERSONS", "person"),
    ],
)
def test_error_of_an_unknown_category_lists_the_closest_first(folder, typo, closest):
    message = error_of(folder, typo)
    start = f"there is no category {typo}; it has "
    assert message.startswith(start)
    listed = message.removeprefix(start).split(", ")
    assert listed[0] == closest
    everything = {*CATEGORIES, *CATEGORIES.values()}
    assert sorted(each.strip("'") for each in listed) == sorted(everything)


def test_each_of_several_categories_must_exist(folder):
    assert "there is no category unicorn;" in error_of(folder, "cat", "unicorn")


def test_categories_of_all_parts_are_listed(folder):
    annotations = entries(VALIDATION, first=6)
    annotations["categories"].append({"id": 1, "name": "unicorn"})
    annotate(folder, "val2017", annotations)
    assert "unicorn" in error_of(folder, "unicrn")


def test_annotations_without_categories_are_reported_to_have_none(folder):
    replace_by_one_part(folder, {**entries(TRAINING), "categories": []})
    assert error_of(folder, "cat").endswith("there is no category cat; it has none")


@pytest.mark.parametrize("name", ["line\nbreak", "next\x85line"], ids=ascii)
def test_category_with_a_line_break_is_listed_in_one_line(folder, name):
    annotations = entries(TRAINING)
    annotations["categories"][0]["name"] = name
    replace_by_one_part(folder, annotations)
    assert "hot dog" in error_of(folder, "unicorn")
    assert "hot dog" in error_of(folder, "uni\ncorn")


# --- images and annotations that do not match -------------------------------------------------


def test_annotations_of_absent_images_are_counted_and_skipped(folder):
    for name in ("train2017/1.jpg", "train2017/4.jpg", "val2017/6.jpg"):
        (folder / name).unlink()
    found = find(folder)
    assert used(found, folder) == [
        *(f"train2017/{name}" for name in ("2.jpg", "3.jpg", "5.jpg")),
        *("val2017/7.jpg", "val2017/8.jpg"),
    ]
    assert skipped_counts(found) == {"annotated, but missing": 3}


def test_absent_images_without_the_category_are_counted_once(folder):
    (folder / "train2017" / "1.jpg").unlink()
    (folder / "train2017" / "4.jpg").unlink()
    found = find(folder, "cat")
    assert used(found, folder) == ["val2017/6.jpg"]
    assert skipped_counts(found) == {"without cat": 6, "annotated, but missing": 1}


@pytest.mark.parametrize("categories", [("cat",), ()])
def test_objects_in_images_that_are_not_listed_are_counted(folder, categories):
    annotations = entries(TRAINING)
    for image in (77, 77, 78):
        annotations["annotations"].append({"image_id": image, "category_id": NUMBERS["cat"]})
    replace_by_one_part(folder, annotations)
    found = find(folder, *categories)
    assert skipped_counts(found)["annotated, but not listed"] == 2


def test_images_that_are_not_annotated_are_not_used(folder):
    touch(folder / "train2017", ["more.jpg", "deep/more.jpg"])
    assert len(find(folder).training) == 5


def test_all_images_may_be_absent(folder):
    for name in TRAINING:
        (folder / "train2017" / name).unlink()
    found = find(folder)
    assert (len(found.training), len(found.validation)) == (0, 3)
    assert skipped_counts(found) == {"annotated, but missing": 5}


def test_dataset_without_images_is_refused(folder):
    replace_by_one_part(folder, entries({}))
    assert "no usable images" in error_of(folder)


# --- parts that are missing or malformed -------------------------------------------------------


def test_missing_annotations_are_reported(folder):
    (folder / "annotations").rename(folder / "labels")
    assert f"there is no annotations/instances_*.json in {folder}" in error_of(folder)


def test_annotations_of_other_kinds_are_not_used(folder):
    for path in folder.glob("annotations/instances_*.json"):
        path.rename(path.with_name(path.name.replace("instances", "person_keypoints")))
    assert f"there is no annotations/instances_*.json in {folder}" in error_of(folder)


def test_missing_folder_is_reported(folder):
    message = error_of(folder.with_name("cocoo"))
    assert f"{folder.with_name('cocoo')} is not a folder (did you mean coco?)" in message


def test_file_instead_of_the_folder_is_reported(folder):
    file = folder / "train2017" / "1.jpg"
    assert f"{file} is not a folder" in error_of(file)


def test_missing_images_of_a_part_are_reported(folder):
    (folder / "train2017").rename(folder / "elsewhere")
    message = error_of(folder)
    assert "annotations/instances_train2017.json" in message
    assert f"{folder}/train2017" in message
    assert f"{folder}/images/train2017" in message


@pytest.mark.parametrize(
    "content",
    [b"", b"no JSON", b'{"images": [', b"\xff\xfe\x00", b"[" * 200_000, b'{"images":\n[1\n2]}'],
    ids=["empty", "no JSON", "cut off", "not UTF-8", "endless brackets", "no comma"],
)
def test_damaged_annotations_are_reported(folder, content):
    path = folder / "annotations" / "instances_val2017.json"
    path.write_bytes(content)
    assert f"{path} cannot be read: " in error_of(folder)


def test_folder_instead_of_annotations_is_reported(folder):
    path = folder / "annotations" / "instances_val2017.json"
    path.unlink()
    path.mkdir()
    assert f"{path} cannot be read: " in error_of(folder)


MISSING = object()


@pytest.mark.parametrize(
    ("key", "field", "values"),
    [
        ("images", None, [MISSING, None, 5, {"a": {}}, [None], ["text"], [[]]]),
        ("annotations", None, [MISSING, None, 5, {"a": {}}, [None], ["text"], [[]]]),
        ("categories", None, [MISSING, None, 5, {"a": {}}, [None], ["text"], [[]]]),
        ("images", "id", [MISSING, [1], {}]),
        ("images", "file_name", [MISSING, 5, None, ["1.jpg"]]),
        ("annotations", "image_id", [MISSING, [1]]),
        ("annotations", "category_id", [MISSING, {}]),
        ("categories", "id", [MISSING, [1]]),
        ("categories", "name", [MISSING, None, 5, ["cat"]]),
        ("categories", "supercategory", [5, ["animal"]]),
    ],
)
def test_malformed_annotations_are_reported(folder, key, field, values):
    for value in values:
        annotations = entries(TRAINING)
        holder, name = (annotations[key][1], field) if field else (annotations, key)
        holder[name] = value
        if value is MISSING:
            del holder[name]
        annotate(folder, "train2017", annotations)
        message = error_of(folder)
        assert "instances_train2017.json is not in COCO format: " in message
        assert "give annotations of objects" in message
        assert value is not MISSING or f": '{name}' is missing" in message


@pytest.mark.parametrize("top", ["[]", "null", "5", '"text"', '[{"images": []}]'])
def test_annotations_that_are_not_an_object_are_reported(folder, top):
    annotate(folder, "train2017", top)
    assert "instances_train2017.json is not in COCO format: " in error_of(folder)


def test_annotations_may_begin_with_a_byte_order_mark(folder):
    path = folder / "annotations" / "instances_val2017.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(find(folder).validation) == 3


def test_ids_may_be_strings(folder):
    annotations = entries(TRAINING)
    for image in annotations["images"]:
        image["id"] = f"id {image['id']}"
    for each in annotations["annotations"]:
        each["image_id"] = f"id {each['image_id']}"
    replace_by_one_part(folder, annotations)
    assert used(find(folder, "cat"), folder) == ["train/1.jpg"]


def test_line_break_in_the_name_of_a_folder_is_escaped(folder):
    assert "is not a folder" in error_of(folder.with_name("line\nbreak"))
