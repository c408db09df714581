"""Prediction on real pictures: find the faces, cut them out, ask a model, say how sure it is.

faces (find_faces, crop_face) + classifier (a model file, calibrated) -> answers, one a face -> predict (a table),
film (videos, cameras), lines (text)

Nothing here imports TensorFlow or Keras unless a .keras file or an explanation is asked for.
"""

from emo_utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "answers": ("Answer", "answer_pictures"),
        "classifier": ("Classifier", "keras_twin", "open_classifier", "shipped_models"),
        "faces": ("Box", "crop_face", "find_faces"),
        "frame": ("predict",),
    },
)
