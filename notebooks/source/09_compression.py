# %% [markdown]
# # Small enough for a chip
#
# Teaching: 60 min, exercises: 40 min
#
# A network must fit where the camera is. Three ways to make it smaller, what each of them saves, and what it costs.
# *Weights on a grid* begins a second sitting.
#
# In this lesson you will
#
# - weigh a network in four ways: weights, multiplications, bytes and milliseconds,
# - take filters out, or set them to zero, and weigh both,
# - let a large network teach a small one,
# - round weights to a few bits, in files that are as small as they say,
# - make a network of integers, and measure whether it is faster,
# - choose among dozens of compressed models without fooling yourself.

# %% tags=["setup"]

# %% [markdown]
# ## The same faces, fewer bits
#
# The small network that comes with the course reads a drawn face of each emotion. First as it was trained, each weight
# in 32 bits; below it with every weight rounded to fit in 4 bits, then in 2. Each title gives the true emotion, the
# answer and its confidence.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from emo_utils.datasets import load_dataset
from emo_utils.evaluation import predict_probabilities
from emo_utils.evaluation.explain import captions
from emo_utils.models import load_model
from emo_utils.plots import plot_faces
from emo_utils.quantise import quantise_model
from emo_utils.recipe import Recipe
from emo_utils.training import prepare_data

FULL = os.environ.get("EMO_PROFILE") == "full"
SMALL_CNN = "model/embedded-small-cnn.keras"
small_cnn, info = load_model(SMALL_CNN)
recipe = Recipe.from_dict(info["recipe"])
data = prepare_data(recipe, load_dataset("embedded"))
train, val, test = (data.part(usage) for usage in ("train", "val", "test"))

one_each, titles = [int(np.flatnonzero(val.labels == label)[0]) for label in range(len(val.class_names))], []
for bits in (32, 4, 2):
    said = predict_probabilities(quantise_model(small_cnn, weight_bits=bits), val.images[one_each])
    titles += [f"{bits} bits: {text}" for text in captions(val.labels[one_each], said, val.class_names)]
faces = np.tile(val.images[one_each], (3, 1, 1))
plot_faces(faces, titles, columns=len(one_each), side=1.5, title="As trained, and with rounded weights")
plt.show()

# %% [markdown]
# Where does it break, and what does it say then? Some answers were wrong before; whom rounding hurts, single faces
# cannot tell. Before we make anything smaller, we need scales to weigh it with.
#
# ## Four weights of a network
#
# - **Parameters**: how many weights training may change. They fill the memory of a device.
# - **MACs**, multiply-accumulate operations: how many products of a weight and a value it adds up for one face. They
#   are the work. FLOPs count product and sum apart, twice as many; but some papers write FLOPs and mean MACs.
# - **Bytes** of the file: what is shipped and stored.
# - **Milliseconds** for one face: what the user waits for.
#
# A convolution has few weights and uses each of them at every position of the picture that it makes.
#
# **Exercise 1.** `block1_conv` turns one grey channel of 48x48 into 16 channels of 48x48, with filters of 3x3;
# `block2_conv` 16 channels of 24x24 into 32 of 24x24. How many MACs has each?

# %% tags=["exercise"]
macs_of_block1_conv = None
macs_of_block2_conv = None

# %% tags=["solution"]
macs_of_block1_conv = 48 * 48 * 16 * 3 * 3 * 1
macs_of_block2_conv = 24 * 24 * 32 * 3 * 3 * 16

# %%
# NBVAL_CHECK_OUTPUT
import math

from emo_utils.course.exercises import check

for name, answer in (("block1_conv", macs_of_block1_conv), ("block2_conv", macs_of_block2_conv)):
    layer = small_cnn.get_layer(recipe.backbone).get_layer(name)
    macs = math.prod(layer.output.shape[1:3]) * layer.count_params()
    check(f"MACs of {name}", answer, macs, hint="The weights of the layer (lesson 03), once for each position.")

# %% [markdown]
# ### Two networks on the scales
#
# The network above, and the *student* of FER-Jetson-Nano, a source of this course, which we meet again on photographs.
# That it is still untrained makes no difference here: the scales do not ask what the weights are.

# %%
import tempfile
from pathlib import Path

import pandas as pd

from emo_utils.bench import compare_latency, count_macs, count_parameters
from emo_utils.export import export_tflite
from emo_utils.models import build_model
from emo_utils.recipes import get_recipe

WORK = Path(tempfile.mkdtemp())


def weigh(models):
    """Write each model as a float32 TFLite file; return what it costs, one row a model."""
    files = {name: export_tflite(model, WORK / f"{name}.tflite") for name, model in models.items()}
    latency = compare_latency(list(files.values()), rounds=4)
    rows = [
        (name, count_parameters(models[name]).trainable, count_macs(models[name]), f.stat().st_size, latency[f].p50_ms)
        for name, f in files.items()
    ]
    return pd.DataFrame(rows, columns=["name", "parameters", "macs", "bytes", "latency_p50_ms"])


student = build_model(get_recipe("embedded-student"))
print(weigh({"small CNN": small_cnn, "student": student}).round(3).to_string(index=False))

# %% [markdown]
# Which is smaller, the student or our network? It depends on the scale: a wide layer is full of weights, each used
# once; a convolution has few and uses them everywhere. And milliseconds need follow neither: each layer takes a while
# to start, and memory must be read. So always say which scale you mean, and for milliseconds the machine, the engine
# and the threads as well; here one thread, by LiteRT, the median of many runs. Files were timed in turns, so that
# whatever else your machine does hits all of them.
#
# ## Filters: to zero, or out
#
# A filter whose weights are all small adds little. *Structured pruning* removes whole filters, the ones with the
# smallest mean absolute weight (L1, Li et al. 2017). Each is a channel that the next layer need not read, so that one
# shrinks, too.
#
# **Exercise 2.** In `block2_conv`, 32 filters of 3x3 look at the 16 channels of `block1_conv`. From both layers we
# remove a share of 0.4; of `n` filters `floor(n * (1 - share))` stay. How many weights has `block2_conv` left?

# %% tags=["exercise"]
weights_left = None

# %% tags=["solution"]
weights_left = 3 * 3 * int(16 * 0.6) * int(32 * 0.6)

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.prune import prune_model

left = prune_model(small_cnn, 0.4).get_layer(recipe.backbone).get_layer("block2_conv").count_params()
check("weights left", weights_left, left, hint="Filters of both layers are gone: those it has, and those it reads.")

# %% [markdown]
# Many tools do not remove anything: they set weights to zero. We do both, with the same filters: `silence_filters`
# sets them to zero, `prune_model` takes them out. The level is "medium" of FER-Jetson-Nano: a share of 0.3 from the first
# convolution, rising to 0.5 from the last.
#
# **Predict.** Weigh both as float32 TFLite files. What share of the bytes of the unpruned file has the *silenced* one?
# Between 0 and 1.

# %% tags=["exercise"]
predicted_share = None

# %% tags=["solution"]
predicted_share = 0.6

# %%
from emo_utils.course.exercises import compare_prediction
from emo_utils.prune import LEVELS, silence_filters

pruned = prune_model(small_cnn, LEVELS["medium"])
models = {"as trained": small_cnn, "silenced": silence_filters(small_cnn, LEVELS["medium"]), "pruned": pruned}
weights = weigh(models)
print(weights.round(3).to_string(index=False))
answers = {name: predict_probabilities(model, val.images) for name, model in models.items()}
print("same outputs to 1e-5:", np.allclose(answers["silenced"], answers["pruned"], atol=1e-5))
share = weights["bytes"][1] / weights["bytes"][0]
compare_prediction("bytes of the silenced file", predicted_share, share, tolerance=0.02)

# %% [markdown]
# Both say the same of every face. A zero takes four bytes like any other number, and is multiplied like any other. (A
# zip of it would be smaller, and some engines skip zeros: then measure that.) When somebody reports "60 % sparse", ask
# what became smaller. And the product of exercise 2 shows here: parameters and MACs fell by far more than the share of
# the filters.
#
# The first row is the network of before, with other milliseconds: compare times within one table only, and take the
# first two rows, the same arithmetic, as the size of the noise.
#
# ### Which layer can spare them?
#
# Same outputs, but are they still good ones? Take filters from one layer at a time, and ask on validation faces.

# %%
from emo_utils.evaluation import share_interval
from emo_utils.plots import plot_lines
from emo_utils.prune import filter_table


def accuracy_of(model):
    """Return accuracy with its interval on the validation part, as a dictionary."""
    right = predict_probabilities(model, val.images).argmax(axis=1) == val.labels
    found = share_interval(right, groups=val.groups)
    return dict(zip(("accuracy", "accuracy_low", "accuracy_high"), found, strict=True))


layers, shares = filter_table(small_cnn, 0)["layer"], (0, 0.25, 0.5)
before = accuracy_of(small_cnn)
lines = {
    layer: [before["accuracy"]] + [accuracy_of(prune_model(small_cnn, one * s))["accuracy"] for s in shares[1:]]
    for layer, one in zip(layers, np.eye(len(layers)), strict=True)
}
reach = (before["accuracy_high"] - before["accuracy_low"]) / 2
title = f"One layer pruned, nothing trained: {len(val)} validation faces, interval about ±{reach:.2f}"
plot_lines(shares, lines, xlabel="share of its filters removed", ylabel="accuracy", title=title)
plt.show()
broken = accuracy_of(pruned)
print(f'as trained {before["accuracy"]:.3f}, all layers pruned at "medium" {broken["accuracy"]:.3f}, n = {len(val)}')

# %% [markdown]
# Not all layers are alike, and the one with the most filters need not be the most patient. With all of them pruned at
# once, as above, the network is broken. Training can mend it. A teacher may help; so first, what does a teacher know?
#
# ## What a teacher knows
#
# A label says one word: surprise. A trained network says more: how much like fear this surprise looks. Often it only
# whispers. A *temperature*, which divides the logits before the softmax, makes it speak up. In lesson 08 it mended a
# confidence; here it brings out what the teacher thinks of the other classes.

# %%
from emo_utils.evaluation import apply_temperature
from emo_utils.faces import render_face
from emo_utils.plots import plot_probabilities

units = {"AU1": 0.9, "AU2": 0.9, "AU4": 0.25, "AU5": 0.9, "AU20": 0.25, "AU26": 0.8}
face = render_face(units, person=4, nuisance=0)
said = predict_probabilities(small_cnn, face[None])
figure, axes = plt.subplots(1, 4, figsize=(12, 2.7), width_ratios=(0.8, 1, 1, 1), layout="constrained")
axes[0].imshow(face, cmap="gray", vmin=0, vmax=255)
axes[0].set_axis_off()
axes[0].set_title("between surprise and fear")
for ax, temperature in zip(axes[1:], (1, 4, 10), strict=True):
    answer = apply_temperature(said, temperature)[0]
    plot_probabilities(answer, val.class_names, ax=ax, title=f"temperature {temperature}")
plt.show()

# %% [markdown]
# At 1 the second emotion is far behind; on many faces it hardly shows. At 4 it stands beside the first; at 10 even the
# classes come up that are out of the question. Which wrong answers are almost right: that is what a label cannot say.
#
# *Distillation* (Hinton et al. 2015) trains the student on both, with a weight `alpha`:
#
# `alpha * cross-entropy(label) + (1 - alpha) * T² * KL(teacher at T, student at T)`
#
# `KL(p, q)`, the Kullback-Leibler divergence, is the sum of `p * log(p / q)` over the classes: 0 if the student `q`
# says the same as the teacher `p`. `T²` makes up for the smaller gradients of softened answers.
#
# **Exercise 3.** Write the second part, `T² * KL`, for one face, from the logits of both: arrays of shape
# `(n_classes,)`.


# %% tags=["exercise"]
def teaching_loss(teacher_logits, student_logits, temperature):
    return None


# %% tags=["solution"]
def softened(logits, temperature):
    powers = np.exp(logits / temperature)
    return powers / powers.sum()


def teaching_loss(teacher_logits, student_logits, temperature):
    p, q = softened(teacher_logits, temperature), softened(student_logits, temperature)
    return temperature**2 * (p * np.log(p / q)).sum()


# %%
# NBVAL_CHECK_OUTPUT
from keras import ops

from emo_utils.training.distil import temperature_loss

teacher_logits, student_logits = np.array([4.0, 3.0, -2.0]), np.array([1.0, 2.0, 0.0])
for temperature in (1, 4):
    pair = [ops.convert_to_tensor(logits[None], "float32") for logits in (teacher_logits, student_logits)]
    expected = float(temperature_loss(temperature).compute_loss(*pair))
    answer, hint = (
        teaching_loss(teacher_logits, student_logits, temperature),
        "Logits / T, then softmax; the teacher is p; T² in front.",
    )
    check(f"loss at temperature {temperature}", answer, expected, tolerance=1e-4, hint=hint)

# %% [markdown]
# Keras has this loss, `LogitsDistillation`, and a trap in it: by default it is given `"kl_divergence"` as a name, and
# then compares the bare logits as if they were probabilities. The course hands it `KLDivergence()`, an object; your
# function has just agreed with that one.
#
# ### The pruned network goes back to school
#
# A few more epochs at a low rate let the filters that are left take over. A teacher should help most where labels are
# few. So we give the pruned network 300 labelled faces, once alone and once with the unpruned network as its teacher,
# and all else is the same.
#
# **Predict.** By how many points will the teacher raise its validation accuracy? Negative if it harms.

# %% tags=["exercise"]
predicted_gain = None

# %% tags=["solution"]
predicted_gain = 3.0

# %%
from emo_utils.plots import plot_accuracies
from emo_utils.training import run_experiment

stage = {"train": "all", "epochs": 15 if FULL else 5, "learning_rate": 1e-3}
shorter = recipe.but(start=SMALL_CNN, stages=[stage], warmup_epochs=0, batch_size=16)
trained_on = shorter.but(name="small-cnn-pruned", pruning={"ratios": LEVELS["medium"]})
taught = trained_on.but(
    name="small-cnn-pruned-taught", distillation={"teachers": [SMALL_CNN], "temperature": 4, "alpha": 0.5}
)
bars, gains = {"as trained": before, "pruned": broken}, []
for seed in range(3 if FULL else 1):
    pair = [run_experiment(r.but(seed=seed), data, progress=False, limit=300) for r in (trained_on, taught)]
    alone, with_teacher = (accuracy_of(result.model) for result in pair)
    bars |= {f"trained on, seed {seed}": alone, f"with a teacher, seed {seed}": with_teacher}
    gains.append(100 * (with_teacher["accuracy"] - alone["accuracy"]))
happy = (val.labels == val.class_names.index("happy")).mean()
kind = "Full run" if FULL else "Quick run"
title = f"{kind}: 300 labels, {taught.epochs} epochs; {len(val)} drawn validation faces"
plot_accuracies(bars, reference=happy, reference_name='always "happy"', title=title)
plt.show()
compare_prediction("gain in points", predicted_gain, np.mean(gains), tolerance=2)

# %% [markdown]
# Did it help? Distillation wants patience, and these are few epochs (Beyer et al. 2022 train for hundreds or
# thousands). And one seed proves nothing, whichever way it went: lesson 06 showed how far the same recipe moves from
# seed to seed. So here is a recorded full run on the photographs of FER2013: the student of FER-Jetson-Nano from scratch,
# alone and with a teacher, with several seeds and all labels.

# %%
from emo_utils.compress import mean_gain
from emo_utils.models.files import read_info
from emo_utils.paths import course_root
from emo_utils.plots import plot_pruning, plot_teacher_student
from emo_utils.table import find_run

recorded = course_root() / "docs" / "recorded"
frame, gain = (pd.read_csv(recorded / f"{name}.csv") for name in ("compress_fer2013", "compress_fer2013_gain"))
plot_teacher_student(frame)
plt.show()
mean, low, high = (100 * value for value in mean_gain(gain))
print((100 * gain.set_index("seed")).round(1).to_string())
print(f"mean gain {mean:.1f} points [{low:.1f}, {high:.1f}], {len(gain)} seeds, test part, n = {frame['n'][0]:,}")
fer_run = find_run(
    read_info(course_root() / "model/fer2013-mobilenetv3small.keras")["run_id"]
)  # of the same test faces
fer_happy = fer_run["per_class"]["happy"]["support"] / fer_run["n"]
print(f'always "happy" would have an accuracy of {100 * fer_happy:.1f} %')

# %% [markdown]
# The figure shows the first seed only, the table all of them. The interval of the mean gain is over the seeds; those in
# the figure are over the faces. Is zero inside? Then this comparison has not shown that the teacher helps. And note
# what distillation does *not* do: it saves no byte. At best it gets more out of a network that is small already.
#
# The same student with filters removed, at the three levels of FER-Jetson-Nano, then trained on for half as many epochs
# as before; the unpruned student got none of these:

# %%
from emo_utils.table import compare

plot_pruning(frame)
plt.show()
runs = frame.set_index("name")["run_id"]
for level in LEVELS:
    print(f"student and pruned {level}: p = {compare(runs['student'], runs[f'pruned {level}']).p_value:.4f}")

# %% [markdown]
# The more filters go, the fewer MACs; what do the milliseconds say? The intervals overlap, but that is no verdict: all
# levels answered the same faces, and only pairs can tell them apart, by McNemar's test of lesson 07.
#
# ## Weights on a grid
#
# *Quantisation* leaves the number of weights alone and stores each in fewer bits. With `b` bits a weight becomes a
# whole number, its *code*, from `-(2**(b-1) - 1)` to `2**(b-1) - 1`. One number for all of them, the *scale*, says
# what a step of the code is worth: the largest absolute weight, divided by the largest code.
#
# **Exercise 4.** Write `on_grid(weights, bits)`: each weight replaced by the nearest value of the grid, that is, code
# times scale.


# %% tags=["exercise"]
def on_grid(weights, bits):
    return None


# %% tags=["solution"]
def on_grid(weights, bits):
    scale = np.abs(weights).max() / (2 ** (bits - 1) - 1)
    return np.round(weights / scale) * scale


# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.models.fake_quantised import quantise_kernel
from emo_utils.quantise import fold_batch_norm

folded = fold_batch_norm(small_cnn).get_layer(recipe.backbone)
kernel = folded.get_layer("block2_conv").get_weights()[0]  # (3, 3, 16 channels, 32 filters)
for bits in (8, 4):
    codes, scale = quantise_kernel(kernel, bits, axes=(0, 1, 2, 3))
    hint = "Divide by the scale, round, multiply."
    check(f"weights on {bits} bits", on_grid(kernel, bits), np.array(codes * scale), tolerance=1e-5, hint=hint)

# %% [markdown]
# The weights just checked were *folded*: the batch norm behind each convolution had been multiplied into its filters,
# as engines do; one layer less to compute. It leaves filters of very different size, and one scale has to serve all of
# them. Below,
# each line is a value that a weight may take: all weights of `block2_conv` on two grids, then only its weakest filter,
# on the grid of the whole layer (*per tensor*) and on one of its own (*per channel*).

# %%
from emo_utils.plots import plot_weight_grids

weakest = kernel[..., np.abs(kernel).max(axis=(0, 1, 2)).argmin()]
panels = {}
for name, values, largest, bits in (
    ("all filters, 8 bits", kernel, kernel, 8),
    ("all filters, 4 bits", kernel, kernel, 4),
    ("weakest filter, 4 bits per tensor", weakest, kernel, 4),
    ("weakest filter, 4 bits per channel", weakest, weakest, 4),
):
    codes = np.arange(2 ** (bits - 1))
    steps = codes * np.abs(largest).max() / codes[-1]
    panels[name] = (values.ravel(), np.concatenate([-steps[:0:-1], steps]))
plot_weight_grids(panels, title="Weights of block2_conv, and the values they may take")
plt.show()

# %% [markdown]
# A scale for each filter costs four bytes and gives every filter the whole grid. *Activations*, the values that pass
# between layers, can be rounded in the same way; their range is found by showing the network some training faces, the
# *calibration images*.

# %%
from emo_utils.quantise import calibration_images

calibration = calibration_images(train)  # as many of each emotion
ways = {
    "weights, per tensor": lambda bits: {"per_channel": False},
    "weights, per channel": lambda bits: {},
    "weights per channel, and activations": lambda bits: {"activation_bits": bits, "calibration": calibration},
}
widths, rounded = (8, 6, 4, 3), {}
for way, options in ways.items():
    for bits in widths:
        rounded[way, bits] = quantise_model(small_cnn, weight_bits=bits, **options(bits))
lines = {way: [accuracy_of(rounded[way, bits])["accuracy"] for bits in widths] for way in ways}
lines["as trained"] = [before["accuracy"]] * len(widths)
title = f"Rounded, nothing trained: {len(val)} validation faces, interval about ±{reach:.2f}"
ax = plot_lines(widths, lines, xlabel="bits", ylabel="accuracy", title=title)
ax.set_xticks(widths)
plt.show()

# %% [markdown]
# Eight bits, and here even six, cost nothing that these faces can show. Then comes an edge, and behind it every bit
# counts. Here the number of bits, the *width*, is *simulated*: floats that take only the values of a grid, which tells
# what integers would answer.
#
# ### Bytes that are there
#
# A simulation saves nothing: in a file those floats take 32 bits each. FER-Jetson-Nano reports the size of such
# files, and it is the same at every width. To save bytes, codes must be packed bit by bit: at 6 bits four codes share three
# bytes.
#
# **Exercise 5.** The kernel of `block4_conv` has the shape (3, 3, 64, 128), the last being its filters. How many bytes
# does it take, packed at 6 bits per channel, with one scale of 32 bits for each filter?

# %% tags=["exercise"]
packed_bytes = None

# %% tags=["solution"]
packed_bytes = 3 * 3 * 64 * 128 * 6 // 8 + 128 * 4

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.quantise.bits import packed_size

kernel = folded.get_layer("block4_conv").get_weights()[0]
expected = packed_size(kernel.size, 6) + 4 * kernel.shape[-1]
check("bytes of the kernel", packed_bytes, expected, hint="Bits of all codes, divided by 8; then the scales.")

# %%
from emo_utils.models import save_model
from emo_utils.quantise import load_packed, save_packed

print("bits   simulated, .keras   packed, .emoq")
for bits in widths:
    model = rounded["weights, per channel", bits]
    simulated = save_model(model, WORK / f"{bits}.keras", info)
    packed = save_packed(model, WORK / f"{bits}.emoq", info, weight_bits=bits)
    print(f"{bits:4} {simulated.stat().st_size / 1000:15.0f} kB {packed.stat().st_size / 1000:12.0f} kB")
read_back, simulated = (predict_probabilities(m, val.images) for m in (load_packed(packed)[0], model))
print("the last file answers as its simulation:", np.allclose(read_back, simulated, atol=1e-4))

# %% [markdown]
# Half the bits, almost half the bytes; the plan of the network, the biases and the scales stay. But engines do
# not compute with packed codes of 3 or 6 bits: such a file is unpacked to floats when it is loaded. It saves storage and download, not time.
#
# ## A network of integers
#
# For time, a chip must compute in integers. TFLite's int8 does, and needs calibration images. Which? First too few,
# then ones that are not like those to come.

# %%
from emo_utils.errors import DataError

try:
    quantise_model(small_cnn, weight_bits=8, activation_bits=8, calibration=train.images[:20])
except DataError as error:
    print(error, end="\n\n")
sets = {
    "equally many of each emotion": calibration,
    "neutral faces only": train.images[train.labels == train.class_names.index("neutral")][:280],
    "equally many, in a dark room": calibration // 8,
}
for name, images in sets.items():
    model = quantise_model(small_cnn, weight_bits=8, activation_bits=8, calibration=images)
    found = accuracy_of(model)
    interval = f"[{found['accuracy_low']:.3f}, {found['accuracy_high']:.3f}]"
    print(f"calibrated on {name:30} accuracy {found['accuracy']:.3f} {interval}, n = {len(val)}")

# %% [markdown]
# A value beyond the calibrated range is cut off. Which harmed more, the missing emotions or the missing light?
# Calibrate on what the camera will show, from the training part. Never on test faces: what they have shaped, they can
# no longer judge.
#
# **Predict.** The int8 file is about a quarter of the float32 one. How many times faster is it, on this computer?

# %% tags=["exercise"]
times_faster = None

# %% tags=["solution"]
times_faster = 4.0

# %%
from emo_utils.export import export_all

checked = dict(export_all(small_cnn, data, WORK / "formats", ("float32", "dynamic", "int8")))
latency = compare_latency(list(checked))
for path, verification in checked.items():
    print(f"{path.name:24} {path.stat().st_size / 1000:4.0f} kB   {latency[path]}\n    {verification}")
medians = [latency[path].p50_ms for path in checked]
compare_prediction("times faster", times_faster, medians[0] / medians[2], tolerance=0.2)

# %% [markdown]
# `same class` is the *agreement*: the share of test faces that get the answer of the original. It notices changes in
# both directions, which accuracy lets cancel. (`export_all` checks on the test part, which is why its accuracy differs
# from the validation figures above. Nothing is chosen by it.) As to speed, four times smaller is not four times faster.
# Look at `dynamic`, too: it stores int8 weights and passes floats between layers; within a layer the engine rounds them,
# each time anew, and needs no calibration. Which of the two is ahead is a matter of the machine and the engine; there
# are computers on which int8 is slower than float32, and chips without float arithmetic, for which it is the only
# choice. So measure on the device.
#
# ### Training for few bits
#
# Where rounding breaks the network, it can learn to live with it: each step computes with rounded weights and
# activations and corrects the unrounded ones behind them (*quantisation-aware training*). Rounding has no slope, so
# the gradient is passed on as if it were not there. A few epochs, at
# 4 bits:

# %%
stage = {"train": "all", "epochs": 10 if FULL else 3, "learning_rate": 3e-4}
four = shorter.but(name="small-cnn-4-bits", stages=[stage], quantisation={"weight_bits": 4, "activation_bits": 4})
aware = run_experiment(four, data, progress=False, limit=None if FULL else 300)
four_bits = {"as trained": small_cnn, "4 bits, rounded": rounded["weights per channel, and activations", 4]}
four_bits["4 bits, trained on"] = aware.model
bars = {name: accuracy_of(model) for name, model in four_bits.items()}
title = f"{kind}, weights and activations: {len(val)} drawn validation faces"
plot_accuracies(bars, reference=happy, reference_name='always "happy"', title=title)
plt.show()

# %% [markdown]
# ## Who pays?
#
# So far we judged by accuracy. It hides who pays. No choice hangs on it any more, so we take the test part, emotion by
# emotion: the recall, and below it the number of faces.

# %%
from emo_utils.evaluation import evaluate_model

evaluations = {"as trained": evaluate_model(small_cnn, test), "pruned, trained on": pair[0].test}
evaluations |= {"pruned, taught": pair[1].test, "4 bits, trained on": aware.test}
evaluations["4 bits, rounded"] = evaluate_model(four_bits["4 bits, rounded"], test)
per_class = {name: pd.DataFrame(found.metrics["per_class"]) for name, found in evaluations.items()}
recalls = pd.DataFrame({name: table.loc["recall"] for name, table in per_class.items()}).T.astype(float).round(2)
shown = [(e.metrics["accuracy"], e.metrics["accuracy_low"], e.metrics["accuracy_high"]) for e in evaluations.values()]
recalls["all"] = ["{:.2f} [{:.2f}, {:.2f}]".format(*figures) for figures in shown]
print(recalls.to_string())
print(per_class["as trained"].loc[["support"]].astype(int).to_string())
print(f'always "happy": accuracy {(test.labels == test.class_names.index("happy")).mean():.2f}, n = {len(test)}')

# %% [markdown]
# Some emotions lose far more than the accuracy does, and rare ones hardly show in it at all. With a dozen faces a
# recall is a rough figure; that is a reason for more test faces, not for looking away.
#
# ## Photographs: the whole comparison
#
# `python -m emo_utils compress` makes, from a teacher and a student, models like those of this lesson, and some of their
# combinations. Recorded on FER2013:

# %%
from emo_utils.plots import plot_quantisation

plot_quantisation(frame)
plt.show()
print(frame[["name", "val_accuracy", "bytes"]].head().round(4).to_string(index=False))

# %% [markdown]
# "Not run": these are the course's own packed files. They are unpacked to floats to compute, so they have no time of
# their own. Find the edge again: where does it lie for weights alone, where with activations, and what does training
# for it bring back? Among the TFLite files, are fewer bits always fewer milliseconds? Where an engine has no fast
# arithmetic for a format, it takes a slow way.
#
# ### Choose, then look once
#
# With some thirty models the best *test* figure belongs in part to luck (the winner's curse of lesson 06). The figures
# above drew test accuracy, to show what happened. A choice must not use it: choose by `val_accuracy`, and read the test
# figure of that one model. The first rows of `frame` stand below the figure.
#
# **Exercise 6.** Make `chosen`, the `name` of the smallest file (`bytes`) among the rows of `frame` whose
# `val_accuracy`, a share, is at most 0.01 below that of the row named "student".

# %% tags=["exercise"]
chosen = None

# %% tags=["solution"]
bar = frame.loc[frame["name"] == "student", "val_accuracy"].item() - 0.01
good = frame[frame["val_accuracy"] >= bar]
chosen = good.loc[good["bytes"].idxmin(), "name"]

# %%
# NBVAL_CHECK_OUTPUT
ours = frame.set_index("name")
keeps_up = ours["val_accuracy"] >= ours["val_accuracy"]["student"] - 0.01
smallest = ours["bytes"].where(keeps_up).idxmin()
check("chosen model", chosen, smallest, hint="First the rows that are good enough on validation, then their bytes.")

# %%
from emo_utils.bench import pareto_front
from emo_utils.plots import plot_pareto

plot_pareto(frame, pareto_front(frame, "bytes"))
plt.show()
for name, row in ours.loc[["teacher", "student", smallest]].iterrows():
    interval = f"[{row.accuracy_low:.3f}, {row.accuracy_high:.3f}]"
    print(f"{name:50} {row.bytes / 1000:8,.0f} kB, test accuracy {row.accuracy:.3f} {interval}")
print(f'always "happy" {fer_happy:.3f}; n = {row.n:,}')

# %% [markdown]
# The *Pareto front* joins the models that no other one beats: none is smaller and at least as good. All others can be
# forgotten, as far as bytes are the matter; drawn over milliseconds the front is another one. Most of its steps are
# smaller than the bars. Which would you ship to a chip that must compute from the file as it lies there? Mind which
# points no engine runs. The winner of exercise 6 saves download and storage; to compute, it is unpacked to floats. And
# this front is drawn with test figures: it describes, and must not be used to choose.
#
# And who pays on photographs? `worst_class_recall` is the recall of the emotion that a model finds least;
# `worst_class_drop` the most recall that any emotion has lost against the student, and `worst_class_dropped` says
# which. Negative: no emotion lost. At zero drop the name says nothing.

# %%
columns = ["accuracy", "agreement", "worst_class_recall", "worst_class_dropped", "worst_class_drop"]
print(ours.loc[ours["family"] != "quantised", columns].round(3).to_string())

# %% [markdown]
# A worst-class recall of zero means that an emotion is never found: on these photographs disgust, by every model but
# the teacher. Where the student never finds it, nothing is left
# to lose, and compression *looks* harmless to that emotion. And compare the drops with the differences in accuracy: a
# model can keep its accuracy and take from one emotion what it gives to another.
#
# ## What you did
#
# In this lesson you
#
# - weighed networks in four ways, and saw that they do not shrink alike,
# - took filters out, set them to zero, and weighed both,
# - let a large network teach a small one, and asked several seeds whether it helped,
# - rounded weights to a few bits, simulated and in files that are as small as they say,
# - made a network of integers, measured its speed, and trained one for four bits,
# - chose on validation, read the test figure once, and asked which emotion pays.
#
# At home, the whole comparison on drawn faces:
#
# `python -m emo_utils compress --teacher embedded-teacher --student embedded-student --data embedded --out DIR`
#
# It takes long; broken off, the same command goes on.
#
# With FER2013 at hand, take its own recipes. `EMO_PROFILE=full` gives this lesson three seeds and longer trainings.
