# %% [markdown]
# # On the board: watts, frames and a budget
#
# Teaching: 60 min, exercises: 40 min
#
# The same network on a board with a GPU, a supply of a few watts and a camera: what it draws, how long it takes, and
# what it can afford.
#
# In this lesson you will
#
# - pack a bundle for an NVIDIA Jetson, and see each step that the board would take,
# - read power from a log, and say what one answer costs in millijoules,
# - find in raw times what a mean hides,
# - give a network the int8 ranges that a board wants, and check its answers here,
# - choose an operating point that keeps a deadline and a power budget,
# - watch a camera without falling behind.
#
# **No Jetson was at hand when this lesson was made.** What runs here are the exported files, in ONNX Runtime, and the
# scripts of the bundle as far as they need no board. Logs of a board are *made up*, in the true format, by cells that
# you can read. With a board on your desk, take its own.

# %% tags=["setup"]

# %% [markdown]
# ## A bundle
#
# TensorRT is the engine of lesson 10 for NVIDIA's GPUs. It does not run the file as it is: it compiles it, and calls
# *that* an engine, a program for exactly this GPU and this version of TensorRT. So an engine is built on the board,
# and what travels is a folder.

# %%
import sys
import tempfile
from pathlib import Path

from emo_utils.datasets import load_dataset
from emo_utils.export import export_targets, onnx_operators, run_onnx
from emo_utils.models import load_model
from emo_utils.recipe import Recipe
from emo_utils.training import prepare_data

model, info = load_model("model/embedded-small-cnn.keras")
data = prepare_data(Recipe.from_dict(info["recipe"]), load_dataset("embedded"))
work = Path(tempfile.mkdtemp())
bundle = work / "bundle"
verified = export_targets(model, info, "small-cnn", data, bundle, ["jetson"])
sys.path.insert(0, str(bundle))  # as on the board, where Python runs in this folder
print(*sorted(file.name for file in bundle.iterdir()), sep="\n")

# %% [markdown]
# At home: `python -m emo_utils export jetson MODEL --data DATA --out DIR`. Two networks, faces to check answers with,
# and scripts. Those ask for little, since a Jetson Nano ends at Python 3.6: `bench_jetson.py` needs no more than
# that, numpy and what the board brings.
#
# ## What a board draws
#
# On a Jetson, `tegrastats --interval 100` writes a line every 100 ms. The next cell writes such a log; its power is
# made up: some seconds idle, then the engine is loaded, then ten seconds of answers. Below, the log is read by the
# bundle's own parser, the one that `bench_jetson.py` uses.

# %%
import numpy as np

RAILS = ("POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU")
LINE = (
    "RAM 2123/3964MB (lfb 2x2MB) SWAP 191/1982MB (cached 6MB) IRAM 0/252kB(lfb 252kB) CPU [5%@1224,4%@1224,3%@1224,"
    "6%@1224] EMC_FREQ 0%@1600 GR3D_FREQ {}%@921 APE 25 PLL@37C CPU@40C PMIC@50C GPU@40C AO@45C thermal@40C {}\n"
)
MADE_UP_MW = np.array([[1750, 0, 370], [2900, 60, 1400], [4300, 1450, 950]])  # idle, loading, answering; by rail
phase = np.repeat([0, 1, 2], [50, 15, 100])
now_mw = np.random.default_rng(12).normal(MADE_UP_MW[phase], [70, 30, 50]).clip(0).astype(int)
average_mw = now_mw.cumsum(axis=0) // np.arange(1, len(phase) + 1)[:, None]
lines = []
for gpu_percent, now, average in zip(np.array([0, 0, 99])[phase], now_mw, average_mw, strict=True):
    power = " ".join(f"{name} {a}/{b}" for name, a, b in zip(RAILS, now, average, strict=True))
    lines.append(LINE.format(gpu_percent, power))
log = work / "made_up_tegrastats.txt"
log.write_text("".join(lines))
print("A made-up line in the form of a Jetson Nano:\n" + lines[-1])

# %%
import matplotlib.pyplot as plt
from jetson_logs import mean_power, parse_times, read_tegrastats

from emo_utils.plots import plot_power

readings, cut = read_tegrastats(log.read_text())
rail, load_mw = mean_power(readings[-100:])  # the script, too, takes the last seconds: those that trtexec timed
_, idle_mw = mean_power(readings[:50])
seconds = np.arange(len(readings)) / 10
rails = {name: np.array([reading["power_mw"][name] for reading in readings]) for name in RAILS}
marks = {f"{rail}, mean under load": load_mw}
plot_power(seconds, rails, (6.5, seconds[-1]), marks=marks, title="A made-up log, as jetson_logs.py reads it")
plt.show()
for line in lines[100:103]:
    print(line[line.index("GR3D_FREQ") :].strip())

# %% [markdown]
# Three *rails*, supply lines with a meter in each. `POM_5V_IN` carries all that the *module* draws, the small board
# with the processor; the GPU and the CPU are parts of it, and so is what no rail here shows, such as memory. A fan
# and a camera hang on the carrier board below and are not in it. On an Orin Nano the whole is called `VDD_IN`. Each
# rail has two numbers, `now/average`, in mW; newer boards write the unit. The average runs from the moment at which
# `tegrastats` was started.
#
# **Exercise 1.** Below the figure stand the ends of three lines of this log, taken under load. By hand: what did the
# *module* draw in these three lines, on average, in mW?

# %% tags=["exercise"]
board_mw = None

# %% tags=["solution"]
board_mw = sum(int(line.split("POM_5V_IN ")[1].split("/")[0]) for line in lines[100:103]) / 3

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check

hint = "Which rail is the whole module, and which of its two numbers belongs to this moment?"
check("mean power of three lines", board_mw, mean_power(readings[100:103])[1], tolerance=1, hint=hint)
readings_of_cut, was_cut = read_tegrastats(log.read_text()[:-2])
print(f"without its last two characters: cut {was_cut}, {len(readings_of_cut)} of {len(lines)} lines read")

# %% [markdown]
# Adding up the rails would count GPU and CPU twice; and the average at the end of the line still carries the idle
# seconds. A log can also end within a line, when the board is switched off or the disk is full. A number that lost
# its last digit looks like a number, so the parser leaves such a line out, and says so.
#
# ## What a mean hides
#
# `trtexec`, which comes with TensorRT, builds engines and times them: answer after answer, each with its time in a
# JSON file. A made-up one: the GPU starts at a high clock, gets hot, and after some seconds takes a lower one
# (*thermal throttling*).
#
# **Predict.** In the last 15 % of the time the clock is 640 MHz instead of 921 MHz, and all work takes as much
# longer. By how many per cent does the *mean* time of an answer rise against a run that stays cool?

# %% tags=["exercise"]
mean_rises_by = None

# %% tags=["solution"]
mean_rises_by = 15.0

# %%
import json

from emo_utils.course.exercises import compare_prediction


def made_up_times(hot_after):
    """Return text in the form of `trtexec --exportTimes`: 0.5 s of warm-up, then 10 s, slower once hot (seconds)."""
    rng, start, entries = np.random.default_rng(3), 0.0, []
    while start < 10_500:
        slower = 1.6 if start < 500 else 921 / 640 if start > 500 + 1000 * hot_after else 1.0
        latency = slower * (1.9 + rng.gamma(2, 0.05))
        entries.append({"startComputeMs": start, "latencyMs": latency})  # the true file has more keys
        start += latency
    return json.dumps(entries)


times = made_up_times(hot_after=8.5)
timed, warm_up = parse_times(times, 500)
cool, _ = parse_times(made_up_times(hot_after=10), 500)
compare_prediction("rise of the mean in %", mean_rises_by, 100 * (np.mean(timed) / np.mean(cool) - 1), tolerance=1)
entries = json.loads(times)
print("made up:", len(entries), "entries; the first is", entries[0])

# %% [markdown]
# The slow answers are slower by almost a half, but there are few of them, and fewer still because they are slow.
#
# **Exercise 2.** Make `percentiles`, the three times in ms that 50, 90 and 99 % of the timed answers stay below, from
# the list `entries` of the file, whose first is printed above. Answers that begin in the first 500 ms are warm-up and
# do not count.

# %% tags=["exercise"]
percentiles = None

# %% tags=["solution"]
latencies = [entry["latencyMs"] for entry in entries if entry["startComputeMs"] >= 500]
percentiles = np.percentile(latencies, [50, 90, 99])

# %%
# NBVAL_CHECK_OUTPUT
from jetson_report import energy_figures, latency_figures, make_result, write_bench

figures = latency_figures(timed, warm_up)
expected = np.array([figures[name] for name in ("p50_ms", "p90_ms", "p99_ms")])
check("percentiles", percentiles, expected, tolerance=1e-3, hint="Warm-up left out? np.percentile takes a list.")

# %%
from emo_utils.plots import plot_times

began = np.cumsum(timed) / 1000
marks = {name: figures[f"{name}_ms"] for name in ("p50", "mean", "p90", "p99")}
plot_times(began, np.array(timed), marks, title=f"Times of a made-up run that gets hot, n = {len(timed):,}")
plt.show()
per_second = len(timed) / 10  # answers in ten made-up seconds
print(f"made up: {load_mw:.0f} mW under load, {idle_mw:.0f} mW idle ({rail}); {per_second:.0f} answers a second")

# %% [markdown]
# p50 knows nothing of the heat. The mean, a few per cent higher, is neither the cool time nor the hot one. p90, the
# figure of MLPerf's single-stream rules, and p99 show that something is slow. But no single number says *when*: only
# raw times in their order show a board that gets slower and will stay so. So the scripts keep them. Before you measure
# a board: fix its power mode (`nvpmodel`) and its clocks (`sudo jetson_clocks`), let it run warm, and measure longer
# than it takes to heat up.
#
# ## Millijoules
#
# A watt is a joule a second. Power over answers a second is energy an answer: mW / (1/s) = mJ. *Gross* counts all
# that the module draws; *net* takes off what it would draw idle.
#
# **Exercise 3.** Make `gross_mj` and `net_mj`, the energy of one answer, of `load_mw`, `idle_mw` and `per_second`,
# printed below the figure.

# %% tags=["exercise"]
gross_mj = None
net_mj = None

# %% tags=["solution"]
gross_mj = load_mw / per_second
net_mj = (load_mw - idle_mw) / per_second

# %%
# NBVAL_CHECK_OUTPUT
energy = energy_figures(load_mw, idle_mw, per_second)
check("gross energy", gross_mj, energy["energy_gross_mj"], tolerance=0.01, hint="All that the module draws.")
check("net energy", net_mj, energy["energy_net_mj"], tolerance=0.01, hint="What would it draw without any answer?")

# %% [markdown]
# Report both, and the rail. A battery pays gross; net compares two networks on one board. Two kinds of devices do not
# compare: a Hailo measures its chip alone, a Jetson's `VDD_IN` the whole module with memory and CPU. Milliwatts of
# two such rails must not stand in one column, however alike they look.
#
# ## The steps on the board
#
# This computer is no Jetson, but the script can say what it would do there. Options of `trtexec` differ between
# versions: without TensorRT the dry run shows those of 8.2; on a board the script takes those of the version that it
# finds. One precision of three:

# %%
import subprocess

dry_run = [sys.executable, "bench_jetson.py", "--dry-run"]
said = subprocess.run(dry_run, cwd=bundle, capture_output=True, text=True, check=True).stdout
steps = said[said.index("\nfloat16: build") : said.index("\nint8: build")].replace(str(bundle.resolve()), "BUNDLE")
print(steps)

# %% [markdown]
# The saved engine is timed in a process of its own, so that the compiler's memory is not counted. `tegrastats` runs
# beside it, and before it beside nothing, to know the idle power. Last the answers are compared with those of the
# Keras model: a fast engine that answers wrongly is no engine.
#
# One ONNX file should serve a Nano of 2019 and an Orin; we could try neither. TensorRT 8.2, the Nano's last, reads
# operator sets up to 13, knows HardSigmoid, which MobileNetV3's activations can be made of, but not HardSwish, and
# computes in NCHW order; later versions read all this as well. A fixed batch of one leaves the compiler nothing
# to guess.
#
# ## int8, where the board has it
#
# Every Jetson computes in float32 and float16. For int8 a GPU needs circuits that the Nano's lacks:

# %%
from jetson_power import has_int8

print("input:", json.loads((bundle / "export_info.json").read_text())["input"], "- batch, channels, rows, columns")
print("operators:", dict(onnx_operators(bundle / "small-cnn.onnx")))
for board in ("NVIDIA Jetson Nano Developer Kit", "NVIDIA Jetson Orin Nano Developer Kit"):
    print(f"{board}: int8 {'yes' if has_int8(board) else 'no'}")

# %% [markdown]
# int8 also needs *scales* (lesson 09): which step does a whole number stand for? TensorRT can be told within the
# file: pairs of QuantizeLinear and DequantizeLinear (*Q/DQ*) stand around each multiplication, with scales found on
# training faces. TensorRT replaces pairs and convolution by one in integers; ONNX Runtime computes what they say, so
# their answers can be checked without a board.
#
# **Predict.** The float32 file is of a certain size. What share of its bytes has the Q/DQ file?

# %% tags=["exercise"]
share_of_bytes = None

# %% tags=["solution"]
share_of_bytes = 0.25

# %%
print({name: n for name, n in onnx_operators(bundle / "small-cnn_int8_qdq.onnx").items() if "Linear" in name})
columns = ["file", "bytes", "n", "agreement", "accuracy_before", "accuracy_after", "max_difference"]
print(f"The bundle carries {verified['n'].iloc[0]} of the {len(data.part('test'))} test faces.")
print(verified[columns].round(4).to_string(index=False))
compare_prediction("share of the bytes", share_of_bytes, verified["bytes"][1] / verified["bytes"][0], tolerance=0.05)

# %% [markdown]
# TensorRT wants float weights with a pair of their own, and rounds them while it builds the engine. So the engine is
# small, and the file that travels is not. `agreement` is the share of these faces with the same answer as the Keras
# model's. It checks the export; what follows chooses, and so uses validation faces. For float16 we round no more than
# the weights.

# %%
from emo_utils.evaluation import predict_probabilities, share_interval

val = data.part("val")
half, _ = load_model("model/embedded-small-cnn.keras")
half.set_weights([weights.astype(np.float16) for weights in half.get_weights()])
answers = {
    "float32": run_onnx(bundle / "small-cnn.onnx", val.images),
    "float16": predict_probabilities(half, val.images),  # an engine rounds activations, too
    "int8": run_onnx(bundle / "small-cnn_int8_qdq.onnx", val.images),
}
accuracy = {}
for precision, probabilities in answers.items():
    right = probabilities.argmax(axis=1) == val.labels
    accuracy[precision], low, high = share_interval(right, groups=val.groups)
    print(f"{precision:8} accuracy {accuracy[precision]:.3f} [{low:.3f}, {high:.3f}], n = {len(val)}")
print(f'always "happy" {(val.labels == val.class_names.index("happy")).mean():.3f}')

# %% [markdown]
# ## An operating point
#
# `sudo nvpmodel -m ID` sets a *power mode*: how fast CPU and GPU may run. Ids differ between boards and even system
# images; so the scripts record the *name* that `nvpmodel -q` prints in its line `NV Power Mode: 15W`.
#
# Mode and precision together make an *operating point*. The task: a camera of 30 frames a second, a dozen faces in
# each, every frame answered before the next one comes. For want of a board we take a toy, another than the log's
# and one with int8: its formulas stand in the cell, its constants are made up. Time is work over clock, plus a start
# for each face, and p99 a fixed factor above p50; power under load grows with the cube of the clock, since a higher
# clock wants a higher voltage.

# %%
import pandas as pd

from emo_utils.bench import count_macs

FACES, FRAMES_PER_SECOND, IDLE_MW = 12, 30, 2500
clocks_ghz = {"slow": 0.40, "middle": 0.60, "fast": 0.92}
macs_per_cycle = {"float32": 5, "float16": 9, "int8": 14}  # what a toy GPU gets done, start and memory included
points = []
for mode, clock in clocks_ghz.items():
    for precision, speed in macs_per_cycle.items():
        p50 = FACES * (0.3 + count_macs(model) / (speed * clock * 1e6))  # ms
        mean = IDLE_MW + 9000 * clock**3 * min(1, p50 * FRAMES_PER_SECOND / 1000)  # idle once a frame is done
        points.append((mode, precision, p50, 1.25 * p50, mean, mean / FRAMES_PER_SECOND, accuracy[precision]))
points = pd.DataFrame(points, columns=["mode", "precision", "p50_ms", "p99_ms", "mean_mw", "mj_a_frame", "accuracy"])
print(points.round(3).to_string(index=False))

# %% [markdown]
# **Exercise 4.** The supply gives 6 W on average, and p99 must stay within a frame. Make `chosen`, a pair
# `(mode, precision)`: of the points that keep both, the most accurate; of equally accurate ones, the one that
# takes the least energy.

# %% tags=["exercise"]
chosen = None

# %% tags=["solution"]
allowed = points[(points["p99_ms"] <= 1000 / FRAMES_PER_SECOND) & (points["mean_mw"] <= 6000)]
best = allowed.sort_values(["accuracy", "mj_a_frame"], ascending=[False, True]).iloc[0]
chosen = (best["mode"], best["precision"])

# %%
# NBVAL_CHECK_OUTPUT
fit = [p for p in points.itertuples() if p.p99_ms * FRAMES_PER_SECOND <= 1000 and p.mean_mw <= 6000]
winner = max(fit, key=lambda p: (p.accuracy, -p.mj_a_frame))
hint = "First both limits, then accuracy, then energy. Is it p99 that you hold against the frame?"
check("operating point", chosen, (winner.mode, winner.precision), hint=hint)

# %%
from emo_utils.plots import plot_power_budget

title = f"A toy board, computed, not measured: {FACES} faces in each of {FRAMES_PER_SECOND} frames a second"
plot_power_budget(points, 1000 / FRAMES_PER_SECOND, 6000, title=title)
plt.show()

# %% [markdown]
# Which points would p50 have let in? And is it better to run fast and then rest? Follow a line: here the faster mode
# costs more, since power grows faster than time shrinks, and the idle power is paid anyway. On a board this may turn
# out otherwise; that is why it is measured. Before you give up accuracy for energy, or the other way round, look at
# the intervals above: do these faces tell the precisions apart?
#
# For scale, figures that others have published; none is of our network, and none was checked here:
#
# | network | device, precision | ms | source |
# |---|---|---|---|
# | ResNet18, 256x256 | Nano, float32 / float16 | 26 / 18 | kentaroy47's Nano benchmark on GitHub |
# | ResNet50, 256x256 | Nano, float32 / float16 | 79 / 42 | the same |
# | YOLOX-S (leaky) | Nano, float16 | 93.7 | Idein aicast |
# | YOLOX-S (leaky) | Orin Nano, float16 / int8 | 10.7 / 8.6 | the same |
#
# Half the bits are nowhere half the time. Of a MobileNetV3Small at 128 pixels we found no published figure on these
# boards: yours would be the first.
#
# ## A camera does not wait
#
# A camera sends frames whether or not you are ready. Let an answer take 50 ms and frames come every 33 ms. Frames
# that wait stand in a queue, as some camera libraries have it; or only the newest is kept, and the others are
# dropped.
#
# **Predict.** With a queue: after one minute, how many seconds old is the frame whose answer has just come out?

# %% tags=["exercise"]
seconds_old = None

# %% tags=["solution"]
seconds_old = 0.1


# %%
from emo_utils.plots import plot_lines


def simulate(answer_ms, rate, minutes, newest_only):
    """Return when each answer comes out and how old its frame then is, both in seconds; `rate` in frames a second."""
    arrivals, free_at, frame, answered = np.arange(0, 60 * minutes, 1 / rate), 0.0, 0, []
    while frame < len(arrivals) and free_at < 60 * minutes:
        if newest_only:
            frame = max(frame, np.searchsorted(arrivals, free_at, side="right") - 1)
        free_at = max(free_at, arrivals[frame]) + answer_ms / 1000
        answered.append((free_at, free_at - arrivals[frame]))
        frame += 1
    return np.array(answered).T


queue, newest = simulate(50, 30, 1, newest_only=False), simulate(50, 30, 1, newest_only=True)
compare_prediction("age in seconds", seconds_old, queue[1][-1], tolerance=1)
moments = np.linspace(0.1, 60, 600)
ages = {"queue": np.interp(moments, *queue), "newest frame only": np.interp(moments, *newest)}
title = "Simulated: 30 frames a second, 50 ms an answer"
plot_lines(moments, ages, xlabel="seconds", ylabel="age of the answered frame (s)", title=title)
plt.show()

# %% [markdown]
# A queue that fills faster than it empties grows without end, and memory with it; a person would see their smile long
# after it has gone. Both ways answer equally often: a queue buys nothing. So the pipeline for a camera on the ribbon
# cable (CSI) of a Jetson ends in an `appsink` that drops:

# %%
from camera_jetson import csi_pipeline

print(csi_pipeline().replace(" ! ", " !\n    "))

# %% [markdown]
# From top to bottom: the sensor; 640x480 pixels at 15 frames a second, in the GPU's memory (NVMM); turned if need be;
# copied out; brought to the order of colours that OpenCV wants; dropped unless it is the newest.
#
# ### Skip on purpose
#
# Better than dropping by chance is work that fits. `camera_jetson.py --detect K --skip N` looks for faces on every
# K-th frame and answers on every N-th; in between, boxes and answers of before stay on the screen.
#
# **Exercise 5.** Say finding faces takes 70 ms and answering 25 ms. At 15 frames a second and the defaults, K = 2 and
# N = 2, both fall on the same frames. What share of the time is the computer busy? And how long does the longest
# frame take, in ms?

# %% tags=["exercise"]
busy_share = None
longest_ms = None

# %% tags=["solution"]
busy_share = (70 / 2 + 25 / 2) / (1000 / 15)
longest_ms = 70 + 25

# %%
# NBVAL_CHECK_OUTPUT
spent = np.array([70 * (frame % 2 == 0) + 25 * (frame % 2 == 0) for frame in range(150)])
check("busy share", busy_share, spent.sum() / 10_000, tolerance=0.005, hint="Work in 150 frames over ten seconds.")
check("longest frame", longest_ms, spent.max(), hint="Both fall on one frame.")

# %% [markdown]
# On average there is time to spare, and yet the longest frame takes longer than a frame lasts, so the one after it is
# shown late; did it take longer than two, one would be dropped. A mean hides what p99 shows, here too.
#
# ### The camera script, live
#
# Four seconds of a drawn person, written as a video, and the script of the bundle on it, as on the board but without
# a window. The confidence that it prints is calibrated (lesson 08): temperature and classes travel in the bundle.
#
# **Predict.** Fifteen frames a second, of which every second one may be answered (`--skip 2`), but at most five a
# second (`--fps 5`). How many of 60 frames are answered?

# %% tags=["exercise"]
frames_answered = None

# %% tags=["solution"]
frames_answered = 20

# %%
import cv2

from emo_utils.faces import render_face
from emo_utils.plots import plot_faces

film, frames = cv2.VideoWriter(str(work / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 15, (320, 240)), []
for i in range(60):
    intensity = np.sin(np.pi * (i % 20) / 20)  # each emotion comes and goes
    emotion = ("happy", "surprise", "angry")[i // 20]
    frames.append(render_face(emotion, person=3, seed=i // 20, intensity=intensity, nuisance=0.2, size=240))
    film.write(cv2.cvtColor(np.pad(frames[-1], ((0, 0), (40, 40)), mode="edge"), cv2.COLOR_GRAY2BGR))
film.release()
watch = [sys.executable, "camera_jetson.py", str(work / "film.avi"), "--no-window", "--skip", "2", "--fps", "5"]
said = subprocess.run(watch, cwd=bundle, capture_output=True, text=True, check=True).stdout
print(said)
spoken = {int(line.split(":")[0][6:]): line.split(": ")[1] for line in said.splitlines() if line.startswith("frame ")}
compare_prediction("frames answered", frames_answered, len(spoken))
latest = [max(frame for frame in spoken if frame <= i) for i in range(0, 60, 6)]
titles = [f"frame {6 * i}\nof frame {j}:\n{spoken[j].split(' at')[0]}" for i, j in enumerate(latest)]
plot_faces(np.array(frames[::6]), titles, columns=5, side=1.9, title="Some answers are older than the frame")
plt.show()

# %% [markdown]
# Five a second would be every third frame, which `--skip 2` passes over; the next that it lets through is the fourth.
# The figure is what a viewer sees: some frames, each with the answer that then stands on the screen.
#
# Look at frame 0, in which no emotion has begun yet. Where no face detector is at hand, the answer is wrong, and far
# from unsure. Calibrated does not mean right: of a hundred answers given at 70 %, about seventy are right, on faces
# like those of the calibration, and this is one of the others.
#
# Where OpenCV has a face detector, boxes and answers differ, and some lines may say "no face": the detector has
# learnt from photographs, and a drawn mouth that is wide open can be too much for it. It stands before the network,
# and what it misses or cuts badly no network can mend. Measure the two together.
#
# ## Home again
#
# `bench_jetson.py` writes `bench.json`, in the same form as `python -m emo_utils bench` and the Hailo script. Here is
# such a file with the made-up figures of this lesson, and what `python -m emo_utils bench import bench.json` does
# with it; into a table of its own, for made-up rows have no place in yours.

# %%
import os
from unittest.mock import patch

from emo_utils.bench import log_bench_file
from emo_utils.table import read_bench

result = make_result({"model": "small-cnn", "runtime": "tensorrt", "precision": "float16", **figures, **energy})
result |= {"per_second_b1": per_second, "power_rail": rail}
write_bench(str(work / "bench.json"), (8, 2, 1), [result])  # a made-up version of TensorRT
with patch.dict(os.environ, EMO_OUT=str(work)):
    print("rows added:", log_bench_file(work / "bench.json"), "and, once more:", log_bench_file(work / "bench.json"))
    row = read_bench()[-1]
wanted = ("device", "power_mode", "precision", "n", "p50_ms", "p90_ms", "p99_ms", "power_rail", "energy_gross_mj")
print({key: round(row[key], 2) if isinstance(row[key], float) else row[key] for key in wanted if key in row})

# %% [markdown]
# What was measured, on what, in which power mode and over which rail stand in the row; a figure without them could be
# anybody's. The script does not claim a board where there is none. Of the raw times the table keeps no more than
# their figures: keep the file.
#
# ## What you did
#
# In this lesson you
#
# - packed a bundle for a Jetson, and saw each step that the board would take,
# - read power from a log, and said what one answer costs in millijoules, gross and net,
# - found in raw times what a mean hides: heat,
# - checked the answers of a network with int8 ranges, and saw that its file is no smaller,
# - chose an operating point within a deadline and a budget,
# - watched a camera without falling behind.
#
# With a board: copy the bundle, read its README, `python3 bench_jetson.py --dry-run`, then without; bring
# `bench.json` home.
