"""``python -m engine.cli``: the same as ``motcua``."""

from engine.cli import main

raise SystemExit(main())
