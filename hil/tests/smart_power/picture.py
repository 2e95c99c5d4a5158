"""Waveforms as the journal keeps them; hil.reports.waveforms draws them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from hil.metrology.waveforms import Samples

Trace = tuple[str, str, Samples, Samples]  # name, unit, time in s, value in the unit


def picture(title: str, traces: Sequence[Trace], marks: Sequence[tuple[str, float]] = ()) -> bytes:
    """Return traces on one time axis, with marks (name, time in s), as an attachment of media type WAVEFORM."""
    data = {
        "title": title,
        "traces": [
            {"name": name, "unit": unit, "time_s": _rounded(time_s, 8), "value": _rounded(value, 4)}
            for name, unit, time_s, value in traces
        ],
        "marks": [{"name": name, "time_s": round(at_s, 8)} for name, at_s in marks],
    }
    return json.dumps(data, separators=(",", ":")).encode()


def _rounded(values: Samples, digits: int) -> list[float]:
    return [float(value) for value in np.round(values, digits)]
