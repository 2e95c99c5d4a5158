"""10,000 measurements in one test, by OpenHTF: `python work_openhtf.py COUNT FILE`, in an environment that has it.

Each is declared with a unit and limits, set, judged by OpenHTF's in_range, kept in memory, and written with all others
into one JSON file by OpenHTF's own callback when the test has ended. One phase is as quick as a hundred of them.
"""

import sys

import openhtf as htf
from openhtf.output.callbacks.json_factory import OutputToJSON
from openhtf.util import units

COUNT, FILE = int(sys.argv[1]), sys.argv[2]
NAMES = [f"metering.active_power_error[n={n}]" for n in range(COUNT)]


@htf.measures(*(htf.Measurement(name).with_units(units.PERCENT).in_range(-1.0, 1.0) for name in NAMES))
def active_power(test):
    for n, name in enumerate(NAMES):
        test.measurements[name] = 0.25 + n * 1e-6


def main() -> None:
    test = htf.Test(active_power)
    test.add_output_callbacks(OutputToJSON(FILE))
    if not test.execute(test_start=lambda: "SP-000123"):
        sys.exit("OpenHTF: the test did not pass")


if __name__ == "__main__":
    main()
