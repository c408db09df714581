"""python -m emo_utils"""

from __future__ import annotations

import sys


def _run() -> int:
    try:
        from emo_utils.cli import main

        return main()
    except ModuleNotFoundError as error:
        package = (error.name or "emo_utils").partition(".")[0]
        if package == "emo_utils":
            raise  # a fault of our own, which its traceback helps to find
    activate = r".venv\Scripts\activate" if sys.platform == "win32" else "source .venv/bin/activate"
    print(
        f"error: this Python has no package {package}. Step into the environment that `make course` makes, "
        f'`{activate}`, or run `pip install -e ".[tf,course]"`.',
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(_run())
