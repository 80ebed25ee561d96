"""File formats, one per module: models become a :class:`~geomrelu.layers.Tape`, sets the data of a polyhedron.

A set travels as the dictionary of the JSON grammar with exact numbers: ``dimension`` and either ``inequalities``,
``equalities`` (rows ``[b, a1, ..., an]``, meaning ``b + a·x >= 0`` and ``= 0``) and ``box`` (``[low, high]`` per
coordinate, None: unbounded), or ``vertices``, ``rays``, ``lines``, or ``points``.
"""
