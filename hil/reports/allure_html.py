"""allure-report/index.html: one page that opens from the disk, made by Allure 3 where it is installed.

Allure 3.18 puts an analytics script into every page it makes and has no switch for it. Evidence talks to nobody: the
script is cut out, a content security policy forbids whatever else might ask the network, and the page is refused when
an outside address is still loaded.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hil.journal.reader import Journal
from hil.journal.summary import summarise
from hil.names import printable
from hil.reports import allure_history
from hil.reports.allure import name, outlines
from hil.reports.allure_labels import CATEGORIES, GRADES
from hil.reports.cases import parse_utc

FOLDER = "allure-report"
DEADLINE_S = 60.0  # [A] it takes 1 s for a run of ours
_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'unsafe-inline' 'unsafe-eval' data: blob:\">"
)
# Allure 3.18 shows a link that is no web address as plain text; these lead to the certificate beside the report
_LINKS = """
    <style>[data-testid=test-result-meta-link]:not(:has(a)) { cursor: pointer; text-decoration: underline }</style>
    <script>
        const certificate = %s;
        addEventListener("click", (event) => {
            const link = event.target.closest("[data-testid=test-result-meta-link]");
            const to = link && certificate[link.textContent.trim()];
            if (to) open(to, "certificate");
        });
    </script>
"""
_ANALYTICS = re.compile(
    r'<script[^>]*src="https://www\.googletagmanager\.com[^"]*"[^>]*>\s*</script>'
    r"\s*<script>\s*window\.dataLayer\b.*?</script>",
    re.DOTALL,
)
_LOADED = re.compile(
    r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)\s*=\s*["']?(?:https?:)?//""", re.IGNORECASE
)
# of Allure's own fourteen those that say something about a unit
_CHARTS = [
    {"type": "currentStatus", "title": "This run"},
    {"type": "statusDynamics", "title": "Runs of this unit"},
    {"type": "testResultSeverities", "title": "By severity", "levels": list(GRADES), "includeUnset": False},
]
# Runs before Allure: random identifiers and the clock come from the run, so that the same run gives the same page.
_STEADY = """
const crypto = require("node:crypto");
let count = 0;
const block = () => crypto.createHash("sha256").update(`${process.env.HIL_RUN} ${count++}`).digest();
crypto.randomUUID = () => {
  const hex = block().toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
const fill = (view) => {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let at = 0; at < bytes.length; at += 32) bytes.set(block().subarray(0, bytes.length - at), at);
  return view;
};
crypto.randomFillSync = fill;
Object.getPrototypeOf(crypto.webcrypto).getRandomValues = fill;
Date.now = () => Number(process.env.HIL_RUN_MS);
require("node:module").syncBuiltinESMExports();
"""

_log = logging.getLogger(__name__)


def find_allure() -> str | None:
    """Return the path of the `allure` command: beside this Python, in node_modules of the checkout, or on PATH."""
    # never of the working folder: it may be a record from elsewhere, and what lies there would be run
    places = [Path(sys.executable).parent, Path(__file__).parents[2] / "node_modules/.bin"]
    return shutil.which("allure", path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))


def write(journal: Journal, results: Path, folder: Path, allure: str | None) -> Path | None:
    """Make folder/allure-report from results; None, with a line in the log, where Allure 3 is missing or fails."""
    target = folder / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    if allure is None:
        return None
    with tempfile.TemporaryDirectory(prefix="hil-allure-") as scratch:
        page = _generate(journal, results, Path(scratch), allure)
    if page is None:
        return None
    target.mkdir()
    index = target / "index.html"
    index.write_bytes(page.encode())
    return index


def strip(page: str) -> str:
    """Cut the analytics out of a page and forbid it the network; raises ValueError when that is not enough."""
    page = _ANALYTICS.sub("", page)
    head, found, tail = page.partition("<head>")
    if not found or _LOADED.search(page) or "googletagmanager" in page:
        raise ValueError("the page still loads something from the network")
    return f"{head}{found}\n    {_POLICY}{tail}"


def link(page: str, journal: Journal) -> str:
    """Make the links to the certificate work."""
    to = {printable(str(link.name)): str(link.url) for one in outlines(journal) for link in one.links}
    told = json.dumps(to, sort_keys=True).replace("<", "\\u003c")  # no text of a record ends the script
    head, found, tail = page.partition("</head>")
    return f"{head}{_LINKS % told}{found}{tail}"


def _generate(journal: Journal, results: Path, scratch: Path, allure: str) -> str | None:
    facts = journal.started
    config: dict[str, Any] = {
        "name": name(facts, summarise(journal.events).verdict),
        "output": str(scratch / "report"),
        "categories": list(CATEGORIES),
        "appendHistory": False,
        "plugins": {
            "awesome": {
                "options": {
                    "singleFile": True,
                    "reportLanguage": "en",
                    "theme": "auto",
                    "groupBy": ["suite", "subSuite"],
                    "defaultSortBy": "name,asc",  # suites and requirements are named in the plan's order
                    "stepTreeExpansion": "expand_failed_only",
                    "charts": _CHARTS,
                    "timeline": {"minDuration": 0},
                }
            }
        },
    }
    try:
        config["historyPath"] = str(allure_history.write(journal, scratch))
        (scratch / "allurerc.json").write_text(json.dumps(config), encoding="utf-8")
        (scratch / "steady.cjs").write_text(_STEADY, encoding="utf-8")
        done = subprocess.run(
            [allure, "generate", "--config", "allurerc.json", "--output", "report", str(results.resolve())],
            cwd=scratch,
            env=_environment(journal, scratch),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        page = scratch / "report" / "index.html"
        if done.returncode or not page.exists():  # a plugin that fails is an exit code of zero all the same
            _log.warning("allure-report: %s made no page: %s", allure, (done.stderr or done.stdout).strip()[:500])
            return None
        return link(strip(page.read_text(encoding="utf-8")), journal)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        _log.warning("allure-report: %s: %s", allure, error)
        return None


def _environment(journal: Journal, scratch: Path) -> dict[str, str]:
    """Return the little that Allure needs: what CI puts there would end up, with addresses, in the page."""
    end = parse_utc(journal.entries[-1].utc)
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(scratch),
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "UV_THREADPOOL_SIZE": "1",  # files are read one after the other, so the order does not depend on who is quicker
        "NODE_OPTIONS": f"--require={scratch / 'steady.cjs'}",
        "HIL_RUN": journal.run_id,
        "HIL_RUN_MS": str(round(end.timestamp() * 1000.0)),
    }
