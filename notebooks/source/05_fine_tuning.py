# %% [markdown]
# # Fine-tuning: rare classes and two stages
#
# Teaching: 55 min, exercises: 30 min
#
# A network can look good and never once say "disgust"; here you meet the means against that, see what each costs, and
# then set a frozen backbone free without ruining it.
#
# In this lesson you will
#
# - show how accuracy hides a rare class, and which figures do not,
# - compare oversampling, balanced sampling, class weights and focal loss by what they do to an epoch,
# - judge them by three seeds and by intervals, on drawn faces and in the recorded runs on FER2013,
# - blend faces with MixUp and CutMix, and their targets with them,
# - draw the learning rate of a training, step by step,
# - train in two stages, and see what one wrong number does to all that was learnt before.

# %% tags=["setup"]

# %% [markdown]
# ## The rarest face
#
# In FER2013 disgust is rare, and we plant about the same imbalance in drawn faces. A large part of the people goes into
# the *validation* part: a rare class needs many faces there, or its recall can be nearly anything. These are all the
# disgusted faces that our networks will ever learn from:

# %%
import os
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from emo_utils.datasets import load_dataset, split_dataset
from emo_utils.datasets.embedded import load_embedded
from emo_utils.emotions import SEVEN
from emo_utils.plots import COLORS, plot_class_counts, plot_faces
from emo_utils.recipe import Recipe, Stage
from emo_utils.recipes import get_recipe
from emo_utils.training import prepare_data

FULL = os.environ.get("EMO_PROFILE") == "full"
IMBALANCE = 16  # @param {type: "integer"}
if FULL:
    base = get_recipe("balance-none")
    data = prepare_data(base, load_dataset("fer2013"))
else:
    base = Recipe(
        "rare",
        backbone="MobileNetV3Small",
        weights="model/fer2013-mobilenetv3small.keras",  # trained on photographs, by this course; it lies in the repository
        stages=(Stage("head", epochs=8, learning_rate=3e-3, views=1),),
        batch_size=128,
    )
    faces = load_embedded(3600, imbalance=IMBALANCE, people=90)
    faces = replace(faces, usage=np.full(len(faces), ""))  # to be split anew, by person, with more for validation
    data = prepare_data(base, split_dataset(faces, val_fraction=0.35, test_fraction=0.25))

train, val = data.part("train"), data.part("val")
disgusted = train.select(["disgust"]).images[:48]
plot_faces(disgusted, columns=12, side=0.95, title=f"Disgusted faces of the training part, {data.name} (48 at most)")
plt.show()

# %%
COUNTS = (3995, 436, 4097, 7215, 4830, 3171, 4965)  # files in the folders of Kaggle's FER2013, train/
fer2013_train = dict(zip(SEVEN, COUNTS, strict=True))
figure, axes = plt.subplots(1, 2, figsize=(12, 3.4), layout="constrained")
plot_class_counts({"training": train.counts(), "validation": val.counts()}, ax=axes[0], title=f"Faces of {data.name}")
plot_class_counts({"training": fer2013_train}, ax=axes[1], title="FER2013, training part")
plt.show()
for name, counts in ((data.name, train.counts()), ("FER2013", fer2013_train)):
    print(f"{name:9} largest over smallest training class: {max(counts.values()) / min(counts.values()):.1f}")

# %% [markdown]
# ## The network that never says disgust
#
# Imagine a network that is right on every single validation face, except for one habit: it never says "disgust". Where
# it should, it says "angry". How good is it?
#
# **Exercise 1.** Work out three figures from `val.counts()` alone:
#
# - its accuracy,
# - the F1 of "angry": F1 = 2 TP / (2 TP + FP + FN), with TP the faces rightly called angry, FP those wrongly called so, FN
#   the angry ones called otherwise,
# - macro-F1, the plain mean of F1 over the seven classes; a class that is never rightly said has F1 zero.

# %% tags=["exercise"]
accuracy = None
f1_of_angry = None
macro_f1 = None

# %% tags=["solution"]
counts = val.counts()
accuracy = 1 - counts["disgust"] / sum(counts.values())
f1_of_angry = 2 * counts["angry"] / (2 * counts["angry"] + counts["disgust"])
macro_f1 = (5 * 1 + f1_of_angry + 0) / 7

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check
from emo_utils.evaluation import classification_metrics

angry, disgust = data.class_names.index("angry"), data.class_names.index("disgust")
said = np.where(val.labels == disgust, angry, val.labels)
silent = classification_metrics(val.labels, np.eye(7, dtype=np.float32)[said], data.class_names)
for question, answer, expected, hint in (
    ("accuracy", accuracy, silent["accuracy"], "Only the disgusted faces are wrong."),
    ("F1 of angry", f1_of_angry, silent["per_class"]["angry"]["f1"], "Every disgusted face is a false positive here."),
    ("macro-F1", macro_f1, silent["macro_f1"], "Five classes are perfect, one is nearly so, one is never said."),
):
    check(question, answer, expected, tolerance=0.0005, hint=hint)

# %% [markdown]
# An accuracy to be proud of, and one emotion does not exist for it. **Macro-F1** gives every class the same say. **Worst-class
# recall** is harsher: the share of faces that the network finds in the class that it serves worst, here zero. In this
# lesson we look at all three.
#
# ## Five remedies
#
# Why does a network neglect a rare class? It lowers the *mean* loss of an epoch, and few faces pull little at a mean. There
# are two handles: which faces come up, and how much one counts.
#
# | `balancing` or `loss` | what it does |
# | --- | --- |
# | `oversample` | repeats faces of rare classes until every class has as many as the largest |
# | `balanced_sampler` | draws as many faces as there are, each from a class drawn by a fair die |
# | `class_weights` | counts a face in the loss by the inverse of its class's frequency |
# | `effective_number` | the same, but milder: by the class's *effective* number of faces, see below |
# | `focal` (a loss) | counts a face less if the network is right already, whatever its class |
#
# The first two are functions from labels to rows. This is what one epoch holds:

# %%
from emo_utils.pipeline import oversample_minority_classes, sample_balanced

rng = np.random.default_rng(0)
epochs = {
    "none": np.arange(len(train)),
    "oversample": oversample_minority_classes(train.labels, rng),
    "balanced_sampler": sample_balanced(train.labels, rng),
}
drawn = {name: np.bincount(train.labels[rows], minlength=7) for name, rows in epochs.items()}
ax = plt.subplots(figsize=(11, 3.8), layout="constrained")[1]
by_class = {name: dict(zip(data.class_names, numbers, strict=True)) for name, numbers in drawn.items()}
plot_class_counts(by_class, ax=ax, title="Faces that come up in one epoch")
ax.margins(y=0.3)  # room for the legend
ax.legend(frameon=False, ncols=3, loc="upper left")
plt.show()
for name, rows in epochs.items():
    rare = rows[train.labels[rows] == disgust]
    print(f"{name:17} {len(rows):6,} faces; disgust {len(rare):5,}, {len(np.unique(rare)):4,} of them different")

# %% [markdown]
# Neither makes a single new face. Oversampling shows all there are and makes the epoch longer; the balanced sampler keeps
# it short and leaves out faces of the frequent classes, other ones in every epoch.
#
# **Exercise 2.** Under oversampling, how often does a disgusted face come up in one epoch, on average? And how many steps
# (batches of 64) has the epoch?

# %% tags=["exercise"]
times_a_face = None
steps = None

# %% tags=["solution"]
times_a_face = max(train.counts().values()) / train.counts()["disgust"]
steps = int(np.ceil(7 * max(train.counts().values()) / 64))

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.pipeline import TrainingBatches

rare = [row for row in epochs["oversample"] if train.labels[row] == disgust]
batches = TrainingBatches(train, base.but(balancing="oversample", batch_size=64))
hint = "After oversampling every class has as many faces as the largest; the last batch may be smaller than 64."
check("times that a face comes up", times_a_face, len(rare) / len(set(rare)), tolerance=0.05, hint=hint)
check("steps of an epoch", steps, len(batches), hint=hint)

# %% [markdown]
# A network that meets the same face that often may learn *it* instead of disgust. Augmentation helps: the repeated face
# then looks different each time.
#
# Weights leave the epoch as it is, and let a face of a rare class count for several.
#
# ## How many faces are a hundred faces?
#
# The hundredth disgusted face shows less that is new than the first. Cui et al. (2019) count it so: the first face of a
# class counts 1, the second $\beta$, the third $\beta^2$, and so on, with $\beta$ a little below 1. All $n$ faces together
# are worth $E = 1 + \beta + \ldots + \beta^{n-1} = (1 - \beta^n) / (1 - \beta)$ faces, the *effective number*. A class's
# weight is proportional to $1 / E$.
#
# **Exercise 3.** Compute the effective number of disgusted and of happy training faces (`train.counts()`) for $\beta$ = 0.99.

# %% tags=["exercise"]
effective_disgust = None
effective_happy = None

# %% tags=["solution"]
effective_disgust = (1 - 0.99 ** train.counts()["disgust"]) / (1 - 0.99)
effective_happy = (1 - 0.99 ** train.counts()["happy"]) / (1 - 0.99)

# %%
# NBVAL_CHECK_OUTPUT
for name, answer in (("disgust", effective_disgust), ("happy", effective_happy)):
    added_up = sum(0.99**i for i in range(train.counts()[name]))
    check(f"effective number of {name}", answer, added_up, tolerance=0.05, hint="(1 - beta**n) / (1 - beta)")

# %% [markdown]
# So $1 / (1 - \beta)$ is the most that any class can be worth. The same $\beta$ means one thing for a small data set
# and another for a large one:

# %%
from emo_utils.pipeline import compute_class_weights_effective
from emo_utils.plots import plot_lines

betas = [0, 0.9, 0.99, 0.999, 0.9999, 0.99999]
figure, axes = plt.subplots(1, 2, figsize=(12, 3.4), sharey=True, layout="constrained")
for ax, title, counts in ((axes[0], data.name, train.counts()), (axes[1], "FER2013", fer2013_train)):
    labels = np.repeat(np.arange(7), list(counts.values()))
    weights = np.array([compute_class_weights_effective(labels, 7, beta) for beta in betas])
    lines = dict(zip(counts, weights.T, strict=True))
    title = f"{title}, {len(labels):,} training faces"
    plot_lines([f"{beta:g}" for beta in betas], lines, xlabel="beta", ylabel="weight of a face", ax=ax, title=title)
axes[0].get_legend().remove()
plt.show()

# %% [markdown]
# Left end: all classes alike. Right end: inverse frequency. A recipe's `effective_beta` chooses a place between.
#
# ## Focal loss
#
# Let $p$ be the probability that the network gives to the right class. *Cross-entropy* charges $-\log p$ for the face.
# *Focal loss* (Lin et al. 2017) charges $-(1-p)^\gamma \log p$: the factor is near zero for a face that is well in hand,
# and $\gamma$ = 0 is cross-entropy.

# %%
p = np.linspace(0.03, 1, 200)
costs = {f"gamma {gamma}": -((1 - p) ** gamma) * np.log(p) for gamma in (0, 1, 2, 5)}
plot_lines(p, costs, xlabel="probability of the right class", ylabel="loss (nats)", title="What a face costs")
plt.show()

# %% [markdown]
# **Exercise 4.** Write `focal(p, gamma)`, the focal loss of one face. It is checked against the loss that the training
# uses, Keras's own.


# %% tags=["exercise"]
def focal(p, gamma):
    return None  # your answer here


# %% tags=["solution"]
def focal(p, gamma):
    return -((1 - p) ** gamma) * np.log(p)


# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.training.losses import make_loss


def keras_focal(p, gamma):
    loss = make_loss(base.but(loss="focal", focal_gamma=gamma, focal_alpha=1))
    return float(loss(np.array([[1.0, 0.0]]), np.array([[p, 1 - p]])))


cases = [(0.1, 0), (0.1, 2), (0.9, 2), (0.6, 5)]
answers = [focal(*case) for case in cases]
check(
    "focal loss",
    None if None in answers else answers,
    [keras_focal(*case) for case in cases],
    tolerance=1e-4,
    hint="np.log is the natural logarithm. At gamma 0 the factor is 1. Mind the minus sign.",
)
for gamma in (0, 2):
    ratio = keras_focal(0.1, gamma) / keras_focal(0.9, gamma)
    print(f"gamma {gamma}: a face with p = 0.1 counts as much as {ratio:,.0f} faces with p = 0.9")

# %% [markdown]
# Focal loss knows nothing of classes. It helps a rare class if its faces are hard, and so it does wrongly labelled faces,
# which are the hardest of all. Its `focal_alpha` (here one number, .25) scales the whole loss; Adam, which divides by the
# size of the gradients, hardly notices.
#
# **Label smoothing** is the opposite temper. It asks for a little less than certainty, and pays nothing for more:

# %%
smooth = (1 - 0.1) * np.eye(7)[disgust] + 0.1 / 7
print("target of a disgusted face, label_smoothing=0.1:")
print(", ".join(f"{name} {share:.3f}" for name, share in zip(data.class_names, smooth, strict=True)))

# %% [markdown]
# ## What does each remedy buy?
#
# The backbone was trained on photographs and stays frozen: we send each drawn face through it once, keep its features, and
# train only a new *head* on them. Such a training takes about a second, so we can afford three seeds of each remedy.
#
# **Predict.** Oversampling will find more disgusted faces than doing nothing. What happens to its *accuracy*: "higher",
# "lower" or "the same" (within one point)?

# %% tags=["exercise"]
accuracy_becomes = None

# %% tags=["solution"]
accuracy_becomes = "the same"

# %%
import keras

from emo_utils.models import build_feature_extractor, build_head, build_model
from emo_utils.training.callbacks import EpochClock
from emo_utils.training.features import FeatureBatches, cached_features

model = build_model(base)
extractor = build_feature_extractor(model, base)
features = {part: cached_features(extractor, base, data.part(part).images) for part in ("train", "val")}
print("shape of the training faces' features:", features["train"].shape)


def train_head(recipe):
    """Train a new head on the features and return its metrics on the validation faces."""
    keras.utils.set_random_seed(recipe.seed)
    head = keras.models.clone_model(build_head(model, recipe))  # the same layers, with new weights
    stage = recipe.stages[0]
    head.compile(optimizer=keras.optimizers.Adam(stage.learning_rate), loss=make_loss(recipe))
    batches = FeatureBatches(train, recipe, [features["train"]])
    head.fit(batches, epochs=stage.epochs, callbacks=[EpochClock(batches, 0)], shuffle=False, verbose=0)
    probabilities = keras.ops.convert_to_numpy(head(features["val"], training=False))
    return with_disgust(classification_metrics(val.labels, probabilities, data.class_names))


def with_disgust(metrics):
    """Return metrics with the recall of disgust and its interval beside the others."""
    disgust = metrics["per_class"]["disgust"]
    return {**metrics, **{f"recall of disgust{end}": disgust[f"recall{end}"] for end in ("", "_low", "_high")}}


REMEDIES = {
    "none": {},
    "oversample": {"balancing": "oversample"},
    "effective_number": {"balancing": "effective_number"},
    "focal": {"loss": "focal"},
}
quick = {name: [train_head(base.but(seed=seed, **change)) for seed in range(3)] for name, change in REMEDIES.items()}

# %%
from emo_utils.course.exercises import compare_prediction
from emo_utils.plots import plot_seeds

METRICS = ["accuracy", "macro_f1", "recall of disgust"]
title = f"Quick runs, three seeds each; {len(val):,} validation faces, {val.counts()['disgust']} of them disgusted"
plot_seeds(quick, METRICS, title=title)
plt.show()
always_happy = val.counts()["happy"] / len(val)
print(f'always "happy": accuracy {always_happy:.3f}, macro-F1 {2 * always_happy / (1 + always_happy) / 7:.3f}')
for name, seeds in quick.items():
    precision = np.mean([seed["per_class"]["disgust"]["precision"] for seed in seeds])
    print(f"{name:17} of the faces called disgusted, {precision:4.0%} were (mean of three seeds)")
none, more = (np.mean([seed["accuracy"] for seed in quick[name]]) for name in ("none", "oversample"))
outcome = "the same" if abs(more - none) < 0.01 else "higher" if more > none else "lower"
compare_prediction("accuracy with oversampling", accuracy_becomes, outcome)

# %% [markdown]
# How to read the figure: a point is a seed, the thin line its 95 % interval over *faces* (with other validation faces of
# the same kind, it would fall within), the bar the mean. Two kinds of luck, and they are not the same: the points spread
# by the luck of training, the lines by the luck of which faces were asked.
#
# Balancing moves a border: faces near it that used to be called by a frequent name are now called by a rare one. What it
# wins in recall of the rare class it pays for in precision, and the frequent classes pay in recall. Whether that is a
# gain depends on what a missed face costs you, not on the table.
#
# An interval of no width at zero is no certainty: it redraws the faces that there are, and among them none was found. And
# compare each accuracy with that of always answering "happy", which finds one emotion of seven: which would you want?
#
# These were quick runs: a head of one layer on what a small network learnt from photographs, asked about drawings. The
# recorded full runs put the question to FER2013, with frozen ImageNet features, three seeds a remedy:

# %%
from emo_utils.table import read_runs

runs = read_runs()
full = runs[(runs["profile"] == "full") & (runs["data"] == "fer2013") & (runs["status"] == "ok")]
full = full.rename(columns={f"test_accuracy{end}": f"accuracy{end}" for end in ("", "_low", "_high")})
recorded = {}
for remedy in ("none", "oversample", "balanced-sampler", "class-weights", "effective-number", "focal"):
    rows = full[full["recipe"] == f"balance-{remedy}"]
    if rows.empty:
        print(f"No full run of balance-{remedy} is recorded in this table yet.")
    else:
        recorded[remedy] = [with_disgust(row) for row in rows.to_dict("records")]
if recorded:
    plot_seeds(recorded, METRICS, title="Recorded full runs on FER2013, test part")
    plt.show()

# %% [markdown]
# Ask of each remedy: what does it buy in recall of disgust, and what does it cost in accuracy? Is macro-F1, which sees
# both sides, any better for it? And is a remedy's distance from `none` larger than the distance between its own seeds?
#
# ## Blends
#
# *MixUp* lays two faces over each other, *CutMix* pastes a rectangle of one onto the other. The target is blended in the
# same shares. With few faces this makes many, and the network learns to be unsure between classes instead of sure at
# random.

# %%
from emo_utils.pipeline import cutmix, mixup

six = [np.flatnonzero(train.labels == label)[0] for label, name in enumerate(data.class_names) if name != "neutral"]
images, targets = train.images[six], train.one_hot()[six]


def shares(target):
    largest = [label for label in np.argsort(-target, kind="stable")[:2] if target[label] > 0]
    return "\n".join(f"{target[label]:.2f} {data.class_names[label]}" for label in largest)


mixed, mixed_targets = mixup(images, targets, 1.0, np.random.default_rng(3))
cut, cut_targets = cutmix(images, targets, 1.0, np.random.default_rng(3))
titles = [shares(target) for target in (*targets, *mixed_targets, *cut_targets)]
plot_faces([*images, *mixed, *cut], titles, columns=6, side=1.6, title="Originals, MixUp, CutMix (alpha 1)")
plt.show()

# %% [markdown]
# CutMix shares the target by *area*. Look at the last row: where is the eye or the mouth that tells the emotion, inside
# the rectangle or outside? On photographs of objects any part helps to tell a dog; on faces a tenth of the picture may
# carry the whole expression.
#
# **Exercise 5.** MixUp keeps .7 of a happy face and takes .3 of a disgusted one. Write the target as a list of seven
# numbers, in the order of `data.class_names` (that of the bars above).

# %% tags=["exercise"]
target = None

# %% tags=["solution"]
target = [{"happy": 0.7, "disgust": 0.3}.get(name, 0) for name in data.class_names]

# %%
# NBVAL_CHECK_OUTPUT
happy = data.class_names.index("happy")
expected = 0.7 * np.eye(7)[happy] + 0.3 * np.eye(7)[disgust]
check("target of a blend", target, expected, hint="Seven numbers that sum to 1; five of them are 0.")

# %% [markdown]
# How much is kept is drawn from a Beta distribution, Beta($\alpha$, $\alpha$). The sources use $\alpha$ = .2.
#
# **Predict.** In which share of such blends does one of the two faces keep at least 90 %? Write a number between 0 and 1.

# %% tags=["exercise"]
nearly_pure = None

# %% tags=["solution"]
nearly_pure = 0.3

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 2.6), sharey=True, layout="constrained")
for ax, alpha in zip(axes, (0.2, 1, 5), strict=True):
    ax.hist(np.random.default_rng(0).beta(alpha, alpha, 20_000), bins=20, range=(0, 1), color=COLORS[0])
    ax.set(title=f"alpha {alpha:g}", xlabel="share that a face keeps", ylabel="blends, of 20,000")
    ax.label_outer()
plt.show()
kept = np.random.default_rng(0).beta(0.2, 0.2, 20_000)
pure = float((np.maximum(kept, 1 - kept) >= 0.9).mean())
compare_prediction("share of nearly pure blends", nearly_pure, pure, tolerance=0.1)

# %% [markdown]
# A small $\alpha$ leaves most faces nearly alone and blends a few in earnest. Note what follows for the curves: on blended
# faces training accuracy is low by design, and means little.
#
# ## How far is a step?
#
# The *learning rate* is the length of a step. Large steps get far and cannot settle; small ones settle and do not get far.
# So the rate changes while training goes on. A recipe's `schedule` has three answers:
#
# - `constant`: one rate from first to last,
# - `plateau`: halved whenever validation accuracy has not risen for three epochs,
# - `cosine`: down to zero along half a cosine wave, if wanted after a *warm-up*: a steep rise in the first epochs, while a
#   new head is still random and its gradients are wild.
#
# Keras has all three. The third we ask for its rates, step by step:

# %%
EPOCHS, STEPS, RATE = 16, 24, 1e-3
total, warmup = EPOCHS * STEPS, 2 * STEPS
cosine = keras.optimizers.schedules.CosineDecay(
    RATE / warmup, decay_steps=total - warmup, warmup_target=RATE, warmup_steps=warmup
)
rates = {
    "constant": np.full(total, RATE),
    "warm-up and cosine": [float(cosine(step)) for step in range(total)],
}
title = f"Two schedules over {EPOCHS} epochs of {STEPS} steps"
plot_lines(range(total), rates, xlabel="step", ylabel="learning rate", title=title)
plt.show()

# %% [markdown]
# **Exercise 6.** Read from the figure or think: at which step is `warm-up and cosine` halfway down its wave, and what is the
# rate there? Set `halfway_step` and `halfway_rate`.

# %% tags=["exercise"]
halfway_step = None
halfway_rate = None

# %% tags=["solution"]
halfway_step = warmup + (total - warmup) // 2
halfway_rate = RATE / 2

# %%
# NBVAL_CHECK_OUTPUT
nearest = min(range(warmup, total), key=lambda step: abs(rates["warm-up and cosine"][step] - RATE / 2))
check("step halfway down", halfway_step, nearest, tolerance=1, hint="The wave begins where the warm-up ends.")
check(
    "rate halfway down",
    halfway_rate,
    rates["warm-up and cosine"][nearest],
    tolerance=1e-5,
    hint="A cosine falls from 1 to -1. The schedule squeezes it between the peak and zero.",
)

# %% [markdown]
# ## Two stages
#
# Frozen features are what another task left behind. To make them fit ours, we set layers free; in that order:
#
# 1. **Stage 1**: backbone frozen, a new head learns. While it is random its gradients mean nothing; let through, they
#    would only shake what the backbone knows.
# 2. **Stage 2**: layers set free, at a small rate. `"top"` frees the backbone's last block, `"all"` everything, a number
#    that many of the last layers.
#
# How many values is that?

# %%
from emo_utils.models import set_trainable

for part in ("head", "top", "all"):
    print(f"{part:5} {set_trainable(model, base, part):9,} of {model.count_params():,} values")

# %% [markdown]
# Batch normalisation stays frozen even in `"all"`. It holds running means over all the images that the backbone was
# trained on; small batches of new faces would overwrite them within a few steps, and every later layer would get inputs
# that it never learnt to read. So wherever weights come from elsewhere, this course leaves it alone, as Keras's guide to
# fine-tuning advises.
#
# ## The same stage 2, twice
#
# Now both stages, twice, on a part of the faces so that it takes seconds. Nothing differs but stage 2's learning rate:
# small, or so large that steps overshoot.
#
# **Predict.** After the first epoch of stage 2 with the *large* rate, will the validation accuracy be "above" or "below"
# that at the end of stage 1?

# %% tags=["exercise"]
after_one_epoch = None

# %% tags=["solution"]
after_one_epoch = "below"

# %%
from emo_utils.training import run_experiment

RATES = {"small-rate": 3e-4, "large-rate": 1e-2}
stage_1 = base.to_dict()["stages"][0]
few = (data.usage != "val") | (np.arange(len(data)) % 3 == 0)  # they are asked after every epoch
thinned = data if FULL else data.take(few)
two_stages = {}
for name, rate in RATES.items():
    print(name)
    stage_2 = {"train": "all", "epochs": 10 if FULL else 3, "learning_rate": rate}
    recipe = base.but(name=f"two-stages-{name}", stages=[stage_1, stage_2], schedule="constant", batch_size=32)
    two_stages[name] = run_experiment(recipe, thinned, limit=None if FULL else 400)

# %%
from emo_utils.plots import plot_learning_curves

for name, rate in RATES.items():
    plot_learning_curves(two_stages[name].curves, title=f"Stage 2 at {rate:g} (grey line: border of the stages)")
    plt.show()
curves = two_stages["large-rate"].curves
last, first = (
    next(e["val_accuracy"] for e in order if e["stage"] == n) for n, order in ((1, curves[::-1]), (2, curves))
)
compare_prediction("after one epoch at the large rate", after_one_epoch, "above" if first > last else "below")

# %% [markdown]
# What you see right of the border with the large rate is called *catastrophic forgetting*. The backbone's weights were the
# yield of hours on tens of thousands of photographs; a few dozen long steps on a few hundred drawings have carried them
# somewhere else, and the head stands on ground that is gone. Nothing brings it back, except a copy: `run_experiment` keeps
# the weights of the best epoch on validation, so the damage here costs time and not the model. A rule of thumb: begin stage
# 2 at a tenth of stage 1's rate or less, and look at the first epoch behind the border.
#
# Both models on the test faces, on which nothing was chosen:

# %%
from emo_utils.table import compare

print(compare(two_stages["large-rate"].run_id, two_stages["small-rate"].run_id))

# %% [markdown]
# One seed each, a few epochs, drawn faces: enough to show a collapse, not to tune a rate.
#
# ## The sources' two stages
#
# One of the course's sources trained three models in two stages, on the *five* easier classes of FER2013. The recipes
# are in the catalogue with the figures that it reports; below each stands what is recorded in this table.

# %%
from emo_utils.recipes import CATALOGUE

for name in [*(name for name in CATALOGUE if name.startswith("five-")), "fer2013-five-mobilenetv3small"]:
    recipe, source, reported = CATALOGUE[name]
    print(f"{name}, {source}: {reported or 'no figure'}")
    print(f"    {recipe.balancing}, {recipe.loss}, mixup {recipe.augmentation.mixup:g}")
    for row in full[full["recipe"] == name].itertuples():
        interval = f"[{row.accuracy_low:.3f}, {row.accuracy_high:.3f}]"
        print(f"    here: {row.accuracy:.3f} {interval}, macro-F1 {row.macro_f1:.3f}, n = {row.n:.0f}, {row.run_id}")
    if name not in set(full["recipe"]):
        print("    here: no full run is recorded")

# %% [markdown]
# Mind three things before you compare. Five classes are an easier question than seven, and fear and sad, which are
# confused the most, are not among them. The sources' figures come without intervals, and with a few thousand test faces
# these are about three points wide. And each of the source's models changed balancing, loss *and* network at once: which
# of them made the difference, nobody can say. How to ask so that somebody can is the matter of the next lesson.
#
# ## What you did
#
# In this lesson you
#
# - showed how accuracy hides a rare class, and that macro-F1 and worst-class recall do not,
# - compared oversampling, balanced sampling, class weights and focal loss by what they do to an epoch,
# - judged them by three seeds and by intervals, on drawn faces and, where they are recorded, on FER2013,
# - blended faces with MixUp and CutMix, and their targets with them,
# - drew the learning rate of a training, step by step, from Keras's own schedules,
# - trained in two stages, and saw what one wrong number does to all that was learnt before.
#
# At home: take `five-mobilenetv3small` through `emo_utils.recipes.quick` and train it; then give stage 2 `"top"` instead of
# 60 layers. Next: [ablation](06_ablation.ipynb), or how to change one thing at a time.
