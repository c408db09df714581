#!/usr/bin/env python3
"""Watch a camera or a video and show what the model of this bundle sees in each face.

    python3 camera_jetson.py                           the first webcam, in a window; q ends it
    python3 camera_jetson.py --csi                     the camera on the ribbon cable of a Jetson
    python3 camera_jetson.py film.mp4 --no-window      one line for each frame that was answered

Needs Python 3.6, numpy, OpenCV and onnxruntime. On a small board the camera is faster than the eye needs: most frames
are shown with the answer of an earlier one (--skip, --fps).
"""

import argparse
import os
import sys
import time

import numpy as np
from jetson_bundle import BundleError, check_file, network_input, read_info

try:
    import cv2
except ImportError:
    sys.exit("error: no OpenCV here. JetPack brings it; elsewhere: pip install opencv-python")

CASCADE = "haarcascade_frontalface_default.xml"
# Fastest first. The first is TensorRT again, called by ONNX Runtime.
PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")
GREEN = (0, 255, 0)


class CameraError(Exception):
    """What is needed is not there; the message says what, and the remedy."""


def csi_pipeline(width=640, height=480, rate=15, flip=0):
    """Return the GStreamer pipeline of a Jetson's CSI camera, from the sensor to frames that OpenCV takes.

    The frame stays in the GPU's memory (NVMM) until nvvidconv turns it and copies it out; OpenCV wants BGR, which
    nvvidconv cannot write, hence the second converter. appsink drops frames that come while one is worked on.
    """
    parts = (
        "nvarguscamerasrc",
        f"video/x-raw(memory:NVMM), width=(int){width}, height=(int){height}, format=(string)NV12, "
        f"framerate=(fraction){rate}/1",
        f"nvvidconv flip-method={flip}",
        f"video/x-raw, width=(int){width}, height=(int){height}, format=(string)BGRx",
        "videoconvert",
        "video/x-raw, format=(string)BGR",
        "appsink drop=true max-buffers=1",
    )
    return " ! ".join(parts)


def open_capture(source, csi):
    """Return an open cv2.VideoCapture of a webcam's number, a file or the CSI camera."""
    if csi:
        capture, what = cv2.VideoCapture(csi_pipeline(), cv2.CAP_GSTREAMER), "the CSI camera"
        remedy = "Is it plugged in, and does cv2.getBuildInformation() name GStreamer? That of pip does not"
    elif source.isdigit():
        capture, what = cv2.VideoCapture(int(source)), f"camera {source}"
        remedy = "ls /dev/video* shows what is there; --csi is for the ribbon cable"
    else:
        if not os.path.isfile(source):
            raise CameraError(f"{source}: no such file.")
        capture, what, remedy = cv2.VideoCapture(source), source, "Is it a video?"
    if not capture.isOpened():
        raise CameraError(f"{what} cannot be opened. {remedy}.")
    return capture


def find_cascade():
    """Return OpenCV's face detector, or None where this OpenCV has none: OpenCV 5 has not."""
    if not hasattr(cv2, "CascadeClassifier"):
        return None
    own = getattr(getattr(cv2, "data", None), "haarcascades", "")
    for folder in (own, "/usr/share/opencv4/haarcascades", "/usr/share/OpenCV/haarcascades"):
        path = os.path.join(folder, CASCADE)
        if os.path.isfile(path):
            cascade = cv2.CascadeClassifier(path)
            if not cascade.empty():
                return cascade
    return None


def find_faces(grey, cascade):
    """Return boxes (x, y, width, height) of the faces in a grey frame; without a detector, the square in its middle."""
    if cascade is None:
        height, width = grey.shape
        side = min(height, width)
        return [((width - side) // 2, (height - side) // 2, side, side)]
    found = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30))
    return [tuple(int(v) for v in box) for box in found]


def open_model(path):
    """Return a function from a network input to probabilities, and the provider that computes them."""
    try:
        import onnxruntime
    except ImportError:
        raise CameraError(
            "no onnxruntime here. For a Nano there are wheels 1.8 and 1.11 for Python 3.6 (Jetson Zoo); elsewhere: "
            "pip install onnxruntime"
        ) from None
    available = onnxruntime.get_available_providers()
    try:
        session = onnxruntime.InferenceSession(path, providers=[p for p in PROVIDERS if p in available])
    except Exception as error:  # onnxruntime's errors have no common base
        raise CameraError(f"{path}: onnxruntime cannot load it: {first_line(error)}") from None
    name = session.get_inputs()[0].name
    return (lambda values: session.run(None, {name: values})[0][0]), session.get_providers()[0]


def first_line(error):
    """Return the first line of an error's text, or the name of its class where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def try_out(model, info):
    """Run the model on a blank face, so that the first true one does not wait for it, and look at what comes out."""
    shape, classes = info["input"]["shape"], info["class_names"]
    try:
        n = len(model(network_input(np.zeros(shape[2:], np.uint8), shape)))
    except Exception as error:  # as above
        raise CameraError(f"{info['name']}.onnx: onnxruntime cannot run it: {first_line(error)}") from None
    if n != len(classes):
        raise CameraError(f"export_info.json names {len(classes)} classes, the model has {n}. Export the bundle again.")


def judge(probabilities, info):
    """Return (label, confidence) of probabilities, with the calibration that the bundle carries.

    As in the course: what label smoothing did in training is undone, then p ** (1 / T), renormalised, is what a softmax
    of the logits divided by the temperature T would be.
    """
    smoothing = (info.get("calibration") or {}).get("label_smoothing") or 0
    if smoothing:
        probabilities = np.maximum((probabilities - smoothing / len(probabilities)) / (1 - smoothing), 1e-3)
    powers = np.power(np.maximum(probabilities, 1e-12), 1 / (info.get("temperature") or 1))
    best = int(np.argmax(powers))
    confidence = float(powers[best] / powers.sum())
    return (info["class_names"][best] if confidence >= (info.get("not_sure_below") or 0) else "not sure"), confidence


def answer(grey, boxes, model, info):
    """Return [(box, label, confidence), ...] of the faces in a grey frame."""
    shape = info["input"]["shape"]
    answers = []
    for x, y, width, height in boxes:
        face = cv2.resize(grey[y : y + height, x : x + width], (shape[3], shape[2]), interpolation=cv2.INTER_AREA)
        label, confidence = judge(model(network_input(face, shape)), info)
        answers.append(((x, y, width, height), label, confidence))
    return answers


def draw(frame, answers):
    """Draw box, label and confidence of each answer into a frame."""
    for (x, y, width, height), label, confidence in answers:
        cv2.rectangle(frame, (x, y), (x + width, y + height), GREEN, 2)
        above = (x, max(y - 8, 16))
        cv2.putText(frame, f"{label} {confidence:.0%}", above, cv2.FONT_HERSHEY_SIMPLEX, 0.6, GREEN, 2)


def describe(number, answers):
    """Return one line on the answers of a frame."""
    words = [f"{label} {confidence:.0%} at {box}" for box, label, confidence in answers]
    return f"frame {number}: " + ("; ".join(words) or "no face")


def watch(capture, clock, cascade, model, info, args):
    """Read frames until there are no more, or args.frames of them; yield (number, frame, answers, whether new).

    Faces are looked for on every args.detect-th frame and answered on every args.skip-th one, at most args.fps times a
    second of `clock(number)`; in between, boxes and answers of before stay.
    """
    boxes, answers, number, last = [], [], 0, -np.inf
    while args.frames is None or number < args.frames:
        there, frame = capture.read()
        if not there:
            return
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if frame.ndim == 3 else frame
        if number % args.detect == 0:
            boxes = find_faces(grey, cascade)
        # A little less than the interval, so that a frame that comes just in time is not passed over.
        due = number % args.skip == 0 and clock(number) - last >= 0.99 / args.fps
        if due:
            last, answers = clock(number), answer(grey, boxes, model, info)
        yield number, frame, answers, due
        number += 1


def show(frame, answers):
    """Show a frame in a window; return whether to go on."""
    draw(frame, answers)
    try:
        cv2.imshow("emotions", frame)
        return cv2.waitKey(1) & 0xFF != ord("q")
    except cv2.error:
        raise CameraError("no window can be opened here: add --no-window.") from None


def run(args, folder):
    info = read_info(folder)
    model, provider = open_model(check_file(folder, info, info["name"] + ".onnx"))
    try_out(model, info)
    cascade = find_cascade()
    capture = open_capture(args.source, args.csi)
    print(f"{info['name']} by {provider}", flush=True)
    if cascade is None:
        note = "this OpenCV has no face detector (OpenCV 4 has): the square in the middle of each frame is taken"
        print(note, flush=True)
    # A file is read faster than it would play: what counts there is its own time.
    rate = capture.get(cv2.CAP_PROP_FPS) if os.path.isfile(args.source) and not args.csi else 0
    clock = (lambda number: number / rate) if rate > 0 else (lambda number: time.time())
    try:
        for number, frame, answers, new in watch(capture, clock, cascade, model, info, args):
            if args.no_window:
                if new:
                    print(describe(number, answers), flush=True)
            elif not show(frame, answers):
                break
    finally:
        capture.release()


def read_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", default="0", help="number of a webcam, or a video file (default: 0)")
    parser.add_argument("--csi", action="store_true", help="the CSI camera of a Jetson, 640x480 at 15 frames a second")
    parser.add_argument("--detect", type=int, default=2, metavar="K", help="look for faces every K frames (default: 2)")
    parser.add_argument("--skip", type=int, default=2, metavar="N", help="answer every N-th frame (default: 2)")
    parser.add_argument("--fps", type=float, default=5, help="answers a second at most (default: 5)")
    parser.add_argument("--frames", type=int, help="stop after so many frames")
    parser.add_argument("--no-window", action="store_true", help="print one line for each answered frame instead")
    args = parser.parse_args(argv)
    if min(args.detect, args.skip) < 1 or args.fps <= 0 or (args.frames is not None and args.frames < 1):
        parser.error("--detect, --skip, --fps and --frames must be positive")
    return args


def main(argv=None, folder=None):
    """Return the exit code."""
    args = read_arguments(argv)
    try:
        run(args, folder or os.path.dirname(os.path.abspath(__file__)))
    except (BundleError, CameraError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
