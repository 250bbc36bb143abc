"""``python -m hoa_ops <command>``, with ``plugins/`` on the Python path."""

from __future__ import annotations

import sys

from hoa_ops.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
