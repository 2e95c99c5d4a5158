"""A snapshot of 4 x 12 meter registers: batched, one by one, and as pyftdi's own SpiController would do it.

    python -m benchmarks.bench_spi

The virtual FT4232H runs in a process of its own. "Bench time" is what the virtual USB and SPI take: on a real
high-speed device that is the time you wait. "Wall time" is what the simulation of it costs on this computer, edge by
edge.
"""

import asyncio
import statistics
import subprocess
import sys
import time

from hil.links import remote_usb
from hil.links.spi import HOLD_COMMANDS, SETUP_COMMANDS, SpiBus, SpiRead, batches

RESOURCE = "ftdi://ftdi:4232h:HILFIX01"
FREQUENCY_HZ = 100e3
STEPS = [SpiRead(cs, bytes((0x80 | register,)), 2) for cs in range(4) for register in range(0x40, 0x4C)]
CLOCKS = 24 * len(STEPS)
COMMAND_S, MICRO_FRAME_S = 0.2e-6, 125e-6  # AN_114; USB 2.0 high speed
ROUNDS = 20


class Meters:
    """The least that answers: register a of meter n reads as a and n. Samples on rising, changes on falling edges."""

    def __init__(self):
        self.bits, self.clock, self.selected, self.miso = 0, False, None, True

    def spi_pins(self, t_s, sclk, mosi, cs):
        selected = cs.index(False) if False in cs else None
        if selected != self.selected:
            self.selected, self.bits, self.count = selected, 0, 0
        elif selected is not None and sclk != self.clock:
            if sclk:
                self.bits, self.count = self.bits << 1 | mosi, self.count + 1
                if self.count == 8:
                    self.answer = (self.bits & 0x7F) << 8 | selected
            elif 8 <= self.count < 24:
                self.miso = bool(self.answer >> 23 - self.count & 1)
        self.clock = sclk
        return self.miso

    def gpio_write(self, value, direction):
        pass

    def gpio_read(self):
        return 0xFF

    panel_write, panel_read = gpio_write, gpio_read

    def uart_write(self, data):
        pass

    def uart_read(self):
        return b""


class Bench:
    fixture = Meters()


async def serve():
    """Be the station: print the port, answer "now" lines with the bench time, end with the input."""
    from hil.sim.usb import UsbServer
    from hil.sim.world import World

    world = World()
    print(await UsbServer(world, Bench()).start(), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(world.now_s, flush=True)


def main():
    """Start the station, measure, print."""
    command = [sys.executable, "-m", "benchmarks.bench_spi", "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as station:
        remote_usb.use(f"127.0.0.1:{station.stdout.readline().strip()}")

        def now_s():
            station.stdin.write("now\n")
            station.stdin.flush()
            return float(station.stdout.readline())

        bus = SpiBus("Fixture", RESOURCE, FREQUENCY_HZ)
        rows = [
            ("batched", *measure(lambda: bus.transfer(STEPS), now_s)),
            ("one exchange a register", *measure(lambda: [bus.transfer([step])[0] for step in STEPS], now_s)),
        ]
        per_transfer_s = round_trip_s(bus)
        bus.close()
        rows.append(("pyftdi SpiController", *measure_pyftdi(now_s)))
        remote_usb.stop_using()
        station.stdin.close()
    report(rows, per_transfer_s)


def measure(snapshot, now_s):
    """Return wall time, USB transfers and bench time of one snapshot."""
    usb = remote_usb.get_backend()
    expected = [bytes((step.command[0] & 0x7F, step.cs)) for step in STEPS]
    assert [bytes(data) for data in snapshot()] == expected
    before_s, before, walls_s = now_s(), usb.transfers, []
    for _ in range(ROUNDS):
        start_s = time.perf_counter()
        snapshot()
        walls_s.append(time.perf_counter() - start_s)
    return statistics.median(walls_s), (usb.transfers - before) / ROUNDS, (now_s() - before_s) / ROUNDS


def measure_pyftdi(now_s):
    """The same registers through pyftdi's SpiController, as its documentation shows it."""
    from pyftdi.spi import SpiController

    controller = SpiController(cs_count=4)
    controller.configure(RESOURCE + "/1", frequency=FREQUENCY_HZ)
    ports = [controller.get_port(cs, freq=FREQUENCY_HZ, mode=0) for cs in range(4)]
    result = measure(lambda: [ports[step.cs].exchange(step.command, step.length) for step in STEPS], now_s)
    controller.close()
    return result


def round_trip_s(bus, count=2000):
    """Return the wall time of one small transfer to the other process and back."""
    chip = bus._port.chip
    start_s = time.perf_counter()
    for _ in range(count):
        chip.read_pins()
    return (time.perf_counter() - start_s) / count


def report(rows, per_transfer_s):
    """Print the table and the arithmetic of the batched row."""
    clock_s = CLOCKS / FREQUENCY_HZ
    print(
        f"{len(STEPS)} registers, {CLOCKS} clocks at {FREQUENCY_HZ / 1e3:g} kHz = {clock_s * 1e3:.2f} ms on the bus\n"
    )
    print(f"{'':26}{'bench ms':>10}{'x clock':>9}{'USB transfers':>15}{'wall ms':>9}{'x batched':>11}")
    for name, wall_s, transfers, bench_s in rows:
        ratio = wall_s / rows[0][1]
        print(
            f"{name:26}{bench_s * 1e3:10.2f}{bench_s / clock_s:9.3f}{transfers:15.0f}{wall_s * 1e3:9.1f}{ratio:11.1f}"
        )
    buffers = len(batches(STEPS))
    frames, commands = len(STEPS), SETUP_COMMANDS + HOLD_COMMANDS + 1
    parts = {
        f"{CLOCKS} clocks": clock_s,
        f"{frames} clocks with CS high": frames / FREQUENCY_HZ,
        f"{frames} x {commands} pin commands of 0.2 us": frames * commands * COMMAND_S,
        f"{2 * buffers} transfers of a micro-frame": 2 * buffers * MICRO_FRAME_S,
    }
    total_s, measured_s = sum(parts.values()), rows[0][3]
    print("\nbatched, derived: " + " + ".join(f"{what} {part_s * 1e3:.3f} ms" for what, part_s in parts.items()))
    print(f"  = {total_s * 1e3:.3f} ms = {total_s / clock_s:.3f} x the clock time; measured {measured_s / clock_s:.3f}")
    print("  goal: at most 1.15 x")
    print(f"one small USB transfer to the other process and back: {per_transfer_s * 1e6:.0f} us wall")


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve())
    else:
        main()
