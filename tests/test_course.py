"""A toy lesson through the whole machinery: build, check, run."""

from __future__ import annotations

from base64 import b64encode

import nbformat
import openpyxl
import pytest
from conftest import REPO
from PIL import Image

from emo_utils.course.build import build_course
from emo_utils.course.execute import prepare_out
from emo_utils.course.outputs import final_state, find_problems, tidy
from emo_utils.course.run import run_course
from emo_utils.course.sources import BLANK, CourseError, check_in_step, find_sources, make_notebook
from emo_utils.table import read_log, render, start_run
from emo_utils.table.schema import NAMES

LESSON = """# %% [markdown]
# # Counting faces
#
# Teaching: 10 min, exercises: 5 min
#
# ![a face](../images/face.png) as in [the next lesson](02_next.ipynb)

# %% tags=["setup"]

# %%
from emo_utils.course.exercises import check

faces = [3, 1, 2]

# %% tags=["exercise"]
total = None

# %% tags=["solution"]
total = sum(faces)

# %%
# NBVAL_CHECK_OUTPUT
check("number of faces", total, sum(faces))

# %% tags=["solution"]
print("no skeleton for this one")
"""
OPENING, SETUP, REST = LESSON.partition('# %% tags=["setup"]\n')


@pytest.fixture
def course(tmp_path):
    """Return a function that makes a course folder of one lesson with the given source."""

    def make(lesson=LESSON, repository=""):
        sources = tmp_path / "course" / "notebooks" / "source"
        sources.mkdir(parents=True, exist_ok=True)
        (sources / "01_toy.py").write_text(lesson, encoding="utf-8")
        (tmp_path / "course" / "images").mkdir(exist_ok=True)
        Image.new("L", (4, 4)).save(tmp_path / "course" / "images" / "face.png")
        setup = (REPO / "notebooks" / "source" / "_setup.py").read_text(encoding="utf-8")
        (sources / "_setup.py").write_text(setup, encoding="utf-8")
        root = tmp_path / "course"
        (root / "pyproject.toml").write_text(f'[tool.emo-course]\nrepository = "{repository}"\n', encoding="utf-8")
        return root

    return make


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"][1:]


def with_cell(code):
    return f"{OPENING}{SETUP}\n# %%\n{code}\n"


def test_each_form_has_its_cells(course):
    [source] = find_sources(root=course())
    exercise, solution = (code_of(make_notebook(source, form)) for form in ("exercise", "solution"))
    assert exercise[1] == "total = None"
    assert exercise[-1] == BLANK
    assert solution[1] == "total = sum(faces)"
    assert solution[-1].startswith("print(")


def test_solutions_reach_pictures_from_one_folder_deeper(course):
    [source] = find_sources(root=course())
    assert "](../images/face.png)" in make_notebook(source, "exercise").cells[0].source
    assert "](../../images/face.png)" in make_notebook(source, "solution").cells[0].source


def test_notebooks_are_the_same_every_time_and_ids_outlive_changes_elsewhere(course):
    [source] = find_sources(root=course())
    before = make_notebook(source, "exercise")
    assert before == make_notebook(source, "exercise")
    course(LESSON.replace("[3, 1, 2]", "[3, 1, 2, 4]"))
    after = make_notebook(source, "exercise")
    assert sum(a.id != b.id for a, b in zip(before.cells, after.cells, strict=True)) == 1


def test_one_setting_makes_badge_and_set_up(course):
    [source] = find_sources(root=course())
    assert "colab.research" not in make_notebook(source, "exercise").cells[0].source
    course(repository="https://github.com/someone/faces")
    notebook = make_notebook(source, "solution")
    assert "/github/someone/faces/blob/main/notebooks/solutions/01_toy.ipynb)" in notebook.cells[0].source
    assert 'REPOSITORY = "https://github.com/someone/faces"' in notebook.cells[1].source


def test_build_and_run_a_lesson(course, tmp_path, capsys):
    root = course()
    assert [line.split(" is ")[0] for line in check_in_step(root)] == [
        "notebooks/01_toy.ipynb",
        "notebooks/solutions/01_toy.ipynb",
    ]
    assert build_course(root=root) == 0
    assert check_in_step(root) == []
    exercise = nbformat.read(root / "notebooks" / "01_toy.ipynb", as_version=4)
    assert exercise.cells[4].outputs[0].text == "○ number of faces: not answered yet\n"
    solution = nbformat.read(root / "notebooks" / "solutions" / "01_toy.ipynb", as_version=4)
    assert solution.cells[4].outputs[0].text == "✓ number of faces: right\n"
    assert "version" not in solution.metadata.language_info

    out = tmp_path / "build"
    assert run_course(out, root=root) == 0
    assert "1 lessons, 0 failed" in capsys.readouterr().out
    assert (out / "experiments.xlsx").exists()
    assert '<a href="01_toy.html">Counting faces</a>' in (out / "index.html").read_text(encoding="utf-8")
    page = (out / "01_toy.html").read_text(encoding="utf-8")
    assert '<script src="http' not in page
    assert b64encode((root / "images" / "face.png").read_bytes()).decode() in page
    assert 'href="02_next.html"' in page
    assert "importlib" not in page


def test_a_notebook_edited_by_hand_is_named_with_the_command_that_mends_it(course):
    root = course()
    build_course(root=root, run=False)
    assert (
        "notebooks/01_toy.ipynb was not executed; mend it with: python -m emo_utils course build 01"
        in check_in_step(root)
    )
    path = root / "notebooks" / "01_toy.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("faces = [3, 1, 2]", "faces = []"), encoding="utf-8")
    (root / "notebooks" / "02_stray.ipynb").write_text("{}", encoding="utf-8")
    problems = check_in_step(root)
    assert problems[0].startswith("notebooks/01_toy.ipynb differs from 01_toy.py; mend")
    assert problems[-1].startswith("notebooks/02_stray.ipynb has no source")


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("1 / 0", "cell 3: ZeroDivisionError: division by zero"),
        ("import sys; print('careful', file=sys.stderr)", "cell 3 writes to stderr: careful"),
        ("from pathlib import Path; print(Path.home() / 'x')", "cell 3 shows a path of this machine"),
        ("object()", "cell 3 shows a memory address"),
        ("print('✗ sum: not yet.')", "solution form, must print '✓' but prints: ✗ sum: not yet."),
    ],
)
def test_build_refuses_what_must_not_be_committed(course, capsys, code, line):
    root = course(with_cell(code))
    assert build_course(root=root) == 1
    assert line in capsys.readouterr().out
    assert not (root / "notebooks" / "01_toy.ipynb").exists() or "✗" in code


def test_a_failing_lesson_is_named_and_the_run_goes_on(course, tmp_path, capsys):
    root = course(with_cell("1 / 0"))
    (root / "notebooks" / "source" / "02_good.py").write_text(LESSON, encoding="utf-8")
    assert run_course(tmp_path / "build", root=root) == 1
    printed = capsys.readouterr().out
    assert "cell 3: ZeroDivisionError: division by zero" in printed
    assert "2 lessons, 1 failed" in printed
    assert "ZeroDivisionError" in (tmp_path / "build" / "index.html").read_text(encoding="utf-8")


def test_a_run_keeps_the_log_and_the_notes_of_the_one_before(tmp_path):
    out = prepare_out(tmp_path / "build")
    run_id = start_run({"recipe": "mine"}, path=out / "experiments.jsonl")
    xlsx = render(out / "experiments.jsonl")
    book = openpyxl.load_workbook(xlsx)
    row = next(row for row in book["runs"].iter_rows() if row[0].value == run_id)
    row[NAMES.index("note")].value = "overfits from epoch 8"
    book.save(xlsx)
    with pytest.warns(UserWarning, match="kept as experiments.kept-"):
        prepare_out(out)
    assert read_log(out / "experiments.previous.jsonl")[-1]["run_id"] == run_id
    assert run_id not in [row["run_id"] for row in read_log(out / "experiments.jsonl")]
    assert len(list(out.glob("experiments.kept-*.xlsx"))) == 1


@pytest.mark.parametrize(
    ("lesson", "message"),
    [
        ("# %% [markdown]\n# # No minutes\n", "01_toy.py: the first cell must open with"),
        (LESSON.replace(SETUP, "# %%\n"), "01_toy.py has no cell tagged 'setup'"),
    ],
)
def test_a_source_in_another_format_is_refused(course, lesson, message):
    with pytest.raises(CourseError, match=message):
        build_course(root=course(lesson), run=False)


def test_an_unknown_lesson_lists_the_known_ones(course):
    with pytest.raises(CourseError, match=r"No lesson '99'\. There are: 01_toy"):
        find_sources(["99"], root=course())


def test_progress_keeps_its_last_state_and_widgets_leave_a_note():
    assert final_state("a\rb\r\n") == "b\n"
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "interactive(...)"}
    cell = nbformat.v4.new_code_cell("show()", id="c")
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="1/2\r"),
        nbformat.v4.new_output("stream", name="stdout", text="2/2\n"),
        nbformat.v4.new_output("display_data", data=widget),
    ]
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    tidy(notebook)
    assert cell.outputs[0].text == "2/2\n"
    assert list(cell.outputs[1].data) == ["text/plain"]
    assert "widgets" not in notebook.metadata
    assert find_problems(notebook, REPO, "solution") == []
