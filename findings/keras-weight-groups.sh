#!/bin/sh
# Keras 3.15.1, file format .keras, seen with Python 3.11 on Linux x86_64 (backend jax).
#
# In model.weights.h5 the groups below "layers" are named after the class of each layer and a count, not after the
# layer. A layer that is itself called "dense_1" does not lie in the group "dense_1" if another one comes first: that
# group holds the weights of the second Dense layer, whatever it is called. Only the attribute "name" of the group
# "vars" inside says whose weights they are. Who looks a weight up by the name in config.json gets that of another
# layer, of the right shape where layers are square.
#
# Output seen:
#   group dense    layer first
#   group dense_1  layer second
#   group dense_2  layer dense_1
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check keras==3.15.1 jax==0.7.1 jaxlib==0.7.1
cd "$work"
KERAS_BACKEND=jax "$work/venv/bin/python" - <<'PYTHON'
import io
import sys
import zipfile

import h5py
import keras

layers = [keras.layers.Dense(2, name=name) for name in ("first", "second", "dense_1")]
keras.Sequential([keras.Input((2,)), *layers]).save("m.keras")
with zipfile.ZipFile("m.keras") as archive:
    stored = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
found = {group: str(stored[f"layers/{group}/vars"].attrs["name"]) for group in ("dense", "dense_1", "dense_2")}
for group, name in found.items():
    print(f"group {group:<8} layer {name}")
sys.exit(found != {"dense": "first", "dense_1": "second", "dense_2": "dense_1"})
PYTHON
