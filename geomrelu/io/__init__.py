"""File formats, one per module: models become a :class:`~geomrelu.io.tape.Tape`, sets the data of a polyhedron.

``npz``, ``onnx`` and ``torch`` are models, ``vnnlib`` and ``cdd`` are sets, ``json`` is both; ``files`` opens files
and ``tensors`` is what ``onnx`` and ``torch`` compute with.

A set travels as the dictionary of the JSON grammar with exact numbers: ``dimension`` and either ``inequalities``,
``equalities`` (rows ``[b, a1, ..., an]``, meaning ``b + a·x >= 0`` and ``= 0``) and ``box`` (``[low, high]`` per
coordinate, None: unbounded), or ``vertices``, ``rays``, ``lines``, or ``points``. Readers give all keys of the kind.
"""
