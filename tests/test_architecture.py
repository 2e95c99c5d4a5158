"""What keeps the house in order: the arrows, the lock file, the plugin that is there once."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_arrow_points_down():
    """import-linter keeps the rooms of the design apart."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_has_a_hash_for_everything_and_no_address():
    """It works with whatever index pip is configured for."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(
        r"^[A-Za-z0-9._-]+==[^ ]+.*\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}.*\n)*)", lock, re.MULTILINE
    )

    assert pinned
    assert all(pinned)
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|@ ", lock)


def test_the_lock_has_everything_the_project_asks_for():
    """A dependency that was added without `make lock` would be missing on a bare machine."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in asked}

    assert names - locked == set()


def test_the_doctor_needs_only_the_standard_library_to_start():
    """At the top of its modules, and of what they import, stands nothing that could be missing."""
    allowed = set(sys.stdlib_module_names) | {"hil"}
    for path in [
        *(ROOT / "hil/doctor").glob("*.py"),
        ROOT / "hil/errors.py",
        ROOT / "hil/clock.py",
        ROOT / "hil/cli.py",
    ]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed, path


def test_no_path_or_address_of_a_machine_is_in_the_tree():
    """What is only true on the machine of whoever wrote it would fail on the next."""
    ours = [path for folder in ("hil", "tests", "docs", "benchmarks", ".ci") for path in (ROOT / folder).rglob("*")]
    # a checkout right in the folder for temporary files, whose name every program may have
    machine = ROOT if ROOT.parent == Path(tempfile.gettempdir()) else ROOT.parent
    for path in [*ours, *ROOT.glob("*")]:
        if path.suffix in {".py", ".toml", ".md", ".lock", ".j2", ".jsonl", ""} and path.is_file():
            assert f"{machine}/" not in path.read_text(encoding="utf-8", errors="replace"), path


@pytest.mark.parametrize("installed", [True, False])
def test_a_plain_pytest_has_the_plugin_exactly_once(installed: bool):
    """With the entry point of an installed hil, and through conftest.py where there is none."""
    flags = ["-p", "hil.plugin"] if installed else []
    command = [sys.executable, "-m", "pytest", "--help", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("--board-revision") == 1
