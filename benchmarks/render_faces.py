"""How fast the embedded faces are drawn: faces a second of processor time, that is, on one core that is otherwise idle.

python benchmarks/render_faces.py [n]
"""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np

from emo_utils.faces import make_faces


def main(n: int) -> None:
    cv2.setNumThreads(1)
    make_faces(60)  # people and curve tables are made once
    rates = []
    for seed in range(5):
        started = time.process_time()
        make_faces(n, seed=seed)
        rates.append(n / (time.process_time() - started))
    print(
        f"{np.median(rates):.0f} faces/s (median of 5 sets of {n}; slowest {min(rates):.0f}, fastest {max(rates):.0f})"
    )
    print(f"numpy {np.__version__}, OpenCV {cv2.__version__}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
