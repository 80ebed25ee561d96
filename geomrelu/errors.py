"""What can go wrong with a user's input: one exception, one line.

Everything the package refuses is refused with :class:`InputError`; the command line prints it as
``geomrelu: error: <the line>`` and exits with code 2. Anything else that escapes is a bug in geomrelu.
"""

from __future__ import annotations

__all__ = ["GeomreluError", "InputError", "TooLarge"]


class GeomreluError(Exception):
    """Base of all exceptions raised on purpose by geomrelu."""


class InputError(GeomreluError, ValueError):
    """The input is missing, malformed, outside the supported language, or does not fit together."""


class TooLarge(InputError):
    """It would need too much memory. What comes before it in a model can still be judged."""
