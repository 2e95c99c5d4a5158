"""Disk, permissions, clock, USB: what this computer gives. Standard library only."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hil.doctor.finding import Finding, Level

LITTLE_SPACE_BYTES = 1_000_000_000  # about a thousand runs with waveforms [A]
NO_SPACE_BYTES = 100_000_000
OLDEST_DATE = datetime(2025, 1, 1, tzinfo=UTC)  # hil is younger than that
CLOCK_WINDOW_S = 0.05
CLOCK_SLACK_S = 0.02
FTDI_VENDOR = "0403"
UDEV_RULE = (
    """echo 'SUBSYSTEM=="usb", ATTR{idVendor}=="0403", MODE="0660", GROUP="plugdev"'"""
    " | sudo tee /etc/udev/rules.d/70-hil.rules"
    " && sudo udevadm control --reload && sudo udevadm trigger && sudo adduser $USER plugdev"
)


def disk(runs: Path) -> Iterator[Finding]:
    """Is there space for records?"""
    place = _nearest(runs)
    free_bytes = shutil.disk_usage(place).free
    level: Level = "bad" if free_bytes < NO_SPACE_BYTES else "warn" if free_bytes < LITTLE_SPACE_BYTES else "ok"
    mend = "" if level == "ok" else f"du -xh --max-depth=1 {place} | sort -h | tail"
    yield Finding(level, "disk", f"{free_bytes / 1e9:.1f} GB free at {place}", mend)


def writable(runs: Path) -> Iterator[Finding]:
    """May records be written? Asked by writing: permission bits say little to root and on network disks."""
    place = _nearest(runs)
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"hil")
    except OSError as error:
        yield Finding("bad", "runs", f"{place} cannot be written: {error.strerror}", f"sudo chown -R $USER {place}")
    else:
        yield Finding("ok", "runs", f"{place.absolute()} can be written")


def _nearest(path: Path) -> Path:
    """Return path, or the nearest folder above it that exists."""
    return next((one for one in (path, *path.absolute().parents) if one.exists()), Path("/"))


def clock(now: datetime | None = None) -> Iterator[Finding]:
    """Is the date plausible, and do the two clocks that a record carries agree on how long a while is?"""
    from hil.clock import RealClock

    mend = "sudo timedatectl set-ntp true"
    utc = now or datetime.now(UTC)
    written = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if utc < OLDEST_DATE or utc < written:
        yield Finding("bad", "clock", f"it is not {utc:%Y-%m-%d %H:%M} UTC: hil's own files are younger", mend)
        return
    wall_s, monotonic_s = time.time(), time.monotonic()
    RealClock().sleep(CLOCK_WINDOW_S)
    apart_s = abs((time.time() - wall_s) - (time.monotonic() - monotonic_s))
    if apart_s > CLOCK_SLACK_S:
        yield Finding("warn", "clock", f"UTC moved by {apart_s:.3f} s against the monotonic clock just now", mend)
    else:
        yield Finding("ok", "clock", f"{utc:%Y-%m-%d %H:%M:%S} UTC; monotonic clock agrees")


def ftdi_devices(sysfs: Path = Path("/sys/bus/usb/devices")) -> dict[str, Path]:
    """Return the device node of each FTDI device that is plugged in, by serial number."""
    found = {}
    for vendor in sorted(sysfs.glob("*/idVendor")):
        if vendor.read_text().strip() == FTDI_VENDOR:
            folder = vendor.parent
            bus, device = (int((folder / name).read_text()) for name in ("busnum", "devnum"))
            serial = (folder / "serial").read_text().strip() if (folder / "serial").exists() else folder.name
            found[serial] = Path(f"/dev/bus/usb/{bus:03d}/{device:03d}")
    return found


def ftdi_permissions(sysfs: Path = Path("/sys/bus/usb/devices")) -> Iterator[Finding]:
    """May this user talk to the fixture?"""
    devices = ftdi_devices(sysfs)
    for serial, node in devices.items():
        if os.access(node, os.R_OK | os.W_OK):
            yield Finding("ok", "USB", f"FTDI {serial} at {node}")
        else:
            yield Finding("bad", "USB", f"FTDI {serial} at {node} may not be opened by this user", UDEV_RULE)
    if not devices:
        yield Finding("ok", "USB", "no FTDI device is plugged in; only a real station needs one")
