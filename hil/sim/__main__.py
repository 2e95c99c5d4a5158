"""Keeps a simulated station open: `python -m hil.sim --serial SP-000123 --fault k2-set-open --json`.

SIGTERM and SIGINT end it; nothing is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from typing import Any

from hil.sim.faults import FAULTS, UnknownFault, parse_fault

BOARDS = ("smart-power",)


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(argv)
    if options.list_faults:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the reader of our output may leave, as `head` does
        for pattern, (place, text) in FAULTS.items():
            print(f"{pattern:<32} {place}: {text}")
        return 0
    try:
        for fault in options.fault:
            parse_fault(fault)
    except UnknownFault as error:
        print(f"hil.sim: {error}", file=sys.stderr)
        return 4
    return asyncio.run(_run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hil.sim",
        description="Keep a simulated station open: instruments, fixture and one unit, on loopback.",
        epilog="example: python -m hil.sim --serial SP-000123 --fault k2-set-open --json",
    )
    parser.add_argument(
        "--serial", default="SP-000001", help="the unit's serial number: who it is (default %(default)s)"
    )
    parser.add_argument("--board", choices=BOARDS, default=BOARDS[0], help="its board (default %(default)s)")
    parser.add_argument("--revision", default="A", help="its revision (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all noise (default %(default)s)")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[@S]", help="a defect, from the start or from S seconds on"
    )
    parser.add_argument("--real-time", action="store_true", help="bench time is wall time, instead of free")
    parser.add_argument("--json", action="store_true", help="print the addresses as one line of JSON")
    parser.add_argument(
        "--linger", type=float, metavar="S", help="end when nobody has been connected for S seconds of real time"
    )
    parser.add_argument("--list-faults", action="store_true", help="list the defects by name and end")
    return parser


async def _run(options: argparse.Namespace) -> int:
    from hil.sim.station import Station

    station = Station(options.serial, options.revision, options.seed, options.fault, options.real_time)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    addresses = await station.start()
    print(json.dumps(addresses) if options.json else _listing(addresses), flush=True)
    waiting: list[asyncio.Task[Any]] = [asyncio.create_task(ended.wait())]
    if options.linger is not None:
        waiting.append(asyncio.create_task(station.abandoned(options.linger)))
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await station.stop()
    return 0


def _listing(addresses: dict[str, Any]) -> str:
    lines = [f"{role:<20} {entry['model']:<24} {entry['resource']}" for role, entry in addresses["instruments"].items()]
    lines += [f"{'unit':<20} {name:<24} {address}" for name, address in addresses["unit"].items()]
    lines += [f"{name:<45} {addresses[name]}" for name in ("switch", "usb", "control")]
    return "\n".join([*lines, "Ctrl-C ends it."])


if __name__ == "__main__":
    sys.exit(main())
