"""Every chore of the course behind one word, on Linux, macOS and Windows; the Makefile only calls this file.

    python scripts/make.py course     run every lesson; build/index.html shows them, build/experiments.xlsx the runs
    python scripts/make.py demo       serve the live demo to a browser on this machine, until Ctrl-C
    python scripts/make.py test       lint, unit tests and every notebook (some twenty minutes on two cores)
    python scripts/make.py colab      run every notebook with the versions that Google Colab publishes
    python scripts/make.py jax        train on JAX in an environment without TensorFlow
    python scripts/make.py lint       ruff, without changing a file
    python scripts/make.py format     ruff, mending what it can
    python scripts/make.py bench      run the scripts in benchmarks/
    python scripts/make.py dist       build/emo-course.zip, for upload to Colab
    python scripts/make.py env        only make the environment, .venv
    python scripts/make.py clean      remove build/ and caches; data/ and .venv stay

The first call makes .venv and needs the network for it; later calls need none.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from environment import ROOT, Stop, colab_env, course_env, jax_env, run, say, timed

BUILD = ROOT / "build"
# Tests and lessons run two at a time; each TensorFlow would start a thread a core, and they would wait for each other.
HALF_THE_CORES = {"TF_NUM_INTRAOP_THREADS": str(max(1, (os.cpu_count() or 2) // 2))}


def notebook_tests(python: Path) -> int:
    if not list((ROOT / "notebooks").glob("*.ipynb")):
        say("notebooks: none yet")
        return 0
    nbval = ("--nbval-lax", "--nbval-current-env", "-n", "2", "--dist", "loadfile", "-q")
    return timed("notebooks", python, "-m", "pytest", *nbval, "notebooks", **HALF_THE_CORES)


def lint() -> int:
    python = course_env()
    code = timed("ruff check", python, "-m", "ruff", "check", "--quiet", "--output-format", "concise", ".")
    return timed("ruff format --check", python, "-m", "ruff", "format", "--check", "--quiet", ".") or code


def mend() -> int:
    python = course_env()
    code = timed("ruff check --fix", python, "-m", "ruff", "check", "--quiet", "--fix", ".")
    return timed("ruff format", python, "-m", "ruff", "format", "--quiet", ".") or code


def test() -> int:
    python = course_env()
    codes = [lint()]
    unit_tests = ("-m", "pytest", "-n", "2", "--dist", "loadfile", "-q")
    codes.append(timed("unit tests", python, *unit_tests, **HALF_THE_CORES))
    codes.append(notebook_tests(python))
    return next((code for code in codes if code), 0)


def course() -> int:
    return run(course_env(), "-m", "emo_utils.course", "run", **HALF_THE_CORES)


def demo() -> int:
    """Serve the demo; Voila prints the address. Only this machine can reach it."""
    python = course_env()
    say("open the address below in a browser; Ctrl-C ends the demo")
    return run(python, "-m", "emo_utils.demo")


def colab() -> int:
    return notebook_tests(colab_env())


def jax() -> int:
    """Run one experiment from data to table, and a test each of what needs gradients or rebuilds models, without
    TensorFlow."""
    files = ("training", "explain", "distillation", "prune_forms", "quantise")
    names = "one_call or computation_by_hand or weighs_labels or weakest_filters or training_at_4_bits"
    some = ("-m", "pytest", "-q", *(f"tests/test_{name}.py" for name in files), "-k", names)
    return timed("training on JAX", jax_env(), *some, KERAS_BACKEND="jax")


def bench() -> int:
    python = course_env()
    codes = [timed(path.name, python, path) for path in sorted((ROOT / "benchmarks").glob("*.py"))]
    return next((code for code in codes if code), 0)


def dist() -> int:
    BUILD.mkdir(exist_ok=True)
    target = BUILD / "emo-course.zip"
    if run("git", "archive", "--format=zip", "-o", target, "HEAD") != 0:
        raise Stop("The archive is made by git from the last commit; neither may be missing.")
    if run("git", "diff", "--quiet", "HEAD") != 0:
        say("changes that are not committed are not in the archive")
    say(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


def env() -> int:
    course_env()
    return 0


def clean() -> int:
    for name in ("build", "dist", ".pytest_cache", ".ruff_cache", ".emo_cache"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in ("emo_utils", "scripts", "tests", "notebooks", "benchmarks"):
        for cache in (ROOT / folder).rglob("__pycache__"):
            shutil.rmtree(cache, ignore_errors=True)
    return 0


CHORES = {
    "course": course,
    "demo": demo,
    "test": test,
    "colab": colab,
    "jax": jax,
    "lint": lint,
    "format": mend,
    "bench": bench,
    "dist": dist,
    "env": env,
    "clean": clean,
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in CHORES:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        return CHORES[arguments[0]]()
    except Stop as reason:
        say(str(reason))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
