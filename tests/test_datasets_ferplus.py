from __future__ import annotations

import numpy as np
import pytest
from datasets_helpers import face

from emo_utils.datasets import from_arrays, load_dataset
from emo_utils.datasets.ferplus import ROWS_NAME, VOTES, VOTES_NAME, add_votes, blend_votes, majority_labels
from emo_utils.emotions import EMOTIONS, SEVEN
from emo_utils.errors import DataError

# (votes in the order of VOTES, label they give or None)
CASES = [
    ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], "neutral"),
    ([0, 8, 1, 0, 0, 0, 0, 0, 1, 0], "happy"),
    ([3, 3, 0, 4, 0, 0, 0, 0, 0, 0], None),  # no majority
    ([5, 0, 0, 5, 0, 0, 0, 0, 0, 0], None),  # exactly half is no majority
    ([0, 0, 0, 0, 0, 0, 0, 0, 1, 9], None),  # no face
    ([0, 0, 0, 0, 0, 0, 0, 0, 8, 2], None),  # unknown
    ([1, 1, 1, 1, 0, 0, 0, 4, 1, 1], "contempt"),  # single votes are slips
    ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], None),
]
N = len(CASES)


def dataset(ids):
    return from_arrays(
        np.stack([face(i) for i in range(N)]), [0] * N, SEVEN, ids=ids, usage=["train"] * N, name="fer2013"
    )


@pytest.fixture
def from_csv():
    return dataset([f"row-{i:06d}" for i in range(N)])


@pytest.fixture
def votes_csv(tmp_path):
    path = tmp_path / VOTES_NAME
    # The image name skips numbers and is missing where FER+ sees no face: a join by name would go wrong.
    lines = [
        f"Training,{'' if case[0][9] > 5 else f'fer{2 * i:07d}.png'},{','.join(map(str, case[0]))}"
        for i, case in enumerate(CASES)
    ]
    path.write_text("\n".join([",".join(("Usage", "Image name", *VOTES)), *lines]))
    return path


def test_votes_are_joined_by_row(from_csv, votes_csv):
    shuffled = from_csv.take(np.array([3, 0, 7, 1]))
    ds = add_votes(shuffled, votes_csv)
    assert ds.votes.tolist() == [CASES[i][0] for i in (3, 0, 7, 1)]
    assert ds.labels.tolist() == shuffled.labels.tolist()


def test_images_find_their_row_by_path(tmp_path, votes_csv):
    ids = [f"unpacked/train/angry/Training_{7 * i}.jpg" for i in range(N)]
    rows = tmp_path / ROWS_NAME
    rows.write_text(
        "\n".join(["row,emotion,Usage,path", *(f"{N - 1 - i},0,Training,{name[9:]}" for i, name in enumerate(ids))])
    )
    ds = add_votes(dataset(ids), votes_csv, rows)
    assert ds.votes.tolist() == [votes for votes, _ in reversed(CASES)]


def test_majority_labels(from_csv, votes_csv):
    ds = majority_labels(add_votes(from_csv, votes_csv))
    kept = [i for i, (_, label) in enumerate(CASES) if label]
    assert ds.class_names == EMOTIONS
    assert ds.ids.tolist() == [f"row-{i:06d}" for i in kept]
    assert [ds.class_names[k] for k in ds.labels] == [CASES[i][1] for i in kept]
    assert dict(ds.removed) == {
        "row-000002": "no majority among the raters",
        "row-000003": "no majority among the raters",
        "row-000004": "raters see no emotion or no face",
        "row-000005": "raters see no emotion or no face",
        "row-000007": "no majority among the raters",
    }


def test_targets_are_partly_the_label_and_partly_the_votes(from_csv, votes_csv):
    targets = blend_votes(add_votes(from_csv, votes_csv), 0.25)
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    by_name = [dict(zip(SEVEN, row, strict=True)) for row in targets.tolist()]  # all are labelled angry
    assert by_name[0] == pytest.approx({**dict.fromkeys(SEVEN, 0), "angry": 0.75, "neutral": 0.25})
    assert by_name[2] == pytest.approx(
        {**dict.fromkeys(SEVEN, 0), "angry": 0.75, "neutral": 0.075, "happy": 0.075, "sad": 0.1}
    )
    # No face, unknown, contempt, which is not among the seven, and single votes: the label is all there is.
    assert [by_name[i]["angry"] for i in (4, 5, 6, 7)] == [1, 1, 1, 1]
    np.testing.assert_array_equal(blend_votes(add_votes(from_csv, votes_csv), 0), from_csv.one_hot())


def test_blending_needs_votes(from_csv):
    with pytest.raises(DataError, match="has no votes"):
        blend_votes(from_csv, 0.5)


def test_images_without_a_table_of_rows_are_refused(votes_csv):
    with pytest.raises(DataError, match=r"joined by row of fer2013\.csv.*Load fer2013\.csv, or put a table"):
        add_votes(dataset([f"train/angry/{i}.jpg" for i in range(N)]), votes_csv)


def test_image_without_a_row_is_named(tmp_path, votes_csv):
    (tmp_path / "rows.csv").write_text("row,path\n0,train/angry/0.jpg\n")
    with pytest.raises(DataError, match=r"has no row for 7 of 8 faces, e\.g\. train/angry/1\.jpg"):
        add_votes(dataset([f"train/angry/{i}.jpg" for i in range(N)]), votes_csv, tmp_path / "rows.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", r"cannot be read as csv"),
        (lambda text: text.replace("NF", "no"), r"has no column NF\. Is it the right file\?"),
        (
            lambda text: text.replace("Training", "PublicTest"),
            r"does not fit fer2013: 8 of 8 rows belong to different parts",
        ),
        (lambda text: text.replace("10,0,0", "ten,0,0"), r"votes must be whole numbers"),
        (lambda text: text.replace("10,0,0", "-1,0,0"), r"votes must not be negative"),
        (lambda text: "\n".join(text.split("\n")[:5]), r"has 4 rows, but fer2013 needs row 7\. Is it complete\?"),
    ],
)
def test_unusable_votes_are_refused(from_csv, votes_csv, change, message):
    votes_csv.write_text(change(votes_csv.read_text()))
    with pytest.raises(DataError, match=message):
        add_votes(from_csv, votes_csv)


def test_missing_votes_file_is_refused(from_csv, tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv cannot be read as csv"):
        add_votes(from_csv, tmp_path / "gone.csv")


def test_majority_needs_votes(from_csv):
    with pytest.raises(DataError, match=r"fer2013 has no votes\. Add them with add_votes first\."):
        majority_labels(from_csv)


def test_label_source_of_load_dataset(tmp_path, votes_csv):
    pixels = " ".join(map(str, face(0).ravel()))
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + f"0,{pixels},Training\n" * N)
    ds = load_dataset(tmp_path / "fer2013.csv", label_source="ferplus", classes=("happy", "neutral"))
    assert (ds.name, ds.counts()) == ("ferplus", {"happy": 1, "neutral": 1})
    votes_csv.unlink()
    with pytest.raises(DataError, match=r"get fer2013new\.csv from github\.com/microsoft/FERPlus and put it in"):
        load_dataset(tmp_path / "fer2013.csv", label_source="ferplus")
