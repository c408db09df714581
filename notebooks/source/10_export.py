# %% [markdown]
# # One model, many runtimes
#
# Teaching: 55 min, exercises: 35 min
#
# A network leaves Python: as a file, for an engine that knows nothing of your notebook. Does it still say the same, and
# how fast? *How fast, without fooling yourself* begins a second sitting.
#
# In this lesson you will
#
# - run one network in three engines, and look into the files that they load,
# - say what must travel with the weights, and read it back,
# - break a deployment in the classic ways, and find the check that notices each,
# - look at the answers that an integer file moves, and at those that mistakes move,
# - time files by percentiles and in turns, and say why the mean and the order can lie,
# - choose a file for a budget, and refuse one that nobody should load.

# %% tags=["setup"]

# %% [markdown]
# ## One face, three engines
#
# Keras trains. A phone has LiteRT instead, which loads a `.tflite` file; many servers and boards have ONNX Runtime or
# TensorRT, which load an `.onnx` file. We write both from the small network of the course, each checked on the test
# part as it is written, and ask all three about one face.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from emo_utils.datasets import load_dataset
from emo_utils.evaluation import predict_probabilities
from emo_utils.export import export_all, export_onnx, file_metadata, run_onnx, run_tflite, verify_export
from emo_utils.models import load_model
from emo_utils.plots import plot_probabilities

WORK = Path(tempfile.mkdtemp())
data = load_dataset("embedded")
test = data.part("test")
model, info = load_model("model/embedded-small-cnn.keras")
metadata = file_metadata(model, info, "small-cnn")
before = predict_probabilities(model, test.images)

checked = dict(export_all(model, data, WORK, ("float32", "int8"), name="small-cnn", metadata=metadata))
tflite, int8 = checked
onnx = export_onnx(model, WORK / "small-cnn.onnx", metadata=metadata)
checked[onnx] = verify_export(before, run_onnx(onnx, test.images), test, "onnx")

row = int(np.flatnonzero(test.labels == test.class_names.index("surprise"))[0])
one = test.images[row : row + 1]
answers = {"Keras": before[[row]], "LiteRT": run_tflite(tflite, one), "ONNX Runtime": run_onnx(onnx, one)}
figure, axes = plt.subplots(1, 4, figsize=(12, 2.7), width_ratios=(0.8, 1, 1, 1), layout="constrained")
axes[0].imshow(one[0], cmap="gray", vmin=0, vmax=255)
axes[0].set_axis_off()
for ax, (engine, said) in zip(axes[1:], answers.items(), strict=True):
    plot_probabilities(said[0], test.class_names, ax=ax, title=engine)
plt.show()
for path, verification in checked.items():
    print(f"{path.name:24} {path.stat().st_size / 1000:4.0f} kB   {verification}")

# %% [markdown]
# The same to the eye; below it on all test faces. *Largest difference* is that of any probability on any face; *same
# class* is the agreement of lesson 09. Float files differ in the last digits: they add up the same numbers in another
# order. So do not ask for equal bits. Ask for a small difference *and* the same class.
#
# ## What is in a file?
#
# Three things: the weights, the *graph* (which operator reads what), and, if you put it there, what input and output
# mean. First the graph. MobileNetV3, the network for FER2013, makes the better example: its layers in Keras, and what
# became of them in ONNX.

# %%
from collections import Counter

from emo_utils.export import onnx_operators

mobile, mobile_info = load_model("model/fer2013-mobilenetv3small.keras")
mobile_onnx = export_onnx(mobile, WORK / "mobile.onnx", metadata=file_metadata(mobile, mobile_info, "mobile"))
layers = Counter(type(layer).__name__ for layer in mobile.get_layer("MobileNetV3Small").layers)
print("Keras:", ", ".join(f"{n} {kind}" for kind, n in layers.most_common() if kind != "InputLayer"))
print("ONNX: ", ", ".join(f"{n} {kind}" for kind, n in onnx_operators(mobile_onnx).most_common()))

# %% [markdown]
# - No batch norm is left: it was *folded* into the convolution before it (lesson 09).
# - No padding layer is left: ONNX's `Conv` pads by itself, and a depthwise convolution is a `Conv` with groups.
# - MobileNetV3 uses the *hard swish*, `x * hard_sigmoid(x)`. ONNX has a `HardSwish`, but only from version 14 of its
#   operators on. TensorRT 8.2, the last one for the Jetson Nano, reads no *opset* above 13. So this file says
#   `HardSigmoid` and `Mul`, in opset 13: one operator more, and every engine of this course can read it.
#
# A converter's first result is seldom that clean. What an engine cannot read, it refuses; what it reads awkwardly costs
# time. So look at the operators before you blame the device.
#
# ### A file that explains itself
#
# Weights and graph do not say whether class 3 is "happy". A separate text file gets lost. Yet there is room in the
# file itself: behind the model, a `.tflite` file may carry a zip archive, which engines ignore and `unzip` opens:

# %%
# NBVAL_CHECK_OUTPUT
import zipfile

from emo_utils.evaluation import stored_calibration
from emo_utils.export import read_metadata

with zipfile.ZipFile(tflite) as archive:
    print(archive.namelist(), archive.read("labels.txt").decode().split(), sep="\n")
travels = read_metadata(mobile_onnx)  # .onnx files have a place of their own for it
for key in ("name", "class_names", "input_size", "input_range", "not_sure_below", "recipe_hash", "run_id"):
    print(f"{key:15} {travels[key]}")
raw = run_onnx(mobile_onnx, test.images)
honest = stored_calibration(travels, mobile_onnx).apply(raw)  # its temperature travels, too

# %% [markdown]
# Input: size and range. Output: names, in order, and from which confidence on to trust it (lesson 08). Origin: the
# recipe, and the row of the table. Whoever finds this file in five years can use it.
#
# **Exercise 1.** `honest` holds the calibrated probabilities (lesson 08) of all test faces, of shape `(n, n_classes)`.
# Write `say(face, travels)`, where `face` is one row of them: the name of the class with the highest probability; or
# `"not sure"`, if that probability is below `not_sure_below`. Use nothing but the metadata. Try it with `honest[0]`.


# %% tags=["exercise"]
def say(face, travels):
    return None


# %% tags=["solution"]
def say(face, travels):
    if face.max() < travels["not_sure_below"]:
        return "not sure"
    return travels["class_names"][face.argmax()]


# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check

unsure = honest.max(axis=1) < travels["not_sure_below"]
hint = "First the highest probability against the threshold, then the name at its position."
for face in honest[~unsure][:2]:
    check("a sure answer", say(face, travels), mobile_info["class_names"][face.argmax()], hint=hint)
check("an unsure answer", say(honest[unsure][0], travels), "not sure", hint=hint)

# %% [markdown]
# ## Channels last, channels first
#
# Keras and TFLite keep the channels of a pixel together: height, width, channels, with the batch in front *NHWC*. ONNX
# and most engines for GPUs keep each channel as a picture of its own: *NCHW*. For one grey channel both are the same
# numbers in the same order. For three they are not, and an array of the right *shape* tells you nothing: `reshape`
# only cuts the same row of numbers into other pieces, `transpose` moves them.
#
# **Exercise 2.** `colour` is a picture of shape (64, 64, 3). Make `planes`, of shape (3, 64, 64), with each channel as
# a picture of its own.

# %%
from emo_utils.pipeline import resize_images

face = resize_images(one, 64)[0]
colour = np.stack([face, face // 2, 255 - face], axis=-1)  # channels that differ, so that you see which is which

# %% tags=["exercise"]
planes = None

# %% tags=["solution"]
planes = colour.transpose(2, 0, 1)

# %%
# NBVAL_CHECK_OUTPUT
hint = "planes[0] must be the face as it was. Look at it with plot_faces."
check("planes", planes, np.stack([colour[..., channel] for channel in range(3)]), hint=hint)

# %%
from keras import ops

from emo_utils.export import device_model
from emo_utils.plots import plot_faces

grey = np.repeat(face[..., None], 3, axis=-1)  # what MobileNetV3 gets of a grey face
titles = ["every channel,\ntransposed"] + [f"channel {channel},\nreshaped" for channel in range(3)]
plot_faces([face, *grey.reshape(3, 64, 64)], titles, columns=4, side=2, title="A grey face in three channels, as NCHW")
plt.show()

chip = device_model(mobile)  # without its preprocessing: three normalised channels in, logits out
nhwc = chip.normalise(resize_images(test.images, 64))
scrambled = nhwc.reshape(-1, 3, 64, 64).transpose(0, 2, 3, 1)  # what such a mistake makes of the faces
for way, faces in (("transposed", nhwc), ("reshaped", scrambled)):
    said = ops.convert_to_numpy(chip.model(faces, training=False)).argmax(axis=1)
    print(f"{way:11} agreement with the model {(said == raw.argmax(axis=1)).mean():.3f}, n = {len(test)}")

# %% [markdown]
# No error, no warning, a probability for every class: the engine computes whatever has the right shape. That is what
# most failures of a deployment look like. The next ones are done to the small network, with one channel.
#
# ## Classic ways to break it
#
# The file wants grey levels from 0 to 255; its first layer brings them to -1..1. A colleague's app divides by 255
# first, as many tutorials do.
#
# **Predict.** What accuracy will the app have on the test faces? That of the file is printed below the first figure;
# there are seven classes. Between 0 and 1.

# %% tags=["exercise"]
predicted_accuracy = None

# %% tags=["solution"]
predicted_accuracy = 0.14

# %%
import pandas as pd

from emo_utils.course.exercises import compare_prediction
from emo_utils.errors import ModelError
from emo_utils.export import ONNXModel
from emo_utils.plots import plot_verifications

names = np.array(travels["class_names"])
engine = ONNXModel(onnx)
right = engine.quantise(test.images)  # float32 (n, 1, 1, 48, 48), grey levels
ways = {
    "as it should be": (right, names),
    "0..1 instead of 0..255": (right / 255, names),
    "prepared twice: -1..1": (right / 127.5 - 1, names),
    "rows for columns": (right.swapaxes(3, 4), names),
    "class names from A to Z": (right, np.array(sorted(names))),
}
rows, words = [], {}
for way, (faces, order) in ways.items():
    after = np.stack([engine.run(face) for face in faces])
    words[way] = order[after.argmax(axis=1)]
    accuracy, agreement = (words[way] == names[test.labels]).mean(), (after.argmax(1) == before.argmax(1)).mean()
    rows.append({"name": way, "accuracy": accuracy, "agreement": agreement, "refused": False})
    rows[-1]["largest difference"] = np.abs(after - before).max()
    try:
        verify_export(before, after, test, "onnx")
    except ModelError as error:
        rows[-1] |= {"refused": True, "reason": str(error)}
broken = pd.DataFrame(rows)
happy, title = (test.labels == test.class_names.index("happy")).mean(), f"One file, five apps: {len(test)} test faces"
plot_verifications(broken, reference=happy, reference_name='always "happy"', title=title)
plt.show()
print(broken[["name", "largest difference"]].to_string(index=False, float_format="%.1e".__mod__))
print("\n" + broken["reason"][1])
print("\nthe app's answers:", dict(Counter(words["0..1 instead of 0..255"].tolist())))
compare_prediction("accuracy of the app", predicted_accuracy, broken["accuracy"][1], tolerance=0.03)

# %% [markdown]
# An input from 0 to 1 is, to this network, an almost black face, whoever is on it. It always gives the same answer, and
# its accuracy is the share of that class: a figure that does not look like a bug, only like a poor model. A net that
# answers "happy" to black would even reach the dotted line. So **count the answers** before you blame the training.
#
# Three of the mistakes are refused, in one line that says why. The last one passes: its numbers are as good as the
# right ones, and only its words are wrong. Comparing numbers cannot see it; comparing *words* can. Test a deployment
# from picture to word.
#
# **Exercise 3.** `words["class names from A to Z"]` are what that app says, `words["as it should be"]` what it should
# say, of the same faces. Make `renamed`: a dictionary from each emotion that the app gets wrong to what it says
# instead.

# %% tags=["exercise"]
renamed = None

# %% tags=["solution"]
pairs = zip(words["as it should be"].tolist(), words["class names from A to Z"].tolist(), strict=True)
renamed = {should: says for should, says in pairs if should != says}

# %%
# NBVAL_CHECK_OUTPUT
swapped = {str(ours): theirs for ours, theirs in zip(names, sorted(names.tolist()), strict=True) if ours != theirs}
check("renamed", renamed, swapped, hint="Go through pairs of words, one of each app, and keep those that differ.")

# %% [markdown]
# ## Rounding, or broken?
#
# An integer file is never the same: it rounds. So the bar that `verify_export` sets for int8 is lower, and a bug may
# hide below it. Here are the faces whose answer moved: by the int8 file, and, in float32, by three mistakes that are
# common in cameras. Each line is a face; its place says how sure the model had been.

# %%
from emo_utils.plots import plot_moved

changes = {
    "int8 file": run_tflite(int8, test.images),
    "video levels, 16..235": run_onnx(onnx, (16 + test.images * (219 / 255)).astype(np.uint8)),
    "mirrored": run_onnx(onnx, test.images[:, :, ::-1]),
    "cut out one pixel off": run_onnx(onnx, np.roll(test.images, 1, axis=2)),
}
margin = np.diff(np.sort(before, axis=1)[:, -2:])[:, 0]
moved = {name: margin[after.argmax(axis=1) != before.argmax(axis=1)] for name, after in changes.items()}
plot_moved(moved, len(test), title="Faces whose answer moved")
plt.show()
for name, after in changes.items():
    print(f"{name:22} {verify_export(before, after, test, 'int8')}")

# %% [markdown]
# All four pass the bar for int8, and their accuracies hardly differ. Where the moved faces lie tells more. On this
# network rounding turned only answers between two classes that were almost level; the lower two mistakes turned surer
# ones. That is no law. Coarser rounding turns surer answers, too, as the int8 file of our MobileNetV3 does on these
# faces. So compare with a good file of the *same* network: if surer answers turn than did there, look for the cause
# before the device does. The video levels show the limit of this test: a small error looks like rounding, whatever made
# it. (And a mirrored face is still a face. But if that small a change turns sure answers, you want to know that, too.)
#
# ## How fast, without fooling yourself
#
# Three hundred runs of a file that was just loaded, in order, and then sorted.

# %%
from emo_utils.bench.timing import time_runs
from emo_utils.plots import plot_percentiles, plot_runs

engine = ONNXModel(mobile_onnx)
face = engine.quantise(resize_images(one, engine.size))[0]
times = time_runs(lambda: engine.run(face), 300, warmup=0)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.3), layout="constrained")
plot_runs({"MobileNetV3Small": (np.arange(1, 301), times)}, log=True, ax=axes[0], title="In order")
marks = dict(zip(("p50", "p90", "p99"), np.percentile(times, (50, 90, 99)), strict=True))
plot_percentiles(times, marks | {"mean": times.mean()}, ax=axes[1], title="Sorted: share done within a time")
plt.show()
print(f"first run: {times[0] / np.median(times):.1f} times the median; n = {len(times)}")

# %% [markdown]
# The first run is often dear: memory is fetched, caches are cold, and some engines only now prepare what they need.
# Report it alone, it is what a user waits for after a tap; and *warm up* before you time the rest. Some later runs
# are slow as well, because another program had its turn. The mean follows those few, the median ignores them. A
# *percentile* says what you want to know: p90 is the time within which nine in ten faces are done. MLPerf, the
# industry's benchmark, reports p90 for one request at a time.
#
# ### A clock that drifts
#
# A machine does not stay as it is: it gets warm and slows down, or somebody starts a video. Here is a **made-up**
# machine, no measurement: two files A and B that are *equally* fast, on a processor whose runs take longer and longer,
# a fifth longer at the end of 2,000.
#
# **Predict.** First 1,000 runs of A are timed, then 1,000 of B. By how many percent does the median of B look slower?

# %% tags=["exercise"]
predicted_percent = None

# %% tags=["solution"]
predicted_percent = 20.0

# %%
run = np.arange(2000)
made_up = 0.3 * (1 + 0.2 * run / len(run)) * np.random.default_rng(0).lognormal(0, 0.03, len(run))  # milliseconds
orders = {"one after the other": run < 1000, "in turns of 50": run // 50 % 2 == 0}  # the runs that A gets
figure, axes = plt.subplots(1, 2, figsize=(11, 3.2), sharey=True, layout="constrained")
slower = {}
for ax, (order, is_a) in zip(axes, orders.items(), strict=True):
    plot_runs({"A": (run[is_a], made_up[is_a]), "B": (run[~is_a], made_up[~is_a])}, ax=ax, title=f"Made up, {order}")
    slower[order] = 100 * (np.median(made_up[~is_a]) / np.median(made_up[is_a]) - 1)
plt.show()
print({order: f"B looks {percent:.1f} % slower" for order, percent in slower.items()})
compare_prediction("percent", predicted_percent, slower["one after the other"], tolerance=2)

# %% [markdown]
# More runs do not help: the error is in the order, not in the number. Turns do. What hits A hits B a moment later,
# and the comparison stands even if neither time is right. `run_bench` works like that, with a process for each file,
# so that memory and start are its own.
#
# ### Threads and batches
#
# *Latency* is how long one face takes. *Throughput* is how many faces a second get done, perhaps many at once. Both are
# called "speed". Here is a recorded run with more rounds than we have time for. It has our network for FER2013 and two
# published ones, mini_XCEPTION and big_XCEPTION (from the repository oarriaga/face_classification), all on the same
# faces and the same machine, two cores that had other work as well. A board is another story, and only a run on the
# board tells it (lessons 11 and 12).

# %%
from emo_utils.bench import read_bench_file, run_bench
from emo_utils.paths import course_root
from emo_utils.plots import plot_throughput

document = read_bench_file(course_root() / "docs" / "recorded" / "bench_fer2013.json")
recorded = pd.DataFrame(document["results"]).drop(columns="latencies_ms")
ours = recorded[recorded["model"].str.contains("mobilenet")]
plot_throughput(ours, title=f"{ours['model'].iloc[0]}, recorded")
plt.show()
print(document["device"]["name"], document["device"]["software"], sep="\n")

# %% [markdown]
# In a batch, weights are fetched once for many faces, and a call into the engine is paid once; but the first face waits
# for the last. Whom does it help most? The engine whose calls are dearest. A camera brings one face at a time, so its
# figure is the left end of a line. A second thread shares the work of one face only where there is enough of it to
# share, and where a second core is free: does it help here?
#
# Now your machine, a short run of the small network. It goes to the sheet `bench` of the table as well; from a
# terminal, `python -m emo_utils bench MODEL --out DIR` does the same.

# %%
from emo_utils.table import read_bench

live = run_bench([tflite, int8, onnx], runtimes=("litert", "onnxruntime"), rounds=3, n=50, out=tempfile.mkdtemp())
columns = ["runtime", "precision", "threads", "n", "init_ms", "first_ms", "p50_ms", "p90_ms", "p99_ms", "peak_mb"]
print(live[columns].round(3).to_string(index=False))
print("the last row of the sheet:", {key: read_bench()[-1][key] for key in ("model", "runtime", "threads")})

# %% [markdown]
# `init_ms` is loading the file, `first_ms` the first run in a fresh process, `peak_mb` the memory of that process. If
# p99 is far above p90, your machine was busy: say so, or measure again.
#
# ### Why int8 can be slower
#
# One face, one thread, recorded. Below the figure a line for your machine as well, from the short run above:

# %%
from emo_utils.plots import plot_latencies

one_thread = recorded[recorded["threads"] == 1].reset_index(drop=True)
plot_latencies(one_thread, title=f"One face, one thread, recorded, n = {one_thread['n'].min()} runs each")
plt.show()
for name, frame in (("recorded", one_thread), ("your machine", live[live["threads"] == 1].assign(model="small-cnn"))):
    p50 = frame[frame["runtime"] == "litert"].pivot(index="model", columns="precision", values="p50_ms")
    print(f"{name}: LiteRT's int8 is so many times faster:", (p50["float32"] / p50["int8"]).round(2).to_dict())

# %% [markdown]
# In the recorded run, one machine and one engine, int8 helps one network and harms another. A likely reason, which
# these figures do not prove: a convolution in integers gains, because a register of the processor holds four times as
# many values. But an engine has fast integer code for *some* operators and some processors. Every hard swish, every
# gate and every sum of two branches must bring values from one scale to another, and MobileNetV3 is full of them; the
# small network has none. On a chip that knows nothing but integers the question does not arise. So: int8 for bytes and
# for such chips; for speed, measure.
#
# ### How much of the machine?
#
# A *GMAC/s* is a billion multiply-accumulates (lesson 09) a second. Nothing that a CPU does in float32 has more of them
# than a product of large matrices, which `run_bench` times alongside: the *peak* of that machine.
#
# **Exercise 4.** For the row `row` below, compute `gmacs`, the GMAC/s that it reaches, from `row["macs"]` and
# `row["p50_ms"]`.

# %%
row = one_thread[(one_thread["runtime"] == "litert") & (one_thread["precision"] == "float32")].iloc[0]

# %% tags=["exercise"]
gmacs = None

# %% tags=["solution"]
gmacs = row["macs"] / (row["p50_ms"] / 1e3) / 1e9

# %%
# NBVAL_CHECK_OUTPUT
check("GMAC/s", gmacs, row["gmacs_per_s"], tolerance=0.01, hint="MACs of one face over its seconds, in billions.")
if gmacs is not None:
    columns = ["model", "runtime", "precision", "macs", "p50_ms", "gmacs_per_s", "peak_share"]
    print(one_thread[columns].round(2).to_string(index=False))

# %% [markdown]
# In Keras a call costs more than the arithmetic. In the lean engines it is a matter of form. A depthwise convolution
# reads much and multiplies little; each layer must be started; a feature map of a few pixels cannot keep a wide
# processor busy. So small networks use a fraction of the machine, and the float32 file with the fewest MACs is the
# fastest in one engine and not in another. (A share above one would be no mistake for int8: the peak is that of
# float32.)
#
# ### An operating point
#
# Accuracy over time, and over bytes; every point could be shipped. The dashed lines are the budgets of two customers: a
# door that must answer in time, and a doll with little flash memory.

# %%
from emo_utils.evaluation import share_interval
from emo_utils.plots import plot_operating_points
from emo_utils.table import find_run

BUDGETS = {"p90_ms": 1.5, "bytes": 300_000}
found = [share_interval(np.arange(r.accuracy_n) < r.accuracy * r.accuracy_n) for r in one_thread.itertuples()]
one_thread[["accuracy_low", "accuracy_high"]] = np.array(found)[:, 1:]
title = f"One thread, recorded; accuracy on {one_thread['accuracy_n'][0]:,} test faces"
plot_operating_points(one_thread, {column: [limit] for column, limit in BUDGETS.items()}, title=title)
plt.show()
fer = find_run(mobile_info["run_id"])  # of the same test faces
print(f'always "happy" would have an accuracy of {fer["per_class"]["happy"]["support"] / fer["n"]:.3f}')

# %% [markdown]
# **Exercise 5.** Write `best(column, limit)`: the index label of the row of `one_thread` with the highest accuracy
# among those whose `column` is at most `limit`; among equally accurate ones the one with the lowest `p90_ms`.


# %% tags=["exercise"]
def best(column, limit):
    return None


# %% tags=["solution"]
def best(column, limit):
    fits = one_thread[one_thread[column] <= limit]
    return fits.sort_values(["accuracy", "p90_ms"], ascending=[False, True]).index[0]


# %%
# NBVAL_CHECK_OUTPUT
for column, limit in BUDGETS.items():
    fits = one_thread[one_thread[column] <= limit]
    chosen = fits[fits["accuracy"] == fits["accuracy"].max()]["p90_ms"].idxmin()
    check(f"best with {column} <= {limit:,}", best(column, limit), chosen, hint="First filter, then sort by both.")

# %% [markdown]
# Does our own network win anywhere? Rivals in the same run keep one modest. (By which faces theirs were chosen we do
# not know, so their accuracy may be too good; their milliseconds are not.) And these are test figures: they describe. A
# choice among dozens of candidates belongs to validation faces (lesson 09); of forms that McNemar's test (lesson 07)
# cannot tell apart, take the one that is easiest to run.
#
# ## Files of others
#
# A model is a program. A Keras file with a `Lambda` layer even carries Python code of its maker, which runs when you
# load it. A file that is not what its name says comes up more often. Both end in one line:

# %%
# NBVAL_CHECK_OUTPUT
import shutil

import keras

from emo_utils.models import load_foreign_model

gift = WORK / "gift.keras"
keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Lambda(lambda x: x, name="trust_me")]).save(gift)
for path in (gift, shutil.copy(int8, WORK / "disguised.keras")):
    try:
        load_foreign_model(path, scaling="0..255", classes=info["class_names"])
    except ModelError as error:
        print(str(error).replace(f"{WORK}/", ""), end="\n\n")

# %% [markdown]
# The first file was read without running it. Trust is a decision about people, not about files: `trusted=True`
# is for a maker you know.
#
# ## What you did
#
# In this lesson you
#
# - ran one network in three engines, and read the operators of the files,
# - sent class names, ranges and a threshold along with the weights, and read them back,
# - broke a deployment in the classic ways; one of them only words could show,
# - compared the answers that rounding moved with those that mistakes moved,
# - timed files warm, by percentiles and in turns, and saw a made-up clock deceive,
# - chose files for two budgets, and had one refused that nobody should load.
#
# At home, every file of this lesson and the bundles of the next two, each checked:
#
# `python -m emo_utils export all model/embedded-small-cnn.keras --data embedded --out DIR`
