# %% [markdown]
# # More faces than you have
#
# Teaching: 45 min, exercises: 30 min
#
# Augmentation shows a model each face in ever new variants; here you see when that helps and when it lies.
#
# In this lesson you will
#
# - turn every knob of the augmentation and see what it does to a face,
# - find out where a changed face ceases to deserve its label,
# - say why a face is changed first and enlarged with the same step,
# - measure whether augmentation helps, and when a difference is none,
# - write an augmented set to disk without leaking answers.

# %% tags=["setup"]

# %% [markdown]
# ## One face, many pictures
#
# Take ten selfies with the same smile, and no two are alike: a bit nearer, a bit tilted, a bit darker. From one
# photograph, a few lines of arithmetic make such pictures for nothing. The first face below is the original.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from emo_utils.datasets import load_dataset, split_dataset
from emo_utils.pipeline import augment_images
from emo_utils.plots import plot_faces
from emo_utils.recipes import SOURCE_AUGMENTATION

DATA = "embedded"  # @param ["embedded", "fer2013"] {allow-input: true}
EMOTION = "happy"  # @param ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
FACE = 0  # @param {type: "integer"}
SEED = 0  # @param {type: "integer"}
FULL = os.environ.get("EMO_PROFILE") == "full"
if FULL:
    DATA = "fer2013"

data = split_dataset(load_dataset(DATA))  # keeps the parts that a data set brings along
face = data.part("train").select([EMOTION]).images[FACE]


def make_variants(image, augmentation, n=10):
    return augment_images(np.repeat(image[None], n, axis=0), augmentation, np.random.default_rng(SEED))


plot_faces([face, *make_variants(face, SOURCE_AUGMENTATION, 19)], columns=10, title="One face and 19 variants of it")
plt.show()

# %% [markdown]
# Nothing of this is stored. While a model trains, `augment_images` draws new variants for every batch, so the model sees
# a face in another variant in every epoch (an *epoch* is one pass through all training faces). This is called
# augmentation *on the fly*.
#
# How far a variant may go is set by six knobs. These are the values that the course's sources use for FER2013:

# %%
# NBVAL_CHECK_OUTPUT
from dataclasses import asdict

knobs = {knob: value for knob, value in asdict(SOURCE_AUGMENTATION).items() if value}
for knob, value in knobs.items():
    print(f"{knob:10} {value}")

# %% [markdown]
# ## One knob at a time
#
# Each row turns one knob and leaves the others at zero; the last row turns them all. `flip` tosses a coin, the others
# draw a number between minus and plus the value, every number equally likely.

# %%
from emo_utils.plots import plot_face_rows
from emo_utils.recipe import Augmentation

rows = {
    f"{knob} {value:g}" if knob != "flip" else "flip": make_variants(face, Augmentation(**{knob: value}))
    for knob, value in knobs.items()
}
plot_face_rows({**rows, "all": make_variants(face, SOURCE_AUGMENTATION)}, title="What each knob does, ten draws a row")
plt.show()

# %% [markdown]
# - `rotation` is in degrees. `zoom` 0.2 means 80 % to 120 % of the size. `shift` 0.2 means up to a fifth of the picture,
#   in both directions. `brightness` adds up to a fifth of the grey scale, `contrast` stretches or squeezes it.
# - What comes in from outside the picture repeats its border: look for streaks and tall hats in the rows
#   `zoom` and `shift`.
# - `brightness` and `contrast` together are what other courses call colour jitter. Our faces are grey, so there is no
#   colour to jitter.
#
# Turn the knobs yourself. Where do you stop recognising the expression?

# %%
from ipywidgets import Checkbox, FloatSlider, interact


def play(**knobs):
    plot_faces(make_variants(face, Augmentation(**knobs), 16), columns=8, title="Sixteen variants")
    plt.show()


limits = {"rotation": 180, "zoom": 0.9, "shift": 0.9, "brightness": 0.9, "contrast": 0.9}
sliders = {
    knob: FloatSlider(getattr(SOURCE_AUGMENTATION, knob), min=0, max=top, step=top / 36) for knob, top in limits.items()
}
_ = interact(play, flip=Checkbox(True), **sliders)

# %% [markdown]
# If you only read this page: here are all knobs at none, half, one, two and three times the sources' values.


# %%
def scaled(augmentation, factor):
    knobs = {
        k: min(v * factor, 180 if k == "rotation" else 0.9) for k, v in asdict(augmentation).items() if k != "flip"
    }
    return Augmentation(flip=factor > 0, **knobs)


rows = {f"x {factor:g}": make_variants(face, scaled(SOURCE_AUGMENTATION, factor)) for factor in (0, 0.5, 1, 2, 3)}
plot_face_rows(rows, title="The same draws at growing strength")
plt.show()

# %% [markdown]
# **Exercise 1.** A camera at a door sees faces upright, at one distance and always in the middle, but the light changes
# all day and people hold their heads aslant by up to 20 degrees. Which knobs does it need? Set `door` to an
# `Augmentation`: slant as given, brightness and contrast as the sources have them, mirrored in half of the draws, and
# nothing else.

# %% tags=["exercise"]
door = None  # Augmentation(...)

# %% tags=["solution"]
door = Augmentation(flip=True, rotation=20, brightness=0.2, contrast=0.2)

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check


def fits_the_door(answer):
    light = (answer.brightness, answer.contrast) == (SOURCE_AUGMENTATION.brightness, SOURCE_AUGMENTATION.contrast)
    return light and answer.rotation == 20 and answer.zoom == answer.shift == 0 and answer.flip


check(
    "a camera at a door",
    door,
    fits_the_door,
    hint="Four of the six knobs are turned: one for heads, two for light, and the mirror.",
)

# %% [markdown]
# ## When augmentation lies
#
# A variant goes into training with the label of its original. It had better still deserve it. Three tests, in this order:
#
# 1. Would a person who sees only the variant still give this label?
# 2. Could the camera that the model is for deliver this picture?
# 3. Is what tells the classes apart still in the picture?
#
# Here are five changes of six faces, one of each emotion but neutral, in the order angry, disgust, fear, happy, sad,
# surprise.

# %%
train = data.part("train")
emotions = [name for name in data.class_names if name not in ("neutral", "contempt")]
six = np.stack([train.select([name]).images[FACE] for name in emotions])
half = six.shape[1] // 2
rows = {
    "original": six,
    "A mirrored": six[:, :, ::-1],
    "B upside down": six[:, ::-1],
    "C darker": (six * 0.6).astype(np.uint8),
    "D moved down": np.concatenate([np.repeat(six[:, :1], half, axis=1), six[:, :-half]], axis=1),
    "E negative": 255 - six,
}
plot_face_rows(rows, title="Does the label survive?")
plt.show()

# %% [markdown]
# **Exercise 2.** Which rows pass all three tests? Set `passing` to a set of letters such as `{"A", "E"}`, and only then
# read on.

# %% tags=["exercise"]
passing = None

# %% tags=["solution"]
passing = {"A", "C"}

# %%
# NBVAL_CHECK_OUTPUT
check(
    "labels that survive",
    passing,
    {"A", "C"},
    hint="Two rows pass. Which pictures will no camera deliver, and in which has the mouth gone?",
)

# %% [markdown]
# - **A and C** pass. Few expressions have a side, and light changes all day.
# - **B** fails the second test: faces stand on their chins. A model with few weights would spend some of them on a world
#   that never comes. That is why `Augmentation` has no vertical flip. For satellite pictures it would be right.
# - **D** fails the third: angry, disgust and fear lose their mouths, and so do happy and sad. The label says "happy", the
#   picture says nothing. Training on it teaches the model to guess.
# - **E** fails the second, unless your camera is an old film scanner.
#
# *To discuss:* for which labels would a left-right mirror be a lie? (Think of "winks with the left eye", or of letters.)
#
# ## How often is the mouth cut off?
#
# D was made on purpose. How often does chance do the same? We need not look at faces: we send a white mouth on black
# through the very same augmentation and count how often it touches the edge of the picture.

# %%
from dataclasses import replace

mouth = np.zeros((48, 48), np.uint8)
mouth[32:40, 15:33] = 255  # where the mouth is in most of the embedded faces
overlay = np.where(mouth > 0, 255 - face // 2, face) if face.shape == mouth.shape else mouth
only_geometry = replace(SOURCE_AUGMENTATION, brightness=0, contrast=0)
rows = {"the mouth": [overlay, mouth], "variants": make_variants(mouth, only_geometry)}
plot_face_rows(rows, title="A mouth sent through the sources' augmentation")
plt.show()

# %% [markdown]
# **Predict.** Of 100 variants with the sources' knobs, in how many does the mouth touch the edge? Write a share between
# 0 and 1.

# %% tags=["exercise"]
prediction = None

# %% tags=["solution"]
prediction = 0.1


# %%
from emo_utils.course.exercises import compare_prediction


def share_cut(augmentation, n=5000):
    """Return the share of variants in which the mouth touches the edge of the picture."""
    moved = make_variants(mouth, replace(augmentation, brightness=0, contrast=0), n) > 127
    return (moved[:, [0, -1]].any(axis=(1, 2)) | moved[:, :, [0, -1]].any(axis=(1, 2))).mean()


compare_prediction("share of cut mouths", prediction, share_cut(SOURCE_AUGMENTATION), tolerance=0.05)

# %% [markdown]
# In all of these a part of the mouth is out of the picture, in some of them the whole. They go into training with their
# label all the same. Photographs are often cropped closer than our drawings, and then more mouths are lost. A few liars
# in a crowd do little harm, but they are not free. The course has a milder set of knobs:

# %%
from emo_utils.recipes import MILD_AUGMENTATION

for name, augmentation in (
    ("sources", SOURCE_AUGMENTATION),
    ("mild", MILD_AUGMENTATION),
    ("sources x 2", scaled(SOURCE_AUGMENTATION, 2)),
):
    print(f"{name:12} shift {augmentation.shift:.2f}, zoom {augmentation.zoom:.2f}: {share_cut(augmentation):.1%} cut")

# %% [markdown]
# **Exercise 3.** Leave all other knobs of `SOURCE_AUGMENTATION` as they are. Up to which `shift`, in steps of 0.01, is the
# mouth cut in fewer than one variant in a hundred? Set `largest_shift`.

# %% tags=["exercise"]
largest_shift = None

# %% tags=["solution"]
shifts = np.arange(0, 0.21, 0.01).round(2)
largest_shift = max(s for s in shifts if share_cut(replace(SOURCE_AUGMENTATION, shift=float(s))) < 0.01)

# %%
# NBVAL_CHECK_OUTPUT
check(
    "largest shift",
    largest_shift,
    lambda s: (
        share_cut(replace(SOURCE_AUGMENTATION, shift=float(s)))
        < 0.01
        <= share_cut(replace(SOURCE_AUGMENTATION, shift=float(s) + 0.01))
    ),
    hint="Try shift=0.05 and shift=0.15 by hand first; replace() makes a copy with one knob changed.",
)

# %% [markdown]
# ## Small first, and in one step
#
# The faces are 48x48, and many networks want 96x96 or more. The obvious way is to enlarge first and then to flip, turn,
# zoom and shift, each a step of its own. Each step computes every pixel anew, mostly as a mean of its
# neighbours, which blurs; and at 96x96 each step has four times as many pixels to compute.
#
# All these changes are *affine* maps: straight lines stay straight. Two affine maps in a row are again an affine map,
# and so are five. So we multiply their matrices (six numbers each) and move the pixels once, from the small face straight
# into the large picture. Same movement, both ways:

# %%
from emo_utils.pipeline import resize_images


def in_steps(image, augmentation, n=10):
    """Enlarge, then make one change after the other; the same seed draws the same numbers for each."""
    images = resize_images(np.repeat(image[None], n, axis=0), 96)
    for knob in ("flip", "zoom", "rotation", "shift"):
        one = Augmentation(**{knob: getattr(augmentation, knob)})
        images = augment_images(images, one, np.random.default_rng(SEED))
    return images


def in_one_step(image, augmentation, n=10):
    images = np.repeat(image[None], n, axis=0)
    return augment_images(images, augmentation, np.random.default_rng(SEED), size=96)


steps, one_step = in_steps(face, only_geometry), in_one_step(face, only_geometry)
titles = ["five steps"] * 5 + ["one step"] * 5
plot_faces([*steps[:5], *one_step[:5]], titles, columns=5, side=2, title="The same movements at 96x96")
plt.show()


# %%
def sharpness(images):
    """Return the mean difference between neighbouring pixels, in grey levels."""
    pixels = images.astype(float)
    return np.abs(np.diff(pixels, axis=1)).mean() + np.abs(np.diff(pixels, axis=2)).mean()


print(f"pixels computed for a face: {5 * 96 * 96:,} in five steps, {96 * 96:,} in one")
print(f"differences between neighbours: {sharpness(steps):.1f} in five steps, {sharpness(one_step):.1f} in one")

# %% [markdown]
# One step computes fewer pixels and keeps more of the fine lines, and wrinkles *are* fine lines. Brightness and contrast
# are cheaper still: a table says what becomes of each of 256 grey levels, and is looked up while the face is small.
#
# How much time that saves depends on the machine, so a lesson should not claim it. The command
# `python benchmarks/input_pipeline.py` measures both ways in one run, this pipeline against Keras's own layers, and with
# `--log` writes the result into the experiment table:

# %%
from emo_utils.table import read_bench

records = [record for record in read_bench() if record.get("bench") == "input_pipeline"]
for record in records[-1:]:
    print(f"{record['emo_utils_images_per_s']:,} images a second here, {record['keras_images_per_s']:,} with layers")
    print(f"ratio {record['ratio']}, measured {record['time'][:10]} at {record['size']}x{record['size']}")
if not records:
    print("Nothing is recorded yet: run the benchmark with --log.")

# %% [markdown]
# ## Does it help?
#
# Enough of looking; we train. One small network, three times, with nothing changed but the augmentation: none, mild, and
# the sources'. There are few training faces, since that is when augmentation should help most.
#
# Then we ask each model twice about the *validation* faces. Once as they are; once moved a little, as if the program that
# finds the face in a photograph had been careless. We do not touch the test faces: we are choosing a setting, and what is
# chosen on the test part cannot be reported on it.
#
# **Predict.** Which augmentation wins on the faces as they are, which on the moved ones? Write "none", "mild" or
# "source".

# %% tags=["exercise"]
best_as_they_are = None
best_moved = None

# %% tags=["solution"]
best_as_they_are = "mild"
best_moved = "source"

# %%
from emo_utils.evaluation import evaluate_model
from emo_utils.recipes import get_recipe
from emo_utils.training import prepare_data, run_experiment

TRAINING_FACES = 400  # @param {type: "integer"}
EPOCHS = 20  # @param {type: "integer"}
if FULL:
    base, limit = get_recipe("fer2013-small-cnn"), None
else:
    base, limit = get_recipe("embedded-small-cnn").but(batch_size=32, input_size=32), TRAINING_FACES
    base = base.but(stages=[{"train": "all", "epochs": EPOCHS, "learning_rate": 3e-3}])

results = {}
for name, augmentation in (
    ("none", Augmentation()),
    ("mild", MILD_AUGMENTATION),
    ("source", SOURCE_AUGMENTATION),
):
    print(name)
    results[name] = run_experiment(base.but(name=f"augmentation-{name}", augmentation=augmentation), data, limit=limit)

# %% [markdown]
# The bars' last lines already tell a story: compare the accuracy in training with `val`, that on validation. Without
# augmentation a small set is soon learnt by heart. With it, training is harder than the exam.

# %%
from emo_utils.plots import plot_accuracies

validation = prepare_data(base, data).part("val")
careless = Augmentation(rotation=15, zoom=0.1, shift=0.1)
moved_images = augment_images(validation.images, careless, np.random.default_rng(SEED))
moved = replace(validation, images=moved_images)
as_they_are = {name: result.validation.metrics for name, result in results.items()}
on_moved = {name: evaluate_model(result.model, moved).metrics for name, result in results.items()}
always_happy = (validation.labels == validation.class_names.index("happy")).mean()

figure, axes = plt.subplots(1, 2, figsize=(11, 2.8), layout="constrained")
guess = {"reference": always_happy, "reference_name": 'always "happy"'}
plot_accuracies(as_they_are, **guess, ax=axes[0], title="Validation faces as they are")
plot_accuracies(on_moved, **guess, ax=axes[1], title="The same faces, moved a little")
plt.show()

# %%
compare_prediction("best as they are", best_as_they_are, max(as_they_are, key=lambda n: as_they_are[n]["accuracy"]))
compare_prediction("best on moved faces", best_moved, max(on_moved, key=lambda n: on_moved[n]["accuracy"]))

# %% [markdown]
# Not so fast! The best of three always exists, even among equals. The bars are 95 % intervals: with other validation
# faces of the same kind the accuracy would come out differently, most likely within them. Where two intervals overlap, *these* faces do not
# tell the two settings apart, and the honest report is "no difference found".
#
# **Exercise 4.** Write `overlap(a, b)`: whether the intervals of two results have a number in common. `a` and `b` are
# dicts with `accuracy_low` and `accuracy_high`. Once the check says "right", use it in the empty cell below: which pairs
# of settings do these faces tell apart?


# %% tags=["exercise"]
def overlap(a, b):
    return None  # your answer here


# %% tags=["solution"]
def overlap(a, b):
    return a["accuracy_low"] <= b["accuracy_high"] and b["accuracy_low"] <= a["accuracy_high"]


# %%
# NBVAL_CHECK_OUTPUT
examples = [(0.1, 0.3, 0.2, 0.4), (0.1, 0.2, 0.3, 0.4), (0.5, 0.9, 0.6, 0.7), (0.5, 0.6, 0.1, 0.2)]
answers = [
    overlap({"accuracy_low": a, "accuracy_high": b}, {"accuracy_low": c, "accuracy_high": d}) for a, b, c, d in examples
]
check(
    "overlapping intervals",
    None if None in answers else answers,
    [max(a, c) <= min(b, d) for a, b, c, d in examples],
    hint="Draw two bars on paper, then one inside the other, then one far to the right of the other.",
)

# %% tags=["solution"]
for title, metrics in (("as they are", as_they_are), ("moved", on_moved)):
    for a, b in (("none", "mild"), ("none", "source"), ("mild", "source")):
        verdict = "no difference found" if overlap(metrics[a], metrics[b]) else "a difference"
        print(f"{title:12} {a} and {b}: {verdict}")

# %% [markdown]
# What to take from it, whatever your figures are in detail:
#
# - Augmentation buys what it imitates. A model that has seen moved faces bears moved faces; on faces that sit as neatly as
#   those in training the gain is smaller, or none.
# - Stronger is not better. Strong augmentation is a harder task and needs more epochs. In a run this short it has not had
#   them, so this experiment says nothing about long runs. (Try `EPOCHS = 60` at home.)
# - Overlap is a cautious rule: it misses small differences. The next lesson compares two models face by face, which is
#   sharper, and for a claim in a report you would train each setting with three seeds.
#
# This was a quick run on few faces. What the recorded full runs used stands in the table's column `augmentation`.

# %%
from emo_utils.table import read_runs

runs = read_runs()
full = runs[(runs["profile"] == "full") & (runs["status"] == "ok")]
for row in full.itertuples():
    interval = f"[{row.test_accuracy_low:.3f}, {row.test_accuracy_high:.3f}]"
    print(
        f"{row.recipe} on {row.data}, seed {row.seed:.0f}: test accuracy {row.test_accuracy:.3f} {interval}\n    {row.augmentation}"
    )
if full.empty:
    print("No full run is recorded in this table yet.")

# %% [markdown]
# ## An augmented set on disk
#
# Sometimes another program wants the variants as files: a vendor's tool, a colleague's script. `write_augmented_set`
# writes them as PNG into class folders. It takes faces of the training part and no others.

# %%
import tempfile
from pathlib import Path

from emo_utils.pipeline import write_augmented_set

rows = np.flatnonzero(data.usage == "train")
few = data.take(rows[np.linspace(0, len(rows) - 1, min(300, len(rows))).astype(int)])
folder = write_augmented_set(few, Path(tempfile.mkdtemp()) / "augmented", MILD_AUGMENTATION, copies=3)
for class_folder in sorted(folder.iterdir()):
    names = sorted(path.name for path in class_folder.iterdir())
    print(f"{folder.name}/{class_folder.name:9} {len(names):4} files: {', '.join(names[:2])} ...")

# %% [markdown]
# Any folder of class folders is a data set, so this one is too. The name of a file says which face it comes from.

# %%
augmented = load_dataset(folder)
first = [i for i, face_id in enumerate(augmented.ids) if face_id.startswith("happy/")][:12]
plot_faces(augmented.images[first], columns=12, title="Loaded again: variants of four happy faces")
plt.show()

# %% [markdown]
# ## The leak
#
# Now the mistake that has spoilt many a published figure: augment everything, *then* split. Variants of one face land on
# both sides, and validation asks about faces that the model has seen.
#
# **Exercise 5.** `wrong` is such a split, and `originals` holds, face by face, the original's name. Which share of the
# validation faces has a sister in training? Set `leaking`.

# %%
originals = np.array([Path(face_id).stem.rsplit("_", 1)[0] for face_id in augmented.ids])
wrong = split_dataset(augmented, val_fraction=0.2, test_fraction=0)
is_val, is_train = wrong.usage == "val", wrong.usage == "train"
print(f"{is_train.sum()} training and {is_val.sum()} validation faces, from {len(set(originals))} originals")

# %% tags=["exercise"]
leaking = None

# %% tags=["solution"]
leaking = np.isin(originals[is_val], originals[is_train]).mean()

# %%
# NBVAL_CHECK_OUTPUT
seen = set(originals[is_train])
check(
    "share of leaking faces",
    leaking,
    sum(name in seen for name in originals[is_val]) / is_val.sum(),
    tolerance=0.005,
    hint="np.isin(a, b) says for each element of a whether it occurs in b. Divide by the validation faces.",
)

# %% [markdown]
# A model may score well on such a part by memory alone. Two remedies:
#
# - split first and augment the training part alone, which is what `write_augmented_set` and all training here do; or
# - where you are handed an augmented folder, tell the split which pictures belong together.

# %%
# NBVAL_CHECK_OUTPUT
right = split_dataset(replace(augmented, groups=originals), val_fraction=0.2, test_fraction=0, by="group")
is_val = right.usage == "val"
print(f"leaking now: {np.isin(originals[is_val], originals[~is_val]).mean():.0%}")

# %% [markdown]
# ## What you did
#
# In this lesson you
#
# - turned every knob of the augmentation and saw what it does to a face,
# - found where a changed face ceases to deserve its label, and how often chance cuts a mouth off,
# - saw that one affine map moves the small face straight into the large picture: fewer pixels, sharper lines,
# - measured whether augmentation helps, with intervals, and called a difference inside them none,
# - wrote an augmented set to disk from training faces only, and measured the leak of doing it the other way round.
#
# Next: [your first model](03_first_model.ipynb), from a recipe to a file for a device.
