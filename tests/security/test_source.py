"""What the code must not do, read from the code itself."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

HIL = Path(__file__).parents[2] / "hil"
MODULES = sorted(HIL.rglob("*.py"))
# they run what they are given, or what they read; `execv` of hil sim replaces a process by ours, with a list
EVALUATES = {"eval", "exec", "compile", "__import__"}
UNPACKS = {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml", "jsonpickle", "joblib", "cloudpickle"}
SHELLS = {
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "pty.spawn", "tempfile.mktemp",
    "asyncio.create_subprocess_shell", "numpy.load", "np.load",
}  # fmt: skip
STARTS = {"Popen", "run", "call", "check_call", "check_output"}
LISTENS = {"bind", "create_server", "start_server", "create_datagram_endpoint", "start_unix_server"}
LISTENERS = {"sim/network/datagrams.py", "sim/transports/server.py", "sim/usb.py"}
LOOPBACK = {"127.0.0.1", "::1"}


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """Return (module, node) for everything in hil."""
    parsed = {path.relative_to(HIL).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    return [(module, node) for module, tree in parsed.items() for node in ast.walk(tree)]


@cache
def calls() -> list[tuple[str, ast.Call, str]]:
    """Return (module, call, what is called) for every call in hil."""
    return [(module, node, dotted(node.func)) for module, node in nodes() if isinstance(node, ast.Call)]


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` as it is written; what stands before a dot and is no name becomes a question mark."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def test_nothing_is_evaluated_or_unpacked_into_code():
    """No eval, no pickle, no shell: what comes from outside is data."""
    found = [f"{module}:{call.lineno}: {name}" for module, call, name in calls() if name in EVALUATES | SHELLS]
    for module, node in nodes():
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [f"{module}: {name}" for name in names if name.partition(".")[0] in UNPACKS]

    assert found == []


def test_a_process_is_started_with_a_list_and_no_shell():
    """Nothing is quoted, so nothing can be quoted wrongly."""
    started = [one for one in calls() if one[2].startswith("subprocess.") and one[2].rpartition(".")[2] in STARTS]
    wrong = [
        f"{module}:{call.lineno}"
        for module, call, _ in started
        if any(keyword.arg in {"shell", None} for keyword in call.keywords)
        or not isinstance(call.args[0], ast.List | ast.Name)
    ]

    assert len(started) > 4
    assert wrong == []


def test_only_the_simulated_station_listens_and_only_on_loopback():
    """Whoever adds a server has to come by here; netlink's bind is no socket of a network."""
    listeners = {one[0] for one in calls() if one[2].rpartition(".")[2] in LISTENS} - {"links/netlink.py"}
    hosts: dict[str, set[str]] = {}
    for module in listeners:
        tree = next(node for name, node in nodes() if name == module)
        assert isinstance(tree, ast.Module)
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                given = dict(zip(reversed(function.args.args), reversed(function.args.defaults), strict=False))
                for argument, default in given.items():
                    if argument.arg == "host":
                        word = (
                            default.value if isinstance(default, ast.Constant) else constants.get(ast.unparse(default))
                        )
                        hosts.setdefault(module, set()).add(str(word or ast.unparse(default)))

    assert listeners == LISTENERS
    assert hosts.keys() == LISTENERS
    assert set().union(*hosts.values()) <= LOOPBACK | {"LOOPBACK"}
    assert (HIL / "sim/transports/server.py").read_text().count('LOOPBACK = "127.0.0.1"') == 1


def test_no_address_that_means_everybody_is_in_the_code():
    """Not by number, and not by name."""
    words = {"0.0.0.0", "::0", "INADDR_ANY", "in6addr_any"}
    found = [
        module
        for module, node in nodes()
        if (isinstance(node, ast.Constant) and node.value in words)
        or (isinstance(node, ast.Attribute) and node.attr in words)
    ]

    assert found == []


def test_modules_are_imported_by_name_from_our_own_only():
    """A name from a file or a command line can choose among the modules of one folder, never any module."""
    named = [(module, call) for module, call, name in calls() if name == "importlib.import_module"]
    for module, call in named:
        what = call.args[0]
        first = what.values[0] if isinstance(what, ast.JoinedStr) else what
        assert isinstance(first, ast.Constant), f"{module}:{call.lineno}"
        ours = r"hil\.((commands|instruments|dut|review\.rules)\.|review\.rules)"
        assert re.fullmatch(ours, str(first.value)), f"{module}:{call.lineno}"

    assert len(named) > 3


def test_templates_escape_everything():
    """Autoescape is on, and `safe` stands behind a word of the template itself only."""
    environments = [
        (module, {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords})
        for module, call, _ in calls()
        if any(keyword.arg == "loader" for keyword in call.keywords)
    ]
    for module, keywords in environments:
        assert keywords["autoescape"] == "True", module
        assert keywords["undefined"] == "StrictUndefined", module
    templates = sorted(HIL.rglob("*.j2"))
    unsafe = [
        (path.name, found[0])
        for path in templates
        for found in re.finditer(r"(\S+)\s*\|\s*safe\b", path.read_text(encoding="utf-8"))
        if not re.search(r"""['"]\s*\|\s*safe""", found[0])
    ]

    assert sorted(module for module, _ in environments) == ["reports/filters.py", "review/page/__init__.py"]
    assert len(templates) > 10
    assert unsafe == []
    assert not [path.name for path in templates if re.search(r"autoescape|\|\s*e\b|Markup", path.read_text())]


def test_markup_is_made_in_few_places():
    """Whatever calls text markup takes it out of the templates' hands."""
    makers = {module for module, _, name in calls() if name == "Markup"}

    in_reports = ("cells", "charts", "evidence", "filters", "pdf", "rows", "svg", "told")
    assert makers <= {*(f"reports/{name}.py" for name in in_reports), "review/page/__init__.py"}
