# %% [markdown]
# # Your first model
#
# Teaching: 50 min, exercises: 30 min
#
# From a recipe to a trained network, an honest figure, a file for a device and a row in a table, in one sitting.
#
# In this lesson you will
#
# - write down an experiment as a recipe and change one thing in it,
# - train a small network and read its learning curves,
# - evaluate it with intervals, class by class, beside a guess, and look at its worst mistakes,
# - export it to TFLite in two precisions and check that the files still do the same,
# - find the run in the experiment table and compare it with another one.

# %% tags=["setup"]

# %% [markdown]
# ## The task
#
# A face goes in, one of seven words comes out. Say the word before you read the title.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from emo_utils.datasets import load_dataset
from emo_utils.plots import plot_faces

FULL = os.environ.get("EMO_PROFILE") == "full"
RECIPE = "embedded-small-cnn"  # @param ["embedded-small-cnn", "fer2013-small-cnn"]
EPOCHS = 10  # @param {type: "integer"}
if FULL:
    RECIPE = "fer2013-small-cnn"

data = load_dataset("fer2013" if RECIPE.startswith("fer2013") else "embedded")
shown = data.part("train").take(slice(0, 16))
names = [data.class_names[label] for label in shown.labels]
plot_faces(shown.images, names, columns=8, side=1.35, title=f"Training faces of {data.name}")
plt.show()

# %% [markdown]
# ## A recipe
#
# An experiment has many settings. If they are spread over a notebook, nobody can repeat it, not even you next
# month. So this course writes all of them into one object, a `Recipe`: it is checked when it is made, it cannot be
# changed by accident, and it travels as text.

# %%
from emo_utils.recipes import get_recipe

recipe = get_recipe(RECIPE)
print(recipe.to_json())

# %% [markdown]
# Three lines to look at first: `data` says what it learns from, `backbone` which network, `stages` for how many *epochs*
# (passes through the training faces) and with which *learning rate* (how far each step goes).
#
# The course comes with more recipes. Pick one to see in what it differs from ours:

# %%
from ipywidgets import Dropdown, interact

from emo_utils.recipes import RECIPES


def differences(a, b):
    """Return the settings in which two recipes differ, as {setting: (of a, of b)}."""
    ours, theirs = a.to_dict(), b.to_dict()
    return {key: (ours[key], theirs[key]) for key in ours if key != "name" and ours[key] != theirs[key]}


def show_differences(name):
    for key, (ours, theirs) in differences(recipe, RECIPES[name]).items():
        print(f"{key:15} {ours}\n{'':15} {theirs}")


_ = interact(show_differences, name=Dropdown(options=list(RECIPES), value="fer2013-small-cnn"))

# %% [markdown]
# If you only read this page: this is what the menu prints for one of them, ours above, the other below.

# %%
show_differences("fer2013-mobilenetv3small")

# %% [markdown]
# `but` makes a copy with something changed. For this quick lesson we train fewer epochs than the recipe says; a full run
# takes it as it is.

# %%
# NBVAL_CHECK_OUTPUT
quick = recipe if FULL else recipe.but(stages=[{**recipe.to_dict()["stages"][0], "epochs": EPOCHS}])
print(f"{recipe.name}: {recipe.epochs} epochs, hash {recipe.hash}")
print(f"{quick.name}: {quick.epochs} epochs, hash {quick.hash}")

# %% [markdown]
# The *hash* is a fingerprint of all settings: equal hashes, equal experiments. And a slip of the pen is caught on the
# spot, not after a night of training:

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.errors import RecipeError

for slip in ({"bach_size": 32}, {"label_smoothing": 10}, {"optimizer": "adan"}):
    try:
        recipe.but(**slip)
    except RecipeError as error:
        print(error)

# %% [markdown]
# **Exercise 1.** Make `careful`, a copy of `quick` that takes the faces in batches of 16 and shuffles with seed 7, and is
# otherwise the same.

# %% tags=["exercise"]
careful = None

# %% tags=["solution"]
careful = quick.but(batch_size=16, seed=7)

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check

check(
    "a recipe with two changes",
    careful,
    lambda r: {k: new for k, (_, new) in differences(quick, r).items()} == {"batch_size": 16, "seed": 7},
    hint="The fields are called batch_size and seed. Did you start from quick?",
)

# %% [markdown]
# ## The network
#
# `SmallCNN` is a *convolutional* network. Each of its four blocks slides small 3x3 filters over the picture, keeps what
# is above zero, and halves the picture's side by keeping the largest of every 2x2 values. At the end each filter's
# answer is averaged over the picture, and one layer turns the averages into seven probabilities.

# %% [markdown]
# **Exercise 2.** How many weights has the first convolution, `block1_conv`? Work it out on paper: it has 16 filters of 3x3
# over one grey channel, and no bias. Then do the same for `block2_conv`: 32 filters of 3x3 over the 16 channels that the
# first block made.

# %% tags=["exercise"]
weights_of_block1_conv = None
weights_of_block2_conv = None

# %% tags=["solution"]
weights_of_block1_conv = 16 * 3 * 3 * 1
weights_of_block2_conv = 32 * 3 * 3 * 16

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.models import build_model

model = build_model(quick)
backbone = model.get_layer(quick.backbone)
for name, answer in (("block1_conv", weights_of_block1_conv), ("block2_conv", weights_of_block2_conv)):
    check(
        f"weights of {name}",
        answer,
        backbone.get_layer(name).count_params(),
        hint="Each filter has 3x3 weights for every channel that it looks at.",
    )

# %% [markdown]
# All layers, with the shape of what comes out of them for one face (height, width, channels):

# %%
# NBVAL_CHECK_OUTPUT
for layer in [*backbone.layers[1:], *model.layers[2:]]:
    print(f"{layer.name:14} {layer.output.shape[1:]!s:14} {layer.count_params():7,} weights")
print(f"{'in all':29} {model.count_params():7,} weights")

# %% [markdown]
# Follow the shapes: the picture shrinks while the channels grow, from many grey values with a place to few answers
# without one. Most weights sit in the last convolution.
#
# ## Train
#
# `run_experiment` does what the recipe says: it splits and cleans the data, trains, keeps the weights of the epoch with the
# best *validation* accuracy, evaluates them once on the test part, and writes a row into the experiment table.
#
# **Predict.** The validation *loss* says how surprised the network is by the right answers of faces that it does not
# train on. Will it be higher in the last epoch than in its best one? Write "yes" or "no". And which accuracy will the
# network reach on the test faces?

# %% tags=["exercise"]
loss_will_rise = None
predicted_accuracy = None

# %% tags=["solution"]
loss_will_rise = "no"
predicted_accuracy = 0.7

# %%
from emo_utils.training import run_experiment

result = run_experiment(quick, data)

# %% [markdown]
# Two things about longer runs:
#
# - **A run that is cut off is not lost.** After a power cut, or Colab's time limit, the same call goes on from the last
#   finished epoch and ends where the unbroken run would have ended.
# - **TensorFlow is not the only engine.** Keras also runs on JAX: install it, set `KERAS_BACKEND=jax` before Python
#   starts, and the same lesson trains with it; only the export below needs TensorFlow.
#
# ## Read the learning curves

# %%
from emo_utils.plots import plot_learning_curves

plot_learning_curves(result.curves, title=f"{quick.name}: {len(result.curves)} epochs")
plt.show()

# %%
from emo_utils.course.exercises import compare_prediction

losses = [epoch["val_loss"] for epoch in result.curves]
compare_prediction("does the validation loss rise again", loss_will_rise, "yes" if losses[-1] > min(losses) else "no")
compare_prediction("test accuracy", predicted_accuracy, result.test.metrics["accuracy"], tolerance=0.05)

# %% [markdown]
# How to read such curves:
#
# | What you see | What it means | What to try |
# | --- | --- | --- |
# | both losses still fall at the end | it has not finished | more epochs |
# | training falls, validation rises | it learns by heart (*overfitting*) | augmentation, more data, fewer weights |
# | both stay high | it cannot do more (*underfitting*) | a larger network, weaker augmentation, another learning rate |
# | validation better than training | training faces are augmented and neurons dropped out, validation faces not | nothing, it is normal |
# | validation jumps | few validation faces, or a high learning rate | see whether it calms down towards the end |
#
# Which rows fit yours? In the first epochs validation often looks like guessing: batch normalisation uses running means
# of what it has seen, and they lag behind a network that changes fast.
#
# ## What is it worth?
#
# A figure alone is worth nothing. Beside it belong its interval and what you get for nothing: always answering the
# commonest emotion of the training part.

# %%
from emo_utils.plots import plot_accuracies
from emo_utils.training import prepare_data

prepared = prepare_data(quick, data)
train, test = prepared.part("train"), prepared.part("test")
train_counts = train.counts()
commonest = max(train_counts, key=train_counts.get)
baseline = test.counts()[commonest] / len(test)

parts = {"validation": result.validation.metrics, "test": result.test.metrics}
title = f"{quick.name}, {quick.epochs} epochs, on {data.name}"
plot_accuracies(parts, reference=baseline, reference_name=f'always "{commonest}"', title=title)
plt.show()
for name, metrics in parts.items():
    interval = f"[{metrics['accuracy_low']:.3f}, {metrics['accuracy_high']:.3f}]"
    print(f"{name:18} accuracy {metrics['accuracy']:.3f} {interval}, n = {metrics['n']}")
print(f'always "{commonest}"     accuracy {baseline:.3f}')

# %% [markdown]
# With other test faces of the same kind the figure would come out differently. The interval says how far off it may be:
# of 100 intervals made like this, about 95 hold the figure that endlessly many faces would give. More faces make it
# narrower; four times as many halve it. Where the people are known, as on drawn faces, it asks how far other *people*
# could move the figure, and is wider: [lesson 07](07_evaluation.ipynb) shows how. It says nothing about other cameras or
# other training seeds.
#
# **Exercise 3.** No magic is in these figures. Compute two of them from what the network said: `result.test.labels` is an
# int array of shape `(n,)`, `result.test.probabilities` a float array of shape `(n, 7)`. Set `accuracy`, and
# `recall_of_fear`: of the faces that show fear, the share that was called so.

# %% tags=["exercise"]
accuracy = None
recall_of_fear = None

# %% tags=["solution"]
predicted = result.test.probabilities.argmax(axis=1)
accuracy = (predicted == result.test.labels).mean()
is_fear = result.test.labels == result.test.class_names.index("fear")
recall_of_fear = (predicted[is_fear] == result.test.labels[is_fear]).mean()

# %%
# NBVAL_CHECK_OUTPUT
check("accuracy", accuracy, result.test.metrics["accuracy"], hint="argmax(axis=1) gives the predicted label.")
check(
    "recall of fear",
    recall_of_fear,
    result.test.metrics["per_class"]["fear"]["recall"],
    hint="Look only at the faces whose true label is fear, and divide by their number.",
)

# %% [markdown]
# ## Who is taken for whom?
#
# A row of the *confusion matrix* is a true emotion, a column what the network said. A perfect network fills only the
# diagonal.

# %%
from emo_utils.plots import plot_confusion

plot_confusion(result.test.metrics["confusion"], result.test.class_names, title="Test faces: true and predicted")
plt.show()

# %% [markdown]
# Which pair is mixed up most? Think of the muscles: fear and surprise share raised brows, anger and disgust lowered ones.
#
# The diagonal alone, with intervals. Mind the rare classes: a recall from a dozen faces can be nearly anything, and the
# interval admits it.

# %%
from emo_utils.plots import plot_recalls

plot_recalls(result.test.metrics["per_class"], title="Test faces: recall by emotion")
plt.show()

# %% [markdown]
# ## Look at the mistakes
#
# Sort the wrong answers by how sure the network was. The most confident mistakes teach the most: wrong labels, odd
# pictures, or a habit of the network.

# %%
probabilities, labels = result.test.probabilities, result.test.labels
predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
wrong = np.flatnonzero(predicted != labels)
worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:12]
titles = [f"{test.class_names[labels[i]]} → {test.class_names[predicted[i]]} {confidence[i]:.0%}" for i in worst]
plot_faces(test.images[worst], titles, columns=6, side=1.75, title="Wrong, and sure of it: true → predicted emotion")
plt.show()

# %% [markdown]
# Go through them one by one: would *you* have known? Is it the label, the picture (glasses, hair, a hand, the light) or
# the network? Count the three kinds with your neighbour.
#
# ## Export for a device
#
# A phone or a small board has no Keras. TensorFlow Lite (now LiteRT) runs a compact file instead. `export_all` writes two:
#
# - **float32**: the same arithmetic in another wrapping,
# - **int8**: every weight and every intermediate value rounded to one of 256 levels. Which levels, is found by showing it
#   a few hundred *training* faces.
#
# Each file is then run on the test faces and compared with the network it was made from. A file that gives other answers
# is refused.
#
# **Predict.** A float32 weight takes four bytes, an int8 weight one. How many times smaller is the int8 file?

# %% tags=["exercise"]
times_smaller = None

# %% tags=["solution"]
times_smaller = 4.0

# %%
from emo_utils.export import export_all

sizes = {"keras": (result.folder / "model.keras").stat().st_size}
print(f"{'model.keras':22} {sizes['keras'] / 1000:6.0f} kB")
for path, verification in export_all(result.model, prepared, result.folder / "export"):
    sizes[path.stem] = path.stat().st_size
    print(f"{path.name:22} {sizes[path.stem] / 1000:6.0f} kB   {verification}")

# %%
ratio = sizes["model_float32"] / sizes["model_int8"]
compare_prediction("times smaller", times_smaller, ratio, tolerance=0.25)

# %% [markdown]
# Besides the weights a file holds the plan of the network and, for int8, the levels of every channel: a fixed cost that
# small networks feel and large ones do not. Look at `same class`, too: did rounding change any answer, and did it cost
# accuracy or merely change which faces are wrong?
#
# ## The table remembers
#
# Your run is a row by now. These are some of its columns; a full row also holds the versions of all packages, the machine
# and the recipe.

# %%
from emo_utils.table import find_run

mine = find_run(result.run_id)
for column in ("name", "profile", "recipe", "seed", "n_train", "val_accuracy", "test_accuracy", "n", "parameters"):
    value = mine[column]
    print(f"{column:14} {value:.3f}" if isinstance(value, float) else f"{column:14} {value}")

# %% [markdown]
# The name carries date, network, epochs, whether augmentation was on and the *validation* accuracy. Why not the test
# accuracy? Because people choose runs by their names, and the test part is not for choosing.
#
# ## Change one thing
#
# A smaller picture costs less time on a device: 32x32 has fewer than half the pixels of 48x48. What does it cost in
# accuracy? We change this one setting and leave everything else, the seed included, as it was.
#
# **Exercise 4.** Predict the number of weights of the new network: `weights_at_32`. Look at the list of layers above
# before you answer: does a filter know how large the picture is that it slides over?

# %% tags=["exercise"]
weights_at_32 = None

# %% tags=["solution"]
weights_at_32 = model.count_params()

# %%
small = run_experiment(quick.but(name=f"{quick.name}-32px", input_size=32), data)

# %%
# NBVAL_CHECK_OUTPUT
check(
    "weights at 32 px",
    weights_at_32,
    small.row["parameters"],
    hint="Exercise 2: which numbers did you multiply? Is the side of the picture among them?",
)

# %% [markdown]
# Both networks have answered the same test faces, so we compare face by face: only faces that one of them gets right and
# the other does not count for either. That is sharper than laying two intervals side by side.

# %%
from emo_utils.table import compare

print(compare(result.run_id, small.run_id))

# %% [markdown]
# Read the third line: the difference in points with its interval. If zero is inside, this experiment has not shown which
# of the two is better, whatever the two figures look like. `p` is McNemar's test: how often chance alone would give a
# difference as large between two equally good networks.
#
# ## The workbook
#
# `render` writes all runs into an Excel workbook: a row a run, coloured, with its learning curve, one sheet with every
# class, and a glossary.

# %%
from openpyxl import load_workbook

from emo_utils.table import render

workbook = render()
for sheet in load_workbook(workbook):
    if sheet.sheet_state == "visible":
        print(f"{workbook.name}: {sheet.title:10} {sheet.max_row - 1:5} rows")

# %% [markdown]
# Open it, and write into the column `note` what you thought of the run, e.g. "overfits from epoch 8". Save and close it.
# The note is yours: the next `render` takes it into the log and writes it back. All other cells are made anew from the
# log, so change nothing there.
#
# ## And on photographs?
#
# All of the above was a quick run: a few epochs on drawn faces. Drawings are kinder than photographs. These are the
# recorded full runs on FER2013, read from the table:

# %%
from emo_utils.table import read_runs

runs = read_runs()
full = runs[(runs["profile"] == "full") & (runs["data"] == "fer2013") & (runs["status"] == "ok")]
full = full[full["classes"].map(len) == len(data.class_names)]  # fewer classes are another, easier task
if full.empty:
    print("No full run on FER2013 is recorded in this table yet.")
else:
    happy_share = full["per_class"].iloc[-1]["happy"]["support"] / full["n"].iloc[-1]
    rows = {
        f"{row.recipe}, seed {row.seed:.0f}": {
            "accuracy": row.test_accuracy,
            "accuracy_low": row.test_accuracy_low,
            "accuracy_high": row.test_accuracy_high,
        }
        for row in full.itertuples()
    }
    title = "Recorded full runs on FER2013, test part"
    plot_accuracies(rows, reference=happy_share, reference_name='always "happy"', title=title)
    plt.show()

# %% [markdown]
# ## What you did
#
# In this lesson you
#
# - wrote down an experiment as a recipe, changed one thing and saw a slip of the pen caught,
# - trained a small network and read its learning curves,
# - evaluated it with intervals, class by class, beside a guess, and looked at its most confident mistakes,
# - exported it as float32 and int8 and checked both files against the network,
# - found the run in the experiment table, compared it with another face by face, and know where your notes go.
#
# To do the same from a terminal: `python -m emo_utils train --list`, then `train --recipe NAME`, `evaluate`, `export` and
# `table show`; each explains itself with `--help`.
