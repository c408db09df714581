from __future__ import annotations

import struct
import zipfile

import numpy as np
import pytest
from datasets_helpers import class_files, encoded, face, write_files, write_zip

from emo_utils.datasets import load_dataset
from emo_utils.datasets.fer2013 import load_csv
from emo_utils.emotions import SEVEN
from emo_utils.errors import DataError

USAGES = ("Training", "PublicTest", "PrivateTest")
# One face a class and part, in the order of the rows of the csv form.
ROWS = [(label, usage, face(100 * p + label)) for p, usage in enumerate(USAGES) for label in range(7)]


def csv_text(rows=ROWS, header="emotion,pixels,Usage") -> str:
    lines = [f"{label},{' '.join(map(str, pixels.ravel()))},{usage}" for label, usage, pixels in rows]
    return "\n".join([header, *lines]) + "\n"


def image_files(prefix: str = "") -> dict[str, bytes]:
    return {
        f"{prefix}{'train' if usage == 'Training' else 'test'}/{SEVEN[label]}/{usage}_{i}.png": encoded(pixels)
        for i, (label, usage, pixels) in enumerate(ROWS)
    }


@pytest.fixture(params=["csv", "csv in zip", "csv in folder", "zip", "folder", "folder in folder"])
def source(request, tmp_path):
    content = csv_text().encode()
    return {
        "csv": lambda: write_files(tmp_path, {"fer2013.csv": content}) / "fer2013.csv",
        "csv in zip": lambda: write_zip(tmp_path / "fer.zip", {"fer2013.csv": content}),
        "csv in folder": lambda: write_files(tmp_path / "fer", {"fer2013.csv": content}),
        "zip": lambda: write_zip(tmp_path / "archive.zip", image_files()),
        "folder": lambda: write_files(tmp_path / "unpacked", image_files()),
        "folder in folder": lambda: write_files(tmp_path / "unpacked", image_files("fer2013/")),
    }[request.param]()


def test_every_form_gives_the_same_faces_labels_and_parts(source):
    ds = load_dataset(source)
    assert (ds.name, ds.class_names, len(ds), ds.skipped) == ("fer2013", SEVEN, 21, ())
    usage_of = {"Training": "train", "PublicTest": "test", "PrivateTest": "private"}
    expected = {(label, usage_of[usage], pixels.tobytes()) for label, usage, pixels in ROWS}
    got = zip(ds.labels.tolist(), ds.usage.tolist(), (image.tobytes() for image in ds.images), strict=True)
    assert set(got) == expected


def test_plain_names_in_the_folder_test_are_the_public_test(tmp_path):
    files = image_files() | {"test/happy/im0.png": encoded(face(999))}
    ds = load_dataset(write_files(tmp_path / "fer", files))
    assert ds.usage[ds.ids == "test/happy/im0.png"].tolist() == ["test"]


def test_missing_classes_keep_the_seven_labels(tmp_path):
    files = {name: data for name, data in image_files().items() if "sad" in name}
    ds = load_dataset(write_files(tmp_path / "fer", files))
    assert (ds.class_names, set(ds.labels.tolist())) == (SEVEN, {4})


def test_other_class_folders_are_not_taken_for_fer2013(tmp_path):
    ds = load_dataset(write_files(tmp_path / "mine", class_files(2, prefix="train/")))
    assert (ds.name, ds.class_names) == ("mine", ("angry", "happy"))


def test_ids_count_the_rows_of_the_csv(tmp_path):
    (tmp_path / "f.csv").write_text(csv_text())
    ds = load_csv(tmp_path / "f.csv", 48)
    assert (ds.ids[0], ds.ids[20]) == ("row-000000", "row-000020")


def test_other_sizes(tmp_path):
    (tmp_path / "f.csv").write_text(csv_text())
    assert load_csv(tmp_path / "f.csv", 24).images.shape == (21, 24, 24)


def test_header_in_other_spelling_and_without_usage(tmp_path):
    rows = [(0, " Training", face(1))]
    (tmp_path / "a.csv").write_text("\ufeff" + csv_text(rows, "emotion, pixels, Usage"), encoding="utf-8")
    assert load_csv(tmp_path / "a.csv", 48).usage.tolist() == ["train"]
    pixels = " ".join(map(str, face(1).ravel()))
    (tmp_path / "b.csv").write_text(f"emotion,pixels\n3,{pixels}\n")
    assert load_csv(tmp_path / "b.csv", 48).usage.tolist() == [""]


def test_bad_rows_are_skipped_with_the_reason_and_the_count_goes_on(tmp_path):
    good = " ".join(map(str, face(1).ravel()))
    high = good.rsplit(" ", 1)[0]
    lines = [
        f"0,{good},Training",
        f"0,{high},Training",
        f"7,{good},Training",
        f"0,{high} 256,Training",
        f"0,{high} -1,Training",
        f"0,{high} x,Training",
        f"0,{good},Test",
        "0",
        "",
        f"0,{'1 ' * 200_000},Training",
        f"6,{good},PublicTest",
    ]
    (tmp_path / "f.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]))
    ds = load_csv(tmp_path / "f.csv", 48)
    assert ds.ids.tolist() == ["row-000000", "row-000010"]
    assert dict(ds.skipped) == {
        "row-000001": "2303 pixels instead of 2304",
        "row-000002": "label '7' is not 0 to 6",
        "row-000003": "pixels are not all whole numbers from 0 to 255",
        "row-000004": "pixels are not all whole numbers from 0 to 255",
        "row-000005": "pixels are not all whole numbers from 0 to 255",
        "row-000006": "Usage 'Test' is not one of Training, PublicTest, PrivateTest",
        "row-000007": "0 pixels instead of 2304",
        "row-000008": "label '' is not 0 to 6",
        "row-000009": "label '' is not 0 to 6",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"f\.csv is empty\."),
        (b"emotion,pixels,Usage\n", r"f\.csv has no usable row\.$"),
        (b"emotion,pixels\n9,1 2 3\n", r"no usable row\. First problem: row-000000, label '9' is not 0 to 6\."),
        (b"label,picture\n1,2\n", r"has no column emotion and no column pixels\. It has: label, picture\."),
        (b"Usage,Image name,neutral,NF\n", r"These are the FER\+ votes; load fer2013\.csv"),
        (bytes(range(256)) * 4, r"f\.csv has no column emotion"),
        (b"\x1b[2Jcolour,x\n", r"It has: \\x1b\[2jcolour, x\."),
        (b"x" * 200_000, r"f\.csv is no csv \(field larger than field limit \(131072\)\)\. Is it the right file\?"),
    ],
)
def test_unusable_files_are_refused(tmp_path, content, message):
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_csv(tmp_path / "f.csv", 48)


def test_csv_damaged_inside_a_zip_is_refused(tmp_path):
    path = write_zip(tmp_path / "fer.zip", {"fer2013.csv": csv_text().encode()})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("fer2013.csv").compress_size
    data[size // 2 : size // 2 + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"fer\.zip cannot be read \(.*\)\. Download it again\."):
        load_csv(path, 48)


def test_csv_in_a_damaged_lzma_entry_is_refused(tmp_path):
    path = tmp_path / "fer.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("fer2013.csv", csv_text())
    data = bytearray(path.read_bytes())
    data[30 + len("fer2013.csv") + 4] = 255  # the properties of the LZMA stream
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"fer\.zip cannot be read \(.*\)\. Download it again\."):
        load_csv(path, 48)


def test_csv_packed_by_an_unknown_method_is_refused(tmp_path):
    path = write_zip(tmp_path / "fer.zip", {"fer2013.csv": csv_text().encode()})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", data, data.find(signature) + offset, 99)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"fer\.zip cannot be read \(.*compression.*\)"):
        load_csv(path, 48)


def test_csv_without_permission_is_not_said_to_be_damaged(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match=r"Permission denied\)\. Check its permissions\.$"):
        load_csv(tmp_path / "f.csv", 48)


def test_pixels_of_the_csv_are_exact(tmp_path):
    (tmp_path / "f.csv").write_text(csv_text())
    ds = load_csv(tmp_path / "f.csv", 48)
    np.testing.assert_array_equal(ds.images, np.stack([pixels for *_, pixels in ROWS]))
