from __future__ import annotations

import numpy as np
import pytest
from datasets_helpers import class_files, encoded, face, write_files, write_zip

from emo_utils.datasets import load_dataset
from emo_utils.errors import DataError
from emo_utils.paths import data_dir

CKPLUS = {
    "anger/S010_004_00000017.png": encoded(face(1)),
    "anger/S010_004_00000018.png": encoded(face(2)),
    "contempt/S138_008_00000007.png": encoded(face(3)),
    "surprise/S052_001_00000013.png": encoded(face(4)),
}


def test_ckplus_knows_its_persons(tmp_path):
    ds = load_dataset(write_files(tmp_path / "CK+48", CKPLUS))
    assert (ds.name, ds.class_names) == ("ckplus", ("angry", "surprise", "contempt"))
    assert ds.groups.tolist() == ["S010", "S010", "S138", "S052"]


def test_a_foreign_file_makes_it_an_ordinary_folder(tmp_path):
    ds = load_dataset(write_files(tmp_path / "mixed", CKPLUS | {"happy/me.png": encoded(face(5))}))
    assert (ds.name, ds.groups) == ("mixed", None)


@pytest.mark.parametrize("file", ["ckplus.zip", "CK+48"])
def test_known_name_is_looked_for_in_the_data_folder(file):
    data_dir().mkdir(parents=True)
    if file.endswith(".zip"):
        write_zip(data_dir() / file, CKPLUS)
    else:
        write_files(data_dir() / file, CKPLUS)
    assert len(load_dataset("ckplus")) == 4


def test_known_name_without_data_says_what_to_do():
    with pytest.raises(DataError) as error:
        load_dataset("fer2013")
    assert str(error.value) == (
        f"fer2013 is not in {data_dir()}. Download FER2013 from Kaggle (fer2013.csv, or the zip with train/ and test/) "
        f"and put it there as fer2013.csv or fer2013.zip or fer2013; data/README.md says how."
    )


def test_classes_are_selected_in_the_order_asked(tmp_path):
    ds = load_dataset(write_files(tmp_path / "set", class_files()), classes=("Happiness", "anger"))
    assert (ds.class_names, ds.labels.tolist()) == (("happy", "angry"), [1, 1, 1, 0, 0, 0])


def test_embedded_faces_in_any_size(monkeypatch):
    from emo_utils.datasets import embedded

    small = embedded.load_embedded(n=12, people=6)
    monkeypatch.setattr(embedded, "load_embedded", lambda: small)
    np.testing.assert_array_equal(load_dataset("embedded").images, small.images)
    assert load_dataset("embedded", size=24).images.shape == (12, 24, 24)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"source": "no/such/place"},
            r"no/such/place does not exist\. Give the path of a data set or one of the names:",
        ),
        ({"source": ""}, "does not exist"),
        ({"source": "x" * 5000}, "does not exist"),
        ({"source": "~nosuch/x"}, r"~nosuch/x does not exist"),
        ({"source": "bad\0name"}, "does not exist"),
        ({"source": "embedded", "size": 8}, r"`size` must be a whole number from 16 to 512\. Got 8\."),
        ({"source": "embedded", "size": 48.0}, r"`size` must be a whole number"),
        (
            {"source": "embedded", "label_source": "mine"},
            r"`label_source` must be 'fer2013' or 'ferplus'\. Got 'mine'\.",
        ),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        load_dataset(**arguments)


def test_ferplus_goes_with_fer2013_only(tmp_path):
    with pytest.raises(DataError, match=r"go with FER2013 only; this data set is ckplus\."):
        load_dataset(write_files(tmp_path / "ck", CKPLUS), label_source="ferplus")


def test_class_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"ckplus has no class happy\. It has: angry, surprise, contempt\."):
        load_dataset(write_files(tmp_path / "ck", CKPLUS), classes=("happy",))


def test_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "set.rar").write_bytes(b"Rar!")
    with pytest.raises(DataError, match=r"set\.rar is not a readable zip archive"):
        load_dataset(tmp_path / "set.rar")
