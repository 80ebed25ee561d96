"""File formats: models become a :class:`~geomrelu.io.tape.Tape`, sets the data of a polyhedron, queries a ``Query``.

Models: ``onnx``, ``torch`` (modules, state dictionaries and ``.pt``), ``safetensors``, ``npz``, ``keras``, ``nnet``,
``sklearn`` and ``json``; ``state_dict`` orders layers that are only named arrays, ``sae`` are sparse autoencoders, and
``reading`` is what a reader says of what it read. Sets: ``vnnlib`` (and ``vnnlib2``), ``cdd`` and ``json``; ``query``
is what VNN-LIB states, ``models`` the networks it is about. ``files`` opens files, ``tensors`` is what readers compute
with, ``narrow`` has floats that NumPy does not have, ``store`` writes.

A set travels as the dictionary of the JSON grammar with exact numbers: ``dimension`` and either ``inequalities``,
``equalities`` (rows ``[b, a1, ..., an]``, meaning ``b + a·x >= 0`` and ``= 0``) and ``box`` (``[low, high]`` per
coordinate, None: unbounded), or ``vertices``, ``rays``, ``lines``, or ``points``. Readers give all keys of the kind.
"""
