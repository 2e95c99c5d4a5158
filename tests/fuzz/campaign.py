"""Run all wire targets of a module under atheris: python -m fuzz.campaign MODULE FOLDER [libFuzzer options], in tests.

FOLDER/TARGET gets the seeds, and the input that breaks it. The modules of hil are instrumented as they are imported, so
that inputs are kept which reach new code; that takes seconds, so it is done once, and each target has a process forked
from there.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import atheris

WORLD = ["hil.sim.instruments", "hil.sim.chips", "hil.sim.world", "hil.sim.circuit", "hil.sim.network"]  # no parsers


def main(module: str, folder: Path, options: list[str]) -> int:
    with atheris.instrument_imports(include=["hil"], exclude=WORLD, enable_loader_override=False):
        importlib.import_module(module)
    from fuzz.registry import TARGETS

    failed = 0
    for name, target in TARGETS.items():
        if target.wire and target.check.__module__ == module:
            child = os.fork()
            if not child:
                fuzz(name, folder / name, options)
            failed |= os.waitpid(child, 0)[1]
    return 1 if failed else 0


def fuzz(name: str, folder: Path, options: list[str]) -> None:
    """Fuzz one target; this process ends with it."""
    from fuzz.registry import NASTY, TARGETS

    seeds = folder / "seeds"
    seeds.mkdir(parents=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (seeds / f"{number:02d}").write_bytes(seed)
    words = [word for word in (*TARGETS[name].tokens, *NASTY) if len(word) <= 60]  # libFuzzer takes no longer ones
    dictionary = folder / "words"
    dictionary.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words))
    arguments = [f"-artifact_prefix={folder}/", f"-dict={dictionary}", "-print_final_stats=1", *options, str(seeds)]
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
