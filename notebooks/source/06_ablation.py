# %% [markdown]
# # Ablation: change one thing at a time
#
# Teaching: 45 min, exercises: 30 min
#
# Which of the things that you changed made the network better, and how do you know that any of them did?
#
# In this lesson you will
#
# - take a chain of reported figures apart and say what is missing before it can be believed,
# - count the weights of a grouped convolution and tell group width from cardinality,
# - run an ablation in which each network differs from the first in one setting, and let code confirm it,
# - set the noise of seeds beside the noise of a test part,
# - compare two networks face by face, first by hand, then with `compare`,
# - simulate when a difference is no difference, and what choosing the best of ten on the test part is worth.

# %% tags=["setup"]

# %% [markdown]
# ## The task
#
# Five emotions, as in the report that this lesson looks at. Quick runs learn them from the embedded faces, full runs from
# FER2013.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from emo_utils.datasets import load_dataset
from emo_utils.emotions import FIVE
from emo_utils.plots import COLORS, plot_examples

FULL = os.environ.get("EMO_PROFILE") == "full"
data = load_dataset("fer2013" if FULL else "embedded")
plot_examples(data.part("train").select(FIVE), title=f"Training faces of {data.name}, five emotions")
plt.show()

# %% [markdown]
# ## A report
#
# Somebody trained a ResNeXt, a kind of network that we shall meet in a moment, on a private set of faces, changed it step
# by step, and wrote down an accuracy for each step. The course keeps each of these experiments as a recipe, with what was
# reported for it:

# %%
from emo_utils.recipes import CATALOGUE

report = {name: named for name, named in CATALOGUE.items() if named.source.startswith("ResNeXt report")}
for name, named in report.items():
    print(f"{name:22} {named.reported or 'no figure given'}")

reported = {name: float(named.reported.split()[0]) for name, named in report.items() if named.reported}
figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
ax.plot(list(reported.values()), list(reported), "o", color=COLORS[0])
for name, percent in reported.items():
    ax.annotate(f"{percent:.1f}", (percent, name), xytext=(7, -3), textcoords="offset points", fontsize=9)
ax.set(xlabel="reported accuracy (%)", title="The report's chain: a point each, no interval", xlim=(55, 80))
ax.invert_yaxis()
ax.grid(axis="x", color="0.9")
plt.show()

# %% [markdown]
# It reads like a ladder: dropout helps, three stages beat four and five, augmentation helps, balanced sampling helps.
# What must one know before believing it?
#
# | Question | Why it matters |
# | --- | --- |
# | How many test faces? | The fewer, the further a figure may be off by chance. |
# | How many seeds? | The same recipe gives another figure with another seed. |
# | Which faces chose the best epoch, and the best step? | A figure that has been chosen by is too good. |
# | One change at a time, or several? | With two changes nobody knows which one it was. |
# | Whose faces, and the same ones at each step? | Figures from different faces cannot be subtracted. |
#
# The report answers few of these. This lesson asks them of our own runs.
#
# **Exercise 1.** Suppose the test part had 200 faces. The 95 % interval of an accuracy `p` reaches about
# `1.96 * sqrt(p * (1 - p) / n)` to either side. Compute this half width for the report's second figure, 65.0 %, as a
# share between 0 and 1. Then look at the ladder again: which steps are longer?

# %% tags=["exercise"]
half_width = None

# %% tags=["solution"]
half_width = 1.96 * np.sqrt(0.65 * 0.35 / 200)

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check

simulated = np.random.default_rng(0).binomial(200, 0.65, size=100_000) / 200
low, high = np.quantile(simulated, (0.025, 0.975))
check("half width", half_width, (high - low) / 2, tolerance=0.006, hint="p is 0.65, not 65, and n is under the root.")

# %% [markdown]
# ## What differs between two recipes?
#
# An *ablation* changes, or takes away, one part and leaves the rest as it was. That is easy to say and easy to break: a
# second setting slips in, and the figure belongs to both. A recipe holds all settings, so code can tell.
#
# **Exercise 2.** Write `changed_fields(a, b)`: it returns the set of names of the fields in which two recipes differ,
# without `name`. `recipe.to_dict()` gives all fields with their values.


# %% tags=["exercise"]
def changed_fields(a, b):
    return None


# %% tags=["solution"]
def changed_fields(a, b):
    ours, theirs = a.to_dict(), b.to_dict()
    return {field for field in ours if field != "name" and ours[field] != theirs[field]}


# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.recipes import get_recipe

one = get_recipe("resnext-4")
check(
    "fields that differ",
    changed_fields(one, one.but(name="other", seed=3, batch_size=16)),
    {"seed", "batch_size"},
    hint="Compare the two values of each field; a new name is no change.",
)

# %% [markdown]
# The same as a table, which also looks into the fields that have settings of their own. Only what varies is shown.

# %%
# NBVAL_CHECK_OUTPUT
import pandas as pd


def varying_settings(recipes):
    """Return a table: a column a recipe, a row a setting that is not the same in all of them."""
    settings = pd.concat([pd.json_normalize(recipe.to_dict()) for recipe in recipes]).set_index("name").astype(str).T
    settings.index = [setting.split(".")[-1] for setting in settings.index]
    return settings[settings.nunique(axis=1) > 1]


ladder = ["resnext-4-dropout-0", "resnext-4", "resnext-3", "resnext-3-augmented", "resnext-3-balanced"]
table = varying_settings([get_recipe(name) for name in ladder])
print(table.rename(columns=lambda name: name.removeprefix("resnext-")).rename_axis(columns=None).to_string())

# %% [markdown]
# **Exercise 3.** Four sentences that one could read out of the report. One of them rests on two changes. Which? Set
# `not_an_ablation` to its letter.
#
# - A: "Dropout is worth it", from `resnext-4-dropout-0` and `resnext-4`.
# - B: "Three stages are better than four", from `resnext-4` and `resnext-3`.
# - C: "Balanced sampling is worth it", from `resnext-3` and `resnext-3-balanced`.
# - D: "Augmentation is worth it", from `resnext-3` and `resnext-3-augmented`.

# %% tags=["exercise"]
not_an_ablation = None

# %% tags=["solution"]
not_an_ablation = "C"

# %%
# NBVAL_CHECK_OUTPUT
claims = {
    "A": ("resnext-4-dropout-0", "resnext-4"),
    "B": ("resnext-4", "resnext-3"),
    "C": ("resnext-3", "resnext-3-balanced"),
    "D": ("resnext-3", "resnext-3-augmented"),
}


def count_changes(a, b):
    a, b = vars(get_recipe(a)), vars(get_recipe(b))
    return sum(a[field] != b[field] for field in a) - 1  # the names always differ


changes = {letter: count_changes(*pair) for letter, pair in claims.items()}
check("two changes", not_an_ablation, max(changes, key=changes.get), hint="Follow the table from one row to the other.")

# %% [markdown]
# Even a chain without such a slip has two weak points. Augmentation was tried on three stages only, so nothing is known
# about it on four. And each step was chosen by the figure that is then reported: we come back to that.
#
# ## ResNeXt in short
#
# A *residual block* computes something from its input and adds the input to it, so that a deep network can begin as a
# shallow one. A ResNeXt block has three convolutions: 1x1, 3x3, 1x1. Its 3x3 convolution is *grouped*: the channels are
# parted into groups, and a filter sees only the channels of its own group.

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
channels = 16
for ax, groups in zip(axes, (1, 4, 16), strict=True):
    sees = np.kron(np.eye(groups), np.ones((channels // groups, channels // groups)))
    ax.imshow(sees, cmap="Blues", vmin=0, vmax=1.6, extent=(0.5, channels + 0.5, channels + 0.5, 0.5))
    ax.set(title=f"{groups} x {channels // groups} channels", xlabel="incoming channel")
    ax.set(xticks=(1, 4, 8, 12, 16), yticks=(1, 4, 8, 12, 16))
axes[0].set_ylabel("filter")
figure.suptitle("Which channels each of 16 filters sees (groups x channels in a group)")
plt.show()

# %% [markdown]
# Each dark cell is one 3x3 filter plane, nine weights; the pale ones do not exist.
#
# **Exercise 4.** Write `weights_of_grouped(channels, groups)`: the number of weights of a 3x3 convolution from `channels`
# to as many channels, with that many groups and without a bias. With one group it is a plain convolution, as in lesson 03.


# %% tags=["exercise"]
def weights_of_grouped(channels, groups):
    return None


# %% tags=["solution"]
def weights_of_grouped(channels, groups):
    return 3 * 3 * (channels // groups) * channels


# %%
# NBVAL_CHECK_OUTPUT
import keras

for channels, groups in ((16, 1), (16, 4), (256, 8)):
    layer = keras.layers.Conv2D(channels, 3, groups=groups, use_bias=False)
    layer.build((None, 12, 12, channels))
    check(
        f"weights with {channels} channels in {groups} group(s)",
        weights_of_grouped(channels, groups),
        layer.count_params(),
        hint="A filter has 3x3 weights for each channel that it sees. How many does it see, and how many filters are there?",
    )

# %% [markdown]
# ### Two readings of one number
#
# The report calls its block with `(channels, 32, 1)`. What is 32?
#
# - In the ResNeXt paper (Xie et al. 2017) it would be the *cardinality*: the number of groups.
# - In the block of the book "Dive into Deep Learning" (d2l.ai), whose call has this very form, it is the *group width*: the
#   number of channels in a group.
#
# The recipe offers both by their right names, `ResNeXt(group_width=32)` and `ResNeXt(cardinality=32)`:

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.recipe import ResNeXt

shapes = {"group_width=32": ResNeXt(), "cardinality=32": ResNeXt(group_width=0, cardinality=32)}
for reading, shape in shapes.items():
    for channels in shape.channels:
        groups = shape.cardinality or channels // shape.group_width
        layer = keras.layers.Conv2D(channels, 3, groups=groups, use_bias=False)
        layer.build((None, 12, 12, channels))
        print(f"{reading}: {channels:4} channels, {groups:3} groups, {layer.count_params():7,} weights in the 3x3 part")

# %% [markdown]
# The two would be the same only at 1,024 channels, where 32 groups of 32 make both true. The report does not say which
# one it trained. `group_width=32`, the default here, reproduces it if its block computes as the book's does. A report that
# gave the number of weights would have settled it: write that number down in yours.
#
# ## A small ablation
#
# `ablation-no-augmentation` is a small ResNeXt for faces of 48x48, in its plainest form: no dropout, no augmentation. The
# quick form has fewer channels, a smaller picture, fewer faces and few epochs, so that a run takes seconds. Each change is
# made from this base with `but`.

# %%
base = get_recipe("ablation-no-augmentation")
LIMIT = None
if not FULL:
    LIMIT = 500  # training faces
    base = base.but(
        name="quick-base",
        data="embedded",
        input_size=32,
        resnext=ResNeXt((1, 1, 1), (16, 32, 64), group_width=16, dropout=()),
        stages=[{**base.to_dict()["stages"][0], "epochs": 7, "learning_rate": 0.01}],
        batch_size=16,
    )
one_change = {
    "dropout": {"resnext": {**base.to_dict()["resnext"], "dropout": [0.2, 0.4]}},
    "augmentation": {"augmentation": get_recipe("ablation-base").augmentation},
}
variants = [base.but(name=f"{base.name}-{name}", **change) for name, change in one_change.items()]
table = varying_settings([base, *variants])
print(table.rename(columns=lambda name: name.removeprefix(f"{base.name}-")).rename_axis(columns=None).to_string())

# %% [markdown]
# Each change fills its own rows. The settings of augmentation go on and off as one part of the recipe: the question is
# whether augmentation as a whole helps, not which of its settings does.
#
# The base is trained with three *seeds*. A recipe's seed draws the initial weights, the order of the batches, the
# augmentation, which faces are kept for validation and, in this quick form, which training faces are used. The test part
# is the same for all. The changes are trained once each, as in the report.
#
# **Predict.** First, how many points of accuracy lie between the best and the worst of the three seeds? Second, which
# of the two changes does better, "dropout" or "augmentation"?

# %% tags=["exercise"]
predicted_range = None
predicted_best = None

# %% tags=["solution"]
predicted_range = 4.0
predicted_best = "augmentation"

# %%
from emo_utils.plots import plot_seeds
from emo_utils.training import run_experiment

base_runs = [run_experiment(base.but(seed=seed), data, limit=LIMIT, progress=False) for seed in range(3)]
runs = {
    name: run_experiment(v, data, limit=LIMIT, progress=False) for name, v in zip(one_change, variants, strict=True)
}

labels = base_runs[0].test.labels
happy_share = (labels == FIVE.index("happy")).mean()
shown = {"base": [run.test.metrics for run in base_runs], **{name: [run.test.metrics] for name, run in runs.items()}}
kind = "Full" if FULL else "Quick"
figure = plot_seeds(shown, ["accuracy", "macro_f1"], title=f"{kind} runs on {data.name}, n = {len(labels)} test faces")
figure.axes[0].axvline(happy_share, color="0.4", ls=":")
plt.show()
for name, seeds in shown.items():
    for metrics in seeds:
        interval = f"[{metrics['accuracy_low']:.3f}, {metrics['accuracy_high']:.3f}]"
        print(f"{name:16} accuracy {metrics['accuracy']:.3f} {interval}, macro-F1 {metrics['macro_f1']:.3f}")
print(f'always "happy"   accuracy {happy_share:.3f} (the dotted line)')

# %% [markdown]
# A point is a run, its thin line the 95 % interval from the test faces, the bar the mean. Cover the names of the rows with
# your hand: could you tell the changes from the seeds of the base? A run on the dotted line has hardly learned anything
# yet: it is too early to compare it, and macro-F1 shows that sooner than accuracy.

# %%
from emo_utils.course.exercises import compare_prediction

base_accuracies = np.array([run.test.metrics["accuracy"] for run in base_runs])
best = max(runs, key=lambda name: runs[name].test.metrics["accuracy"])
compare_prediction("range of the seeds in points", predicted_range, 100 * np.ptp(base_accuracies), tolerance=1.5)
compare_prediction("the better change", predicted_best, best)
print(f"Between the best and the worst seed of the same recipe lie {100 * np.ptp(base_accuracies):.1f} points:")
for name, run in runs.items():
    accuracy = run.test.metrics["accuracy"]
    inside = base_accuracies.min() <= accuracy <= base_accuracies.max()
    change = 100 * (accuracy - base_accuracies[0])
    print(f"{name:16} {change:+5.1f} points from seed 0 of the base, {'inside' if inside else 'outside'} that range")

# %% [markdown]
# A change outside the range of three seeds has shown little yet: a fourth seed of the base would be the highest or the lowest
# of the four in half of all cases. And a short run favours what learns fast. Augmentation and dropout make each epoch
# harder and pay late, if at all, so a quick run says nothing about a long one.
#
# ## Two kinds of noise
#
# - *Seed noise*: train again, and the figure moves. More seeds average it out.
# - *Test noise*: draw other test faces, and the figure moves. More test faces average it out; more seeds do not, since all
#   of them answer the same faces.
#
# **Exercise 5.** Measure the second one by the *bootstrap*. `correct` says of each test face whether seed 0 of the base was
# right. Draw `n` faces from it with replacement, 2,000 times, take the mean of each draw, and set `test_noise` to the
# standard deviation of these means. `rng.choice(correct, size=(2000, n))` makes all draws at once.

# %%
correct = base_runs[0].test.probabilities.argmax(axis=1) == labels
n = len(correct)
rng = np.random.default_rng(0)

# %% tags=["exercise"]
test_noise = None

# %% tags=["solution"]
test_noise = rng.choice(correct, size=(2000, n)).mean(axis=1).std()

# %%
# NBVAL_CHECK_OUTPUT
standard_error = np.sqrt(correct.mean() * (1 - correct.mean()) / n)
check("test noise", test_noise, standard_error, tolerance=0.002, hint="One mean a draw: along which axis?")

# %%
seed_noise = base_accuracies.std(ddof=1)
print(f"seed noise {100 * seed_noise:.1f} points (standard deviation of {len(base_accuracies)} seeds)")
print(f"test noise {100 * standard_error:.1f} points (standard deviation over draws of {n} faces)")
print(f"Larger here: {'seed' if seed_noise > standard_error else 'test'} noise.")

# %% [markdown]
# Mind that a standard deviation from three values is itself a rough guess. What follows from it: with a small test part,
# look for more test faces first; with a large one, train more seeds.
#
# ## Two runs face by face
#
# Two networks that answer the *same* faces are best compared on them. The faces that both get right, or both wrong, say
# nothing about which is better. Seed 0 of the base and of `dropout`:

# %%
from scipy.stats import binomtest

correct_dropout = runs["dropout"].test.probabilities.argmax(axis=1) == labels
correct_augmented = runs["augmentation"].test.probabilities.argmax(axis=1) == labels
words = {True: "right", False: "wrong"}
print(pd.crosstab(pd.Series(correct, name="base").map(words), pd.Series(correct_dropout, name="dropout").map(words)))

# %% [markdown]
# Only the two cells "one right, the other wrong" count. If the networks were equally good, each such face would be a coin
# toss. *McNemar's test* asks how often fair coins would fall at least as unevenly: that is its *p*.
#
# **Exercise 6.** Do it for the base and `augmentation`. `correct_augmented` says which faces the latter gets right. Set
# `only_base` and `only_augmented` to the numbers of faces that only the one or only the other gets right, and `p_value` to
# the exact p: `binomtest(k, m).pvalue` for `k` heads in `m` tosses.

# %% tags=["exercise"]
only_base = None
only_augmented = None
p_value = None

# %% tags=["solution"]
only_base = (correct & ~correct_augmented).sum()
only_augmented = (~correct & correct_augmented).sum()
p_value = binomtest(int(only_base), int(only_base + only_augmented)).pvalue

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.table import compare

by_hand = compare(base_runs[0].run_id, runs["augmentation"].run_id)
both = (correct & correct_augmented).sum()
check("only the base is right", only_base, correct.sum() - both, hint="Right and not right: & and ~.")
check("only the other is right", only_augmented, correct_augmented.sum() - both, hint="As above, the other way round.")
check("McNemar's p", p_value, by_hand.p_value, tolerance=1e-4, hint="The tosses are the faces of both counts together.")

# %% [markdown]
# `compare` does this for any two runs of the table that kept their predictions, and adds the difference with its interval.
# In a terminal it is `python -m emo_utils table compare A B`.

# %%
for run in runs.values():
    print(compare(base_runs[0].run_id, run.run_id), end="\n\n")

# %% [markdown]
# Now the same with two seeds of one recipe. Nothing was changed but the seed:

# %%
for seed in (1, 2):
    result = compare(base_runs[0].run_id, base_runs[seed].run_id)
    print(f"seed 0 and seed {seed}: {100 * result.difference:+.1f} points, p = {result.p_value:.2g}")

# %% [markdown]
# McNemar's test compares two *networks*, the two files that you have. A small p says that one of them is better on faces
# like these, and that may be so for two seeds of one recipe. Whether a *recipe* is better is a question about many
# networks: for that, train several seeds of each.
#
# ## When a difference is no difference
#
# We make a world in which all networks are equally good: half of all faces are easy and always answered right, a fifth are
# hopeless, and on the remaining three tenths each network tosses a coin. Every network is worth exactly 65 %. What will
# one see on `n` test faces?


# %%
def simulate_accuracies(n, networks, repeats=20_000, seed=0):
    """Return accuracies of equally good networks on n shared test faces, float of shape (repeats, networks)."""
    rng = np.random.default_rng(seed)
    easy, _, unsure = rng.multinomial(n, [0.5, 0.2, 0.3], size=repeats).T[..., None]
    return (easy + rng.binomial(unsure, 0.5, size=(repeats, networks))) / n


# %% [markdown]
# **Predict.** Two such networks meet on 500 faces. In what share of such meetings does one of them look better by 2 points
# or more? Write a number between 0 and 1.

# %% tags=["exercise"]
predicted_share = None

# %% tags=["solution"]
predicted_share = 0.1

# %%
# NBVAL_CHECK_OUTPUT
sizes = (100, 500, 3589)  # the last one is a test part of FER2013
differences = {n: np.diff(simulate_accuracies(n, networks=2), axis=1).ravel() for n in sizes}
shares = {n: float((np.abs(values) >= 0.02 - 1e-9).mean()) for n, values in differences.items()}
compare_prediction("share of meetings on 500 faces", predicted_share, shares[500], tolerance=0.05)

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharex=True, layout="constrained")
for ax, (n, values) in zip(axes, differences.items(), strict=True):
    ax.hist(100 * values, bins=np.arange(-13.5, 14), color="0.75")
    for x in (-2, 2):
        ax.axvline(x, color=COLORS[1], ls="--")
    ax.set(title=f"n = {n:,}: {shares[n]:.1%} differ by 2 or more", xlabel="difference (points)", yticks=[])
axes[0].set_ylabel("meetings")
figure.suptitle("Two equally good networks on the same test faces")
plt.show()

# %% [markdown]
# On a hundred faces a difference of two points is what one should expect from nothing at all.
#
# **Exercise 7.** How many test faces make the 95 % interval of the difference reach no more than one point to either side?
# In this world 15 % of all faces are answered right by exactly one of two networks, so the half width is about
# `1.96 * sqrt(0.15 / n)`. Solve for `n`, and round up to a whole number.

# %% tags=["exercise"]
faces_needed = None

# %% tags=["solution"]
faces_needed = int(np.ceil(1.96**2 * 0.15 / 0.01**2))

# %%
# NBVAL_CHECK_OUTPUT


def simulated_half_width(n):
    low, high = np.quantile(np.diff(simulate_accuracies(n, networks=2), axis=1), (0.025, 0.975))
    return (high - low) / 2


check(
    "faces needed for one point",
    faces_needed,
    lambda n: abs(simulated_half_width(n) - 0.01) < 0.0004,
    hint="One point is 0.01. Square both sides.",
)

# %% [markdown]
# Half a point needs four times as many faces. And a difference that is just as large as the half width is found in only
# one of two experiments; to find it in four of five, twice as many faces are needed. FER2013's test part cannot settle a
# dispute about one point between networks like these.
#
# ## The winner's curse
#
# Ten seeds, and the best one on the test part is reported: what is that worth? In our world nothing can be gained, all ten
# are equally good. Each winner is shown its own test part and then fresh faces:

# %%
tested = 500
reported_best = simulate_accuracies(tested, networks=10).max(axis=1)
on_fresh_faces = simulate_accuracies(tested, networks=1, seed=1).ravel()
figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
bins = np.arange(56.5, 76)  # 500 faces give steps of 0.2 points, five in each bin
ax.hist(100 * on_fresh_faces, bins=bins, alpha=0.6, label="the winner on fresh faces", color=COLORS[0])
ax.hist(100 * reported_best, bins=bins, alpha=0.6, label="best of ten, on the faces that chose it", color=COLORS[1])
ax.axvline(65, color="0.3", ls=":", label="what every network is worth")
ax.set(
    xlabel="accuracy (%)",
    ylabel="repeats",
    title=f"Choosing the best of ten seeds on {tested} test faces",
    ylim=(0, 6500),
)
ax.legend(frameon=False, loc="upper right", fontsize=9)
plt.show()
print(f"mean of the reported best: {reported_best.mean():.1%}, on fresh faces: {on_fresh_faces.mean():.1%}")

# %% [markdown]
# The surplus is called the *winner's curse*. A ladder whose every step was chosen by its test figure collects it at each
# step. The cure costs nothing: choose on the validation part, and look at the test part once.
#
# ## The recorded full runs
#
# Six recipes for seven classes of FER2013, each one change away from `balance-none`: a new head on frozen ImageNet features,
# and one answer each to the rare classes (lesson 05). Each row has as many points as seeds were run:

# %%
from emo_utils.table import read_runs

names = [name for name in CATALOGUE if name.startswith("balance-")]  # the first is the base
table = read_runs()
full = table[(table["profile"] == "full") & (table["data"] == "fer2013") & (table["status"] == "ok")]
recorded = full[full["recipe"].isin(names)].drop_duplicates(["recipe", "seed"], keep="last")
by_recipe = {name: recorded[recorded["recipe"] == name].sort_values("seed") for name in names}
by_recipe = {name: rows for name, rows in by_recipe.items() if len(rows)}
if not by_recipe:
    print(f"No full run of {', '.join(names)} is recorded in this table yet.")
else:
    ends = ("", "_low", "_high")
    columns = [f"{name}{end}" for name in ("test_accuracy", "macro_f1") for end in ends]
    shown = {
        name.removeprefix("balance-"): rows[columns]
        .rename(columns=lambda c: c.removeprefix("test_"))
        .to_dict("records")
        for name, rows in by_recipe.items()
    }
    title = f"Recorded full runs on FER2013, seven classes, n = {recorded['n'].max():,.0f} test faces"
    figure = plot_seeds(shown, ["accuracy", "macro_f1"], title=title)
    plt.show()
    happy = recorded["per_class"].iloc[0]["happy"]["support"] / recorded["n"].iloc[0]
    print(f"{'always happy':26} accuracy {happy:.3f}")
    for name, rows in by_recipe.items():
        for row in rows.itertuples():
            interval = f"[{row.test_accuracy_low:.3f}, {row.test_accuracy_high:.3f}]"
            print(f"{name:26} accuracy {row.test_accuracy:.3f} {interval}, seed {row.seed:.0f}")

# %% [markdown]
# Seed by seed against the base, on the same faces:

# %%
if "balance-none" not in by_recipe:
    print("No full run of balance-none is recorded in this table yet.")
else:
    base_ids = by_recipe["balance-none"].set_index("seed")["run_id"]
    pairs = [(row, base_ids[row.seed]) for row in recorded.itertuples() if row.seed in base_ids.index]
    for row, base_id in pairs:
        if row.recipe != "balance-none":
            result = compare(base_id, row.run_id)
            p = "not known" if result.p_value is None else f"{result.p_value:.2g}"
            print(
                f"{row.recipe:26} seed {row.seed:.0f}: {100 * result.difference:+5.1f} points, "
                f"95 % [{100 * result.low:+.1f}, {100 * result.high:+.1f}], p = {p}"
            )

# %% [markdown]
# For each change ask three questions. Do all its seeds go the same way? Does the interval leave zero out? Is the difference
# larger than the range of the base's own seeds? A change that passes all three has earned its place; one that passes none
# has not been shown to be useless either, it has not been shown at all. Look at macro-F1 as well: a change may help the rare
# classes and cost accuracy.
#
# What could not be run belongs into the report too, and is not guessed:

# %%
print("No full run is recorded of:")
for name, named in CATALOGUE.items():
    if (name in report or name.startswith("ablation-")) and name not in set(full["recipe"]):
        print(f"  {name:26} {f'reported elsewhere: {named.reported}' if named.reported else ''}".rstrip())

# %% [markdown]
# ## What you did
#
# In this lesson you
#
# - took a chain of reported figures apart, and know what is missing before it can be believed,
# - counted the weights of a grouped convolution and told group width from cardinality,
# - ran an ablation in which each network differs from the first in one setting, and let code confirm it,
# - set the noise of seeds beside the noise of the test part,
# - compared two networks face by face, first by hand, then with `compare`,
# - simulated when a difference is no difference, and what choosing the best of ten on the test part is worth.
