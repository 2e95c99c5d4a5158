"""What every generator of the combination wave has in common: 1.2/50 us and 8/20 us behind 2 ohm, onto live mains.

Ref: IEC 61000-4-5, generator and coupling network.
"""

from __future__ import annotations

from hil.errors import OutOfRange

SOURCE_OHM = 2.0
MAINS_PEAK_V = 400.0  # 264 V rms and some: the pulse stands on the mains, and a peak meter may see their sum
MARGIN = 1.5  # no peak is that much above what was set


def check_setting(level_v: float, angle_deg: float, lowest_v: float, highest_v: float) -> None:
    """Raise OutOfRange unless a generator of these levels can make the pulse."""
    if not lowest_v <= abs(level_v) <= highest_v:
        raise OutOfRange("surge |level_v|", abs(level_v), lowest_v, highest_v)
    if not 0.0 <= angle_deg < 360.0:
        raise OutOfRange("surge angle_deg", angle_deg, 0.0, 360.0)


def can_be_peak(peak_v: float, level_v: float) -> bool:
    """Say whether a peak voltage can be that of a pulse of this level and polarity, clamped or not, on live mains."""
    along_v = peak_v if level_v > 0.0 else -peak_v
    lowest_v, highest_v = min(0.0, abs(level_v) - MAINS_PEAK_V), MARGIN * abs(level_v) + MAINS_PEAK_V
    return lowest_v < along_v <= highest_v and peak_v != 0.0


def can_be_current(peak_a: float, level_v: float) -> bool:
    """Say whether a peak current can be that of a pulse of this level; without a load none flows."""
    return abs(peak_a) <= (MARGIN * abs(level_v) + MAINS_PEAK_V) / SOURCE_OHM
