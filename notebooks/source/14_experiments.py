# %% [markdown]
# # Everything you tried, and what to take
#
# Teaching: 50 min, exercises: 35 min
#
# After a few weeks a table holds dozens of runs. What does a row promise, which rows may be compared, and which one do
# you take? *What the first place is worth* begins a second sitting.
#
# In this lesson you will
#
# - follow a run into the table, also one that is killed,
# - filter, sort and group runs, and keep apart figures that answer different questions,
# - tell a recipe from its name, and a seed from a setting,
# - compare neighbours of a ranking on the same faces, and say how much luck the first place holds,
# - find the best run for a budget without looking at the test part,
# - write notes in the workbook and keep them, and hand the table on as CSV and LaTeX.

# %% tags=["setup"]

# %% [markdown]
# ## A run becomes a row
#
# A small network, a few faces, two epochs: it will not learn much, but it is a run. Here it writes into a table of its
# own, in a temporary folder (`EMO_OUT` says where), so that you may break things.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from emo_utils.datasets import load_dataset
from emo_utils.plots import plot_faces
from emo_utils.recipes import QUICK_FACES, get_recipe, quick
from emo_utils.table import read_runs, show
from emo_utils.training import run_experiment

WORK = Path(tempfile.mkdtemp())
os.environ["EMO_OUT"] = str(WORK)
data = load_dataset("embedded")
recipe = quick(get_recipe("embedded-small-cnn"), epochs=2).but(name="my-first-try")
mine = run_experiment(recipe, data, limit=QUICK_FACES, progress=False)
titles = [data.class_names[label] for label in data.labels[:16]]
plot_faces(data.images[:16], titles, columns=8, side=1.3, title="What my first try learns from")
plt.show()
print(show(read_runs()))

# %% [markdown]
# Nobody had to remember to write this down. The truth is a text file, `experiments.jsonl`. Lines are only ever *added*
# to it, never changed, and each run adds two:

# %%
# NBVAL_CHECK_OUTPUT
import json

LOG = WORK / "experiments.jsonl"
for line in map(json.loads, LOG.read_text(encoding="utf-8").splitlines()[:2]):
    some = ("started", "git_commit", "hardware", "recipe_json", "fingerprint", "test_accuracy", "curves", "seconds")
    print(f"status {line['status']!r}, {', '.join(key for key in some if key in line)}, ...")

# %% [markdown]
# The first line is written *before* training, with all that is known by then: version of the code, machine, settings,
# data. The second one brings the results. `read_runs` merges them into one row.
#
# Why two? Because of the runs that do not come back. We start one and kill it; then we cut off the end of the file, as
# a full disk or a power failure might.

# %%
import subprocess
import sys
import warnings

from emo_utils.paths import course_root

dies = "import os; from emo_utils.table import start_run; start_run({'recipe': 'my-second-try'}); os._exit(9)"
subprocess.run([sys.executable, "-c", dies], cwd=course_root(), check=False)
print(read_runs()[["recipe", "status", "seconds", "test_accuracy"]].to_string(index=False), end="\n\n")

torn = WORK / "torn.jsonl"
torn.write_bytes(LOG.read_bytes()[:-100])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(read_runs(torn)[["recipe", "status"]].to_string(index=False))
print(f"Warning: {caught[0].message}".replace(f"{WORK}/", ""))

# %% [markdown]
# A killed run leaves a row without results, and that is worth having: a table that knows only successes makes the next
# person repeat the failures. A torn line costs that line; everything before it stands. Had it been one big file that is
# written anew each time, everything could be gone.
#
# ## The recorded runs
#
# Now the table that comes with the course, with all runs on real photographs. It is only read here.

# %%
RECORDED = course_root() / "experiments.jsonl"
table = read_runs(RECORDED)
table["n_classes"] = table["classes"].str.len()
print(f"{len(table)} runs, {table.shape[1]} columns. Runs by what they were asked:")
asked = ["data", "n_classes", "label_source", "test_fingerprint", "profile"]
counts = table.assign(test_fingerprint=table["test_fingerprint"].str[:8]).groupby(asked, dropna=False).size()
print(counts.rename("runs").reset_index().to_string(index=False))

# %% [markdown]
# `test_fingerprint` is a hash over the test faces with their labels and classes. Where it differs, the question
# differs, and the figures must not stand in one ranking. `profile` says how a row came about: *full* and *quick* were
# trained, *evaluate* is a file that was only looked at, such as the compressed ones of lesson 09.
#
# **Exercise 1.** Make `seven` from `table`: the rows whose `status` is "ok", whose `data` is "fer2013", whose
# `label_source` is "original" and whose `n_classes` is 7; the highest `val_accuracy` first.

# %% tags=["exercise"]
seven = None

# %% tags=["solution"]
finished = table[(table["status"] == "ok") & (table["data"] == "fer2013") & (table["label_source"] == "original")]
seven = finished[finished["n_classes"] == 7].sort_values("val_accuracy", ascending=False)

# %%
# NBVAL_CHECK_OUTPUT
from emo_utils.course.exercises import check
from emo_utils.table import read_log

wanted = {
    row["run_id"]
    for row in read_log(RECORDED)
    if [row.get(key) for key in ("status", "data", "label_source")] == ["ok", "fer2013", "original"]
    and len(row["classes"]) == 7
}
hint = "Four conditions in brackets, joined by &; then sort_values."
check("which rows", seven, lambda rows: set(rows["run_id"]) == wanted, hint=hint)
check("their order", seven, lambda rows: rows["val_accuracy"].dropna().is_monotonic_decreasing, hint=hint)

# %%
done = table[(table["status"] == "ok") & (table["data"] == "fer2013") & (table["label_source"] == "original")]
by_classes = dict(list(done[done["val_accuracy"].notna()].groupby("n_classes")))
candidates = by_classes[7].sort_values("val_accuracy", ascending=False)
print(show(candidates.head(8)))
for n, rows in by_classes.items():
    happy = rows["per_class"].iloc[0]["happy"]["support"] / rows["n"].iloc[0]
    print(f'{n:.0f} classes: {len(rows)} candidates; always "happy" has a test accuracy of {happy:.3f}')

# %% [markdown]
# Rows without a validation figure are left out, such as the networks of others that lessons 07 and 10 show: one cannot
# choose by what nobody measured.
#
# ### A name is not a recipe
#
# Some names stand in the table more than once. Are these repetitions? `recipe_hash` is a hash of *all* settings, the
# seed among them; `recipe_json` holds them, as text. `family` stands for the settings without the seed.

# %%
from itertools import pairwise

from emo_utils.table.seeds import family

trained = candidates[candidates["profile"] == "full"]
trained = trained.assign(family=trained.apply(family, axis=1))
for name, rows in trained.sort_values("started").groupby("recipe"):
    if len(rows) > 1:
        counts = f"runs {len(rows)}, hashes {rows['recipe_hash'].nunique()}, families {rows['family'].nunique()}"
        versions = [json.loads(text) for text in rows["recipe_json"]]
        changed = {key for old, new in pairwise(versions) for key in old if old[key] != new.get(key)}
        print(f"{name:40} {counts}; they differ in {', '.join(sorted(changed))}")

# %% [markdown]
# Runs of one family differ in their seed and in nothing else; their test faces are the same as well. Where a name has
# two families, somebody changed a setting and kept the name. Averages are taken within a family, never within a name;
# `over_seeds` does so:

# %%
from emo_utils.plots import plot_seeds
from emo_utils.table import over_seeds

spread = over_seeds(trained, ["val_accuracy", "test_accuracy"])
columns = ["recipe", "seeds", "test_accuracy", "test_accuracy_sd", "test_accuracy_low", "test_accuracy_high"]
print(spread.loc[spread["seeds"] > 1, columns].round(4).to_string(index=False))
several = trained[trained.groupby("family")["seed"].transform("nunique") > 1].groupby("family", sort=False)
shown = {rows["recipe"].iloc[0]: rows.sort_values("seed").to_dict("records") for _, rows in several}
title = f"Same settings, several seeds: seven classes of FER2013, n = {candidates['n'].max():,.0f} test faces"
plot_seeds(shown, ["val_accuracy", "test_accuracy"], title=title)
plt.show()

# %% [markdown]
# A point is a seed, the thin line the interval over its faces, the bar the mean. `_low` and `_high` in the print are
# another interval, that of the mean over endlessly many seeds; with three it is wide. Where points of two lines are
# mixed up, their order in a ranking is a matter of seeds. (Here a seed also draws which faces are kept for validation.
# So the left panel compares figures from different faces, the right one from the same.)
#
# ## Neighbours in a ranking
#
# We sort by validation accuracy and take the best run of each recipe name. From each place to the next there is a step
# down.
#
# **Predict.** Look at the first four steps, between the first five places. For how many of them will McNemar's test on
# the test faces (lesson 06) give a *p* below 0.05?

# %% tags=["exercise"]
predicted_steps = None

# %% tags=["solution"]
predicted_steps = 2

# %%
from emo_utils.course.exercises import compare_prediction
from emo_utils.table import compare

ranking = trained.drop_duplicates("recipe").head(5)
print(ranking[["recipe", "seed", "val_accuracy", "parameters"]].round(4).to_string(index=False), end="\n\n")
steps = [compare(a, b, RECORDED) for a, b in pairwise(ranking["run_id"])]
for place, step in enumerate(steps, start=1):
    print(f"a place {place}, b place {place + 1}; {str(step).splitlines()[2].partition(' (')[0]}")
small_p = sum(step.p_value is not None and step.p_value < 0.05 for step in steps)
compare_prediction("steps with p below 0.05", predicted_steps, small_p)

# %% [markdown]
# `compare` needs the predictions of both runs, face by face, which the table names with their hash; where they are gone
# it says so and gives a wider interval. Is there a step *up*, or an interval around zero? The order came from
# validation faces, the test from others. Four tests are more than one: to be strict, ask for 0.05 / 4 (Bonferroni,
# lesson 07). And each test compares two networks, not two recipes.
#
# ## Five is not seven
#
# A report says: five emotions, and a far better accuracy. `compare` computes what you ask for, and says what is wrong
# with the question:

# %%
best = {n: rows.loc[rows["val_accuracy"].idxmax()] for n, rows in by_classes.items()}
print(compare(best[7]["run_id"], best[5]["run_id"], RECORDED))

with np.load(RECORDED.parent / best[7]["predictions_path"]) as saved:
    labels, probabilities = saved["labels"], saved["probabilities"]
of_five = [best[7]["classes"].index(name) for name in best[5]["classes"]]

# %% [markdown]
# It took the faces that both had seen. But on those, the seven-class run could still say "fear" or "sad", which is
# always wrong there. A fair question is: on the faces of the five emotions, *with only these five to choose from*, who
# is better?
#
# **Exercise 2.** `probabilities`, of shape `(n, 7)`, are what the seven-class run said, `labels` the true classes;
# `of_five` lists the labels of the five. Set `accuracy_on_five`: among the faces whose label is one of the five, the
# share for which the highest of *those five* probabilities is that of the label.

# %% tags=["exercise"]
accuracy_on_five = None

# %% tags=["solution"]
kept = np.isin(labels, of_five)
said = np.array(of_five)[probabilities[kept][:, of_five].argmax(axis=1)]
accuracy_on_five = (said == labels[kept]).mean()

# %%
# NBVAL_CHECK_OUTPUT
others = [label for label in range(7) if label not in of_five]
without_others = probabilities.copy()
without_others[:, others] = -1
is_five = ~np.isin(labels, others)
expected = (without_others.argmax(axis=1) == labels)[is_five].mean()
hint = "First the faces (rows), then the five columns; argmax then counts from 0 within the five."
check("accuracy on five", accuracy_on_five, expected, hint=hint)

# %%
print(f"seven classes, all faces                   {best[7]['test_accuracy']:.3f}, n = {len(labels):,}")
if accuracy_on_five is not None:
    print(f"the same network, asked about five only    {expected:.3f}, n = {is_five.sum():,}")
print(f"five classes, trained for it               {best[5]['test_accuracy']:.3f}, n = {best[5]['n']:,.0f}")

# %% [markdown]
# How much of the gap is left, and how much of it was only the easier question? Is the specialist ahead at all? So the
# table has a column for the classes, and each set of them gets a ranking of its own.
#
# ## What the first place is worth
#
# Every look at the test part makes it a little less fresh. The column `test_looks` counts: how often had this *recipe
# name*, at the time of this run, been evaluated on these test faces?

# %%
print(table.groupby("recipe")["test_looks"].max().sort_values(ascending=False).head(5).to_string())
k, n_val = len(candidates), int(candidates["n_val"].median())
print(f"\n{k} candidates with seven classes, {n_val:,} validation faces")

# %% [markdown]
# **Exercise 3.** The faces do not care who looks at them. Set `looks` to the number of rows of `table`, of any recipe,
# that have a `test_accuracy` on the test part of the best seven-class run, `best[7]`: the rows with the same
# `test_fingerprint`.

# %% tags=["exercise"]
looks = None

# %% tags=["solution"]
same_part = table["test_fingerprint"] == best[7]["test_fingerprint"]
looks = (same_part & table["test_accuracy"].notna()).sum()

# %%
# NBVAL_CHECK_OUTPUT
lines = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
on_these = {line["run_id"] for line in lines if line.get("test_fingerprint") == best[7]["test_fingerprint"]}
measured = {line["run_id"] for line in lines if line.get("test_accuracy") is not None}
check("looks", looks, len(on_these & measured), hint="Two conditions; notna() for the second; sum() counts.")

# %% [markdown]
# Five-class runs looked at part of these very faces, too, under another fingerprint. As long as nobody *chooses* by
# such looks, they harm little. Therefore one chooses on validation faces, and those are looked at in every epoch. So
# what is the best validation figure worth?
#
# Suppose that *all* candidates are equally good: right on half of the faces for sure, wrong on a fifth for sure, a coin
# toss for each of the rest, so 65 % (the world of lesson 06). The numbers of candidates and of validation faces are
# those printed above.
#
# **Predict.** By how many points will the best of them, on average, look better than the 65 % that all are worth?

# %% tags=["exercise"]
predicted_points = None

# %% tags=["solution"]
predicted_points = 0.5

# %%
from emo_utils.plots import plot_lines

rng = np.random.default_rng(0)
tried = np.arange(1, max(k, 100) + 1)
surplus = {}
for n in (315, n_val):
    unsure = round(0.3 * n)
    points = 100 * (rng.binomial(unsure, 0.5, size=(4000, len(tried))) - unsure / 2) / n
    surplus[f"{n:,} validation faces"] = np.maximum.accumulate(points, axis=1).mean(axis=0)
plot_lines(
    tried, surplus, xlabel="equally good candidates", ylabel="points", title="By how much the best looks too good"
)
plt.show()
compare_prediction("points", predicted_points, surplus[f"{n_val:,} validation faces"][k - 1], tolerance=0.3)

# %% [markdown]
# The first few candidates cost most. This is the *winner's curse* of lesson 06. Few validation faces make it larger;
# real candidates, which differ, make it smaller. Our own: a point is a run, its arms are intervals.

# %%
from emo_utils.plots import plot_choices

columns = {"the eight best on validation": "val_accuracy", "the eight best on test": "test_accuracy"}
chosen = {how: candidates.nlargest(8, column)["run_id"] for how, column in columns.items()}
plot_choices(candidates, chosen, title=f"{len(candidates)} runs, seven classes of FER2013")
plt.show()
gap = (100 * (candidates["val_accuracy"] - candidates["test_accuracy"])).set_axis(candidates["run_id"])
print(f"{'validation less test, all candidates':36} {gap.mean():+.1f} points on average")
for how, run_ids in chosen.items():
    print(f"{how:36} {gap[run_ids].mean():+.1f} points on average")

# %% [markdown]
# Runs picked by their validation figure owe it some luck, and those picked by their test figure owe *that* some.
# Compare with the average of all, since the two parts need not be equally hard. A run that is far ahead is taken either
# way, and luck had little to do with it. In a crowd it has much. To be free of it, choose on validation, and then look
# at the test figure of the one that you took.
#
# ## The best for a budget
#
# A row also knows what its model costs, if somebody measured it. All candidates, five classes beside seven; the steps
# are the Pareto front (lesson 09) of each.

# %%
from emo_utils.bench import pareto_front
from emo_utils.plots import plot_cost

groups = {f"{n:.0f} classes": rows for n, rows in sorted(by_classes.items(), reverse=True)}
figure, axes = plt.subplots(2, 2, figsize=(11, 7), sharey=True, layout="constrained")
for ax, cost in zip(axes.flat, ("parameters", "macs", "size_bytes", "latency_p50_ms"), strict=True):
    fronts = {name: pareto_front(rows, cost, "val_accuracy") for name, rows in groups.items()}
    plot_cost(groups, fronts, cost, ax=ax)
figure.supylabel("validation accuracy")
figure.suptitle("What validation accuracy costs, recorded on FER2013; towards the upper left is better")
plt.show()
bytes_a_weight = pd.cut(candidates["size_bytes"] / candidates["parameters"], [0, 1.5, 3, 6, np.inf])
print(pd.crosstab(bytes_a_weight.rename("bytes a weight"), candidates["profile"]).to_string())

# %% [markdown]
# The numbers in the legends say how many rows have that figure at all: not every run was timed, and what nobody
# measured is on no front. The print shows a second trap. A weight in float32 takes four bytes. Keras files that need
# three times as much were saved with the optimiser and its memory, two more numbers for each weight; those with fewer
# than three bytes are rounded (lesson 09). Do not sort a column blindly.
#
# **Exercise 4.** Write `best_under(rows, column, limit)`: the `run_id` of the row with the highest `val_accuracy` among
# those whose `column` is known and at most `limit`, the first one if there are several; `"none"` where no row fits.
# Must you treat NaN specially?


# %% tags=["exercise"]
def best_under(rows, column, limit):
    return None


# %% tags=["solution"]
def best_under(rows, column, limit):
    fits = rows[rows[column] <= limit]  # a comparison with NaN is never true
    return "none" if fits.empty else fits.loc[fits["val_accuracy"].idxmax(), "run_id"]


# %%
# NBVAL_CHECK_OUTPUT
BUDGETS = {"parameters": 150_000, "macs": 2_000_000, "size_bytes": 100_000, "latency_p50_ms": 0.16}
taken, hint = {}, "First filter by the cost, then idxmax of the accuracy."
for column, limit in BUDGETS.items():
    taken[column] = candidates[candidates[column] <= limit].nlargest(1, "val_accuracy").iloc[0]
    answer = best_under(candidates, column, limit)
    check(f"best with {column} <= {limit:,}", answer, taken[column]["run_id"], hint=hint)
check("nothing fits", best_under(candidates, "parameters", 1), "none", hint="What does idxmax say to an empty frame?")

# %% [markdown]
# Now the test figures of the ones that were taken, and of no others. (Above we looked at all of them, to see luck at work.
# In earnest, that look comes first here.)

# %%
from emo_utils.plots import plot_accuracies

taken["any"] = candidates.iloc[0]
shown = {}
for column, row in taken.items():
    what = row["compression"] if row["profile"] == "evaluate" else row["recipe"]
    budget = "no budget" if column == "any" else f"{column} <= {BUDGETS[column]:,}"
    shown[f"{budget}\n{what}"] = row.filter(like="test_accuracy").rename(lambda key: key.removeprefix("test_"))
happy = best[7]["per_class"]["happy"]["support"] / best[7]["n"]
title = f"Taken on validation: test accuracy, seven classes, n = {best[7]['n']:,.0f}"
ax = plt.subplots(figsize=(10, 3.8), layout="constrained")[1]
plot_accuracies(shown, reference=happy, reference_name='always "happy"', ax=ax, title=title)
plt.show()

# %% [markdown]
# Whoever takes the best under *every* limit gets the steps of the figure above: that is what the Pareto front is. And
# milliseconds are those of the machine in the column `hardware`. The sheet `bench` (`read_bench`) has the times of all
# engines and devices that were measured (lessons 10 to 12).
#
# ## Your own words
#
# `experiments.xlsx` is a view of the log, with colours, filters and learning curves; `render` makes it anew each time.
# One column is yours: `note`. We do here what you would do in Excel: write a note, save, and render again.
#
# And if the workbook is still open, or somebody saved rubbish under its name? Excel on Windows lets nobody replace an
# open file; we play Excel by letting `os.replace` refuse.

# %%
from unittest import mock

from openpyxl import load_workbook

from emo_utils.errors import TableError
from emo_utils.table import find_run, render

workbook = render()
book = load_workbook(workbook)
sheet = book["runs"]
header = [cell.value for cell in sheet[1]]
sheet.cell(row=2, column=header.index("note") + 1).value = "Two epochs are too few. Try ten."
book.save(workbook)
render()
print("note in the log:", find_run(mine.run_id)["note"])

with mock.patch("os.replace", side_effect=PermissionError):
    try:
        render()
    except TableError as error:
        print("open:   ", str(error).replace(f"{WORK}/", ""))
workbook.write_bytes(b"holiday pictures")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    render()
print("rubbish:", caught[0].message)
print("the note is still there:", find_run(mine.run_id)["note"])

# %% [markdown]
# Rendering first reads the notes back and adds them to the log, so a note outlives its workbook; whatever else one
# changes in Excel is gone with the next rendering. When it fails nothing is lost: the old file stays as it is, or is
# put aside under a name that says why.
#
# ## Hand it on
#
# For a colleague a CSV file, for a paper a LaTeX table. Both come from the frame, so no figure is typed.

# %%
paper = ranking[["recipe", "parameters", "val_accuracy", "test_accuracy", "test_accuracy_low", "test_accuracy_high"]]
print(paper.to_latex(index=False, escape=True, float_format="%.3f"))

candidates.to_csv(WORK / "candidates.csv", index=False)
read_back = pd.read_csv(WORK / "candidates.csv")
kinds = {column: type(read_back[column].iloc[0]).__name__ for column in ("val_accuracy", "started", "classes")}
print("what comes back from the CSV file:", kinds)

# %% [markdown]
# A CSV file knows numbers and text, no times, no lists. For reading back, keep the log. And mind which column of such a
# table goes into the paper: the test figures of five runs side by side invite readers to choose by them.
#
# Some teams collect runs in MLflow. It is not among the course's packages, and the following has not been run here;
# with `pip install mlflow` it should copy the finished runs:
#
# ```python
# import mlflow
#
# for row in read_runs().query("status == 'ok'").to_dict("records"):
#     with mlflow.start_run(run_name=row["name"]):
#         mlflow.set_tags({"run_id": row["run_id"], "recipe_hash": row["recipe_hash"], "classes": row["classes"]})
#         mlflow.log_metrics({name: row[name] for name in ("val_accuracy", "test_accuracy") if row[name] == row[name]})
# ```
#
# ## What you did
#
# In this lesson you
#
# - followed a run into the table, and one that was killed,
# - filtered, sorted and grouped runs, and asked a seven-class network the five-class question,
# - told a recipe from its name, and a seed from a setting,
# - compared neighbours of a ranking on the same faces, and saw how much luck a first place may hold,
# - found the best run for four budgets on validation figures, and then looked at the test figures of those,
# - wrote a note that outlived its workbook, and made a CSV file and a LaTeX table.
#
# Your own table lies in the course folder. In a terminal, `python -m emo_utils table show` prints it; `table seeds`,
# `table compare A B` and `table render` do what you saw here.
