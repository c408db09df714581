"""python -m emo_utils.demo [--port N]: serve the demo to a browser on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_LARGEST_MESSAGE = 100 * 2**20  # bytes; tornado's 10 MiB would cut off the browser that sends a larger picture


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m emo_utils.demo", description=__doc__.partition(": ")[2])
    parser.add_argument("--port", type=int, default=8866, help="of the address; the next free one where it is taken")
    port = parser.parse_args(arguments).port
    try:
        from traitlets.config import Config
        from voila.app import Voila
    except ImportError:
        print("The page is served by Voila, which is not here: python -m pip install voila", file=sys.stderr)
        return 1
    Voila.launch_instance(
        [str(Path(__file__).with_name("page.ipynb"))],
        ip="127.0.0.1",  # this machine only: no password stands before the page
        port=port,
        open_browser=False,
        tornado_settings={"websocket_max_message_size": _LARGEST_MESSAGE},
        config=Config(VoilaConfiguration={"file_denylist": [".*"]}),  # the page needs no file beside it
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
