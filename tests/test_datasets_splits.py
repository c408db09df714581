from __future__ import annotations

import numpy as np
import pytest
from datasets_helpers import face

from emo_utils.datasets import from_arrays, split_dataset
from emo_utils.datasets.duplicates import duplicate_groups
from emo_utils.emotions import SEVEN
from emo_utils.errors import DataError

SHARES = np.array([4, 1, 4, 8, 5, 3, 5]) / 30


def dataset(n=1200, *, seed=0, persons=0, usage="", copies=0.1):
    """Return an imbalanced set in which a tenth of the images are copies of others, whatever their label and person."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 16, 16), dtype=np.uint8)
    again = rng.random(n) < copies
    images[again] = images[rng.integers(0, n, again.sum())]
    groups = np.array([f"S{p:03d}" for p in rng.integers(0, persons, n)]) if persons else None
    labels = rng.choice(7, n, p=SHARES)
    return from_arrays(images, labels, SEVEN, usage=np.broadcast_to(usage, n), name="toy", groups=groups)


def sides(ds, key):
    """Return the set of parts in which each value of `key` stands."""
    return [set(ds.usage[key == value]) for value in np.unique(key)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by", ["label", "group"])
def test_no_copy_stands_on_two_sides(seed, by):
    ds = split_dataset(dataset(seed=seed, persons=200, copies=0.02), by=by, seed=seed)
    assert all(len(parts) == 1 for parts in sides(ds, duplicate_groups(ds.images)))


@pytest.mark.parametrize("seed", range(5))
def test_no_person_stands_on_two_sides(seed):
    ds = split_dataset(dataset(seed=seed, persons=100, copies=0), seed=seed)
    assert all(len(parts) == 1 for parts in sides(ds, ds.groups))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("val", "test"), [(0.1, 0.15), (0.2, 0.2), (0.05, 0.5)])
def test_by_label_the_fractions_hold_in_every_class(seed, val, test):
    ds = split_dataset(dataset(3000, seed=seed), val_fraction=val, test_fraction=test, seed=seed)
    for part, fraction in (("val", val), ("test", test)):
        for name, n in ds.part(part).counts().items():
            assert n == pytest.approx(fraction * ds.counts()[name], abs=0.03 * ds.counts()[name] + 4)


@pytest.mark.parametrize("seed", range(3))
def test_by_group_the_fractions_hold_roughly(seed):
    ds = split_dataset(dataset(2000, seed=seed, persons=118, copies=0), seed=seed)
    for part, fraction in (("val", 0.1), ("test", 0.15)):
        assert len(ds.part(part)) == pytest.approx(fraction * len(ds), rel=0.3)
        share = np.array(list(ds.part(part).counts().values())) / len(ds.part(part))
        assert np.abs(share - np.array(list(ds.counts().values())) / len(ds)).max() < 0.04


def test_only_usage_changes():
    before = dataset()
    after = split_dataset(before)
    assert set(after.usage) == {"train", "val", "test"}
    assert np.array_equal(before.images, after.images)
    assert np.array_equal(before.ids, after.ids)
    assert set(before.usage) == {""}


def test_the_seed_decides():
    ds = dataset()
    assert np.array_equal(split_dataset(ds, seed=3).usage, split_dataset(ds, seed=3).usage)
    assert not np.array_equal(split_dataset(ds, seed=3).usage, split_dataset(ds, seed=4).usage)


@pytest.mark.parametrize("given", ["test", "private"])
def test_given_test_part_is_kept_and_only_val_is_carved_out(given):
    usage = np.array(["train"] * 900 + [given] * 300)
    ds = split_dataset(dataset(usage=usage))
    assert (ds.usage[900:] == given).all()
    assert set(ds.usage[:900]) == {"train", "val"}
    assert (ds.usage == "val").sum() == pytest.approx(90, abs=12)


def test_given_val_part_is_kept_and_only_test_is_carved_out():
    usage = np.array(["train"] * 900 + ["val"] * 300)
    ds = split_dataset(dataset(usage=usage))
    assert (ds.usage[900:] == "val").all()
    assert set(ds.usage[:900]) == {"train", "test"}


def test_with_all_parts_given_nothing_changes():
    usage = np.array(["train", "val", "test", "private"] * 300)
    assert np.array_equal(split_dataset(dataset(usage=usage)).usage, usage)


def test_fraction_zero_leaves_the_part_out():
    assert set(split_dataset(dataset(), val_fraction=0, test_fraction=0).usage) == {"train"}


def test_class_of_one_stays_in_train():
    ds = dataset(300, copies=0)
    ds.labels[:] = np.where(np.arange(300) == 7, 1, np.where(ds.labels == 1, 0, ds.labels))
    assert split_dataset(ds).usage[7] == "train"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "person"}, r"`by` must be 'label' or 'group'\. Got 'person'\."),
        ({"by": "group"}, r"toy does not say who is on the images.*Use by='label'\."),
        ({"val_fraction": 0.5, "test_fraction": 0.5}, r"must leave something for training\. Got 0\.5 and 0\.5\."),
        ({"val_fraction": -0.1}, r"must not be negative"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        split_dataset(dataset(), **arguments)


def test_too_few_faces_are_refused():
    with pytest.raises(DataError, match=r"toy: 20 faces are too few to carve out 'test' with every class in it"):
        split_dataset(dataset(20, copies=0))


def test_one_person_cannot_be_split():
    ds = from_arrays(np.stack([face(i) for i in range(9)]), [0] * 9, SEVEN, name="toy", groups=np.array(["me"] * 9))
    with pytest.raises(DataError, match="toy: 9 faces of 1 person are too few"):
        split_dataset(ds)


def test_empty_data_set_stays_empty():
    assert len(split_dataset(dataset(5).take(np.array([], dtype=int)))) == 0
