"""One picture from the camera of whoever looks at a Colab notebook."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from emo_utils.datasets.images import decode_colour
from emo_utils.errors import DataError, first_line

_MAX_CHARACTERS = 20 * 2**20  # of base64: more than any camera's JPEG
# The picture is taken in the browser: Colab's computer has no camera. Shown on the page until a button is pressed.
_SCRIPT = """
(async () => {
  const place = document.createElement('div');
  const video = document.createElement('video');
  const take = document.createElement('button');
  const cancel = document.createElement('button');
  take.textContent = 'Take the picture';
  cancel.textContent = 'Cancel';
  video.style.cssText = 'display: block; max-width: 100%; width: 480px';
  place.append(video, take, cancel);
  document.body.append(place);
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: true});
    video.srcObject = stream;
    await video.play();
    google.colab.output.setIframeHeight(document.documentElement.scrollHeight, true);
    const taken = await new Promise(done => { take.onclick = () => done(true); cancel.onclick = () => done(false); });
    if (!taken) return '';
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d').drawImage(video, 0, 0);
    return canvas.toDataURL('image/jpeg', 0.92);
  } finally {
    if (stream) stream.getTracks().forEach(track => track.stop());
    place.remove();
  }
})()
"""


def capture_webcam() -> np.ndarray:
    """Show the camera's picture in a Colab notebook and return the one that a click on the button takes.

    The picture goes from the browser to the notebook's computer and is written nowhere.

    Returns:
        uint8 array of shape (height, width, 3), RGB.

    Raises:
        DataError: not in Colab, the camera was not allowed, nothing was taken, or what came is no picture.
    """
    try:
        from google.colab.output import eval_js
    except ImportError:
        raise DataError(
            "capture_webcam needs Google Colab. Here: `python -m emo_utils predict --camera 0`, or take a picture with "
            "any program and upload it in the demo."
        ) from None
    try:
        answer = eval_js(_SCRIPT)
    except Exception as error:  # Colab's MessageError, which cannot be imported elsewhere
        raise DataError(
            f"The browser gave no picture ({first_line(error)}). Allow the camera for this page, then run again."
        ) from None
    return _decode(answer)


def _decode(answer: object) -> np.ndarray:
    """Return the picture of a data address, as a browser's canvas gives it."""
    if not answer:
        raise DataError("No picture was taken. Run the cell again when you are ready.")
    head, comma, body = str(answer)[: _MAX_CHARACTERS + 1].partition(",")
    if len(body) + len(head) >= _MAX_CHARACTERS or head != "data:image/jpeg;base64" or not comma:
        raise DataError("What the browser sent is not a JPEG picture. Run the cell again.")
    try:
        return decode_colour(base64.b64decode(body, validate=True))
    except binascii.Error:
        raise DataError("What the browser sent is damaged. Run the cell again.") from None
