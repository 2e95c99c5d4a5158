"""hil review: what a person may type behind it."""

from __future__ import annotations

from typing import Any

from hil.arguments.common import add_command

SEVERITIES = ("blocker", "critical", "high", "med", "info")


def add(commands: Any) -> None:
    """Add the arguments."""
    review = add_command(
        commands,
        "review",
        "review",
        "review a board's design from its flux.ai export",
        "hil review smart-power.md --severity high\n\n"
        "exit codes: 0 no blocker and nothing critical, 1 at least one,\n"
        "            4 no such document, or none that can be read",
    )
    review.add_argument("document", metavar="DOCUMENT.md", nargs="?", default="", help="the export, in Markdown")
    review.add_argument("--severity", choices=SEVERITIES, default="info", help="print only these and worse ones")
    review.add_argument("--html", default="", metavar="FILE", help="write the whole review as a page, too")
    review.add_argument(
        "--out", default="", metavar="FILE", help="write the whole review as JSON, for a plan's [review]"
    )
    other = review.add_mutually_exclusive_group()
    other.add_argument("--rules", action="store_true", help="print what each rule demands of a board, and nothing else")
    other.add_argument(
        "--waivers",
        default="",
        metavar="PLAN",
        help="print [[waivers]] for the requirements of a plan that findings touch; PLAN is a board or a file",
    )
