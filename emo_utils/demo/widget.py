"""The demo as a widget: pick or upload a picture, see its faces and what a model says of them."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from emo_utils.datasets.images import MAX_BYTES, decode_colour, read_bytes
from emo_utils.demo.figure import draw_answer
from emo_utils.demo.words import answer_html, note_html, problem_html, table_html
from emo_utils.errors import DataError, EmoUtilsError, ModelError, first_line
from emo_utils.paths import course_root
from emo_utils.prediction import Classifier, open_classifier, predict, shipped_models

_CHOOSE = "choose ..."
_PICTURES = (".jpg", ".png")
_START = "Choose a sample, or upload a picture with a face that looks at the camera."


def build_demo(models: Sequence[str] | None = None) -> widgets.Widget:
    """Make the demo, to be shown as the last line of a cell; works with ipywidgets 7.7, which Colab has, and 8.

    Whatever is wrong with a picture or a model is said in the widget, and the last answer is taken away.

    Args:
        models: to choose from, each as `open_classifier` takes it; None for all that ship.

    Raises:
        ModelError: there is no model.
    """
    models = shipped_models() if models is None else list(models)
    if not models:
        raise ModelError("There is no model to choose from. Name one.")
    return _Demo(models).box


def sent_file(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> tuple[str, bytes] | None:
    """Return name and content of the last file in the value of a FileUpload; None where there is none.

    Args:
        value: of ipywidgets 7, a dict by name, or of ipywidgets 8, a tuple of dicts.
    """
    if not value:
        return None
    if isinstance(value, Mapping):
        name, last = list(value.items())[-1]
    else:
        last = value[-1]
        name = last["name"]
    return name, bytes(last["content"])


class _Demo:
    """The widgets, and what they show at the moment: a picture, its faces and the answers to them."""

    def __init__(self, models: Sequence[str]):
        self._classifiers: dict[str, Classifier] = {}
        self._forget()
        samples = sorted(path for path in (course_root() / "data" / "samples").glob("*") if path.suffix in _PICTURES)
        named = [(path.stem.replace("_", " "), path) for path in samples]
        style = {"description_width": "60px"}
        self.sample = widgets.Dropdown(options=[(_CHOOSE, None), *named], description="Sample", style=style)
        self.upload = widgets.FileUpload(accept="image/*", description="Upload a picture")
        self.model = widgets.Dropdown(options=models, value=models[0], description="Model", style=style)
        self.heat = widgets.Checkbox(description="Show where it looks (Grad-CAM)", indent=False)
        self.face = widgets.Dropdown(description="Face", style=style)
        self.words = widgets.HTML(note_html(_START))
        self.figure = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
        self.table = widgets.HTML()
        self.box = self._laid_out()
        self._clear()
        for widget, handler in (
            (self.sample, self._choose_sample),
            (self.upload, self._take_upload),
            (self.model, self._ask_again),
            (self.heat, self._ask_again),
            (self.face, self._show_face),
        ):
            widget.observe(handler, "value")

    def _laid_out(self) -> widgets.Widget:
        for widget, width in ((self.sample, "240px"), (self.face, "160px")):
            widget.layout.width = width
        for widget in (self.upload, self.model, self.heat):
            widget.layout.width = "auto"
        rows = [[self.sample, self.upload, self.model], [self.heat, self.face]]
        layout = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "4px 16px"}
        boxes = [widgets.Box(row, layout=widgets.Layout(**layout)) for row in rows]
        return widgets.VBox([*boxes, self.words, self.figure, self.table], layout=widgets.Layout(max_width="1100px"))

    def _forget(self) -> None:
        self._name, self._picture, self._rows = "", None, pd.DataFrame()

    def _choose_sample(self, change) -> None:
        if change["new"] is not None:
            self._guard(lambda path: self._read(path.name, read_bytes(path)), change["new"])

    def _take_upload(self, change) -> None:
        sent = sent_file(change["new"])
        if sent is None:
            return
        # Emptied at once, so that the same file can be sent again; ipywidgets 7 lets nobody assign here.
        self.upload.set_trait("value", type(self.upload.value)())
        self.sample.value = None
        self._guard(self._read, *sent)

    def _ask_again(self, change) -> None:
        if self._picture is not None:
            self._guard(self._ask)

    def _show_face(self, change) -> None:
        if change["new"] is not None and len(self._rows):
            self._guard(self._show)

    def _guard(self, step: Callable[..., None], *arguments) -> None:
        """Do a step, and say what goes wrong in the widget: nobody sees the traceback of a callback."""
        try:
            step(*arguments)
        except Exception as error:
            self._rows = pd.DataFrame()
            self._clear()
            if isinstance(error, EmoUtilsError):
                self.words.value = problem_html(str(error))
            else:
                logging.getLogger(__name__).exception("the demo failed")
                self.words.value = problem_html(f"This should not have happened: {first_line(error)}")

    def _clear(self) -> None:
        self.figure.value, self.table.value = b"", ""
        self.figure.layout.display = "none"  # an empty picture would show as a broken one
        self.face.layout.display = "none"

    def _read(self, name: str, data: bytes) -> None:
        self._forget()
        self._clear()
        self.face.options = []
        self.words.value = note_html(f"Looking for faces in {name} ...")
        if len(data) > MAX_BYTES:
            raise DataError(f"{name}: {len(data) / 2**20:.0f} MiB, more than {MAX_BYTES >> 20} MiB.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's, of damage and of large images, which are dealt with
                self._picture = decode_colour(data)
        except DataError as error:
            raise DataError(f"{name}: {error}.") from None
        self._name = name
        self._ask()

    def _ask(self) -> None:
        """Let the chosen model answer to every face of the picture."""
        self._clear()
        if self.heat.value:
            self.words.value = note_html("Computing heat ... The first time, Keras is loaded: this takes a while.")
        name = self.model.value
        if name not in self._classifiers:
            self._classifiers[name] = open_classifier(name)
        rows = predict(self._picture, self._classifiers[name], all_faces=True, explain=self.heat.value)
        problem = rows["problem"].iloc[0]
        if problem:
            raise DataError(f"{self._name}: {problem}")
        if len(self.face.options) != len(rows):
            self._rows = pd.DataFrame()  # setting the options chooses a face, and would show an old answer
            self.face.options = [(f"{i + 1} of {len(rows)}", i) for i in range(len(rows))]
            self.face.value = 0
        self._rows = rows
        self._show()

    def _show(self) -> None:
        """Show the answer to the chosen face."""
        classifier = self._classifiers[self.model.value]
        row = self._rows.iloc[self.face.value]
        figure = draw_answer(self._picture, self._rows, classifier, chosen=self.face.value)
        self.figure.value, self.figure.layout.display = _png(figure), None
        self.face.layout.display = None if len(self._rows) > 1 else "none"
        where = f"{self._name}, face {self.face.value + 1} of {len(self._rows)}"
        self.words.value = answer_html(row, classifier.not_sure_below, where)
        self.table.value = table_html(row[list(classifier.class_names)].astype(float).to_dict())


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    plt.close(figure)  # or a notebook would show it below the cell as well
    return file.getvalue()
