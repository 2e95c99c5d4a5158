"""Which drivers there are, and which role each one fills, told from their source without importing any.

A driver is a module in hil/instruments with `DRIVER = SomeClass`; the class says `ROLE = "AcSource"`.
"""

from __future__ import annotations

import ast
from pathlib import Path

from hil.errors import SetupError

_INSTRUMENTS = Path(__file__).parent.parent / "instruments"


def read_drivers(folder: Path = _INSTRUMENTS) -> dict[str, str]:
    """Return the role that each driver fills, by the name of its module."""
    found = {path.stem: _role(_parse(path)) for path in sorted(folder.glob("[!_]*.py"))}
    return {name: role for name, role in found.items() if role}


def read_roles(source: Path = _INSTRUMENTS / "roles.py") -> frozenset[str]:
    """Return the names of the roles an instrument can have."""
    return frozenset(
        node.name
        for node in _parse(source).body
        if isinstance(node, ast.ClassDef)
        and "Instrument" in {base.id for base in node.bases if isinstance(base, ast.Name)}
    )


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise SetupError(f"{path}:{error.lineno}: this driver is not Python: {error.msg}", "mend it") from error


def _role(module: ast.Module) -> str:
    """Return the ROLE of the class that DRIVER names, or nothing where the module has no driver."""
    classes = {node.name: _constants(node.body) for node in module.body if isinstance(node, ast.ClassDef)}
    driver = _constants(module.body).get("DRIVER")
    role = classes.get(driver.id, {}).get("ROLE") if isinstance(driver, ast.Name) else None
    return str(role.value) if isinstance(role, ast.Constant) else ""


def _constants(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Return what each plain or annotated name is set to."""
    values: dict[str, ast.expr] = {}
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = value
            case _:
                pass
    return values
