# %% [markdown]
# # What is in the data
#
# Teaching: 50 min, exercises: 25 min
#
# A model learns whatever is in its data, faults included; here you find them before it does.
#
# In this lesson you will
#
# - see the faces of a data set, count its classes, and say what a guess is worth,
# - look at what the pixels of a class have in common,
# - split by person, and measure what leaks when you do not,
# - find blank images, copies and near-copies, and clean them away,
# - find wrong labels, and say what they cost,
# - see how real data is loaded: FER2013, CK+ or a folder of your own.

# %% tags=["setup"]

# %% [markdown]
# ## The data
#
# `"embedded"` is the course's own set of drawn faces; nothing is downloaded. If you have FER2013 or CK+, choose it here
# and run the lesson again: the figures will be of that data set, except where faces are made on purpose. At the end you
# learn where to put it.

# %%
import os

import matplotlib.pyplot as plt

from emo_utils.datasets import load_dataset, split_dataset
from emo_utils.plots import plot_examples

DATA = "embedded"  # @param ["embedded", "fer2013", "ckplus"] {"allow-input":true}
if os.environ.get("EMO_PROFILE") == "full":
    DATA = "fer2013"

data = split_dataset(load_dataset(DATA))  # keeps the parts that a data set brings along
plot_examples(data, title=f"Random faces of {data.name}, a row an emotion")
plt.show()

# %% [markdown]
# Cover the names at the left. Which rows can you still name, and which faces would you have put elsewhere? On photographs
# people disagree often, and mostly about the rows that you mixed up.
#
# What `load_dataset` returns is always the same thing, whatever the source: arrays of one length, a row a face.

# %%
# NBVAL_CHECK_OUTPUT
print(f"images  {data.images.dtype} of shape {data.images.shape}, grey from 0 (black) to 255 (white)")
print(f"labels  {data.labels.dtype}, the first five: {data.labels[:5]}")
print(f"which mean {[data.class_names[label] for label in data.labels[:5]]}")
print(f"ids     {data.ids[0]} ... {data.ids[-1]}")
for part in ("train", "val", "test"):
    print(f"usage   {part}: {len(data.part(part))} faces")

# %% [markdown]
# - **train**: what the model learns from.
# - **val** (validation): what you compare settings on.
# - **test**: what you report, once, at the end.
#
# Browse a class. This works in Colab and in Jupyter.

# %%
from ipywidgets import Dropdown, IntSlider, interact

from emo_utils.plots import plot_faces


def browse(emotion, page):
    of_class = data.select([emotion])
    shown = of_class.images[16 * page : 16 * page + 16]
    if len(shown):
        plot_faces(shown, columns=8, title=f"{emotion}: {len(of_class)} faces, page {page}")
        plt.show()
    else:
        print(f"There are no more than {len(of_class)} faces.")


_ = interact(browse, emotion=Dropdown(options=data.class_names), page=IntSlider(min=0, max=20))

# %% [markdown]
# ## Some emotions are rare
#
# **Predict.** How many times as large as the smallest class is the largest, in the training part? Look at the examples
# again, if you think that they help; then write a number.

# %% tags=["exercise"]
prediction = None

# %% tags=["solution"]
prediction = 2

# %%
from emo_utils.plots import plot_class_counts

counts = {part: data.part(part).counts() for part in ("train", "val", "test")}
plot_class_counts(counts, title=f"Faces of {data.name} by emotion and part")
plt.show()

# %% [markdown]
# A program that looks at no picture and always gives the most frequent answer is right more often than one time in
# seven, then. Its accuracy is the **baseline**: what a model reaches without having learned anything.
#
# **Exercise 1.** Compute `most_frequent`, the name of the class with most *training* faces, and `baseline`, the share of
# *test* faces that have it. (Why not the most frequent class of the test part? Because whoever chooses by looking at the
# test has cheated, if only a little.)

# %% tags=["exercise"]
most_frequent = None
baseline = None

# %% tags=["solution"]
train_counts = data.part("train").counts()
most_frequent = max(train_counts, key=train_counts.get)
baseline = data.part("test").counts()[most_frequent] / len(data.part("test"))

# %%
# NBVAL_CHECK_OUTPUT
import numpy as np

from emo_utils.course.exercises import check, compare_prediction

test = data.part("test")
n_train_faces = np.bincount(data.part("train").labels)
top_label = n_train_faces.argmax()
share = (test.labels == top_label).mean()
compare_prediction("largest to smallest class", prediction, n_train_faces.max() / n_train_faces.min(), tolerance=1)
check("most frequent class", most_frequent, data.class_names[top_label], hint="Count in the training part.")
check("baseline", baseline, share, tolerance=1e-3, hint="Divide by the number of test faces.")

# %% [markdown]
# Every accuracy of this course stands beside this number. And because a model can do well by ignoring rare classes, we
# will also look at the recall of each class.
#
# ## What a class has in common
#
# Average all faces of a class, and what they share stays while the rest is washed out.
#
# Differences show better when the mean of all classes is taken away, as in the second figure. Orange: lighter there than
# the mean face. Purple: darker.
#
# **Predict.** Will the mean happy face smile? Will you see *any* difference between mean fear and mean surprise?

# %%
from emo_utils.plots import plot_differences

train = data.part("train")
means = np.stack([train.images[train.labels == label].mean(axis=0) for label in range(len(train.class_names))])
plot_faces(means.astype(np.uint8), train.class_names, columns=len(means), side=1.4, title="Mean training faces")
plt.show()

differences = means - means.mean(axis=0)
plot_differences(differences, train.class_names, title="Mean face of a class minus mean of all classes")
plt.show()

# %% [markdown]
# Brows, eyes and mouth: that is where the action units are. A rare class has a blotchy mean, since the few persons and
# lights in it do not average out.
#
# How much does the emotion matter to a picture as a whole? Here is the mean grey of the pictures of each class, and its
# spread (standard deviation) from picture to picture.

# %%
# NBVAL_CHECK_OUTPUT
brightness = train.images.mean(axis=(1, 2))
print(f"{'class':10} {'faces':>6} {'mean grey':>10} {'spread':>7}")
for label, name in enumerate(train.class_names):
    of_class = brightness[train.labels == label]
    print(f"{name:10} {len(of_class):6} {of_class.mean():10.1f} {of_class.std():7.1f}")

# %% [markdown]
# The classes differ less than the pictures within one do, by light and by skin. A program that compares pictures pixel
# by pixel will therefore mostly compare light and people. Remember that.
#
# ## The same person twice
#
# Many data sets are cut from film: the same person in neighbouring frames, nearly the same picture several times. CK+ is
# of that kind. Here are drawn faces made like it, three frames a scene.

# %%
from emo_utils.datasets import from_arrays
from emo_utils.faces import make_faces

drawn = make_faces(600, people=40, frames=3)
film = from_arrays(drawn.images, drawn.labels, drawn.class_names, groups=drawn.people, name="film")
titles = [f"scene {scene}\n{who}" for scene, who in zip(drawn.sequences[:18], film.groups, strict=False)]
plot_faces(film.images[:18], titles, columns=9, side=1.1, title="Six scenes of three frames each")
plt.show()

# %% [markdown]
# A quarter becomes the test part. We try two ways to choose it:
#
# - **by label**: any faces, at random, the same share of every class. It is what most code does.
# - **by group**: whole persons. Nobody stands on both sides.
#
# The classifier is the simplest there is: find the training picture whose pixels are nearest, and repeat its label
# (*1-nearest-neighbour*). It learns nothing about faces.
#
# **Predict.** What accuracy will it reach with the split by label, and what with the split by group? Guess both.

# %% tags=["exercise"]
prediction_by_label = None
prediction_by_group = None

# %% tags=["solution"]
prediction_by_label = 0.6
prediction_by_group = 0.5

# %%
# NBVAL_CHECK_OUTPUT
from sklearn.neighbors import KNeighborsClassifier

from emo_utils.evaluation import classification_metrics


def pixels(part):
    return part.images.reshape(len(part), -1).astype(np.float32)


accuracy, neighbours = {}, {}
for by in ("label", "group"):
    split = split_dataset(film, by=by, val_fraction=0, test_fraction=0.25)
    known, asked = split.part("train"), split.part("test")
    nearest = KNeighborsClassifier(n_neighbors=1).fit(pixels(known), known.labels)
    m = classification_metrics(asked.labels, nearest.predict_proba(pixels(asked)), film.class_names)
    accuracy[by] = m["accuracy"]
    neighbours[by] = known, asked, nearest.kneighbors(pixels(asked), return_distance=False)[:, 0]
    most_frequent_share = (asked.labels == np.bincount(known.labels).argmax()).mean()
    print(f"by {by}: accuracy {m['accuracy']:.2f}, 95 % [{m['accuracy_low']:.2f}, {m['accuracy_high']:.2f}]")
    print(f"  always the most frequent class: {most_frequent_share:.2f}, test faces: {m['n']}")
    print(f"  people on both sides: {len(set(known.groups) & set(asked.groups))}")

compare_prediction("accuracy by label", prediction_by_label, accuracy["label"], tolerance=0.05)
compare_prediction("accuracy by group", prediction_by_group, accuracy["group"], tolerance=0.05)

# %% [markdown]
# The same pictures, the same classifier. One split says *almost solved*, the other *no better than guessing*. Which one
# would hold for a new customer? Look at what the classifier did: below each test face stands the training face it found.

# %%
for by, (known, asked, found) in neighbours.items():
    some = range(0, 96, 12)
    faces = np.concatenate([asked.images[some], known.images[found[some]]])
    titles = [f"test\n{asked.class_names[label]}" for label in asked.labels[some]]
    titles += [f"nearest\n{known.class_names[label]}" for label in known.labels[found[some]]]
    plot_faces(faces, titles, columns=8, side=1.25, title=f"Split by {by}: test faces above, what was found below")
    plt.show()

# %% [markdown]
# Split by label, the nearest picture is another frame of the same scene: the answer has **leaked** from the test part
# into the training part. Split by group, it is somebody under similar light.
#
# (The interval has a fault of its own: it counts faces as if each were news, while three frames tell little more than
# one. Honest intervals on film are wider still.)
#
# This course splits by person wherever the data set says who is on a picture; `split_dataset` does so unless you ask for
# something else. FER2013 does not say. All one can do there is to keep copies on one side, which brings us to them.
#
# ## Copies and blanks
#
# Pictures collected from the web come twice and more: copied, recompressed, lightened, cut a little differently, or not
# there at all. We spoil a clean set on purpose, so that we know what has to be found.


# %%
def evenly_spaced(part):
    return part.take(np.linspace(0, len(part) - 1, min(300, len(part))).astype(int))


train_part, test_part = evenly_spaced(data.part("train")), evenly_spaced(data.part("test"))
n_classes = len(data.class_names)
shifted = np.roll(train_part.images[100:115], 1, axis=2)

# What is added to the training part: pictures and their labels. Eight of the copies get another label.
additions = {
    "blank": (np.full_like(train_part.images[:4], 255), [0] * 4),
    "copy of a training face": (train_part.images[10:32], train_part.labels[10:32]),
    "copy with another label": (train_part.images[32:40], (train_part.labels[32:40] + 1) % n_classes),
    "copy of a test face": (test_part.images[:12], test_part.labels[:12]),
    "lightened and shifted": (np.minimum(shifted, 243) + 12, train_part.labels[100:115]),
}
images = [train_part.images, *(images for images, _ in additions.values()), test_part.images]
labels = [train_part.labels, *(labels for _, labels in additions.values()), test_part.labels]
n_train = sum(map(len, images[:-1]))
usage = ["train"] * n_train + ["test"] * len(test_part)
spoilt = from_arrays(np.concatenate(images), np.concatenate(labels), data.class_names, usage=usage, name="spoilt")

for what, (pictures, _) in additions.items():
    print(f"added to train: {len(pictures):2} x {what}")

# %% [markdown]
# `quality_report` knows nothing of what was planted. It compares every picture with every other: once pixel for pixel,
# and once so that light, grain and small shifts do not matter.

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.datasets import quality_report

report = quality_report(spoilt)
print(report.to_text())

# %% [markdown]
# Compare the two lists line by line. Exact copies are found for certain. "The same picture, changed a little" is a
# judgement: its threshold was set on photographs, and drawn people look more alike. So it also takes two pictures of one
# person, or of two who resemble each other, for one. Which of these pairs would you call the same picture?

# %%
planted = {(100 + k, n_train - 15 + k) for k in range(15)}
n_found = len(planted.intersection(map(tuple, report.near_pairs)))
print(f"{len(report.near_pairs)} pairs, and in them {n_found} of the {len(planted)} planted ones")

pairs = report.near_pairs[np.linspace(0, len(report.near_pairs) - 1, 8).astype(int)]
titles = [f"no. {i}" for i in pairs.T.ravel()]
plot_faces(spoilt.images[pairs.T.ravel()], titles, columns=8, side=1.25, title="Near-copies, one pair a column")
plt.show()

# %% [markdown]
# **Exercise 2.** The worst copies are those of test faces: the model is then tested on what it has learned by heart.
# Write `count_leaks(train_images, test_images)`: how many of the *test* images also stand among the training images,
# pixel for pixel? Hint: `image.tobytes()` is something that Python can put in a set.


# %% tags=["exercise"]
def count_leaks(train_images, test_images):
    return None


# %% tags=["solution"]
def count_leaks(train_images, test_images):
    seen = {image.tobytes() for image in train_images}
    return sum(image.tobytes() in seen for image in test_images)


# %%
# NBVAL_CHECK_OUTPUT
leaks = count_leaks(spoilt.part("train").images, spoilt.part("test").images)
check("leaked test images", leaks, report.shared["test", "train"], hint="Go through the test images, not the others.")
turned = count_leaks(spoilt.part("test").images[:5], spoilt.part("train").images[:5])
check("no leaks between different faces", turned, 0, hint="Try your function on two sets without a common picture.")

# %% [markdown]
# `clean` leaves out what no training part should have, and says why. It never touches the test part: a test that is
# tidied up until the model looks good is no test.

# %%
# NBVAL_CHECK_OUTPUT
from collections import Counter

from emo_utils.datasets import clean

cleaned = clean(spoilt)
reasons = Counter("copy of another training face" if " of spoilt" in why else why for _, why in cleaned.removed)
for why, n in reasons.items():
    print(f"left out: {n:2} x {why}")
for part in ("train", "test"):
    print(f"{part}: {len(spoilt.part(part))} -> {len(cleaned.part(part))} faces")

# %% [markdown]
# Where two copies disagree about the label, both go: no one can say which is right. Near-copies stay: leaving them out
# is a decision, and yours. Nothing is deleted from your disk, either; the faces are only left out of the training.
#
# ## Wrong labels
#
# Nobody knows the true labels of photographs. Of drawn faces we do. So we draw some people whom our model has never seen,
# and change a tenth of the labels at random.
#
# **Predict.** A perfect model, right about every face, is tested with these labels. What accuracy will be printed?

# %% tags=["exercise"]
prediction = None

# %% tags=["solution"]
prediction = 1.0

# %%
# NBVAL_CHECK_OUTPUT
noisy = make_faces(420, people=30, seed=5, imbalance=5, label_noise=0.1)
is_wrong = noisy.labels != noisy.true_labels
perfect = (noisy.true_labels == noisy.labels).mean()
print(f"{is_wrong.sum()} of {len(noisy)} labels are wrong.")
compare_prediction("a perfect model's accuracy", prediction, perfect, tolerance=0.02)

# %% [markdown]
# Wrong labels put a ceiling on what can be *measured*. On photographs the ceiling is unknown, which is a good reason to
# distrust a claim of 99 %.
#
# Can wrong labels be found? Ask a model that was trained on other faces how probable it finds each *given* label, and
# look at the least probable first.

# %%
from emo_utils.evaluation import predict_probabilities
from emo_utils.models import load_model

model, info = load_model("model/embedded-small-cnn.keras")
probabilities = predict_probabilities(model, noisy.images)
of_given_label = probabilities[np.arange(len(noisy)), noisy.labels]
suspects = np.argsort(of_given_label, kind="stable")

titles = []
for i in suspects[:16]:
    given, true = noisy.class_names[noisy.labels[i]], noisy.class_names[noisy.true_labels[i]]
    titles.append(f"labelled {given}\nin truth {true}" if is_wrong[i] else f"labelled {given}\nrightly so")
plot_faces(noisy.images[suspects[:16]], titles, columns=8, side=1.3, title="The least probable labels")
plt.show()

# %% [markdown]
# **Exercise 3.** How well does that work? Suppose you have time to look at as many faces as there are wrong labels, and
# take them in the order of `suspects`. What share of the wrong labels will you have found? By chance it would be the
# share of wrong labels itself.

# %% tags=["exercise"]
share_found = None

# %% tags=["solution"]
looked_at = suspects[: is_wrong.sum()]
share_found = is_wrong[looked_at].sum() / is_wrong.sum()
print(f"found: {share_found:.0%}, by chance it would be {is_wrong.mean():.0%}")

# %%
# NBVAL_CHECK_OUTPUT
wrong_ones, first_ones = set(np.flatnonzero(is_wrong)), set(suspects[: is_wrong.sum()])
expected_share = len(wrong_ones & first_ones) / len(wrong_ones)
check("share found", share_found, expected_share, tolerance=1e-3, hint="Count in is_wrong.")

# %% [markdown]
# The rest of the suspects are the model's own errors, and hard faces. So a human looks at each before a label is
# changed; the model only says where to look. Doing this on test faces until the accuracy is right is, again, cheating.
#
# ## Real data
#
# | Data set | How to get it | How to load it |
# |---|---|---|
# | FER2013 | Kaggle: `fer2013.csv`, or the zip with `train/` and `test/` | `load_dataset("fer2013")` |
# | FER2013 with the votes of ten raters | also `fer2013new.csv` from github.com/microsoft/FERPlus | `load_dataset("fer2013", label_source="ferplus")` |
# | CK+, 48 x 48 | Kaggle: shuvoalok/ck-dataset | `load_dataset("ckplus")` |
# | your own | a folder or zip with a folder of images for each emotion | `load_dataset("path/to/folder")` |
#
# The first three are looked for in the folder `data`; `data/README.md` says more, also about Google Drive. None may be
# passed on by us. To use your own, give its path (in Colab: upload a zip at the left, and write its name):

# %%
OWN_DATA = ""  # @param {"type":"string"}

if OWN_DATA:
    own = load_dataset(OWN_DATA)
    print(quality_report(own).to_text())
    plot_examples(own)
    plt.show()
else:
    print("No path given: nothing to load.")

# %% [markdown]
# What if a folder is in disorder? We make one: names in other spellings, two emotions, and files that are no images.

# %%
# NBVAL_CHECK_OUTPUT
import tempfile
from pathlib import Path

from PIL import Image

with tempfile.TemporaryDirectory() as folder:
    for name, emotion in (("Happiness", "happy"), ("SAD", "sad")):
        (Path(folder) / name).mkdir()
        for face in range(3):
            picture = data.select([emotion]).images[face]
            Image.fromarray(picture).save(Path(folder) / name / f"{face}.png")
    (Path(folder) / "SAD" / "broken.png").write_bytes(b"half a picture")
    (Path(folder) / "SAD" / "notes.txt").write_text("ask Kim about face 2")
    own = load_dataset(folder)

print(own.counts())
for item, reason in own.skipped:
    print(f"skipped {item}: {reason}")

# %% [markdown]
# One broken file does not end the loading, and it does not vanish silently either.
#
# ### What is wrong with FER2013
#
# FER2013 is the data set that everybody compares on. This is what the report of this lesson says about its public
# images as class folders, Training as `train` and PublicTest as `test`. It was recorded, so that you can read it without
# the data; the first line is the command.

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.paths import course_root

recorded = (course_root() / "docs" / "recorded" / "fer2013_report.txt").read_text(encoding="utf-8")
print(recorded, end="")

# %% [markdown]
# Read it as you read the report on the spoilt set: which of its lines flatter a model that was trained and tested on
# this data set as it comes? Which one puts a ceiling on any model? And which class will a model neglect if nobody looks
# at recall?
#
# Training in this course goes through `clean` first, and the experiment table notes how many faces were left out. The
# test part stays as it is, so that results can be compared with what others report.
#
# ## What you did
#
# In this lesson you
#
# - saw the faces of a data set, counted its classes, and said what a guess is worth,
# - looked at what the pixels of a class have in common,
# - split by person, and measured what leaks when you do not,
# - found blank images, copies and near-copies, and cleaned them away,
# - found wrong labels, and said what they cost,
# - saw how real data is loaded: FER2013, CK+ or a folder of your own.
#
# **To discuss:** a paper reports 99 % on CK+. Which three questions do you ask?
#
# Next: [02 Augmentation](02_augmentation.ipynb).
