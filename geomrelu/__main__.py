"""``python -m geomrelu``."""

import sys

from geomrelu.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
