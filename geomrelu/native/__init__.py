"""The compiled kernel: many boxes judged in fixed point and explored in floating point, cells cut by neurons, in C.

``judge.c`` does what :mod:`geomrelu.certificates.fixed_point` does in arrays, integer for integer; ``explore.c`` what
:mod:`geomrelu.deadness.relaxation` does for a batch of boxes, as floats go; ``cells.c`` what
:mod:`geomrelu.network.subdivision` does for the cells of a network, with the same proofs. The NumPy code is their
oracle, and what is used where there is no compiled kernel: it is built when the package is installed, if a C compiler
is there (or by ``python geomrelu/native/build.py``). ``GEOMRELU_COMPILED=no`` in the environment leaves it aside.
"""
