"""Values that are pictures, as SVG: the same text each time."""

from __future__ import annotations

import io
from typing import Any


def svg_of(value: Any) -> str | None:
    """A picture of this package, or a figure of Matplotlib; None if it is neither."""
    if hasattr(value, "_repr_svg_"):
        return str(value._repr_svg_())
    if not hasattr(value, "savefig"):
        return None
    from matplotlib import rc_context

    file = io.StringIO()
    with rc_context({"svg.hashsalt": "geomrelu", "svg.fonttype": "path", "hatch.linewidth": 0.6}):
        value.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
