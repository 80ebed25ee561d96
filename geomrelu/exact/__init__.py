"""Exact numbers, affine maps, elimination, and cddlib in rational arithmetic."""
