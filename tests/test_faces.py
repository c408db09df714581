"""The embedded faces: same pixels everywhere, action units that do what their names say, sets as ordered."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from emo_utils.datasets import embedded
from emo_utils.datasets.embedded import load_embedded
from emo_utils.emotions import EMOTIONS, SEVEN
from emo_utils.errors import DataError
from emo_utils.faces import PROTOTYPES, UNIT_NAMES, make_faces, parts_mask, render_face
from emo_utils.faces.eyes import lid_heights
from emo_utils.faces.mouth import mouth_shape
from emo_utils.faces.nuisances import Nuisance
from emo_utils.faces.person import make_person


def sha(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def units(**given: float) -> dict[str, float]:
    return dict.fromkeys(UNIT_NAMES, 0.0) | given


# Seen equal on numpy 1.26 to 2.4 with OpenCV 4.8 to 5.0. Other digests mean: raise RENDERER_VERSION.
def test_pixels_are_the_same_on_every_machine():
    assert sha(np.stack([render_face(e, person=i, seed=i) for i, e in enumerate(EMOTIONS)])) == "3306ef19ab997577"
    assert sha(render_face({"AU12": 0.8, "AU25": 0.6}, person=3, size=160, nuisance=0.0)) == "fbb253e0abf36370"
    faces = make_faces(60, emotions=EMOTIONS, people=9, seed=4, imbalance=3, label_noise=0.2, frames=2)
    assert (sha(faces.images), sha(faces.labels), sha(faces.units)) == (
        "7e857deb455d26fe",
        "0024e11bbfa4be21",
        "4a131f0722b8968f",
    )


def test_every_emotion_can_be_told_from_neutral_in_everybody():
    for person in range(20):
        neutral = render_face("neutral", person=person, nuisance=0.0).astype(int)
        for emotion in set(EMOTIONS) - {"neutral"}:
            changed = np.abs(render_face(emotion, person=person, nuisance=0.0) - neutral) > 20
            assert changed.mean() > 0.007, (person, emotion)


def test_every_unit_moves_pixels_and_more_when_stronger():
    still = render_face({}, nuisance=0.0, size=96).astype(int)
    for name in UNIT_NAMES:
        weak, strong = (np.abs(render_face({name: v}, nuisance=0.0, size=96) - still).sum() for v in (0.3, 1.0))
        assert 0 < weak < strong, name


@pytest.mark.parametrize("number", range(8))
def test_units_do_what_their_names_say(number):
    person = make_person(number)
    rest, (up, low) = mouth_shape(person, units()), lid_heights(person, units())
    assert mouth_shape(person, units(AU12=1)).right[1] < rest.right[1] - 10  # corners up
    assert mouth_shape(person, units(AU12=1)).right[0] > rest.right[0] + 5  # and outwards
    assert mouth_shape(person, units(AU15=1)).left[1] > rest.left[1] + 10  # corners down
    assert mouth_shape(person, units(AU20=1)).right[0] > rest.right[0] + 5
    assert mouth_shape(person, units(AU23=1)).lower_edge < rest.lower_edge
    assert mouth_shape(person, units(AU26=1)).lower_inner > rest.lower_inner + 20
    one_sided = mouth_shape(person, units(L12=1))
    assert one_sided.left[1] < one_sided.right[1] - 10
    assert lid_heights(person, units(AU5=1))[0] > up + 5
    assert sum(lid_heights(person, units(AU7=1))) < up + low - 2


def test_a_smile_lifts_the_dark_line_of_the_mouth_at_its_ends():
    def line_height(image, columns):
        mouth = image[60:84, columns].astype(float)
        return (np.argmin(mouth, axis=0) + 60).mean()

    for person in (1, 3, 4):
        ends, middle = [*range(34, 37), *range(59, 62)], range(45, 51)
        sag = [
            line_height(face, middle) - line_height(face, ends)
            for face in (render_face({"AU12": v}, person=person, nuisance=0.0, size=96) for v in (0.0, 1.0))
        ]
        assert sag[1] > sag[0] + 2, person


def test_people_differ_and_a_person_stays_alike():
    faces = np.stack([render_face("neutral", person=p, nuisance=0.0) for p in range(30)]).astype(int)
    apart = np.abs(faces[:, None] - faces[None]).mean(axis=(2, 3))
    assert apart[~np.eye(30, dtype=bool)].min() > 4
    assert make_person(5) == make_person.__wrapped__(5)
    assert len({make_person(p).hair_style for p in range(60)}) >= 6


def test_a_set_has_the_shapes_and_the_truth_it_promises():
    faces = make_faces(50, people=7)
    assert faces.images.shape == (50, 48, 48)
    assert faces.images.dtype == np.uint8
    assert faces.labels.dtype == np.int64
    assert faces.units.dtype == np.float32
    assert faces.units.shape == (50, len(UNIT_NAMES))
    assert faces.class_names == SEVEN
    assert set(faces.people) == {f"p{i:03d}" for i in range(7)}
    assert np.array_equal(faces.labels, faces.true_labels)
    for label, vector, intensity in zip(faces.true_labels, faces.units, faces.intensity, strict=True):
        for name in PROTOTYPES[SEVEN[label]]:
            assert vector[UNIT_NAMES.index(name)] >= 0.69 * intensity


def test_seed_decides():
    a, b, c = make_faces(8, seed=1), make_faces(8, seed=1), make_faces(8, seed=2)
    assert np.array_equal(a.images, b.images)
    assert not np.array_equal(a.images, c.images)


def test_contempt_shows_on_either_side():
    sides = make_faces(40, emotions=["contempt"]).units[:, [UNIT_NAMES.index("L12"), UNIT_NAMES.index("R12")]] > 0
    assert (sides.sum(axis=1) == 1).all()
    assert 5 < sides[:, 0].sum() < 35


@pytest.mark.parametrize("n", [7, 300, 701])
@pytest.mark.parametrize("ratio", [1.0, 5.0, 30.0])
def test_imbalance_is_the_ratio_of_largest_to_smallest_class(n, ratio, monkeypatch):
    monkeypatch.setattr("emo_utils.faces.sampling.draw_face", lambda *_: np.zeros((48, 48), np.uint8))
    counts = np.bincount(make_faces(n, imbalance=ratio).labels, minlength=7)
    assert counts.sum() == n
    if n > 100:
        assert counts[SEVEN.index("happy")] == counts.max()
        assert counts[SEVEN.index("disgust")] == counts.min()
        assert (counts.max() - 1) / (counts.min() + 1) <= ratio <= (counts.max() + 1) / (counts.min() - 1)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_label_noise_is_the_share_of_wrong_labels(share):
    faces = make_faces(60, people=5, label_noise=share)
    assert (faces.labels != faces.true_labels).sum() == round(share * 60)
    assert np.array_equal(faces.images, make_faces(60, people=5).images)


def test_frames_of_a_sequence_are_nearly_identical():
    faces = make_faces(46, people=6, frames=5)
    within = np.diff(faces.sequences) == 0
    apart = np.abs(np.diff(faces.images.astype(int), axis=0)).mean(axis=(1, 2))
    assert len(faces) == 46
    assert np.bincount(faces.sequences).tolist() == [5] * 9 + [1]
    assert apart[within].max() < apart[~within].min()
    assert apart[within].min() > 0
    same_scene = np.flatnonzero(within)
    assert (faces.people[same_scene] == faces.people[same_scene + 1]).all()
    assert (faces.labels[same_scene] == faces.labels[same_scene + 1]).all()


def frontal(faces):
    """Return the same faces as seen from the front, where brows, eyes and mouth lie at known heights."""
    frontal_pose = Nuisance().pose
    return replace(faces, nuisances=tuple(replace(n, pose=frontal_pose, occluder="none") for n in faces.nuisances))


def test_parts_lie_where_the_units_act():
    faces = frontal(make_faces(120, people=15))
    masks = parts_mask(faces)
    share = {name: masks[faces.true_labels == label].mean(axis=0) for label, name in enumerate(SEVEN)}
    brows, eyes, mouth = slice(9, 15), slice(17, 23), slice(33, 43)
    cheeks = (slice(27, 33), [*range(12, 17), *range(31, 36)])
    assert not share["neutral"].any()
    assert share["happy"][mouth, 16:32].mean() > 0.5
    assert share["happy"][cheeks].mean() > 0.4
    assert share["happy"][brows, 8:40].mean() < 0.05
    assert share["sad"][brows, 14:34].mean() > 0.4
    assert share["sad"][mouth, 16:32].mean() > 0.3
    assert share["sad"][cheeks].mean() < 0.2
    assert share["angry"][eyes, 10:38].mean() > 0.5
    assert share["surprise"][brows, 10:38].mean() > 0.5
    for name, pixels in share.items():
        assert pixels[:3].max() == 0, name  # no emotion shows in the hair
    areas = masks.mean(axis=(1, 2))
    assert areas.max() < 0.6
    assert (areas[faces.true_labels != SEVEN.index("neutral")] > 0).all()


def test_parts_of_chosen_faces_follow_the_head_and_end_where_a_hand_hides_them():
    faces = make_faces(40, people=9, emotions=["happy", "contempt"])
    chosen = np.array([7, 3])
    np.testing.assert_array_equal(parts_mask(faces, chosen), parts_mask(faces)[chosen])
    straight = frontal(faces)
    bar = tuple(replace(n, occluder="bar", reach=0.0) for n in straight.nuisances)
    hidden = parts_mask(replace(straight, nuisances=bar))
    assert hidden.any()
    assert hidden[:, 41:].sum() < 0.2 * parts_mask(straight)[:, 41:].sum()
    low = tuple(replace(n, pose=replace(n.pose, dy=232 * 5 / 48)) for n in straight.nuisances)  # five pixels down
    moved, still = parts_mask(replace(straight, nuisances=low))[:, 5:], parts_mask(straight)[:, :-5]
    assert (moved & still).sum() > 0.75 * (moved | still).sum()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "n must be a whole number of at least 1. Got 0"),
        ({"n": 2.5}, "Got 2.5"),
        ({"n": "many"}, "n must be a whole number of at least 1. Got 'many'"),
        ({"people": 0}, "people must be"),
        ({"frames": -1}, "frames must be"),
        ({"seed": -1}, "seed must be"),
        ({"imbalance": 0.5}, "imbalance must be a number of at least 1"),
        ({"imbalance": float("nan")}, "imbalance must be"),
        ({"label_noise": 1.2}, r"label_noise must lie in \[0, 1\]. Got 1.2"),
        ({"label_noise": 0.1, "emotions": ["sad"]}, "at least two emotions"),
        ({"emotions": ["happy", "joy"]}, "none twice"),
        ({"emotions": []}, "at least one"),
        ({"emotions": "happy"}, "list of names"),
        ({"emotions": ["hapy"]}, "Did you mean 'happy'"),
    ],
)
def test_a_bad_argument_of_a_set_is_named(arguments, words):
    with pytest.raises(DataError, match=words):
        make_faces(**arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bored",), "Unknown emotion 'bored'"),
        (({"AU99": 0.5},), "Unknown action unit 'AU99'. Known: AU1, AU2"),
        (({"AU12": 1.5},), r"AU12 must lie in \[0, 1\]. Got 1.5"),
    ],
)
def test_a_bad_emotion_or_unit_is_named(arguments, words):
    with pytest.raises(DataError, match=words):
        render_face(*arguments)


@pytest.mark.parametrize(
    ("name", "value"), [("size", 10), ("size", 50.5), ("intensity", 2), ("nuisance", -1), ("person", -1), ("seed", 0.5)]
)
def test_a_bad_argument_of_a_face_is_named(name, value):
    with pytest.raises(DataError, match=f"{name} must .* Got {value}"):
        render_face("happy", **{name: value})


def test_data_set_keeps_people_apart():
    data = load_embedded(200, people=20)
    parts = {usage: set(data.groups[data.usage == usage]) for usage in ("train", "val", "test")}
    assert [len(parts[usage]) for usage in ("train", "val", "test")] == [14, 3, 3]
    assert len(set.union(*parts.values())) == 20  # disjoint: the sizes add up
    assert data.name == "embedded"
    assert len(set(data.ids)) == 200
    assert data.counts()["happy"] > 3 * data.counts()["disgust"] > 0
    assert np.array_equal(data.images, make_faces(200, people=20, imbalance=5.0).images)


def test_cache_is_used_then_rebuilt_when_damaged(tmp_path, monkeypatch):
    first = load_embedded(12, people=4)
    (path,) = (tmp_path / "data" / "cache").glob("*.npz")
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "make_faces", lambda *_, **__: pytest.fail("drawn although cached"))
        assert load_embedded(12, people=4).fingerprint() == first.fingerprint()
    whole = path.read_bytes()
    for damaged in (b"", b"no archive", whole[: len(whole) // 2], whole[:2000] + b"\xff" * 100 + whole[2100:]):
        path.write_bytes(damaged)
        assert load_embedded(12, people=4).fingerprint() == first.fingerprint()
        assert path.read_bytes() != damaged
    monkeypatch.setattr(embedded, "RENDERER_VERSION", -1)
    load_embedded(12, people=4)
    assert len(list(path.parent.iterdir())) == 2  # another key, and no temporary file left


def test_a_data_folder_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder is wanted")
    monkeypatch.setenv("EMO_DATA", str(blocked))
    assert len(load_embedded(6, people=3)) == 6


@pytest.mark.parametrize("arguments", [{"n": 2}, {"n": 30, "people": 2}, {"n": 30, "frames": 15}])
def test_too_few_people_for_three_parts(arguments):
    with pytest.raises(DataError, match="at least 3"):
        load_embedded(**arguments)
