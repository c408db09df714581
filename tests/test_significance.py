from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from emo_utils.errors import DataError
from emo_utils.evaluation.resampling import bootstrap_sums, share_interval
from emo_utils.evaluation.significance import mcnemar, paired_difference


def paired(both, only_a, only_b, neither):
    counts = (both, only_a, only_b, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


# A. Agresti, Categorical Data Analysis: approval of the prime minister, asked twice: 794, 150, 86, 570.
# Then a table with few disagreements and one without any.
@pytest.mark.parametrize("table", [(794, 150, 86, 570), (30, 2, 9, 11), (5, 1, 0, 4), (10, 0, 0, 3)])
def test_mcnemar_is_that_of_statsmodels(table):
    both, only_a, only_b, neither = table
    expected = statsmodels_mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue
    assert mcnemar(*paired(*table)) == pytest.approx(expected)


def test_agrestis_approval_table_is_significant_and_its_difference_known():
    a, b = paired(794, 150, 86, 570)
    assert mcnemar(a, b) < 1e-4
    d = paired_difference(a, b)
    # The share fell from .59 to .55; the normal approximation gives .04 +- 1.96 * .0095.
    assert -d.difference == pytest.approx(0.04, abs=1e-9)
    assert (-d.high, -d.low) == pytest.approx((0.0213, 0.0587), abs=0.001)


def test_groups_widen_the_interval_of_a_difference_where_faces_of_a_person_agree():
    a, b = paired(0, 50, 150, 0)
    people = np.repeat(np.arange(20), 10)
    by_face, by_person = paired_difference(a, b), paired_difference(a, b, groups=people)
    assert by_person.high - by_person.low > 2 * (by_face.high - by_face.low)


def test_a_paired_comparison_needs_the_same_faces():
    with pytest.raises(DataError, match=r"same faces twice\. Got 3 and 2"):
        mcnemar(np.ones(3, bool), np.ones(2, bool))


def test_sums_are_those_of_faces_drawn_with_replacement():
    columns = np.array([[1.0, 0.0], [10.0, 1.0], [100.0, 0.0]])
    sums = bootstrap_sums(columns, n_resamples=5000)
    assert sums.shape == (5000, 2)
    assert sums.mean(axis=0) == pytest.approx([111, 1], rel=0.05)
    assert set(np.unique(sums[:, 1])) == {0, 1, 2, 3}
    assert (bootstrap_sums(columns, n_resamples=7) == bootstrap_sums(columns, n_resamples=7)).all()


def test_long_columns_are_drawn_in_chunks_as_in_one_go(monkeypatch):
    columns = np.random.default_rng(0).random((50, 3))
    whole = bootstrap_sums(columns, n_resamples=40)
    monkeypatch.setattr("emo_utils.evaluation.resampling._CHUNK", 170)
    assert bootstrap_sums(columns, n_resamples=40) == pytest.approx(whole)


def test_groups_come_whole_or_not_at_all():
    sums = bootstrap_sums(np.ones((6, 1)), groups=np.array(["a", "a", "a", "a", "b", "b"]), n_resamples=200)
    assert set(sums.ravel()) == {4, 6, 8}
    one = bootstrap_sums(np.eye(6), groups=np.repeat("a", 6), n_resamples=200)
    assert one.tolist() == bootstrap_sums(np.eye(6), n_resamples=200).tolist()
    with pytest.raises(DataError, match="6 faces but 2 groups"):
        bootstrap_sums(np.ones((6, 1)), groups=np.array(["a", "b"]))
    with pytest.raises(DataError, match="no faces"):
        bootstrap_sums(np.ones((0, 1)))


def test_the_interval_of_a_share_is_close_to_wilsons():
    share, low, high = share_interval(np.repeat([True, False], [700, 300]))
    assert share == pytest.approx(0.7)
    assert (low, high) == pytest.approx((0.671, 0.728), abs=0.003)
    assert share_interval(np.full(10, True)) == pytest.approx((1, 0.722, 1), abs=0.001)
