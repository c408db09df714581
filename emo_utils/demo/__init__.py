"""The live demo: a page of widgets that reads the face in any picture, and a camera for it in Colab.

`make demo` serves it to a browser; `build_demo()` shows it in a notebook.
"""

from emo_utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__, {"widget": ["build_demo"], "figure": ["draw_answer"], "webcam": ["capture_webcam"]}
)
