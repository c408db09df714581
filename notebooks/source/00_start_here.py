# %% [markdown]
# # Start here
#
# Teaching: 35 min, exercises: 20 min
#
# A face is drawn, moved and read by a neural network, all within this page.
#
# In this lesson you will
#
# - put a face on the screen and move it, one action unit at a time,
# - say which action units make up each of seven emotions,
# - let a trained model read faces, and judge its probabilities,
# - find in the experiment table what was measured, and how.

# %% tags=["setup"]

# %% [markdown]
# ## A face
#
# Press Shift+Enter in each grey cell, from top to bottom.

# %%
import matplotlib.pyplot as plt

from emo_utils.faces import render_face
from emo_utils.plots import plot_faces

plot_faces([render_face("happy", person=7, nuisance=0, size=192)], ["person 7, happy"], columns=1, side=2.4)
plt.show()

# %% [markdown]
# Nobody was photographed for this. The face is computed from three things: what it *does* (happy), *who* it is
# (person 7) and *how* the picture was taken (here: straight, sharp and evenly lit). That is why this course needs no
# download, and why you will always know the truth about a picture. Change `"happy"` or the number, and run the cell
# again.
#
# ## How this course works
#
# | Lesson | The question it answers |
# |---|---|
# | 00 Start here | What is an expression, and what does a model say about it? |
# | [01 Data](01_data.ipynb) | What is in a data set of faces, and what is wrong with it? |
# | [02 Augmentation](02_augmentation.ipynb) | How do few faces become many, without lying? |
# | [03 First model](03_first_model.ipynb) | How is a model built, trained and judged? |
# | [04 Transfer learning](04_transfer_learning.ipynb) | What can a network bring along from other pictures? |
# | [05 Fine-tuning](05_fine_tuning.ipynb) | How does it learn rare emotions, and at what price? |
# | [06 Ablation](06_ablation.ipynb) | Which change was it that helped, and was it more than luck? |
# | [07 Evaluation](07_evaluation.ipynb) | What is a figure worth? |
# | [08 Trust](08_trust.ipynb) | When can you believe an answer, and when not? |
# | [09 Compression](09_compression.ipynb) | How small can a model be, and who pays? |
# | [10 Export](10_export.ipynb) | Does it say the same outside Python, and how fast? |
# | [11 Hailo](11_hailo.ipynb) | How does it get onto a chip that computes in integers only? |
# | [12 Jetson](12_jetson.ipynb) | What does it take on a small board, in time and in energy? |
# | [13 Live demo](13_live_demo.ipynb) | What does it say of your own face, and where does it fail? |
# | [14 Experiments](14_experiments.ipynb) | Which of all these runs do I take, and what is its first place worth? |
#
# - **Predict, then run.** Some cells ask for a guess before an experiment. Write it down: a wrong guess teaches most.
# - **Exercises** are checked on the spot. `○` means not answered yet, `✗` not yet right, `✓` right. Nothing breaks if
#   you skip one. The `solutions` folder holds this page with every answer in place.
# - **Numbers are printed, never typed.** Whatever number you see came out of the cell above it, so it is yours if you
#   change that cell.
#
# The next cell says what you run on. If you ask for help, copy its line.

# %%
import emo_utils
from emo_utils.table import environment

here = environment()
versions = [f"{name} {here[name]}" for name in ("python", "keras", "tensorflow", "numpy") if here[name]]
print(f"emo_utils {emo_utils.__version__}, {', '.join(versions)}, Keras on {here['backend']}")

# %% [markdown]
# ## What moves in a face
#
# "She looks happy" is a judgement. "The corners of her lips are pulled up" is an observation. In the 1970s Paul Ekman
# and Wallace Friesen listed the smallest movements that can be observed in a face, gave each a number, and called them
# **action units** (AU). The list, the *Facial Action Coding System*, is what people who study faces still use. Here
# are the ones that our faces know, each alone and at full strength.

# %%
from emo_utils.faces import UNITS

both_sided = [unit for unit in UNITS if unit.startswith("AU")]
faces = [render_face({unit: 1.0}, person=3, nuisance=0, size=128) for unit in both_sided]
titles = [f"{unit} {UNITS[unit]}" for unit in both_sided]
plot_faces(faces, titles, columns=5, side=1.75, title="One action unit at a time")
plt.show()

# %% [markdown]
# Now move the face yourself. The numbers run from 0 (relaxed) to 1 (as far as it goes).
#
# **Try:** a smile with AU12 alone, then add AU6. Which of the two would you believe?

# %%
from ipywidgets import FloatSlider, interact


def show_face(**units):
    plot_faces([render_face(units, person=3, nuisance=0, size=192)], columns=1, side=2.6)
    plt.show()


sliders = {unit: FloatSlider(value=0, min=0, max=1, step=0.1, description=unit) for unit in both_sided}
_ = interact(show_face, **sliders)

# %% [markdown]
# If you only read this page: this is what two of the sliders do.

# %%
strengths = (0.0, 0.25, 0.5, 0.75, 1.0)
faces = [render_face({"AU12": s}, person=3, nuisance=0, size=128) for s in strengths]
faces += [render_face({"AU12": s, "AU6": s}, person=3, nuisance=0, size=128) for s in strengths]
titles = [f"AU12 {s}" for s in strengths] + [f"AU12 {s}, AU6 {s}" for s in strengths]
plot_faces(faces, titles, columns=5, side=1.75, title="A smile of the lips, and one that reaches the eyes")
plt.show()

# %% [markdown]
# ## Seven emotions
#
# Most data sets, FER2013 among them, sort faces into seven classes: six emotions and *neutral*. Each has a typical
# combination of action units, its **prototype**; neutral has none. (An eighth, contempt, is one-sided and rare; it comes up again with
# FER+ and CK+.)

# %%
from emo_utils.emotions import SEVEN
from emo_utils.faces import PROTOTYPES

faces = [render_face(emotion, person=3, nuisance=0, size=128) for emotion in SEVEN]
plot_faces(faces, SEVEN, columns=7, side=1.4, title="The seven prototypes")
plt.show()

# %%
# NBVAL_CHECK_OUTPUT
used = [unit for unit in both_sided if any(unit in units for units in PROTOTYPES.values())]
print(" " * 9 + " ".join(f"{unit:>4}" for unit in used))
for emotion in SEVEN:
    print(f"{emotion:9}" + " ".join("   ●" if unit in PROTOTYPES[emotion] else "   ·" for unit in used))

# %% [markdown]
# **Exercise 1.** Two emotions that share many units look alike, to you and to a model. Which two of the seven share the
# most? Read it off the table, or count with `PROTOTYPES`. Answer with a set of two names, such as
# `{"happy", "neutral"}`.

# %% tags=["exercise"]
most_alike = None

# %% tags=["solution"]
from itertools import combinations


def n_shared(pair):
    return len(set(PROTOTYPES[pair[0]]) & set(PROTOTYPES[pair[1]]))


most_alike = set(max(combinations(SEVEN, 2), key=n_shared))

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check

shared = {
    frozenset((a, b)): len(set(PROTOTYPES[a]).intersection(PROTOTYPES[b])) for a in SEVEN for b in SEVEN if a != b
}
check(
    "the two emotions that share most units",
    most_alike,
    set(max(shared, key=shared.get)),
    hint="Look for two rows of the table whose dots stand in the same columns.",
)

# %% [markdown]
# A prototype is a text-book case. Real people are weaker, mixed and lopsided, and most faces that you meet mean
# something that no table lists. Keep apart what a model can see (a movement) and what it cannot (a feeling).
#
# ## From a drawing to data
#
# A model has to recognise an emotion whoever shows it and however the picture was taken. So each picture of a data set
# gets another person, pose, light, sharpness and grain, and is shrunk to 48 x 48 pixels, the size of FER2013. All of
# these faces are sad:

# %%
people = range(8)
faces = [render_face("sad", person=p, seed=p, nuisance=0, size=128) for p in people]
faces += [render_face("sad", person=p, seed=p) for p in people]
titles = [f"person {p}" for p in people] + ["48 pixels"] * len(people)
plot_faces(faces, titles, columns=8, side=1.25, title="Eight sad people: as drawn, and as the model gets them")
plt.show()

# %% [markdown]
# ## A first prediction
#
# The course brings along a small neural network that learned from such faces. Lesson 03 trains one like it; today we
# only ask it. It has never seen the people in the part called `test`.

# %%
from emo_utils.datasets import load_dataset
from emo_utils.models import load_model

model, info = load_model("model/embedded-small-cnn.keras")
test = load_dataset("embedded").part("test")

print(f"The model tells apart: {', '.join(info['class_names'])}")
print(f"It has {model.count_params():,} numbers that were learned.")
print(f"Test faces: {len(test)}, of {len(set(test.groups))} people.")

# %% [markdown]
# A model does not answer with a word. It answers with one **probability** for each class, and they sum to 1.

# %%
from emo_utils.evaluation import predict_probabilities
from emo_utils.plots import plot_answer

probabilities = predict_probabilities(model, test.images)
chosen = 7  # try others
truth = test.class_names[test.labels[chosen]]
plot_answer(test.images[chosen], probabilities[chosen], test.class_names, title=f"Test face {chosen}: {truth}")
plt.show()

# %% [markdown]
# The highest probability, here in another colour, is the answer that counts. What the rest of the bars are good for,
# you will see in a moment.
#
# **Predict.** Over all test faces: which emotion does the model recognise *least* often? Think of exercise 1. Write its
# name before you run the next cells.

# %% tags=["exercise"]
prediction = None

# %% tags=["solution"]
prediction = "fear"  # it shares most units with another emotion

# %%
from emo_utils.evaluation import evaluate_model
from emo_utils.plots import plot_confusion

evaluation = evaluate_model(model, test, class_names=info["class_names"])
plot_confusion(evaluation.metrics["confusion"], test.class_names, title="The model on faces of people it never saw")
plt.show()

# %% [markdown]
# A row holds all faces of one emotion; the columns say what the model took them for. Right answers stand on the
# diagonal. Are the others where shared action units would put them?

# %%
from emo_utils.course.exercises import compare_prediction

m = evaluation.metrics
always_happy = (test.labels == test.class_names.index("happy")).mean()
compare_prediction("recognised least", prediction, m["worst_class"])
print(f"the model       {m['accuracy']:.1%} of {m['n']} faces right")
print(f"95 % interval   {m['accuracy_low']:.1%} to {m['accuracy_high']:.1%}")
print(f'always "happy"  {always_happy:.1%}')

# %% [markdown]
# An accuracy alone says nothing. It needs something to be compared with, here a program that always answers "happy", and
# a statement of how far luck may have moved it: with other test faces it would be another number, most likely one within
# the interval.
#
# This holds for drawn faces, the only ones that this model has seen. It says nothing about photographs: what a model is
# worth depends on the data that it is asked about.
#
# ## Where it is wrong

# %%
import numpy as np

said = probabilities.argmax(axis=1)
wrong = np.flatnonzero(said != test.labels)
titles = [f"{test.class_names[test.labels[i]]}\nas {test.class_names[said[i]]}" for i in wrong[:16]]
plot_faces(test.images[wrong[:16]], titles, columns=8, side=1.25, title="Faces that the model got wrong")
plt.show()

# %% [markdown]
# **Exercise 2.** Does the model *know* when it is wrong? Its **confidence** in a face is the highest of the seven
# probabilities. Compute two numbers from `probabilities`, `said` and `test.labels`: the mean confidence over the faces
# that it got right, and over those that it got wrong.

# %% tags=["exercise"]
sure_when_right = None
sure_when_wrong = None

# %% tags=["solution"]
confidence = probabilities.max(axis=1)
sure_when_right = confidence[said == test.labels].mean()
sure_when_wrong = confidence[said != test.labels].mean()

# %%
# NBVAL_CHECK_OUTPUT
by_face = [(max(row), row.argmax() == label) for row, label in zip(probabilities, test.labels, strict=True)]
hint = "The confidence is the highest number in a row of probabilities; average over some rows."
when_right, when_wrong = (np.mean([c for c, ok in by_face if ok == wanted]) for wanted in (True, False))
check("mean confidence, right", sure_when_right, when_right, tolerance=1e-3, hint=hint)
check("mean confidence, wrong", sure_when_wrong, when_wrong, tolerance=1e-3, hint=hint)

# %% [markdown]
# Sort all test faces by confidence, and you see what it is good for: a program could answer where the model is sure, and
# ask a human where it is not.

# %%
confidence = probabilities.max(axis=1)
order = np.argsort(-confidence, kind="stable")
for share in (0.25, 0.5, 0.75, 1.0):
    kept = order[: round(share * len(order))]
    print(f"the surest {share:4.0%} of the faces: {(said[kept] == test.labels[kept]).mean():6.1%} right")

# %% [markdown]
# ## Pull the strings yourself
#
# Back to the sliders, this time with the model looking on. When does its answer change, and how sure is it on the way?


# %%
def show_answer(**units):
    face = render_face(units, person=3, nuisance=0)
    plot_answer(face, predict_probabilities(model, face[None])[0], test.class_names)
    plt.show()


sliders = {unit: FloatSlider(value=0, min=0, max=1, step=0.1, description=unit) for unit in used}
_ = interact(show_answer, **sliders)

# %% [markdown]
# **Exercise 3.** Which movements does the model need? Give action units, as in `{"AU1": 1.0, "AU2": 0.5}`, for which it
# says "surprise" to most of ten people. **Use at most three units**; the prototype has four. The sliders above show
# one person; the check asks all ten.

# %% tags=["exercise"]
my_units = None

# %% tags=["solution"]
my_units = {"AU2": 1.0, "AU5": 1.0, "AU26": 1.0}


# %%
# NBVAL_CHECK_OUTPUT
def n_surprised(units):
    faces = np.stack([render_face(units, person=p, seed=p, nuisance=0.3) for p in range(3000, 3010)])
    answers = predict_probabilities(model, faces).argmax(axis=1)
    return int((answers == test.class_names.index("surprise")).sum())


def is_surprised(units):
    return sum(strength > 0 for strength in units.values()) <= 3 and n_surprised(units) > 5


hint = "Start from the prototype of surprise, and leave out one unit at a time."
check("a surprised face of three units", my_units, is_surprised, hint=hint)

# %% [markdown]
# Now systematically: each unit of the prototype alone, and the prototype without it.

# %%
prototype = PROTOTYPES["surprise"]
print(f"the whole prototype: {n_surprised(dict.fromkeys(prototype, 1.0))} of 10 people look surprised to the model")
for unit in prototype:
    others = [other for other in prototype if other != unit]
    alone, without = n_surprised({unit: 1.0}), n_surprised(dict.fromkeys(others, 1.0))
    print(f"{unit:4} {UNITS[unit]:18} alone: {alone:2} of 10, all but it: {without:2} of 10")

# %% [markdown]
# Is there a unit that the model goes by, and hardly needs the others? Then think of somebody who yawns, or sings, or
# wears a scarf over the mouth. A model finds the shortest way to the right answers on its training data. That way need
# not be ours, and nothing but tests like this one brings it to light.
#
# ## The experiment table
#
# A number is worth as much as what is known about it: which data, which people left out, which settings, which seed,
# which version. In this course each training run writes a line of its own accord, also when it fails. The lines are in
# `experiments.jsonl`, and `experiments.xlsx` shows them as a workbook, where you can add notes.

# %%
from emo_utils.table import read_runs, show

runs = read_runs()
print(show(runs.tail(10)))

# %% [markdown]
# A row is one run; the last ten are shown. (`No runs yet.` means just that: lesson 03 writes the first.) The columns in
# percent are accuracies: *val* on the faces that the settings were chosen by, *test* on faces that were looked at once,
# at the end, with the 95 % interval. That is why *test* is the one to quote. The table knows far more than fits here.
# Of the run that made our model, among other things (a dash means that your table does not hold that run):

# %%
from emo_utils.table.schema import COLUMNS

of_our_model = runs[runs["run_id"] == info.get("run_id")]
for column in COLUMNS:
    if column.name in ("started", "seed", "n_train", "split", "augmentation", "epochs", "selected_on", "hardware"):
        value = "-" if of_our_model.empty else of_our_model.iloc[0][column.name]
        print(f"{column.name:13} {value!s:45.45}  {column.description}")

# %% [markdown]
# ## What you did
#
# In this lesson you
#
# - put a face on the screen and moved it, one action unit at a time,
# - said which action units make up each of seven emotions,
# - let a trained model read faces, and judged its probabilities,
# - found in the experiment table what was measured, and how.
#
# **To discuss:** who could be harmed by a program that claims to read emotions, and what would you want to know about it
# before you let it judge anybody?
#
# Next: [01 Data](01_data.ipynb).
