# %% [markdown]
# # Transfer learning
#
# Teaching: 50 min, exercises: 25 min
#
# A network that has seen many faces helps with a task for which you have few.
#
# In this lesson you will
#
# - take the backbone of a network trained on photographs to drawn faces, and see what its features know,
# - say what is frozen, what trains, and why batch norm needs care,
# - compute features once instead of in every epoch,
# - judge transfer against training from scratch, with intervals and face by face,
# - find out how many labelled faces a transfer saves.

# %% tags=["setup"]

# %% [markdown]
# ## What does a network know about faces that it has never seen?
#
# The course ships a MobileNetV3Small that was trained on FER2013, that is, on photographs. Its last layer says one of
# seven words. We cut that layer off and keep the rest, the *backbone*: it turns a face into a list of numbers, the
# *features*. The network that it comes from we call the *donor*.
#
# Now a test. Take drawn faces, which this network has never met, and look for the training faces most like each. Most
# alike in what? First in their pixels, then in their features. The left column asks, the others answer.

# %%
import os

import numpy as np

from emo_utils.datasets import load_dataset
from emo_utils.models import build_feature_extractor, build_head, load_model
from emo_utils.recipe import Recipe
from emo_utils.training.features import cached_features

FULL = os.environ.get("EMO_PROFILE") == "full"
WEIGHTS = "model/fer2013-mobilenetv3small.keras"
FACES = 200  # @param {type: "integer"}
EPOCHS = 60 if FULL else 12

data = load_dataset("embedded")
train, test = data.part("train"), data.part("test")
donor, info = load_model(WEIGHTS)
donor_recipe = Recipe.from_dict(info["recipe"])
extractor = build_feature_extractor(donor, donor_recipe)
train_features = cached_features(extractor, donor_recipe, train.images)
test_features = cached_features(extractor, donor_recipe, test.images)
train_pixels, test_pixels = (part.images.reshape(len(part), -1) / 255 for part in (train, test))
donor_says = np.asarray(build_head(donor, donor_recipe)(test_features))  # what the layer that we cut off would say

# %% [markdown]
# How alike two faces are, we measure by the *cosine* between their lists of numbers, taken from the mean face: 1 if
# both differ from the mean in the same way, 0 if in unrelated ways.

# %%
import matplotlib.pyplot as plt

from emo_utils.plots import plot_faces


def nearest(queries, known, k=5):
    """Return which k rows of `known` have the highest cosine with each query, both taken from the mean of `known`."""
    queries, known = (x - known.mean(axis=0) for x in (queries, known))
    lengths = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(known, axis=1)
    return np.argsort(-(queries @ known.T) / lengths, axis=1, kind="stable")[:, :k]


neighbours = {
    "pixels": nearest(test_pixels, train_pixels),
    "features": nearest(test_features, train_features),
}
labels = [test.class_names.index(emotion) for emotion in ("happy", "surprise", "angry")]
asking = [int(np.where(test.labels == label, donor_says[:, label], -1).argmax()) for label in labels]
for way, found in neighbours.items():
    images, titles = [], []
    for query in asking:
        images += [test.images[query], *train.images[found[query]]]
        titles += [f"{test.class_names[test.labels[query]]}?"]
        titles += [
            f"{'✓' if y == test.labels[query] else '✗'} {train.class_names[y]}" for y in train.labels[found[query]]
        ]
    plot_faces(np.array(images), titles, columns=6, side=1.15, title=f"The five nearest training faces by {way}")
    plt.show()

# %% [markdown]
# Pixels find the same hair, skin, light and turn of the head. What else do features find? The three that ask are those
# of their emotion that the whole network is surest of, so this shows the features at their best. A fair picture takes
# all test faces.
#
# **Predict.** Of the five nearest training faces by *features*, what share shows the emotion of the face that asked,
# averaged over all test faces? Write a number between 0 and 1 before you run the next cell.

# %% tags=["exercise"]
predicted_share = None

# %% tags=["solution"]
predicted_share = 0.6

# %%
from emo_utils.course.exercises import check, compare_prediction

shares = {way: (train.labels[found] == test.labels[:, None]).mean() for way, found in neighbours.items()}
class_shares = [np.bincount(part.labels, minlength=7) / len(part) for part in (train, test)]
shares["chance"] = float(np.dot(*class_shares))
for way, share in shares.items():
    print(f"{way:9} {share:.2f} of the neighbours show the right emotion")
compare_prediction("share of right neighbours by features", predicted_share, shares["features"], tolerance=0.05)

# %% [markdown]
# *Chance* is a training face drawn blindly. What features have beyond chance, photographs have taught:
# nobody has trained anything on drawn faces yet. This is *transfer learning*: begin from weights that another,
# larger task has left.
#
# ## The backbones at hand
#
# Backbones of other people's making come from `keras.applications`, most with weights trained on ImageNet, 1.3 million
# photographs of dogs, cars and teapots. The course keeps all its backbones in one registry:

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.models.backbones import BACKBONES

print(f"{'backbone':17} {'smallest input':15} {'input':7} the last block begins with")
for name, backbone in BACKBONES.items():
    colour = "colour" if backbone.channels == 3 else "grey"
    print(f"{name:17} {backbone.min_size:11} px  {colour:7} {backbone.top}")

# %% [markdown]
# A colour backbone gets our grey face three times. `{stages}` stands for the number of the last stage. Building the
# large ones takes seconds to minutes, so here are two that build fast, at 64 px, on random weights:

# %%
# NBVAL_CHECK_OUTPUT
import keras

from emo_utils.models import build_model, set_trainable

rescaling = {}
for name in ("MobileNetV3Small", "VGG16"):
    candidate = Recipe("candidate", backbone=name, input_size=64)
    model = build_model(candidate)
    layers = model.get_layer(name).layers
    rescaling[name] = next(layer for layer in layers if isinstance(layer, keras.layers.Rescaling))
    white, black = (keras.ops.convert_to_numpy(rescaling[name](np.full((1, 3), grey)))[0] for grey in (255.0, 0.0))
    print(f"{name}: {len(layers)} layers, {model.get_layer(name).count_params():,} values")
    print(f"  black becomes {np.round(black, 2)}, white {np.round(white, 2)}")
    for stage in ("head", "top", "all"):
        print(f"  stage {stage!r:6} trains {set_trainable(model, candidate, stage):12,} values, head included")

# %% [markdown]
# ## Preprocessing belongs inside the model
#
# Look at the second line of each: every network wants its grey levels in its own way, the way it was trained with.
# MobileNets, Xception and NASNet want -1 to 1, VGG16 and ResNet50 levels about the mean colour of ImageNet, DenseNet
# such levels in units of their spread. If that happens outside, each script, phone and board must do it again, and one
# day somebody forgets or does it twice. Nothing fails then; the answers are merely bad. Here the first layer of the
# backbone does it, and every model of the course takes levels 0 to 255.
#
# **Exercise 1.** A classic slip: dividing the image by 255 first, "as one does". What are the lowest and the highest
# value that the first convolution of MobileNetV3Small can then see? Its `Rescaling` layer computes `x / 127.5 - 1`.
# Give two numbers, to three decimals.

# %% tags=["exercise"]
lowest_seen = None
highest_seen = None

# %% tags=["solution"]
lowest_seen = 0 / 127.5 - 1
highest_seen = 1 / 127.5 - 1

# %%
# NBVAL_CHECK_OUTPUT
seen = keras.ops.convert_to_numpy(rescaling["MobileNetV3Small"](np.array([[0.0], [255.0]]) / 255))
check("lowest value", lowest_seen, seen.min(), tolerance=0.001, hint="What is 0 after dividing by 255?")
check("highest value", highest_seen, seen.max(), tolerance=0.001, hint="What is 255 after dividing by 255?")

# %% [markdown]
# **Predict.** The shipped network answers the drawn test faces, once as they are and once divided by 255. How often, as
# a share of the test faces, will it give the same answer both times?

# %% tags=["exercise"]
predicted_same = None

# %% tags=["solution"]
predicted_same = 0.5

# %%
from emo_utils.evaluation import classification_metrics
from emo_utils.pipeline import resize_images


def to_input(images):
    """Return faces as the donor takes them: uint8 of shape (n, size, size, 1)."""
    return resize_images(images, donor_recipe.input_size)[..., None]


faces = to_input(test.images)
answers = {
    "levels 0 to 255": keras.ops.convert_to_numpy(donor(faces, training=False)),
    "divided by 255": keras.ops.convert_to_numpy(donor(faces.astype("float32") / 255, training=False)),
}
slip = {name: classification_metrics(test.labels, p, test.class_names) for name, p in answers.items()}
for name, probabilities in answers.items():
    m, given = slip[name], np.bincount(probabilities.argmax(axis=1), minlength=7)
    print(f"{name:16} accuracy {m['accuracy']:.3f} [{m['accuracy_low']:.3f}, {m['accuracy_high']:.3f}], n = {m['n']}")
    print("                 said:", ", ".join(f"{c} {k}" for c, k in zip(test.class_names, given, strict=True) if k))
same = (answers["levels 0 to 255"].argmax(axis=1) == answers["divided by 255"].argmax(axis=1)).mean()
compare_prediction("share of answers that stay", predicted_same, same, tolerance=0.1)

# %% [markdown]
# No error, no warning: the network saw a black square each time and answered all the same. If a network gives nearly
# every face one and the same answer, check the range first.
#
# ## What trains, and what is frozen
#
# A transferred network has two parts: the *backbone*, whose weights come from elsewhere, and the *head*, new layers
# that turn features into our classes. A *frozen* layer computes, but training does not change its weights. The usual
# order:
#
# 1. **Stage "head"**: backbone frozen. The new head is random at first; its large errors would wreck good features.
# 2. **Stage "top" or "all"**: the last block, or everything, is set free at a small learning rate. This is
#    *fine-tuning*, the [next lesson](05_fine_tuning.ipynb).
#
# **Exercise 2.** The backbone of MobileNetV3Small gives 576 features. How many values does the head train, for our
# seven emotions, (a) if it is one dense layer from features to classes, (b) if a hidden dense layer of 256 units stands
# between? Each unit has one weight for every input, and a bias.

# %% tags=["exercise"]
plain_head = None
hidden_head = None

# %% tags=["solution"]
plain_head = 576 * 7 + 7
hidden_head = (576 * 256 + 256) + (256 * 7 + 7)

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.recipe import Head, Stage

frozen = Recipe(
    "drawn-frozen",
    input_size=donor_recipe.input_size,
    backbone="MobileNetV3Small",
    weights=WEIGHTS,
    head=Head(dropout=0.3),
    stages=(Stage("head", epochs=EPOCHS, learning_rate=3e-3, views=1),),
    batch_size=16,
)
for question, answer, head in (
    ("values of the plain head", plain_head, Head()),
    ("values with 256 hidden units", hidden_head, Head(units=(256,))),
):
    variant = frozen.but(head=head, weights=None)  # the count does not depend on them
    counted = set_trainable(build_model(variant), variant, "head")
    check(question, answer, counted, hint="For each dense layer: inputs times units, and one bias a unit.")

# %% [markdown]
# ## Why batch norm needs care
#
# *Batch normalisation* shifts and scales each channel to mean 0 and spread 1. In use it takes the means and spreads
# that it gathered in training. In *training mode* it takes those of the batch at hand, so the answer to a face depends
# on the faces beside it, and it overwrites what it has gathered, bit by bit.
#
# **Predict.** Thirty happy faces go through the donor twice: once in a batch with thirty other happy faces, once with
# thirty sad ones. For how many of the thirty does the answer differ between the two, in training mode and in use?

# %% tags=["exercise"]
differ_in_training_mode = None
differ_in_use = None

# %% tags=["solution"]
differ_in_training_mode = 5
differ_in_use = 0

# %%
by_emotion = {e: to_input(test.images[test.labels == test.class_names.index(e)]) for e in ("happy", "sad")}
asked, companies = by_emotion["happy"][:30], (by_emotion["happy"][30:60], by_emotion["sad"][:30])
before = donor.get_weights()
differ = {}
for mode, training in (("training mode", True), ("use", False)):
    said = [donor(np.concatenate([asked, company]), training=training) for company in companies]
    first, second = (keras.ops.convert_to_numpy(p)[:30].argmax(axis=1) for p in said)
    differ[mode] = int((first != second).sum())
    happy = [int((answer == test.class_names.index("happy")).sum()) for answer in (first, second)]
    print(f"in {mode:14} called happy among happy faces: {happy[0]} of 30, among sad faces: {happy[1]} of 30")
changed = sum(not np.array_equal(x, y) for x, y in zip(before, donor.get_weights(), strict=True))
print(f"arrays of weights that the two looks in training mode have changed: {changed} of {len(before)}")
donor.set_weights(before)
compare_prediction(
    "answers that differ in training mode", differ_in_training_mode, differ["training mode"], tolerance=1
)
compare_prediction("answers that differ in use", differ_in_use, differ["use"])

# %% [markdown]
# The changed arrays are the means and spreads of batch norm: no gradient was computed, and still the network is another
# one. They were gathered over thousands of photographs; a few small batches of a new data set would replace them. So
# with weights from elsewhere the course freezes batch norm in every stage, also when the layers around it train. A
# frozen batch norm works as in use:

# %%
# NBVAL_CHECK_OUTPUT
model = build_model(frozen)
set_trainable(model, frozen, "all")
layers = model.get_layer(frozen.backbone).layers
norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
print(f"{len(norms)} layers of batch norm, of which trainable in stage 'all': {sum(n.trainable for n in norms)}")
print(f"all other layers: {len(layers) - len(norms)}, of which trainable: {sum(layer.trainable for layer in layers)}")

# %% [markdown]
# ## Compute features once
#
# A frozen backbone gives a face the same features in every epoch. Nearly all the time of stage "head" therefore goes
# into computing the same numbers again. `Stage(..., views=1)` computes them once, keeps them on disk, and trains the
# head alone on them. Augmented faces change from epoch to epoch, so `views=K` computes K *views* of each face, one as
# it is and K - 1 augmented, and draws one of them each time the face comes up.
#
# **Exercise 3.** How many training faces go through the backbone in a stage "head" of 15 epochs on `FACES` faces, (a)
# the plain way, (b) with 4 cached views? Give formulas in `FACES`, without timing anything.

# %% tags=["exercise"]
passes_plain = None
passes_cached = None

# %% tags=["solution"]
passes_plain = 15 * FACES
passes_cached = 4 * FACES

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.pipeline import TrainingBatches
from emo_utils.recipe import Augmentation

augmented = frozen.but(augmentation=Augmentation(flip=True, rotation=10))
first_faces = train.take(slice(0, FACES))
batches = TrainingBatches(first_faces, augmented)
in_an_epoch = sum(len(batches[i][0]) for i in range(len(batches)))
views = [cached_features(extractor, augmented, first_faces.images, view=view) for view in range(4)]
in_the_cache = sum(len(view) for view in views)
check("plain, 15 epochs", passes_plain, 15 * in_an_epoch, hint="Each epoch shows each face once.")
check("cached, 4 views", passes_cached, in_the_cache, hint="Does the cache know about epochs?")

# %% [markdown]
# Twice the epochs double the first number and leave the second as it is.
#
# The price: the views are few. A head that sees four views of a face again and again has less variety than one that
# sees a new variant in every epoch. And it works only while the backbone is frozen: once a weight in it changes, the
# features are stale. The cache is named by all that its features depend on, so it cannot be used for another backbone
# by mistake.
#
# What the saving is in time has been measured; this is the record:

# %%
from emo_utils.table import read_bench

records = [record for record in read_bench() if "feature" in record["bench"]]
for record in records[-1:]:
    for key, value in record.items():
        if isinstance(value, int | float | str) and key != "time":
            print(f"{key:24} {value:.3g}" if isinstance(value, float) else f"{key:24} {value}")
if not records:
    print("No benchmark of cached features is recorded in this table yet.")

# %% [markdown]
# ## Few labels: transfer or from scratch?
#
# Labels are dear: somebody has looked at every face. Suppose that we have only `FACES` labelled drawn faces. Four ways,
# the same faces and, where there are epochs, the same number of them:
#
# - **frozen**: the head on the features of the photographs' backbone,
# - **from scratch**: the same network, all weights random and all trained,
# - **small CNN**: the network of lesson 03 from scratch, made for faces of this size,
# - **no training**: the donor as it is, with the answers that it learnt for photographs.
#
# Each that trains keeps the weights of its best epoch on the validation faces. They have labels, too, which nobody with
# few labels could spare; all three get the same help.
#
# **Predict.** Which of the three trained ones is best on the test faces: "frozen", "from scratch" or "small CNN"? And
# what accuracy will *frozen* reach?

# %% tags=["exercise"]
predicted_best = None
predicted_accuracy = None

# %% tags=["solution"]
predicted_best = "small CNN"
predicted_accuracy = 0.6

# %%
from emo_utils.training import run_experiment

free = [Stage("all", epochs=EPOCHS, learning_rate=3e-3)]
recipes = {
    "frozen": frozen,
    "from scratch": frozen.but(name="drawn-from-scratch", weights=None, stages=free),
    "small CNN": frozen.but(name="drawn-small-cnn", weights=None, stages=free, backbone="SmallCNN", input_size=48),
}
results = {name: run_experiment(recipe, data, limit=FACES) for name, recipe in recipes.items()}

# %%
from emo_utils.plots import plot_accuracies

n_train = results["frozen"].row["n_train"]
commonest = int(np.bincount(train.labels).argmax())
baseline = float((test.labels == commonest).mean())
always = f'always "{train.class_names[commonest]}"'
metrics = {name: result.test.metrics for name, result in results.items()}
metrics["no training"] = slip["levels 0 to 255"]
title = f"Quick run: {n_train} drawn training faces, {EPOCHS} epochs, n = {len(test)} test faces"
plot_accuracies(metrics, reference=baseline, reference_name=always, title=title)
plt.show()
trained = {name: metrics[name]["accuracy"] for name in recipes}
compare_prediction("the best of the three", predicted_best, max(trained, key=trained.get))
compare_prediction("accuracy of frozen", predicted_accuracy, trained["frozen"], tolerance=0.05)

# %% [markdown]
# Look at three things:
#
# - **Is frozen better than no training?** The gap is what a new head alone is worth. The donor's own answers come from
#   photographs, where sadness or fear look other than in a drawing.
# - **Is frozen better than the same network from scratch?** That gap is the transfer. Equal epochs are one fair rule of
#   several: from scratch it takes longer, so set `EPOCHS` to 60 and run again before you believe how wide the gap is.
# - **Is it better than the small CNN?** This is the question that honest reports ask and proud ones leave out. Drawn
#   faces are not photographs: features made for skin, shadows and wrinkles may miss what tells drawings apart. If a
#   simple network from scratch does as well or better, the transfer was not worth its weight. Where starting from
#   foreign weights does harm, people speak of *negative transfer*.
#
# The same test faces were answered by all, so compare face by face rather than interval by interval:

# %%
from emo_utils.table import compare

for other in ("from scratch", "small CNN"):
    print(compare(results[other].run_id, results["frozen"].run_id))
    print()

# %% [markdown]
# **Exercise 4.** The difference rests on the faces that only one of the two gets right. Write the function
# `only_first_right(labels, a, b)`: `labels` is an int array of shape `(n,)`, `a` and `b` are probabilities of shape
# `(n, 7)`; it returns how many faces `a` gets right and `b` does not.


# %% tags=["exercise"]
def only_first_right(labels, a, b):
    return None


# %% tags=["solution"]
def only_first_right(labels, a, b):
    return int(((a.argmax(axis=1) == labels) & (b.argmax(axis=1) != labels)).sum())


# %%
# NBVAL_CHECK_OUTPUT
toy_labels = np.array([0, 1, 2, 3])
all_right, half_right = np.eye(7)[toy_labels], np.eye(7)[[0, 1, 0, 0]]
hint = "A face counts if a's argmax(axis=1) is its label and b's is not."
check("a toy case", only_first_right(toy_labels, all_right, half_right), 2, hint=hint)
a, b = results["frozen"].test, results["small CNN"].test
right_a, right_b = (set(x.ids[x.probabilities.argmax(axis=1) == x.labels]) for x in (a, b))
only_frozen = only_first_right(a.labels, a.probabilities, b.probabilities)
check("faces that only frozen gets right", only_frozen, len(right_a - right_b), hint=hint)

# %% [markdown]
# ## How many labels does a transfer save?
#
# One number of faces is one point. To see the curve we need many trainings, and cached features make them cheap:
# *logistic regression*, one dense layer without dropout, trains on them in a blink. Once on features, once on raw
# pixels; three random draws of each number of faces.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from emo_utils.plots import plot_label_curves


def probe(known, queries, rows):
    """Train a logistic regression on some rows of the training faces; return its figures on all test faces."""
    # Strong regularisation (C): there are more inputs than faces.
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500, tol=1e-3))
    with threadpool_limits(1):  # with so few faces, threads on a busy machine only wait for each other
        classifier.fit(known[rows], train.labels[rows])
    probabilities = np.zeros((len(queries), len(train.class_names)))  # a draw may lack an emotion
    probabilities[:, classifier.classes_] = classifier.predict_proba(queries)
    return classification_metrics(test.labels, probabilities, test.class_names)


sizes = [20, 60, 200, 600]
draws = [[np.random.default_rng(seed).permutation(len(train))[:size] for seed in range(3)] for size in sizes]
curves = {
    "on features of photographs": [[probe(train_features, test_features, rows) for rows in d] for d in draws],
    "on pixels": [[probe(train_pixels, test_pixels, rows) for rows in d] for d in draws],
}
title = f"Logistic regression on drawn faces, n = {len(test)} test faces"
plot_label_curves(sizes, curves, reference=baseline, reference_name=always, title=title)
plt.show()

# %% [markdown]
# Read it sideways: go from a point of the upper curve to the right until you meet the lower one. The distance is the
# number of labels that the transfer saves. The axis is logarithmic, so equal steps multiply.
#
# **Exercise 5.** Read it by program: `labels_to_match` is the smallest of `sizes` at which the mean accuracy on pixels
# reaches the mean accuracy that features reach with 20 faces, or the text "more" if none does.

# %% tags=["exercise"]
labels_to_match = None

# %% tags=["solution"]
means = {name: [np.mean([m["accuracy"] for m in by_draw]) for by_draw in curve] for name, curve in curves.items()}
wanted = means["on features of photographs"][0]
enough = [size for size, mean in zip(sizes, means["on pixels"], strict=True) if mean >= wanted]
labels_to_match = enough[0] if enough else "more"

# %%
# NBVAL_CHECK_OUTPUT
table = np.array([[[m["accuracy"] for m in by_draw] for by_draw in curve] for curve in curves.values()]).mean(axis=2)
reached = np.flatnonzero(table[1] >= table[0, 0])
expected = sizes[reached[0]] if len(reached) else "more"
hint = "Average the three draws of each size before you compare."
check("labels to match 20 with features", labels_to_match, expected, hint=hint)

# %% [markdown]
# The bands hold the chance of the test faces, the dots that of the training faces: with few labels it matters greatly
# *which* faces you happen to have. A report that shows one draw of 20 faces has shown luck.
#
# ## The experiments of the sources
#
# One of the documents behind this course tried transfer twelve times: three ImageNet backbones, frozen or with the last
# block set free, with and without augmentation, on a private set of faces. Each is a recipe here. The last column says
# whether a full run on FER2013 is in this table:

# %%
from emo_utils.recipes import CATALOGUE
from emo_utils.table import read_runs

runs = read_runs()
full = runs[(runs["profile"] == "full") & (runs["data"] == "fer2013") & (runs["status"] == "ok")]
print(f"{'recipe':39} {'stages':10} {'reported by the source':24} here")
for name, entry in CATALOGUE.items():
    if name.startswith("transfer-"):
        mine = full[full["recipe"] == name]
        here = f"{mine['test_accuracy'].mean():.3f}, {len(mine)} run(s)" if len(mine) else "not run"
        stages = ", ".join(str(stage.train) for stage in entry.recipe.stages)
        print(f"{name:39} {stages:10} {entry.reported or 'no figure':24} {here}")

# %% [markdown]
# Where the source gives no figure, we give none; what is not run here says "not run". These recipes need ImageNet's
# weights, which Keras fetches over the network on first use. With a network and better a GPU, in a terminal:
#
# `python -m emo_utils train --recipe transfer-resnet50-unfrozen-augmented --data PATH_OF_FER2013`
#
# A figure from a private set cannot be compared with one on FER2013, not even for the same recipe. Within one column,
# on the same test faces, they can be compared.
#
# ## And on photographs?
#
# All that we trained above was a quick run on drawn faces. These are the recorded full runs on FER2013. `balance-none`
# and `fer2013-mobilenetv2` start from ImageNet, `fer2013-mobilenetv3small` from scratch; the five-class model takes
# over the backbone of the seven-class one, and five classes are an easier task, so it stands apart.

# %%
SHOWN = ("balance-none", "fer2013-mobilenetv2", "fer2013-mobilenetv3small", "fer2013-five-mobilenetv3small")

for name in SHOWN:
    if not (full["recipe"] == name).any():
        print(f"No full run of {name} is recorded in this table yet.")
shown = full[full["recipe"].isin(SHOWN)]
for n_classes, group in shown.groupby(shown["classes"].map(len), sort=False):
    rows = {
        f"{row.recipe}, seed {row.seed:.0f}": {
            "accuracy": row.test_accuracy,
            "accuracy_low": row.test_accuracy_low,
            "accuracy_high": row.test_accuracy_high,
        }
        for row in group.sort_values(["recipe", "seed"]).itertuples()
    }
    last = group.iloc[-1]
    happy_share = last["per_class"]["happy"]["support"] / last["n"]
    title = f"Recorded full runs on FER2013, {n_classes} classes, n = {last['n']:,.0f} test faces"
    plot_accuracies(rows, reference=happy_share, reference_name='always "happy"', title=title)
    plt.show()

# %% [markdown]
# Ask the figure with seven classes what you asked the drawn faces: does a frozen backbone that has seen dogs and
# teapots beat the same kind of network trained on faces alone? FER2013 has tens of thousands of labelled faces. Where
# on the label curve above would that be?
#
# ## When to transfer
#
# | You have | Begin with |
# | --- | --- |
# | few labels, a donor trained on similar pictures | frozen backbone, cached features, a small head |
# | more labels, similar pictures | the same, then fine-tune ([lesson 05](05_fine_tuning.ipynb)) |
# | few labels, quite different pictures | both: transfer and a small network from scratch; let validation decide |
# | many labels, quite different pictures | from scratch, or fine-tune all layers |
#
# ## What you did
#
# In this lesson you
#
# - took the backbone of a network trained on photographs to drawn faces, and saw what its features know by the
#   neighbours that they find,
# - counted what is frozen and what trains, and saw batch norm answer by the company of a face,
# - counted how often the backbone runs, with features computed once and in every epoch,
# - judged transfer against training from scratch with intervals, and face by face with McNemar's test,
# - found out, on a curve of draws, how many labelled faces a transfer saves.
