"""One vocabulary of emotion names for every data set, in the label order of fer2013.csv."""

from __future__ import annotations

import difflib

from emo_utils.errors import DataError

# The first seven are FER2013's labels 0..6 in their order; FER+ and CK+ add contempt.
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt")
SEVEN = EMOTIONS[:7]
# The five classes the course's sources keep of FER2013, alphabetical as they are there.
FIVE = ("angry", "disgust", "happy", "neutral", "surprise")

_ALIASES = {
    "angry": ("anger", "an", "ang", "enojado", "enojo", "colere", "colère", "wut", "rabbia"),
    "disgust": ("disgusted", "di", "dis", "asco", "degout", "dégoût", "ekel"),
    "fear": ("fearful", "afraid", "scared", "fe", "miedo", "peur", "angst"),
    "happy": ("happiness", "joy", "joyful", "ha", "hap", "feliz", "felicidad", "joie", "freude", "glück"),
    "sad": ("sadness", "sa", "triste", "tristeza", "tristesse", "traurig", "trauer"),
    "surprise": ("surprised", "su", "sur", "sorpresa", "überraschung", "ueberraschung"),
    "neutral": ("neutrality", "calm", "ne", "neu", "neutre"),
    "contempt": ("contemptuous", "co", "desprecio", "mépris", "mepris", "verachtung"),
}
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in (name, *aliases)}


def canonical_emotion(name: str) -> str:
    """Return the course's name for an emotion.

    Args:
        name: any spelling in use, e.g. "Anger", "HAPPINESS", " sadness ". Case, blanks and a leading
            number as in "3_happy" do not matter.

    Returns:
        One of `EMOTIONS`.

    Raises:
        DataError: the name is not a known emotion.

    >>> canonical_emotion("Happiness"), canonical_emotion("0 anger")
    ('happy', 'angry')
    """
    key = str(name).strip().lower().lstrip("0123456789").strip(" _-.")
    if key in _CANONICAL:
        return _CANONICAL[key]
    close = difflib.get_close_matches(key, _CANONICAL, n=1)
    hint = f" Did you mean {_CANONICAL[close[0]]!r}?" if close else ""
    raise DataError(f"Unknown emotion {name!r}. Known: {', '.join(EMOTIONS)}.{hint}")
