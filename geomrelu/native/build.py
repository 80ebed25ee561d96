"""Builds the compiled kernel: ``python geomrelu/native/build.py``, or the hook of hatchling on installation.

Without a C compiler there is none, and nothing is missing but speed.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as _Hook
except ImportError:  # no package is being built
    _Hook = object

__all__ = ["LIBRARY", "build", "source"]

HERE = Path(__file__).parent
LIBRARY = "kernel.so"
SOURCES = ("judge.c", "explore.c", "cells.c")
HEADERS = ("lanes.h", "one_box.h")
FLAGS = ("-std=gnu99", "-O3", "-ffp-contract=fast", "-fPIC", "-Wno-psabi")
# The instructions of a processor: what all have, and what chosen.c finds out. A wheel may be used on another machine.
VERSIONS = {"plain": (), "avx2": ("-march=haswell",), "avx512": ("-march=skylake-avx512",)}


def source() -> str:
    """A name of the sources; a library of other ones is not loaded, for its tables may be others."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in (*HEADERS, *SOURCES))).hexdigest()


def build(target: Path = HERE / LIBRARY, *flags: str) -> str | None:
    """Compile; returns None, or why there is no library."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    several = sysconfig.get_platform() == "linux-x86_64"
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:

        def run(*arguments: str) -> None:
            subprocess.run(
                [*compiler, *FLAGS, *flags, *arguments], check=True, capture_output=True, text=True, cwd=folder
            )

        try:
            objects = ["chosen.o"]
            run("-c", str(HERE / "chosen.c"), f'-DSOURCE="{source()}"', *["-DVERSIONS"][:several])
            for version, instructions in VERSIONS.items() if several else [("plain", ())]:
                for name in SOURCES:
                    objects.append(f"{version}-{name}.o")
                    run("-c", str(HERE / name), f"-DVERSION={version}", *instructions, "-o", objects[-1])
            run("-shared", "-o", LIBRARY, *objects, "-lm")
            (Path(folder) / LIBRARY).replace(target)  # whole, or not at all
        except FileNotFoundError:
            return f"there is no C compiler ({compiler[0]})"
        except (OSError, subprocess.CalledProcessError) as error:
            return str(getattr(error, "stderr", "") or error).strip()
    return None


class Hook(_Hook):  # type: ignore[misc, valid-type, unused-ignore]
    """What hatchling calls."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build into the tree, and ship it in a wheel for this system; without a compiler the wheel is for all."""
        if self.target_name != "wheel":
            return
        problem = build()
        if problem is not None:
            self.app.display_warning(f"the compiled kernel is left out: {problem}")
            (HERE / LIBRARY).unlink(missing_ok=True)
            return
        from packaging.tags import platform_tags

        system = next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))
        build_data["artifacts"].append(f"geomrelu/native/{LIBRARY}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{system}"


if __name__ == "__main__":
    sys.exit(build())
