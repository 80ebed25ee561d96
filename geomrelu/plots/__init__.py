"""Pictures of what lives in the plane: arrangements, the pieces of a network, images of a first layer.

Each picture comes as a function that draws and saves (``plot_*``) and one that returns the Matplotlib figure
(``*_figure``). Geometry is exact: regions are cut out of the view in rational arithmetic, and only their finished
corners become floats, on a page on which text is measured before it is placed: a codeword is set at the place of its
region with the most room for it, never over a line or another text.

:mod:`~geomrelu.plots.plane`        exact polygons, lines and views
:mod:`~geomrelu.plots.page`         the page: panels, texts and places for them, legend, files
:mod:`~geomrelu.plots.arrangement`  regions, codewords, coorientation; also on a line
:mod:`~geomrelu.plots.complex`      cells and walls, the dead cells hatched
:mod:`~geomrelu.plots.image`        the image of a first layer R^2 -> R^3, beside its arrangement

Matplotlib is imported when something is drawn, not before.
"""

from geomrelu.plots.arrangement import arrangement_figure, plot_arrangement
from geomrelu.plots.complex import complex_figure, plot_complex
from geomrelu.plots.image import first_layer_missing, image_figure, plot_image

__all__ = [
    "arrangement_figure",
    "complex_figure",
    "first_layer_missing",
    "image_figure",
    "plot_arrangement",
    "plot_complex",
    "plot_image",
]
