"""``python -m geomrelu``."""

import sys

from geomrelu.cli import main

if __name__ == "__main__":
    sys.exit(main())
