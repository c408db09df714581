# %% [markdown]
# # A chip that counts in eight bits
#
# Teaching: 60 min, exercises: 40 min
#
# Some chips compute a network in integers only. Their compilers decide, far from your notebook, what becomes of your
# floats. Here you prepare all that such a compiler needs, and find out before you own the chip where it will hurt.
# *Cut off, or too coarse* begins a second sitting.
#
# In this lesson you will
#
# - follow one activation into eight bits and back,
# - pack a folder for the compiler of the Hailo-8, and say what each step will check,
# - compute on the host what the chip leaves out,
# - tell from a file which parts of a network a compiler may refuse,
# - measure where rounding makes noise, and say when 16 bits help and when they cannot,
# - read a vendor's benchmark: throughput, latency, energy.

# %% tags=["setup"]

# %% [markdown]
# ## One activation, in eight bits
#
# The small network looks at a face. On the left, what one of its first filters makes of it, in floats. A chip with
# eight bits has only 256 codes, 0 to 255, for these values: a *range* says which floats the first and the last code
# stand for, and all between are equally far apart. The ranges are found beforehand, by showing the network the
# *calibration images*. In the lower row these were taken in a dark room.

# %%
import matplotlib.pyplot as plt
import numpy as np
from keras import Model, activations, ops

from emo_utils.datasets import load_dataset
from emo_utils.models import load_model
from emo_utils.plots import plot_rounded_maps
from emo_utils.quantise import calibration_images, quantise_model
from emo_utils.recipe import Recipe
from emo_utils.training import prepare_data

small_cnn, info = load_model("model/embedded-small-cnn.keras")
recipe = Recipe.from_dict(info["recipe"])
data = prepare_data(recipe, load_dataset("embedded"))
train, val = data.part("train"), data.part("val")
calibration = calibration_images(train)  # as many of each emotion, none of a test face

face = val.images[[int(np.flatnonzero(val.labels == val.class_names.index("surprise"))[0])]]
backbone = small_cnn.get_layer(recipe.backbone)
part = Model(backbone.input, backbone.get_layer("block1_relu").output)
maps = ops.convert_to_numpy(part(face[..., None], training=False))[0]  # (48, 48, 16 filters)
one_map, rows = maps[..., maps.max(axis=(0, 1)).argmax()], {}
for name, images in (("calibrated\nby day", calibration), ("calibrated\nin the dark", calibration // 8)):
    # Percentiles 0 and 100: from the smallest value to the largest.
    rounded = quantise_model(small_cnn, weight_bits=8, activation_bits=8, calibration=images, percentiles=(0, 100))
    grid = rounded.get_layer(recipe.backbone).get_layer("block1_relu_quantised")
    codes = np.clip(np.round(one_map / grid.step) - grid.first, 0, 255)
    rows[name] = (one_map, codes, one_map - (codes + grid.first) * grid.step)
plot_rounded_maps(rows, title="A surprised face behind the first layer")
plt.show()

# %% [markdown]
# By day the loss is a fine grain, nowhere more than half a step. In the dark the range ends too early, and what lies
# above it, the edge of bright teeth, is cut off. That is no grain, it is gone; mind the scales on the right. These two
# losses, *rounding* and *clipping*, are the subject of this lesson. A wide range clips less and rounds more.
#
# Values may be negative, too. Then one code in between stands for 0, the *zero point*: a value is
# `(code - zero_point) * step`.
#
# **Exercise 1.** The logits lie between `low` and `high`, which the cell prints. With 256 codes, how large is the
# `step`? And which code, 0 to 255, is the zero point, rounded to a whole number?

# %%
rounded = quantise_model(small_cnn, weight_bits=8, activation_bits=8, calibration=calibration)
grid = rounded.get_layer("logits_quantised")
low, high = grid.low, grid.high
print(f"low {low:.4f}, high {high:.4f}")

# %% tags=["exercise"]
step = None
zero_point = None

# %% tags=["solution"]
step = (high - low) / 255
zero_point = round(-low / step)

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check

check("step", step, grid.step, tolerance=1e-4, hint="256 codes have 255 gaps between them.")
check("zero point", zero_point, -grid.first, hint="Code 0 stands for low. How many steps is 0 above it?")

# %% [markdown]
# ## What a compiler does with a network
#
# The Hailo-8 is a chip for neural networks, small enough for a Raspberry Pi or a camera. It reads no Keras and no
# TFLite. Hailo's *Dataflow Compiler*, DFC, makes a file for it, on a computer of its own:
#
# | Step | What happens | What can go wrong |
# |---|---|---|
# | parse | the file becomes a graph of the compiler | an operator that it does not take |
# | normalise | a *model script* says how raw pixels become the network's input | done twice, or not at all |
# | calibrate | images fix the range of every activation | too few, or unlike those to come |
# | quantise | weights and activations become integers | layers that need more than 8 bits |
# | compile | every layer gets a place on the chip | a network that does not fit |
# | run | the host sends pixels and reads logits | softmax forgotten, classes in another order |
#
# **Nobody who wrote this lesson had the chip or the compiler at hand.** The compiler is given out by Hailo alone. So
# the lesson prepares every step, checks what can be checked without it, and calls a stand-in a stand-in. What it says
# of the compiler's calls and formats comes from Hailo's public repositories.
#
# ## A folder that needs no thinking
#
# `export hailo` on the command line, or this, makes all that the other machine needs:

# %%
import tempfile
from pathlib import Path

from emo_utils.export import export_targets

bundle = Path(tempfile.mkdtemp()).resolve() / "bundle"
table = export_targets(small_cnn, info, "small-cnn", data, bundle, ["hailo"])
print(table[["file", "n", "max_difference", "agreement"]].to_string(index=False), end="\n\n")
print(*sorted(path.name for path in bundle.iterdir()), sep="  ")
print("\nmodel.alls:", (bundle / "model.alls").read_text(), sep="\n")

# %% [markdown]
# Two files of the same network, in floats, since the compiler does its own rounding; each has been compared with Keras
# on test faces. `calib_set.npy` holds the calibration images, *raw*, `samples.npz` test faces with the logits of Keras,
# so that every later step can be compared with them. `README.md` is for whoever opens the folder in half a year. And
# the model script, `model.alls`, is what a person at the compiler would otherwise have to think of.
#
# Line by line: the pixels are normalised on the chip, by this mean and this deviation; all calibration images count,
# not 64, which is the default; level 1 of optimisation is asked for, since a compiler that finds no GPU
# takes level 0 by itself and corrects nothing; no weights of 4 bits; the biases are corrected for the mean error that
# rounding leaves; no training on the way, which would need a GPU.
#
# Now the steps themselves. With `--dry-run` the script says what it would do, with which arrays. In its words `runner`
# is the compiler's object, a HAR the compiler's own archive of graph and weights, and a HEF the file for the chip:

# %%
import subprocess
import sys
import textwrap


def run_script(*command):
    """Run a script of the bundle as in a terminal; print what it says."""
    done = subprocess.run([sys.executable, *command], cwd=bundle, capture_output=True, text=True)
    for line in (done.stdout + done.stderr).replace(str(bundle), bundle.name).splitlines():
        print(textwrap.fill(line, 110, subsequent_indent="    "))


run_script("compile_hailo.py", "--dry-run")
print("\nand without --dry-run, where no compiler is:")
run_script("compile_hailo.py")

# %% [markdown]
# Three times it stops to compare with Keras: as parsed (`SDK_NATIVE`), with the model script (`SDK_FP_OPTIMIZED`), and
# quantised (`SDK_QUANTIZED`). The first two are still floats and must agree almost exactly. If the third is bad and the
# first two are good, rounding is at fault and nothing else. Look at what goes in: step 3 gets faces from -1 to 1,
# step 6 from 0 to 255. Why?
#
# ## What was left out
#
# The files begin behind the preprocessing and end before the softmax. The chip normalises by itself, as the script
# says; so everybody else must keep their hands off. Three ways to feed the same network:

# %%
from emo_utils.evaluation import share_interval
from emo_utils.export import device_model

device = device_model(small_cnn)
once = device.normalise(val.images)
twice = (once - device.mean) / device.std
raw = val.images[..., None].astype("float32")
for name, values in (("normalised once", once), ("normalised twice", twice), ("not normalised", raw)):
    right = ops.convert_to_numpy(device.model(values, training=False)).argmax(axis=1) == val.labels
    share, lowest, highest = share_interval(right, groups=val.groups)
    accuracy = f"accuracy {share:.3f} [{lowest:.3f}, {highest:.3f}], n = {len(val)}"
    print(f"{name:17} {values.min():7.2f} to {values.max():6.2f}   {accuracy}")
print(f'always "happy"{" " * 24}accuracy {(val.labels == val.class_names.index("happy")).mean():.3f}')

# %% [markdown]
# Nothing crashes. A network takes whatever it is given and answers. The same mistake in the calibration images spoils
# every range, so the bundle looks at them. Here somebody saves faces scaled to 0..1, as many tutorials do:

# %%
raw_set = np.load(bundle / "calib_set.npy")
np.save(bundle / "calib_set.npy", raw_set / 255)
run_script("compile_hailo.py", "--dry-run")
np.save(bundle / "calib_set.npy", raw_set)

# %% [markdown]
# The other end: logits come back, and the *host*, the computer around the chip, makes probabilities of them. A softmax
# needs large and small numbers at once, which 256 codes do not have; on the host it costs next to nothing. And the
# host can divide by the temperature of lesson 08 on the way.
#
# **Exercise 2.** Write `on_host(logits, temperature)`: probabilities of shape `(n, n_classes)` from logits of that
# shape, divided by the temperature before the softmax.


# %% tags=["exercise"]
def on_host(logits, temperature):
    return None


# %% tags=["solution"]
def on_host(logits, temperature):
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %%
# NBVAL_CHECK_OUTPUT
import json

from emo_utils.evaluation import Calibration

export_info = json.loads((bundle / "export_info.json").read_text())
samples = np.load(bundle / "samples.npz")
logits, said_by_keras = samples["logits"], samples["probabilities"]
temperature = export_info["model"]["temperature"]
hint = "Divide, take exp, divide by the sum of each row."
check("as Keras says", on_host(logits, 1.0), said_by_keras, tolerance=1e-4, hint=hint)
honest = Calibration(**export_info["model"]["calibration"]).apply(said_by_keras)
check("at the stored temperature", on_host(logits, temperature), honest, tolerance=1e-4, hint=hint)

# %% [markdown]
# ## Will it parse?
#
# Hailo's list of operators is in a guide that is not public. What is public: the networks of Hailo's *model zoo*, which
# compile, and one sweep by a third party over single operators. Operators that neither has seen in such a place are *in
# doubt*; that is less than refused. The small network has none. Now the MobileNetV3Small of lesson 04, trained on
# photographs:

# %%
from emo_utils.export import export_onnx, onnx_operators
from emo_utils.export.hailo_operators import doubtful_operators

print("small CNN:", export_info["operators"]["onnx"], "in doubt:", export_info["in_doubt"] or "none")
mobilenet, _ = load_model("model/fer2013-mobilenetv3small.keras")
mobilenet_device = device_model(mobilenet).model
operators = onnx_operators(export_onnx(mobilenet_device, bundle.parent / "mobilenet.onnx"))
print("MobileNetV3Small:", dict(operators))
for doubt in doubtful_operators(tflite={}, onnx=operators):
    print(textwrap.fill(str(doubt), 110, subsequent_indent="    "))

# %% [markdown]
# Two inventions of MobileNetV3 are behind all of these. *Hard swish*, `x * hard_sigmoid(x)`, is an activation made of a
# HardSigmoid and a Mul. A *squeeze-and-excitation* block weighs channels against each other: a GlobalAveragePool, two
# small convolutions and a HardSigmoid give a factor for each channel, its *gate*, and a Mul applies them. The network's
# head has one GlobalAveragePool of its own. No MobileNetV3 with them is in Hailo's zoo: its `mobilenet_v3` is a variant
# made for another chip, which has neither. Ours may compile: alone, HardSwish and HardSigmoid were parsed in the sweep,
# and model scripts have a command for such blocks, `se_optimization`. But of a whole MobileNetV3 with both we have
# found nothing published, neither that it compiles nor how fast it is.
#
# **Exercise 3.** From the counts in `operators` alone: how many gates, and how many hard swishes has the network?

# %% tags=["exercise"]
gates = None
hard_swishes = None

# %% tags=["solution"]
gates = operators["GlobalAveragePool"] - 1
hard_swishes = operators["HardSigmoid"] - gates

# %%
# NBVAL_CHECK_OUTPUT
layers = mobilenet_device.layers
swishes = sum(getattr(layer, "activation", None) is activations.hard_swish for layer in layers)
squeezes = sum(layer.name.endswith("squeeze_excite_avg_pool") for layer in layers)
check("gates", gates, squeezes, hint="Each gate has a GlobalAveragePool. Which one is no gate's?")
check("hard swishes", hard_swishes, swishes, hint="Whose are the other HardSigmoids?")

# %% [markdown]
# ## Cut off, or too coarse
#
# Suppose that it parses. What will eight bits cost? The chip's own answer is `SDK_QUANTIZED`. Before that there are
# stand-ins: the int8 TFLite of lesson 09, and our simulation, which lets us look inside. Neither rounds exactly as the
# chip does.
#
# Accuracy is a dull measure for this: a few hundred faces hardly notice. The *signal-to-noise ratio* notices: the sum
# of the squared values over the sum of the squared errors, in decibels (dB), so that 10 dB more is a tenth of the
# error's square, and one bit more, half the error, is 6 dB. `layer_noise` measures it wherever an integer engine would
# round, for each face.
#
# Our simulation cuts off the largest 0.01 % of the values, for finer steps for the rest (`percentiles` of
# `quantise_model`). What is left at the logits, and above each face also its largest value behind the first layer:

# %%
from emo_utils.plots import plot_faces
from emo_utils.quantise import change_bits, layer_noise

some = val.images[::5]
weighted = [layer.name for layer in device.model.layers if getattr(layer, "kernel", None) is not None]
decibels = layer_noise(small_cnn, rounded, some)["logits"]
shown = np.argsort(decibels)[[0, 1, 2, 3, -4, -3, -2, -1]]
largest = ops.convert_to_numpy(part(some[..., None], training=False)).max(axis=(1, 2, 3))
end = rounded.get_layer(recipe.backbone).get_layer("block1_relu_quantised").high
titles = [f"{decibels[i]:.1f} dB\nup to {largest[i]:.1f}" for i in shown]
plot_faces(some[shown], titles, title=f"The four worst faces, and the four best; the range ends at {end:.1f}")
plt.show()
print(f"8 bits: median face {np.median(decibels):.1f} dB, worst face {decibels.min():.1f} dB, n = {len(some)}")
print(f"faces that go beyond the range somewhere behind the first layer: {(largest > end).mean():.0%}")

# %% [markdown]
# Look at the worst: hard edges between very bright and very dark, seldom in calibration faces, from which the first
# filters make values far above the end of the range. Many a face goes beyond it somewhere; what matters is how far, and
# at how many places.
#
# **Predict.** Now every layer gets 16 bits, for weights and activations, in the same ranges: eight bits more. What is
# the ratio of the *worst* face then, in dB?

# %% tags=["exercise"]
predicted_decibels = None

# %% tags=["solution"]
predicted_decibels = 9 + 8 * 6.0

# %%
from emo_utils.course.exercises import compare_prediction


def three_ways(model, layers):
    """Round a model in three ways; return the noise of each."""
    options = {"weight_bits": 8, "activation_bits": 8, "calibration": calibration}
    cut = quantise_model(model, **options)
    ways = {"8 bits, top cut off": cut, "16 bits, top cut off": change_bits(cut, layers, 16)}
    ways["8 bits, full range"] = quantise_model(model, **options, percentiles=(0, 100))
    return {name: layer_noise(model, changed, some) for name, changed in ways.items()}


noise = {"small CNN": three_ways(small_cnn, ["rescale", *weighted])}
worst = noise["small CNN"]["16 bits, top cut off"]["logits"].min()
compare_prediction("worst face with 16 bits", predicted_decibels, worst, tolerance=3)

# %% [markdown]
# Bits make steps finer; they do not bring back what was cut off. So give the ranges room instead, up to the largest
# calibrated value, still with 8 bits. And the same three ways for MobileNetV3Small:

# %%
from emo_utils.plots import plot_noise

in_mobilenet = [layer.name for layer in mobilenet_device.layers if getattr(layer, "kernel", None) is not None]
noise["MobileNetV3Small"] = three_ways(mobilenet, ["grey_to_rgb", "rescaling", *in_mobilenet])
plot_noise(noise, title=f"{len(some)} drawn validation faces")
plt.show()
for net, by_way in noise.items():
    for way, layers in by_way.items():
        found = layers["logits"]
        print(f"{net:17} {way:21} median face {np.median(found):5.1f} dB, worst {found.min():5.1f}, n = {len(found)}")

# %% [markdown]
# At first noise piles up; `pool`, a mean over the whole face, takes some of it out again. Compare blue with green, the
# full range. In the small network it helps the worst face a great deal, at no price for the median one. In
# MobileNetV3Small, whose worst faces are in the printed lines only, it harms both: the network has rare, very large
# values, and a range that holds them all leaves coarse steps for the rest. Its sharp peaks are gates (`multiply` to
# `multiply_8` among the names in `noise["MobileNetV3Small"]["8 bits, full range"]`): few numbers between 0 and 1 are
# easy to round. It was trained on photographs, and drawn faces are new to it; that is a case for measuring on *your*
# faces.
#
# So there is no best setting, there is a measurement. On the photographs of FER2013 it is recorded, with int8 TFLite
# files, the stand-in, on an ordinary processor.
#
# **Predict.** Of the test photographs, what share gets from the int8 MobileNetV3Small the same class as from the float
# one? Between 0 and 1.

# %% tags=["exercise"]
predicted_share = None

# %% tags=["solution"]
predicted_share = 0.98

# %%
import pandas as pd

from emo_utils.bench import read_bench_file
from emo_utils.paths import course_root

recorded = read_bench_file(course_root() / "docs/recorded/bench_fer2013.json")["results"]
int8 = [row for row in recorded if (row["precision"], row["threads"]) == ("int8", 1)]
(ours,) = (row for row in int8 if "mobilenetv3small" in row["model"])
compare_prediction("share with the same class", predicted_share, ours["agreement"], tolerance=0.02)
if predicted_share is not None:
    print(pd.DataFrame(int8)[["model", "agreement", "accuracy", "accuracy_n"]].round(3).to_string(index=False))

# %% [markdown]
# The accuracy says little; `agreement`, the share with the same class, says more. Compare it with that of the other two,
# networks of others (lesson 07) that have neither hard swish nor gates. It is one comparison, not a proof.
#
# ### Where 16 bits are worth it
#
# Hailo lets single layers have 16 bits, for weights and activations; they are slower and take more of the chip. In
# Hailo's own example (yolov8s_pose, Hailo-Application-Code-Examples) a few such layers cost 4 of 104 frames a second;
# all layers at 16 bits left 14. So which layer gives most? We start from 8 bits and the full range, and widen one layer
# at a time.

# %%
import math

from emo_utils.plots import plot_layer_gains

full = quantise_model(small_cnn, weight_bits=8, activation_bits=8, calibration=calibration, percentiles=(0, 100))
start = np.median(noise["small CNN"]["8 bits, full range"]["logits"])
gains, macs = {}, {}
for name in weighted:
    gains[name] = np.median(layer_noise(small_cnn, change_bits(full, [name], 16), some)["logits"]) - start
    layer = device.model.get_layer(name)
    macs[name] = math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
shares = {name: value / sum(macs.values()) for name, value in macs.items()}
plot_layer_gains(gains, shares, title=f"One layer at 16 bits, small CNN, {len(some)} validation faces")
plt.show()

# %% [markdown]
# **Exercise 4.** Of the four convolutions (`logits` is a dense layer), which gives most at the logits for each of its
# MACs? Name it in `widened`. In the compiler's file they should be called `conv1` to `conv4`, from the face to the
# logits, as in public logs of other networks; we have not tried it (`hailo analyze-noise`, which measures the real
# thing, prints its names). Write the line `alls` for the model script; the form is
# `quantization_param(LAYER, precision_mode=a16_w16)`.

# %% tags=["exercise"]
widened = None
alls = None

# %% tags=["solution"]
widened = max(weighted[:-1], key=lambda name: gains[name] / macs[name])
alls = "quantization_param(conv1, precision_mode=a16_w16)"

# %%
# NBVAL_CHECK_OUTPUT
best = max(set(weighted) - {"logits"}, key=lambda name: gains[name] / shares[name])
line = f"quantization_param(conv{weighted.index(best) + 1}, precision_mode=a16_w16)"
check("convolution to widen", widened, best, hint="A long blue bar beside a short orange one.")
check("line of the script", alls, line, hint="Replace LAYER by the compiler's name, and nothing else.")

# %% [markdown]
# Order matters: first the range, that is, the calibration images, then the bits. Hailo's engineers give the same order
# in their forum: the float net with its script, the calibration set, batch norm behind each convolution, and 16 bits
# last.
#
# ## Reading a benchmark
#
# On the machine with the chip, `run_hailo.py` measures what `emo_utils bench` measures elsewhere, face by face
# (`--dry-run` shows how), and `emo_utils bench import` brings its file into the table.
#
# Hailo's own tool is `hailortcli benchmark`. Below is its summary for ResNet-50 on a Hailo-8, in the form that the tool
# prints; the figures are those of docs/BENCHMARKS.rst in hailo_model_zoo v2.18. Nothing here was measured by us.

# %%
summary = """\
FPS     (hw_only)                 = 1328.83
        (streaming)               = 1328.8
Latency (hw)                      = 2.93646 ms
  Power in streaming mode (average) = 3.19395 W
"""
print(summary)

# %% [markdown]
# An image takes a latency. One after the other, that would be `1000 / latency` a second, and FPS says far more: several
# images must have been on the chip at once.
#
# **Exercise 5.** From the summary: `millijoules` for one image while streaming (a watt is a joule a second), and
# `on_chip`, the mean number of images on the chip at once: those that arrive a second, times the seconds that each
# stays.

# %% tags=["exercise"]
millijoules = None
on_chip = None

# %% tags=["solution"]
millijoules = 1000 * 3.19395 / 1328.8
on_chip = 1328.8 * 2.93646 / 1000

# %%
# NBVAL_CHECK_OUTPUT
import re

_, streaming, latency, watts = map(float, re.findall(r"= ([\d.]+)", summary))
check("millijoules", millijoules, watts / streaming * 1000, tolerance=0.01, hint="Joules a second, images a second.")
check("images on the chip", on_chip, streaming * latency / 1000, tolerance=0.01, hint="The latency is in ms.")

# %% [markdown]
# This is Little's law, and it holds for queues of any kind; here, if the latency is that while streaming, which the
# summary does not say. The compiler gives every layer a place of its own on the chip; while the last layers work on one
# image, the first ones have the next. Four stages, with durations made up for this figure:

# %%
from emo_utils.plots import plot_pipeline

durations = [0.5, 1.0, 0.7, 0.6]  # ms, made up
starts = np.zeros((8, len(durations)))  # of 8 images that all wait at the door
for image, stage in np.ndindex(starts.shape):
    ready = starts[image, stage - 1] + durations[stage - 1] if stage else 0.0
    free = starts[image - 1, stage] + durations[stage] if image else 0.0
    starts[image, stage] = max(ready, free)
plot_pipeline(starts, durations, title="A made-up pipeline: one image a millisecond, though none takes so little")
plt.show()
print(f"an image alone: {sum(durations):.1f} ms; after the first, one every {max(durations):.1f} ms")

# %% [markdown]
# The slowest stage sets the pace, the sum of all the latency. A camera that waits for an answer before it takes the next
# picture gets `1 / latency`; only a stream gets the FPS of the brochure. Nor is this energy that of your device: the
# figure is the chip's, without the computer around it. A Jetson measures its whole module, so never put the two in one
# column.
#
# ## What is published
#
# Six networks of Hailo's zoo at 224 x 224 pixels (hailo_model_zoo v2.18, docs/public_models/HAILO8_classification.rst):

# %%
from emo_utils.plots import plot_published

zoo = pd.DataFrame(
    [
        ("mobilenet_v3 (EdgeTPU)", 72.2, 71.8, 3697),
        ("mobilenet_v2_1.0", 71.8, 70.9, 2597),
        ("mobilenet_v1", 71.0, 70.3, 3305),
        ("resnet_v1_18", 71.3, 71.1, 2718),
        ("resnet_v1_50", 75.2, 74.7, 1372),
        ("efficientnet_lite0", 75.0, 73.9, 1952),
    ],
    columns=["name", "float_accuracy", "chip_accuracy", "per_second"],
)
plot_published(zoo, title="Published by Hailo: hailo_model_zoo v2.18, Hailo-8")
plt.show()
drop = zoo["float_accuracy"] - zoo["chip_accuracy"]
print(f"the chip costs {drop.min():.1f} to {drop.max():.1f} points; most: {zoo['name'][drop.idxmax()]}")

# %% [markdown]
# Which three lose most? All three were built to be small; but so was the fastest, which is not among them. Six nets
# that the vendor chose, on its own machine: no promise for yours.
#
# ## Before you go to the other machine
#
# - **Versions.** Hailo-8 and Hailo-8L take the DFC 3.x and HailoRT 4.x that belong together; the bundle lists the pairs.
#   The 5.x lines, and the newest pages of Hailo's zoo, are for other chips.
# - **Two machines.** The compiler wants an x86 computer with Ubuntu and an environment of its own, with another
#   TensorFlow than yours. The Raspberry Pi has the runtime only. Nothing but files goes between them.
# - **One file for one chip.** What was compiled for a Hailo-8 does not run on a Hailo-8L.
# - **Faces of your camera** in `calib_set.npy`, raw. The bundle takes them in place of its own.
# - **Compare at every step**, and stop where it first disagrees.
#
# ## What you did
#
# In this lesson you
#
# - followed one activation into eight bits, and saw rounding and clipping apart,
# - packed a folder for the compiler, and read what each of its steps will check,
# - computed softmax and temperature on the host,
# - told from a file what a compiler may refuse, and why,
# - measured where rounding makes noise: 16 bits could not bring back what was cut off, and one layer was worth them,
# - read a vendor's benchmark: throughput is not 1 / latency, and the energy is the chip's alone.
#
# At home: `python -m emo_utils export hailo MODEL --out DIR` for a model of your own; and if you have the chip, be the
# first to run it.
