from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from conftest import shared_file

from emo_utils.datasets import from_arrays
from emo_utils.datasets.ferplus import VOTES
from emo_utils.emotions import canonical_emotion
from emo_utils.errors import DataError
from emo_utils.evaluation.raters import agreement, human_bar, votes_for
from emo_utils.evaluation.votes import compare_with_votes

NAMES = ("happy", "sad", "neutral")


def faces(counts, labels=None, names=NAMES):
    """Return faces with these votes for `names`, and one vote "NF" more."""
    counts = np.asarray(counts)
    votes = np.zeros((len(counts), len(VOTES)), int)
    for name, column in zip(names, counts.T, strict=True):
        votes[:, [canonical_emotion(v) if v not in ("unknown", "NF") else v for v in VOTES].index(name)] = column
    votes[:, VOTES.index("NF")] = 1
    labels = counts.argmax(axis=1) if labels is None else labels
    return from_arrays(np.zeros((len(counts), 8, 8), np.uint8), labels, names, votes=votes)


def one_hot(answers):
    return np.eye(len(NAMES))[answers]


def modes(votes) -> list[int]:
    counts = [votes.count(k) for k in range(len(NAMES))]
    return [k for k, n in enumerate(counts) if n == max(counts)]


def credit(answer, votes) -> float:
    return (answer in modes(votes)) / len(modes(votes))


SMALL = np.array([c for c in product(range(4), repeat=3) if sum(c) >= 2])
AS_LISTS = [[k for k, n in enumerate(c) for _ in range(n)] for c in SMALL.tolist()]


def left_out(votes):
    return [(vote, votes[:i] + votes[i + 1 :]) for i, vote in enumerate(votes)]


def test_votes_come_in_the_order_of_the_classes():
    data = faces([[4, 3, 2], [0, 1, 0]])
    assert votes_for(data).tolist() == [[4, 3, 2], [0, 1, 0]]
    assert votes_for(data.select(("neutral", "happy")).take([0])).tolist() == [[2, 4]]


def test_agreement_is_the_share_of_the_plurality():
    np.testing.assert_allclose(agreement(np.array([[9, 1], [5, 5], [3, 0], [0, 0]])), [0.9, 0.5, 1, np.nan])


def test_the_human_bar_is_the_mean_over_every_rater_left_out():
    by_hand = np.mean([np.mean([credit(vote, rest) for vote, rest in left_out(votes)]) for votes in AS_LISTS])
    share, low, high = human_bar(np.vstack([SMALL, [[1, 0, 0], [0, 0, 0]]]))  # the last two have no other raters
    assert share == pytest.approx(by_hand)
    assert low < share < high


def test_comparisons_with_raters_by_enumeration():
    answers = np.random.default_rng(0).integers(0, 3, len(SMALL))
    labels = np.random.default_rng(1).integers(0, 3, len(SMALL))
    accuracies = compare_with_votes(faces(SMALL, labels), one_hot(answers)).accuracies["accuracy"]
    cases = list(zip(answers.tolist(), labels.tolist(), AS_LISTS, strict=True))
    expected = {
        "model, label of faces": np.mean([a == y for a, y, _ in cases]),
        "model, plurality of all raters": np.mean([credit(a, v) for a, _, v in cases]),
        "model, plurality of all but one rater": np.mean(
            [np.mean([credit(a, rest) for _, rest in left_out(v)]) for a, _, v in cases]
        ),
        "label of faces, plurality of all but one rater": np.mean(
            [np.mean([credit(y, rest) for _, rest in left_out(v)]) for _, y, v in cases]
        ),
        "one rater, plurality of the others": human_bar(SMALL)[0],
        "model, one rater": np.mean([np.mean(np.equal(v, a)) for a, _, v in cases]),
        "one rater, another rater": np.mean(
            [np.mean([np.mean(np.equal(rest, vote)) for vote, rest in left_out(v)]) for _, _, v in cases]
        ),
        "plurality, one rater": np.mean([max(np.bincount(v)) / len(v) for _, _, v in cases]),
    }
    expected["model minus one rater"] = (
        expected["model, plurality of all but one rater"] - expected["one rater, plurality of the others"]
    )
    assert accuracies.to_dict() == pytest.approx(expected)


def test_accuracy_by_agreement_of_the_others_by_enumeration():
    answers = np.random.default_rng(0).integers(0, 3, len(SMALL))
    labels = np.random.default_rng(1).integers(0, 3, len(SMALL))
    table = compare_with_votes(faces(SMALL, labels), one_hot(answers)).by_agreement
    bins = {"up to 50%": (0, 0.5), "50% to 70%": (0.5, 0.7), "70% to 90%": (0.7, 0.9), "over 90%": (0.9, 1)}
    assert table.index.tolist() == list(bins)
    for name, (low, high) in bins.items():
        cases = [
            (1 / len(votes), credit(a, rest), credit(vote, rest), a == y)
            for a, y, votes in zip(answers.tolist(), labels.tolist(), AS_LISTS, strict=True)
            for vote, rest in left_out(votes)
            if low < max(np.bincount(rest)) / len(rest) <= high
        ]
        weights = [case[0] for case in cases]
        assert table["n"][name] == pytest.approx(sum(weights))
        for i, column in enumerate(("model", "rater", "label"), start=1):
            assert table[column][name] == pytest.approx(np.average([case[i] for case in cases], weights=weights))
            assert table[f"{column}_low"][name] <= table[column][name] <= table[f"{column}_high"][name]
    assert table["n"].sum() == pytest.approx(len(SMALL))


def test_bins_of_agreement_can_be_chosen_and_may_be_empty():
    data = faces([[6, 5, 0], [11, 0, 0]])
    table = compare_with_votes(data, one_hot([0, 0]), edges=(0.2, 0.95)).by_agreement
    assert table["n"].tolist() == pytest.approx([0, 1, 1])
    assert table["rater"].tolist()[1:] == pytest.approx([3 / 11, 1])  # the six meet 5:5, the five are outvoted
    assert np.isnan(table["model"].iloc[0])
    with pytest.raises(DataError, match=r"edges must rise between 0 and 1\. Got \[0\.7, 0\.5\]"):
        compare_with_votes(data, one_hot([0, 0]), edges=(0.7, 0.5))


def test_divergences_by_hand():
    data = faces([[3, 1, 0], [0, 4, 0]])
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.9, 0.0]])
    table = compare_with_votes(data, p).divergences
    log = np.log
    assert table["cross_entropy"]["model"] == pytest.approx((-0.75 * log(0.5) - 0.25 * log(0.25) - log(0.9)) / 2)
    entropy = -0.75 * log(0.75) - 0.25 * log(0.25)
    assert table["cross_entropy"]["the votes themselves"] == pytest.approx(entropy / 2)
    assert table["jensen_shannon"]["the votes themselves"] == 0
    prior = np.array([0.375, 0.625])
    assert table["cross_entropy"]["always the mean of the votes"] == pytest.approx(
        -(np.array([0.375, 0.625]) * log(prior)).sum()
    )

    def jensen_shannon(a, b):
        m = (np.array(a) + b) / 2
        return sum(0.5 * x * log(x / y) for z in (a, b) for x, y in zip(z, m, strict=True) if x)

    by_hand = (jensen_shannon([0.75, 0.25, 0], p[0]) + jensen_shannon([0, 1, 0], p[1])) / 2
    assert table["jensen_shannon"]["model"] == pytest.approx(by_hand)
    # The rater who says happy meets (2/3, 1/3) twice out of thirds; who says sad meets happy once and sad four times.
    soft = np.array([[2 / 3, 1 / 3], [1 / 5, 4 / 5]])
    expected = (
        0.75 * -(2 / 3 * log(soft[0, 0]) + 1 / 3 * log(soft[0, 1])) - 0.25 * log(soft[1, 0]) - log(soft[1, 1])
    ) / 2
    assert table["cross_entropy"]["one rater, softened"] == pytest.approx(expected)


def test_a_perfect_answer_is_at_the_floor_and_a_probability_of_zero_costs_a_finite_amount():
    data = faces([[3, 1, 0], [0, 4, 0]])
    same = compare_with_votes(data, np.array([[0.75, 0.25, 0], [0, 1, 0]])).divergences
    assert same.loc["model"].to_numpy() == pytest.approx(same.loc["the votes themselves"].to_numpy())
    never = compare_with_votes(data, one_hot([2, 2])).divergences.loc["model"]
    assert never["cross_entropy"] == pytest.approx(-np.log(1e-7))
    assert never["jensen_shannon"] == pytest.approx(np.log(2))


def test_faces_whose_raters_say_other_things_are_left_out_and_counted():
    data = faces([[3, 1, 0], [0, 0, 0], [0, 1, 0], [0, 4, 0]])
    comparison = compare_with_votes(data, one_hot([0, 2, 2, 1]))
    assert (comparison.n, comparison.n_left_out) == (2, 2)
    assert comparison.accuracies["accuracy"]["model, plurality of all raters"] == 1


def test_without_votes_or_with_other_shapes_it_is_refused():
    data = faces([[3, 1, 0], [0, 4, 0]])
    with pytest.raises(DataError, match=r"faces has no votes\. FER2013 gets them from fer2013new\.csv with add_votes"):
        compare_with_votes(replace(data, votes=None), one_hot([0, 1]))
    with pytest.raises(DataError, match="no rater voted for any of fear, disgust"):
        votes_for(replace(data, class_names=("fear", "disgust", "angry")).select(("fear", "disgust")))
    with pytest.raises(DataError, match=r"shape \(2, 3\), a column for each of happy, sad, neutral\. Got \(2, 2\)"):
        compare_with_votes(data, np.eye(2))
    with pytest.raises(DataError, match="must sum to one"):
        compare_with_votes(data, np.eye(3)[:2] * 2)


def test_published_votes_give_the_human_bar_that_a_class_can_recompute():
    import pandas as pd

    votes = pd.read_csv(shared_file("data/fer2013new.csv"))[list(VOTES)].to_numpy()
    share, low, high = human_bar(votes)
    assert share == pytest.approx(0.702, abs=0.001)
    assert 0.69 < low < share < high < 0.71
    assert (agreement(votes) == 1).mean() == pytest.approx(0.226, abs=0.001)
