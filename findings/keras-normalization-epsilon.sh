#!/bin/sh
# Keras 3.15.1, file formats .keras and .h5, seen with Python 3.11 on Linux x86_64 (backend jax).
#
# A Normalization layer divides by max(sqrt(variance), epsilon), so by epsilon where an input was constant in the data
# that it saw. This epsilon is the one of Keras as a whole (keras.config.epsilon(), 1e-7, or what ~/.keras/keras.json
# says), and no file holds it: a model that was saved under another one computes something else when it is loaded.
#
# Output seen:
#   saved under epsilon 0.5  [4.0]
#   .keras loaded            [20000000.0], its configuration says nothing of epsilon
#   .h5 loaded               [20000000.0], its configuration says nothing of epsilon
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check keras==3.15.1 jax==0.7.1 jaxlib==0.7.1
cd "$work"
KERAS_BACKEND=jax "$work/venv/bin/python" - <<'PYTHON'
import json
import sys
import zipfile

import h5py
import keras
import numpy as np

layer = keras.layers.Normalization(mean=[1.0], variance=[0.0])
model = keras.Sequential([keras.Input((1,)), layer])
x = np.full((1, 1), 3, np.float32)
keras.config.set_epsilon(0.5)
found = [np.asarray(model(x))[0].tolist()]
print(f"saved under epsilon 0.5  {found[0]}")
for kind in (".keras", ".h5"):
    model.save(f"m{kind}")
keras.config.set_epsilon(1e-7)
for kind in (".keras", ".h5"):
    if kind == ".keras":
        config = zipfile.ZipFile("m.keras").read("config.json")
    else:
        config = h5py.File("m.h5").attrs["model_config"]
    silent = "epsilon" not in json.dumps(json.loads(config))
    found += [np.asarray(keras.models.load_model(f"m{kind}")(x))[0].tolist(), silent]
    says = "says nothing of epsilon" if silent else "names epsilon"
    print(f"{kind + ' loaded':<24} {found[-2]}, its configuration {says}")
sys.exit(found != [[4.0], [20000000.0], True, [20000000.0], True])
PYTHON
