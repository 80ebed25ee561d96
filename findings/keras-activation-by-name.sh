#!/bin/sh
# Keras 3.15.1, file formats .keras and .h5, seen with Python 3.11 on Linux x86_64 (backend jax).
#
# A function that a script gives as the activation of a layer is saved by its name alone where Keras has a function of
# that name. The file then holds "relu", and load_model puts Keras's own relu in its place: no custom_objects are asked
# for, nothing is said, and the model that is loaded computes something else than the one that was saved. (A class of a
# script that is called like one of Keras's own is told apart in .keras, by "module": null, and taken for it in .h5.)
#
# Output seen:
#   saved   [2.0]
#   .keras  [1.0], the file says relu
#   .h5     [1.0], the file says relu
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


def relu(x):
    return 2 * keras.ops.relu(x)


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation=relu, kernel_initializer="ones")])
x = np.ones((1, 1), np.float32)
found = [np.asarray(model(x))[0].tolist()]
print(f"saved   {found[0]}")
for kind in (".keras", ".h5"):
    model.save(f"m{kind}")
    if kind == ".keras":
        config = json.loads(zipfile.ZipFile("m.keras").read("config.json"))
    else:
        config = json.loads(h5py.File("m.h5").attrs["model_config"])
    said = config["config"]["layers"][-1]["config"]["activation"]
    found += [np.asarray(keras.models.load_model(f"m{kind}")(x))[0].tolist(), said]
    print(f"{kind:<7} {found[-2]}, the file says {said}")
sys.exit(found != [[2.0], [1.0], "relu", [1.0], "relu"])
PYTHON
