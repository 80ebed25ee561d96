"""Random models, written as people write them, and read back: ``python tests/exports/run.py --help``."""
