#!/bin/sh
# PyTorch 2.13.0 (CPU), seen with Python 3.11 on Linux x86_64.
#
# nn.Upsample(scale_factor=1.3, mode="nearest") takes other entries for the same numbers in another order in memory, and
# for images other than for volumes. For volumes of 4 channels or more that are contiguous as torch.channels_last_3d, as
# for images, an axis whose size stays what it is (3 * 1.3 rounds down to 3) is copied; for volumes in the usual order
# output i is entry floor(i / 1.3) instead. Likewise a factor such as 2.3 that doubles a size.
#
# Output seen:
#   volume, usual order    [1.0, 1.0, 10.0]
#   volume, channels last  [1.0, 10.0, 100.0]
#   image                  [1.0, 10.0, 100.0]
#   line                   [1.0, 1.0, 10.0]
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check numpy torch==2.13.0
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import sys

import torch

line = torch.tensor([1.0, 10.0, 100.0]).expand(1, 4, 3).contiguous()
volume = line.reshape(1, 4, 3, 1, 1).expand(1, 4, 3, 3, 3).contiguous()
last = volume.contiguous(memory_format=torch.channels_last_3d)
assert torch.equal(volume, last)
up = torch.nn.Upsample(scale_factor=1.3, mode="nearest")
found = {
    "volume, usual order": up(volume)[0, 0, :, 0, 0].tolist(),
    "volume, channels last": up(last)[0, 0, :, 0, 0].tolist(),
    "image": up(volume[..., 0])[0, 0, :, 0].tolist(),
    "line": up(line)[0, 0].tolist(),
}
for kind, values in found.items():
    print(f"{kind:<22} {values}")
first, copied = [1.0, 1.0, 10.0], [1.0, 10.0, 100.0]
sys.exit(list(found.values()) != [first, copied, copied, first])
PYTHON
