"""python -m emo_utils"""

from emo_utils.cli import main

raise SystemExit(main())
