"""The learning curve as a picture small enough for a cell."""

from __future__ import annotations

from io import BytesIO

WIDTH, HEIGHT = 240, 96  # pixels on screen
_SHARPNESS = 2  # pixels in the file to one on screen, for dense screens and zooming in


def learning_curve(curves: list[dict]) -> bytes | None:
    """Draw loss and accuracy by epoch.

    Args:
        curves: one dict an epoch with any of `loss`, `val_loss`, `accuracy`, `val_accuracy`, in the order of training.

    Returns:
        A PNG file, to be shown at WIDTH x HEIGHT pixels, or None if there is nothing to draw.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    if not any(_numbers(curves, key) for key in ("loss", "val_loss", "accuracy", "val_accuracy")):
        return None
    # A Figure of its own, not pyplot's: rendering must not disturb the figures of a notebook.
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100 * _SHARPNESS)
    canvas = FigureCanvasAgg(figure)
    for axes, key in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for name, colour, style in ((key, "#0173b2", "-"), (f"val_{key}", "#de8f05", "--")):  # seaborn's colorblind
            points = _numbers(curves, name)
            axes.plot([e for e, _ in points], [v for _, v in points], style, color=colour, linewidth=1.2,
                      marker="." if len(points) == 1 else "", label="val" if name != key else "train")  # fmt: skip
        axes.set_title(key, fontsize=6, pad=2)
        axes.tick_params(labelsize=5, length=1.5, pad=1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.locator_params(nbins=4)
    figure.axes[0].legend(fontsize=5, frameon=False, borderpad=0, handlelength=1.5, labelspacing=0.2)
    figure.subplots_adjust(left=0.09, right=0.99, bottom=0.13, top=0.87, wspace=0.25)
    canvas.draw()
    picture = (
        Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
        .convert("RGB")
        .quantize(16)
    )
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _numbers(curves: list[dict], key: str) -> list[tuple[int, float]]:
    """Return (epoch counted over all stages, value) where there is a value."""
    return [(i, c[key]) for i, c in enumerate(curves, start=1) if isinstance(c.get(key), (int, float))]
