#!/bin/sh
# Keras 3.15.1, backend torch 2.13.0 beside backend jax 0.7.1, seen with Python 3.11 on Linux x86_64.
#
# AveragePooling1D(3, strides=2, padding="same") on 4 entries: the windows reach one entry beyond the end. By JAX (and
# TensorFlow) a mean is that of the entries inside. The backend of PyTorch pads by repeating the last entry where one
# end gets more padding than the other, and means count it twice: the same file computes something else there.
#
# Output seen:
#   jax    4.67 12.50
#   torch  4.67 13.67
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check keras==3.15.1 jax==0.7.1 jaxlib==0.7.1 torch==2.13.0
cd "$work"
cat > pool.py <<'PYTHON'
import sys

import keras
import numpy as np

x = np.float32([1, 4, 9, 16]).reshape(1, 4, 1)
found = np.asarray(keras.ops.average_pool(x, 3, 2, "same")).ravel()
print(f"{keras.backend.backend():<6}", *(f"{v:.2f}" for v in found))
sys.exit(not np.allclose(found, [14 / 3, {"jax": 12.5, "torch": 41 / 3}[keras.backend.backend()]]))
PYTHON
KERAS_BACKEND=jax "$work/venv/bin/python" pool.py
KERAS_BACKEND=torch "$work/venv/bin/python" pool.py
