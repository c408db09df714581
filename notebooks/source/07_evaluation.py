# %% [markdown]
# # What is it worth?
#
# Teaching: 55 min, exercises: 35 min
#
# A figure is quickly computed; this lesson is about when to believe it. There is enough here for two sittings; *Choosing on
# the test part* begins the second.
#
# In this lesson you will
#
# - put an interval on a figure by your own bootstrap, over faces and over people,
# - read what one accuracy hides: classes, averages, and the curve that sees a rare class,
# - decide whether B is better than A, face by face and over seeds,
# - replay with real answers what choosing on the test part does, and name the worst slice fairly,
# - measure how many points three common leaks add,
# - write a report on a model with one command, and set ours beside two published ones.

# %% tags=["setup"]

# %% [markdown]
# ## Two test parts
#
# Drawn faces ship with the course, so models can look at them here. FER2013's photographs do not ship; what recorded
# models answered to them does, face by face, and that is all a figure needs.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from emo_utils.datasets import load_dataset
from emo_utils.plots import plot_examples

FULL = os.environ.get("EMO_PROFILE") == "full"
SOURCE = "fer2013" if FULL else "embedded"
MODEL = "fer2013-mobilenetv3small" if FULL else "embedded-small-cnn"
plot_examples(load_dataset(SOURCE).part("test"), title=f"Test faces of {SOURCE}")
plt.show()

# %% [markdown]
# ## A figure without an interval is a rumour
#
# The course ships a network for FER2013, and here is what it answered to the PublicTest faces, which it never trained
# on. Its accuracy, as people like to print it:

# %%
from emo_utils.paths import course_root
from emo_utils.table import read_runs

table = read_runs()
recorded = table[(table["profile"] == "full") & (table["data"] == "fer2013") & (table["status"] == "ok")]


def answers_of(run):
    """Return labels (n,), probabilities (n, classes) and class names that a run kept of its test part."""
    with np.load(course_root() / run["predictions_path"]) as kept:
        return kept["labels"], kept["probabilities"], kept["class_names"].tolist()


ours = recorded[recorded["recipe"] == "fer2013-mobilenetv3small"].iloc[-1]
labels, probabilities, class_names = answers_of(ours)
correct = probabilities.argmax(axis=1) == labels
rng = np.random.default_rng(0)
print(f"accuracy {correct.mean():.4%}")

# %% [markdown]
# Six digits. How many of them would other test faces of the same kind confirm? Nobody has these other faces, but the
# *bootstrap* of lesson 06 makes some: it draws as many faces as there are, from those that there are, with replacement, and
# computes the figure again. The middle 95 % of many such figures are the interval.
#
# **Exercise 1.** First guess how many points it reaches to either side. Then do it by hand. `correct` says of each face
# whether the answer was right. Make 2,000 draws (`rng.choice(correct, size=(2000, len(correct)))`), take the accuracy of
# each, and set `by_hand` to their 2.5 and 97.5 percentiles (`np.percentile`).

# %% tags=["exercise"]
by_hand = None

# %% tags=["solution"]
by_hand = np.percentile(rng.choice(correct, size=(2000, len(correct))).mean(axis=1), [2.5, 97.5])

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check
from emo_utils.evaluation import classification_metrics

metrics = classification_metrics(labels, probabilities, class_names)
low, high = metrics["accuracy_low"], metrics["accuracy_high"]
check("interval by hand", by_hand, [low, high], tolerance=0.002, hint="One accuracy a draw: a mean along which axis?")
share = pd.Series(labels).map(dict(enumerate(class_names))).value_counts(normalize=True)
commonest, guess = share.index[0], share.iloc[0]
print(f"accuracy {correct.mean():.3f} [{low:.3f}, {high:.3f}], n = {len(labels):,}")
print(f'always "{commonest}" {guess:.3f}')

# %% [markdown]
# This is the shortest honest form: the figure, its interval, the number of faces, and what one gets for nothing. The
# package does what you did. How does the number of faces act on it?

# %%
from emo_utils.evaluation import bootstrap_sums, share_interval
from emo_utils.plots import COLORS, plot_accuracies


def as_row(interval):
    """Return (value, low, high) under the names that plot_accuracies reads."""
    return dict(zip(("accuracy", "accuracy_low", "accuracy_high"), interval, strict=True))


figure, (left, right_ax) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
left.hist(bootstrap_sums(correct[:, None]).ravel() / len(correct), bins=25, color="0.75")
left.axvspan(low, high, color=COLORS[0], alpha=0.2)
left.set(title=f"2,000 draws of {len(correct):,} faces; shaded: 95 %", xlabel="accuracy", ylabel="draws")
some = rng.permutation(correct)
rows = {f"n = {n:,}": as_row(share_interval(some[:n])) for n in (50, 200, 800, len(some))}
guessing = {"reference": guess, "reference_name": f'always "{commonest}"'}
plot_accuracies(rows, **guessing, ax=right_ax, title="The first n faces, shuffled")
plt.show()

# %% [markdown]
# Four times as many faces halve the interval. What it covers is the luck of the draw of faces. It knows nothing of a
# different camera, of wrong labels, or of a network trained once more.
#
# ## Faces or people?
#
# Drawing single faces takes them for independent. The test part of the embedded faces shows few people, many times each:

# %%
from emo_utils.evaluation import evaluate_model
from emo_utils.models import load_model

drawn = load_dataset("embedded").part("test")
model, _ = load_model(course_root() / "model" / "embedded-small-cnn.keras")
evaluation = evaluate_model(model, drawn)
hits = evaluation.probabilities.argmax(axis=1) == drawn.labels
by_person = pd.Series(hits).groupby(drawn.groups).mean()
rows = {
    f"{len(hits)} single faces drawn": as_row(share_interval(hits)),
    f"{len(by_person)} whole people drawn": as_row(share_interval(hits, groups=drawn.groups)),
}
ax = plot_accuracies(rows, title="embedded-small-cnn on drawn faces: the same answers, two intervals")
ax.plot(by_person, np.full(len(by_person), 1.3), "d", ms=5, color=COLORS[1], label="one person (equal ones coincide)")
ax.set(xlim=(0.6, 1.02))
ax.legend(frameon=False, loc="upper left")
plt.show()
print(f'always "happy" {(drawn.labels == drawn.class_names.index("happy")).mean():.3f}')
copies = np.repeat(hits, 4)  # for exercise 2
original = np.repeat(np.arange(len(hits)), 4)

# %% [markdown]
# Who has a face that the network reads well, has it in all pictures. So the faces of one person say less than as many of
# different people, and the honest interval draws whole people. `groups=` does that everywhere in the package, and
# `evaluate_model` uses it whenever the data knows its people.
#
# **Exercise 2.** The extreme case: `copies` holds every answer four times over. Nothing new was learned. Set
# `width_if_hidden` to the width (high minus low) of its interval from `share_interval`, and `width_if_said` to the width
# when `groups=original` says which copies are the same face.

# %% tags=["exercise"]
width_if_hidden = None
width_if_said = None

# %% tags=["solution"]
width_if_hidden = np.ptp(share_interval(copies)[1:])
width_if_said = np.ptp(share_interval(copies, groups=original)[1:])

# %%
# NBVAL_CHECK_OUTPUT
plain = 2 * 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / len(hits))  # the textbook's width for single faces
hint = "share_interval returns the share, then low and high."
check("width if nobody says so", width_if_hidden, plain / 2, tolerance=0.005, hint=hint)
check("width with groups", width_if_said, plain, tolerance=0.008, hint=hint)

# %% [markdown]
# Copies, frames of one video, several pictures of one person: all of them sell the same news more than once. And with
# fewer than some twenty people even the wider interval is a little too narrow: so few do not show how people differ.
# FER2013 does not say who is on its pictures, so there we can only draw faces, and must say so.
#
# ## One number hides the classes
#
# Of the faces *called* fear, which share shows fear? That is *precision*. Of the faces that *show* fear, which share is
# called so? That is *recall* (lesson 03). *F1* is high only where both are (lesson 05).

# %%
from emo_utils.plots import plot_confusion

plot_confusion(metrics["confusion"], class_names, title=f"FER2013 PublicTest, n = {len(labels):,}")
plt.show()
per_class = pd.DataFrame(metrics["per_class"]).T.astype(float)
print(per_class[["precision", "recall", "recall_low", "recall_high", "f1", "support"]].round(2).to_string())
f1, support = per_class["f1"], per_class["support"]

# %% [markdown]
# *Support* is the number of faces that show the class. Look at the rarest class: its recall rests on so few faces that the
# interval spans a good part of the scale.
#
# One number for all classes needs an average, and there are two. *Macro-F1* counts every class alike. *Weighted F1* counts
# every class by its support.
#
# **Exercise 3.** Compute both from the columns `f1` and `support`.

# %% tags=["exercise"]
macro_f1 = None
weighted_f1 = None

# %% tags=["solution"]
macro_f1 = f1.mean()
weighted_f1 = (f1 * support).sum() / support.sum()

# %%
# NBVAL_CHECK_OUTPUT
check("macro-F1", macro_f1, metrics["macro_f1"], hint="Every class alike: a plain mean.")
check("weighted F1", weighted_f1, metrics["weighted_f1"], hint="Divide by all faces, not by the classes.")
always = np.eye(len(class_names))[np.full(len(labels), class_names.index(commonest))]
rows = {"the network": metrics, f'always "{commonest}"': classification_metrics(labels, always, class_names)}
print(pd.DataFrame(rows).loc[["accuracy", "weighted_f1", "macro_f1"]].astype(float).round(3).to_string())

# %% [markdown]
# The guess looks worst in macro-F1, which no one gets for nothing.
#
# ### Which curve sees a rare class?
#
# The network gives each face a probability of disgust. Take every face above some threshold for disgusted. A low threshold
# finds most of the disgusted faces, and takes many others along; a high one misses more, and takes fewer along. Two curves
# show the trade, with one point for each threshold:
#
# - *ROC*: up, the share of the disgusted faces that is found (true positive rate, or recall); across, the share of the
#   **other faces** that is taken along (false positive rate).
# - *Precision-recall*: up, the share of **those taken** that is disgusted; across, the share found. The area below it is
#   called *average precision*.
#
# **Exercise 4.** Disgust is rare. Suppose it were ten times rarer, with faces as hard as now: ten times as many of all
# others. The area below one of the two curves stays as it is. Which curve sees the rarity? Set `sees_rarity` to "roc" or
# "pr".

# %% tags=["exercise"]
sees_rarity = None

# %% tags=["solution"]
sees_rarity = "pr"

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.evaluation import ranking_curves

disgust = class_names.index("disgust")
rarer = np.repeat(np.arange(len(labels)), np.where(labels == disgust, 1, 10))
curves = {
    "as it is": ranking_curves(labels, probabilities, class_names)["disgust"],
    "ten times rarer": ranking_curves(labels[rarer], probabilities[rarer], class_names)["disgust"],
}
areas = {"roc": "roc_auc", "pr": "average_precision"}
moved = {name: abs(np.diff([curve[key] for curve in curves.values()])[0]) for name, key in areas.items()}
check("the curve that sees rarity", sees_rarity, max(moved, key=moved.get), hint="Whose share is on each axis?")

# %%
from emo_utils.plots import plot_ranking

plot_ranking(curves, title="Disgust against all others, FER2013 PublicTest")
plt.show()

# %% [markdown]
# In the left panel the two curves lie on each other: both axes are shares within one kind of face, so how many there are of
# each does not matter. A user lives with precision: of ten alarms, how many are right?
#
# ## Is B better than A?
#
# Lesson 05 answered the rare classes with several remedies on the same frozen features. The recorded runs have three
# seeds of each. Plain training against class weights, seed 0:

# %%
runs = recorded[recorded["recipe"].str.startswith("balance-")].drop_duplicates(["recipe", "seed"], keep="last")
right_of = {}
for _, run in runs.iterrows():
    truth, answers, _ = answers_of(run)
    right_of[run["recipe"].removeprefix("balance-"), int(run["seed"])] = answers.argmax(axis=1) == truth
a, b = right_of["none", 0], right_of["class-weights", 0]
for name, value in (("A, plain training", a), ("B, class weights", b)):
    share_right, low, high = share_interval(value)
    print(f"{name:18} accuracy {share_right:.3f} [{low:.3f}, {high:.3f}], n = {len(value):,}")
print(f'always "{commonest}"     accuracy {guess:.3f}')

# %% [markdown]
# **Predict.** The two intervals overlap. Has it been shown that A and B differ in accuracy? Write "yes" or "no".

# %% tags=["exercise"]
predicted_shown = None

# %% tags=["solution"]
predicted_shown = "no"

# %% [markdown]
# Both answered the *same* faces. A face that is hard for A is hard for B, and that luck is common to both. So draw faces
# once, and take the answers of both to them.
#
# **Exercise 5.** Write `paired_interval(a, b)`: the 2.5 and 97.5 percentiles of the accuracy of `b` less that of `a`, from
# 2,000 draws of faces. `b.astype(int) - a.astype(int)` is the gain of each face: +1 where only `b` is right, -1 where only
# `a` is, else 0.


# %% tags=["exercise"]
def paired_interval(a, b):
    return None


# %% tags=["solution"]
def paired_interval(a, b):
    gain = b.astype(int) - a.astype(int)
    draws = np.random.default_rng(0).choice(gain, size=(2000, len(gain)))
    return np.percentile(draws.mean(axis=1), [2.5, 97.5])


# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import compare_prediction
from emo_utils.evaluation import mcnemar, paired_difference

gap = paired_difference(a, b)
check("paired interval", paired_interval(a, b), gap[1:], tolerance=0.0015, hint="Draw gains as in exercise 1.")
compare_prediction("shown that A and B differ", predicted_shown, "no" if gap.low < 0 < gap.high else "yes")

# %%
alone = [share_interval(value) for value in (a, b)]
unpaired = np.hypot(*(np.ptp(value[1:]) / 2 for value in alone))
figure, (left, right_ax) = plt.subplots(1, 2, figsize=(11, 2.6), layout="constrained")
plot_accuracies(dict(zip(("A, plain", "B, weights"), map(as_row, alone), strict=True)), ax=left, title="Each alone")
left.set_xlim(0.42, 0.53)
spreads = 100 * np.array([[gap.difference - gap.low, unpaired], [gap.high - gap.difference, unpaired]])
right_ax.errorbar([100 * gap.difference] * 2, [0, 1], xerr=spreads, fmt="o", capsize=4, color=COLORS[1])
right_ax.axvline(0, color="0.4", ls=":")
right_ax.set(yticks=[0, 1], yticklabels=["same faces", "as if other faces"], ylim=(1.6, -0.6), title="B less A")
right_ax.set_xlabel("points of accuracy, 95 % interval")
plt.show()
print(f"only A right: {(a & ~b).sum()}, only B right: {(b & ~a).sum()}, McNemar's p = {mcnemar(a, b):.3f}")

# %% [markdown]
# Overlap of two intervals is no test: the same answers can overlap alone and differ as a pair. McNemar's test (lesson 06)
# asks the same of the faces that only one of them gets right.
#
# But that is a verdict on two *networks*. Is the *remedy* worse, or was it this seed? Every remedy against plain training
# of the same seed, in points of accuracy, with McNemar's p; in the last column the mean and the standard deviation of the
# seeds:

# %%
remedies = sorted({name for name, _ in right_of} - {"none"})
seeds = sorted({seed for name, seed in right_of if name == "none"})
rows = {}
for name in remedies:
    pairs = [(right_of["none", seed], right_of[name, seed]) for seed in seeds]
    steps = [100 * paired_difference(*pair).difference for pair in pairs]
    texts = [f"{step:+.1f} (p {mcnemar(*pair):.3f})" for step, pair in zip(steps, pairs, strict=True)]
    rows[name] = [*texts, f"{np.mean(steps):+.1f} ± {np.std(steps, ddof=1):.1f}"]
columns = [*(f"seed {seed}" for seed in seeds), "mean ± sd"]
print(pd.DataFrame.from_dict(rows, orient="index", columns=columns).to_string())
tests = len(remedies) * len(seeds)
print(f"\n{tests} tests: by chance alone {tests / 20:.1f} of them would fall below p = 0.05")

# %% [markdown]
# Which remedy goes the same way with every seed, and by how many of its standard deviations? Three seeds are few: a t test
# on them asks for a mean of at least two and a half standard deviations. What passes has shown something, and of accuracy
# only: macro-F1 may tell the opposite, as these remedies are meant for the rare classes. And whoever makes many tests finds
# a small p somewhere. A cautious reader multiplies each p by the number of tests (*Bonferroni*).
#
# ## Choosing on the test part
#
# All these runs are nearly equally good. Now play the careless author: choose the best of them on some of the test faces,
# report that figure, and then look at the same network on fresh faces, the other half. Lesson 06 simulated it; these are
# real answers.
#
# **Predict.** The best is chosen on half of the test part. How many points does it lose, on average, on the other half?
# Think of how far luck alone moved one accuracy in exercise 1, and of how alike these runs are.

# %% tags=["exercise"]
predicted_loss = None

# %% tags=["solution"]
predicted_loss = 2.0

# %%
all_right = np.stack(list(right_of.values()))  # (runs, faces)
half = all_right.shape[1] // 2


def replay(n_choosing, repeats=300):
    """Return mean accuracy of the run that is best on n_choosing faces: on these, and on half of all, others."""
    rng, results = np.random.default_rng(0), []
    for _ in range(repeats):
        order = rng.permutation(all_right.shape[1])
        choosing = all_right[:, order[:n_choosing]].mean(axis=1)
        best = choosing.argmax()
        results.append((choosing[best], all_right[best, order[-half:]].mean()))
    return np.mean(results, axis=0)


sizes = [50, 100, 200, 500, 1000, half]
reported, fresh = 100 * np.array([replay(n) for n in sizes]).T
figure, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
ax.plot(sizes, reported, "s-", color=COLORS[1], label="best run, on the faces that chose it")
ax.plot(sizes, fresh, "o-", color=COLORS[0], label="the same run on fresh faces")
ax.axhline(100 * all_right.mean(), color="0.4", ls=":", label="mean of all runs")
ax.set(xscale="log", xticks=sizes, xticklabels=[f"{n:,}" for n in sizes], ylabel="accuracy (%), mean of 300 replays")
ax.set(xlabel="faces that chose (log scale)", title=f"Best of {len(all_right)} recorded runs on FER2013 PublicTest")
ax.minorticks_off()
ax.legend(frameon=False)
plt.show()
compare_prediction("points lost on the other half", predicted_loss, float(reported[-1] - fresh[-1]), tolerance=0.4)
honest = runs.loc[runs["val_accuracy"].idxmax()]
print(f"Chosen on validation: {honest['recipe']}, seed {honest['seed']:.0f}")
for part in ("val", "test"):
    value, low, high = (honest[f"{part}_accuracy{end}"] for end in ("", "_low", "_high"))
    print(f"  {part:4} accuracy {value:.3f} [{low:.3f}, {high:.3f}]")

# %% [markdown]
# The fewer faces choose, the more luck is in the choice: it is the gap between the curves, the winner's curse of lesson 06.
# Whoever chooses on validation faces is lucky too. But that luck stays in the validation figure; the test figure in the last
# line is free of it.
#
# ### And in print?
#
# These figures stand in the public READMEs of three repositories on GitHub, one of which quotes the second from a paper. The
# remark says how the best epoch was chosen, as the repository's training code or README tells it. None comes with an
# interval, yet figure and `n` are enough to make one:

# %%
published = {
    "WuJie1010/Facial-Expression-Recognition.Pytorch": (73.11, "best epoch on the reported part"),
    "Khaireddin and Chen 2021, arXiv 2105.03588": (73.28, "choice not looked up"),
    "LetheSec/Fer2013-Facial-Emotion-Recognition-Pytorch": (73.70, "best epoch on the reported part"),
    "phamquiluan/ResidualMaskingNetwork": (74.14, "best epoch on validation faces"),
}
n = 3589  # faces in either test part
rows = {
    f"{name.split(',')[0].split('/')[0]}\n({remark})": as_row(share_interval(np.arange(n) < round(percent * n / 100)))
    for name, (percent, remark) in published.items()
}
figure, ax = plt.subplots(figsize=(10, 3.6), layout="constrained")
plot_accuracies(rows, ax=ax, title=f"Published on FER2013; intervals from n = {n:,}")
ax.set_xlim(0.70, 0.77)
plt.show()

# %% [markdown]
# From what is printed, any of them may be the best: steps of half a point, called progress, are shorter than the intervals.
# The answers face by face could tell more, as they did for A and B, if they were published. And where the epoch was chosen
# on the reported part, the figure holds some luck on top. Careful readers ask three things: which part, how many faces, and
# who chose on what. Our own table counts looks at a test part in the column `test_looks`.
#
# ## Slices
#
# On which faces is a model worse than its accuracy says? A *slice* is a set of faces that have something in common: a true
# class (its accuracy is the recall of that class), a range of brightness, or the *subject*, the person. In the figure the
# thick lines are the usual intervals; the thin ones are explained below.

# %%
from emo_utils.evaluation import slice_metrics, worst_slice
from emo_utils.plots import plot_slices

slices = slice_metrics(drawn, evaluation.probabilities, ["class", "brightness", "subject"])
plot_slices(slices, title=f"embedded-small-cnn on drawn faces, n = {len(drawn)}")
plt.show()
worst = worst_slice(slices)
print(f"{worst.slice} {worst.value}: {worst.accuracy:.3f} [{worst.low:.3f}, {worst.high:.3f}], n = {worst.n}")
print(worst.remark)
p = hits.mean()  # for exercise 6

# %% [markdown]
# **Exercise 6.** Somebody has to be the worst. Suppose nine people are equally easy: on each of 35 faces of each person the
# network is right with probability `p`. What accuracy has the *lowest* of the nine, on average? Set `lowest` to it, e.g.
# from `rng.binomial(35, p, size=(10_000, 9))`, the numbers of right answers in 10,000 such worlds.

# %% tags=["exercise"]
lowest = None

# %% tags=["solution"]
lowest = rng.binomial(35, p, size=(10_000, 9)).min(axis=1).mean() / 35

# %%
# NBVAL_CHECK_OUTPUT
from scipy.stats import binom

expected = (binom.sf(np.arange(35), 35, p) ** 9).sum() / 35  # the mean of a minimum, exactly
check("lowest of nine equals", lowest, expected, tolerance=0.005, hint="First the lowest, then the mean; as a share.")

# %% [markdown]
# Picking the worst slice is the winner's curse upside down. Compare `lowest` with the lowest of the nine people in the
# figure: how much of that is luck? To be fair to the one that was picked, the thin lines are wider: they hold for all
# slices at once. Only a thin line that stays left of the dotted one names a weakness. Which one does? It need not be the
# slice of the lowest accuracy.
#
# The same of our FER2013 model, from its recorded report:

# %%
import json


def recorded_report(name):
    """Return the recorded report of a model on FER2013 PublicTest."""
    return json.loads((course_root() / "docs" / "recorded" / f"evaluate_{name}.json").read_text(encoding="utf-8"))


slices = pd.DataFrame(recorded_report("fer2013-mobilenetv3small")["slices"]["slices"])
plot_slices(slices, title="fer2013-mobilenetv3small on FER2013 PublicTest")
plt.show()
worst = worst_slice(slices)
print(f"{worst.slice} {worst.value}: {worst.accuracy:.3f} [{worst.low:.3f}, {worst.high:.3f}], n = {worst.n}")
print(worst.remark)

# %% [markdown]
# ## The leakage lab
#
# All of that assumes that the test faces are strangers. Three common mistakes let them in:
#
# - *people*: a set is split picture by picture, and other pictures of the test people get into training,
# - *duplicates*: exact copies of some test faces, here of a third, stand in training,
# - *augmented*: a set is augmented first and split afterwards, so that variants of test faces are trained on.
#
# `leakage_lab` trains a model twice, once with the mistake and once without, on equally many faces of each class, and asks
# both about the same test faces. The model is a forest of 100 random trees on small pictures: quick, and good at learning by
# heart. The faces are drawn: `film` has four frames of every scene, as a video has; in `stills` every picture is another scene.
#
# **Predict.** How many points does each leak add? All classes are equally frequent here, so guessing gives one seventh, and
# without a leak this forest does not get far beyond. Write four numbers, `film` and `stills` for people. Then give
# the cell a moment: it trains two dozen forests.

# %% tags=["exercise"]
predicted = {"people, film": None, "people, stills": None, "duplicates": None, "augmented": None}

# %% tags=["solution"]
predicted = {"people, film": 30, "people, stills": 15, "duplicates": 10, "augmented": 20}

# %%
import cv2
from sklearn.ensemble import ExtraTreesClassifier

from emo_utils.datasets.embedded import load_embedded
from emo_utils.evaluation import leakage_lab
from emo_utils.plots import plot_leakage


def small_pixels(images):
    """Return 24x24 grey values of each image, with mean 0 and spread 1: float of shape (n, 576)."""
    pixels = np.stack([cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA).ravel() for image in images])
    return (pixels - pixels.mean(axis=1, keepdims=True)) / (pixels.std(axis=1, keepdims=True) + 1e-6)


def fit_predict(train, images):
    """Train a forest and return its probabilities (n, classes) for the test images."""
    forest = ExtraTreesClassifier(100, random_state=0).fit(small_pixels(train.images), train.labels)
    return forest.predict_proba(small_pixels(images))


film, stills = (load_embedded(840, people=40, frames=frames, imbalance=1) for frames in (4, 1))
on_film = leakage_lab(fit_predict, film, kinds=["people"], progress=False).replace("people", "people, film")
on_stills = leakage_lab(fit_predict, stills, progress=False).replace("people", "people, stills")
lab = pd.concat([on_film, on_stills])
smallest, largest = lab["n_test"].min(), lab["n_test"].max()
plot_leakage(lab, title=f"What a leak adds to a forest on drawn faces, n = {smallest} to {largest}")
plt.show()
for kind, gap in lab.groupby("kind", sort=False)["gap"].mean().items():
    compare_prediction(f"points that {kind} add", predicted[kind], round(gap), tolerance=5)

# %% [markdown]
# A forest that has hardly understood anything, as its clean accuracy beside the guess of one seventh says, looks like a
# master with a leak: it recognises the picture, not the emotion. A third of the faces copied adds about a third of
# what was missing. Near copies are the worse kind: no comparison of files finds them.
#
# The people alone give this model nothing that the intervals could show: it knows pictures, not persons. Frames of one scene
# give it nearly all. On photographs a person brings glasses, light and background along, and nobody knows beforehand how much
# that gives away. Splitting by person costs nothing and guards against both.
#
# ## The report
#
# All of this lesson, and more that lesson 08 explains, is one command in a terminal:
# `python -m emo_utils evaluate MODEL --data NAME --out FOLDER`. Here it is called from Python, in a temporary folder:

# %%
import contextlib
import tempfile
from pathlib import Path

from emo_utils.cli import main

folder = Path(tempfile.mkdtemp())
with contextlib.chdir(folder):
    main(["evaluate", f"model/{MODEL}.keras", "--data", SOURCE, "--out", "report"])

# %% [markdown]
# Where people are known, as on drawn faces, these intervals come from draws of whole people. Those of the slices above come
# from a formula that is more careful with few people, so the two differ. ECE and temperature belong to lesson 08; that the
# temperature does no good here, fitted on few people and tested on few others, is a question to take there.
#
# The command has looked at the test part, so it has logged a row. And the folder holds one page to read, the figures as
# JSON for programs, the answers face by face for the next comparison, and every picture:

# %%
from IPython.display import Image

from emo_utils.table import find_run

written = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
row = pd.Series(find_run(written["row in the table"]))
print(
    row[
        ["name", "profile", "of_run", "test_accuracy", "test_accuracy_low", "test_accuracy_high", "n", "test_looks"]
    ].to_string()
)
print("\nfiles:", ", ".join(sorted(path.name for path in (folder / "report").iterdir())))
Image(filename=folder / "report" / "classes.png", width=900)

# %% [markdown]
# ### Ours beside published models
#
# Two small networks that many programs use, mini_XCEPTION and big_XCEPTION (from the repository oarriaga/face_classification),
# got the same report on the same faces:

# %%
models = ("fer2013-mobilenetv3small", "mini_XCEPTION", "big_XCEPTION")
rows = {name: recorded_report(name)["metrics"] for name in models}
plot_accuracies(rows, **guessing, title=f"FER2013 PublicTest, n = {len(labels):,}")
plt.show()
shown = [f"{name}{end}" for name in ("accuracy", "macro_f1") for end in ("", "_low", "_high")]
print(pd.DataFrame(rows).loc[shown].astype(float).round(3).to_string())

# %% [markdown]
# Read the intervals before the ranks. And mind what cannot be read off them: ours was chosen on validation faces, and copies of
# test faces were taken out of its training part; of the others we know neither. How honest a model is about its own
# certainty, and how these three stand beside human raters, is the matter of lesson 08.
#
# ## What you did
#
# In this lesson you
#
# - put an interval on a figure by your own bootstrap, and saw why people are drawn as wholes,
# - read precision, recall and F1 by class, told two averages apart, and know which curve sees a rare class,
# - decided whether B is better than A from the same faces, and asked several seeds before blaming a remedy,
# - replayed the winner's curse with real answers, and named the worst slice with an interval that is fair to it,
# - measured what three leaks add,
# - wrote a report with one command, and set our model beside two published ones.
