"""Batches: a network that does the same with each row of its input, each for itself, is read as what it does with one.

Whether it does is seen from the exact maps, not from the operators.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geomrelu.exact.affine import AffineMap
from geomrelu.io.onnx.trace import Trace
from geomrelu.io.reading import Port
from geomrelu.io.tape import Tape

__all__ = ["one_row"]


def one_row(trace: Trace, rows: int) -> Tape | None:
    """What the network does with the first of its rows; None if its rows are not independent, or not treated alike."""
    tape = trace.tape
    if any(len(p.shape) < 2 or p.shape[0] != rows for p in trace.ports):
        return None
    owner, number = [], []  # of each variable: which row it belongs to, and which variable of that row it is
    count = 0
    for port in trace.ports:
        each = port.size // rows
        owner.append(np.repeat(np.arange(rows), each))
        number.append(count + np.tile(np.arange(each), rows))
        count += each
    row_of, own = np.concatenate(owner), np.concatenate(number)
    single = Tape(count)
    for map_, read, quantiser in zip(tape.layers, tape.read, tape.quantisers, strict=True):
        found = _split(map_, rows, row_of, own, single.variables)
        if found is None:
            return None
        part, rows_of_layer = found
        of_rows = [quantiser and quantiser.take(np.flatnonzero(rows_of_layer == row)) for row in range(rows)]
        if any(other != of_rows[0] for other in of_rows):
            return None
        shape = read.shape[1:] if read.shape and read.shape[0] == rows else (part.outputs,)
        first = single.variables
        single.layer(part, of_rows[0], replace(read, shape=shape))
        row_of = np.concatenate([row_of, rows_of_layer])
        own = np.concatenate([own, first + _counted(rows_of_layer, rows)])
    parts, ports = [], []
    for name in trace.outputs:
        tensor = trace.values[name]
        found = _split(tensor.map, rows, row_of, own, single.variables)  # type: ignore[union-attr]
        if found is None:
            return None
        parts.append(found[0].widened(single.variables))
        shape = tensor.shape  # type: ignore[union-attr]
        first = shape[0] if shape else 0
        whole = (first // rows, *shape[1:]) if first and not first % rows else (found[0].outputs,)
        ports.append(Port(name, whole))
    single.finish(parts[0] if len(parts) == 1 else AffineMap.stacked(parts))
    single.identity_output = tape.identity_output
    inputs = tuple(Port(p.name, (1, *p.shape[1:])) for p in trace.ports)
    single.reading = replace(trace.reading(), inputs=inputs, outputs=tuple(ports), layers=tuple(single.read), rows=rows)
    return single


def _counted(rows_of_layer: np.ndarray, rows: int) -> np.ndarray:
    """The how-manieth of its row each one is."""
    counts = np.zeros(len(rows_of_layer), dtype=np.int64)
    for row in range(rows):
        of_row = rows_of_layer == row
        counts[of_row] = np.arange(int(of_row.sum()))
    return counts


def _split(
    map_: AffineMap, rows: int, row_of: np.ndarray, own: np.ndarray, variables: int
) -> tuple[AffineMap, np.ndarray] | None:
    """The map of the first row and the row of each of the outputs, if the map is the same for all rows."""
    outputs = map_.outputs
    if outputs % rows:
        return None
    reads = row_of[map_.indices]
    blocks = np.repeat(np.arange(rows), outputs // rows)
    read_by = blocks.copy()  # as what each reads says; what reads nothing is taken to stand in its block
    reading = np.diff(map_.indptr) > 0
    read_by[reading] = reads[map_.indptr[:-1][reading]]
    for rows_of_layer in (blocks, np.tile(np.arange(rows), outputs // rows), read_by):
        if (np.bincount(rows_of_layer, minlength=rows) != outputs // rows).any():
            continue
        if (np.repeat(rows_of_layer, np.diff(map_.indptr)) != reads).any():
            continue
        parts = []
        for row in range(rows):
            part = map_.take(np.flatnonzero(rows_of_layer == row).tolist())
            columns = own[part.indices]
            parts.append(replace(part, inputs=variables, indices=columns))
        first = parts[0]
        if all(_same(first, part) for part in parts[1:]):
            return first, rows_of_layer
    return None


def _same(first: AffineMap, second: AffineMap) -> bool:
    return (
        np.array_equal(first.indptr, second.indptr)
        and np.array_equal(first.indices, second.indices)
        and first.denominator == second.denominator
        and first.bias == second.bias
        and first.data.tolist() == second.data.tolist()
    )


def same(first: Tape, second: Tape) -> bool:
    """Are the two programs the same?"""
    maps = [(*first.layers, first.output), (*second.layers, second.output)]
    return (
        len(maps[0]) == len(maps[1])
        and first.quantisers == second.quantisers
        and all(a is b or (a is not None and b is not None and _equal(a, b)) for a, b in zip(*maps, strict=True))
    )


def _equal(a: AffineMap, b: AffineMap) -> bool:
    return a.inputs == b.inputs and _same(a, b)
