"""Charts: everything measured is drawn, what is out of limits is marked, and a picture is well-formed XML."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from hil.reports.charts import Dot, bars, lines, place_svg
from hil.reports.waveforms import decimate, waveform_svg

SPEC = {"title": "Error", "x": "current_a", "x_label": "load, A", "series": ["pf"], "panel": "socket"}
TIMES = {"title": "Set time", "x": "relay", "x_label": "relay", "series": ["action"]}


def error(current_a, value, *, pf="1", socket=1, verdict="pass", limit=1.0):
    """One point of an accuracy chart."""
    point = {"current_a": current_a, "pf": pf, "socket": socket}
    return Dot(point, value, "%", 0.1, -limit if limit else None, limit, verdict)


def words(drawing):
    """All the texts of a drawing; raises when it is not well-formed."""
    return [node.text for node in ElementTree.fromstring(str(drawing)).iter() if node.tag.endswith("text")]


def test_each_panel_has_its_own_drawing_on_one_scale():
    """Sockets stand beside each other with the same axis, however different their errors are."""
    chart = lines(SPEC, [error(0.1, 0.1), error(1.0, 0.2), error(0.1, -0.9, socket=2), error(1.0, 0.9, socket=2)])

    assert [panel.title for panel in chart.panels] == ["socket 1", "socket 2"]
    first, second = (words(panel.drawing) for panel in chart.panels)
    assert first == second


def test_the_load_axis_is_logarithmic():
    """Equal ratios of load are equal distances."""
    drawing = lines(SPEC, [error(x, 0.0) for x in (0.1, 1.0, 10.0)]).panels[0].drawing

    circles = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', drawing)]
    left, middle, right = sorted(circles)
    assert middle - left == pytest.approx(right - middle, abs=0.2)


def test_loads_without_a_number_are_spaced_evenly():
    """A chart over names is drawn too, not dropped."""
    drawing = lines(SPEC | {"x": "pf", "series": []}, [error(1.0, 0.0, pf=pf) for pf in ("1", "0.5i", "0.8c")])

    assert {"1", "0.5i", "0.8c"} <= set(words(drawing.panels[0].drawing))


def test_every_uncertainty_has_its_bar():
    """Three points, three uncertainty bars of the length of 2 U."""
    drawing = lines(SPEC, [error(x, 0.0) for x in (0.1, 1.0, 3.0)]).panels[0].drawing
    scale = re.findall(r"M[\d.]+ ([\d.]+)h6M[\d.]+ [\d.]+V([\d.]+)", drawing)

    assert len(scale) == 3
    height = 184.0 / (2 * 1.35)  # pixels a percent: the axis reaches 1.35 times the limit both ways
    assert all(float(bottom) - float(top) == pytest.approx(0.2 * height, abs=0.2) for top, bottom in scale)


def test_a_point_far_outside_is_drawn_at_the_edge_with_its_number():
    """A gross failure neither vanishes nor flattens the rest."""
    chart = lines(SPEC, [error(0.1, 0.1), error(1.0, 36.0, verdict="fail")])

    assert "off the scale, up to +36.00\u202f%" in words(chart.panels[0].drawing)
    assert "out of limits" in [text for _, text in chart.legend]


def test_the_band_is_only_as_wide_as_the_tightest_limit():
    """Where series have different limits the dark band is that of the stricter one."""
    chart = lines(SPEC, [error(0.1, 0.0, limit=1.0), error(0.1, 0.0, pf="0.5i", limit=1.5), error(1.0, 0.0)])
    bands = re.findall(r'height="([\d.]+)" fill="(#dfeaf1|#eff5f8)"', chart.panels[0].drawing)

    dark = [float(height) for height, fill in bands if fill == "#dfeaf1"]
    pale = [float(height) for height, fill in bands if fill == "#eff5f8"]
    assert dark == pytest.approx([184 / (2 * 1.5 * 1.35) * 2] * 2, abs=0.2)
    assert max(pale) == pytest.approx(184 / (2 * 1.5 * 1.35) * 3, abs=0.2)


def test_a_point_without_a_limit_is_hollow_and_has_no_band():
    """Not covered looks different from passed."""
    chart = lines(SPEC, [error(0.05, 0.1, limit=None, verdict="not_covered"), error(1.0, 0.1)])

    assert "no limit at this point" in [text for _, text in chart.legend]


def test_bars_carry_value_name_and_limit():
    """Each relay's bar says who it is and how long it took; the one out of limits is crossed."""
    dots = [
        Dot({"relay": "K1", "action": "SET"}, 0.0092, "s", 2e-5, None, 0.015, "pass"),
        Dot({"relay": "K2", "action": "SET"}, 0.0214, "s", 2e-5, None, 0.015, "fail"),
    ]
    chart = bars(TIMES, dots)
    shown = words(chart.panels[0].drawing)

    assert {"K1, SET", "K2, SET", "9.200\u202fms", "21.400\u202fms"} <= set(shown)
    assert [text for _, text in chart.legend] == ["limit", "out of limits"]


def test_names_from_outside_are_escaped():
    """A point's name cannot break out of the drawing."""
    chart = bars(TIMES, [Dot({"relay": "<K1>&"}, 1.0, "s", None, None, None, "pass")])

    assert "<K1>&" in words(chart.panels[0].drawing)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (None, 1.0), (0.5, None), (0.0, 0.0)])
@pytest.mark.parametrize("value", [-5.0, 0.0, 0.9, 50.0])
def test_the_place_of_a_value_stays_inside_its_picture(low, high, value):
    """However far out a value is, its marker is on the 96 pixels."""
    drawing = place_svg(value, 0.1, low, high, bad=False)
    ElementTree.fromstring(str(drawing))

    at = float(re.search(r'cx="([\d.]+)"', drawing)[1])
    assert 3 <= at <= 93


def test_no_limit_no_place():
    """Without limits there is nothing to show."""
    assert place_svg(1.0, 0.1, None, None, bad=False) == ""


def test_a_spike_of_one_sample_survives_decimation():
    """A pulse narrower than a pixel is still seen, and the record stays in time order."""
    time_s = np.linspace(0.0, 1.0, 1_000_000)
    value = np.zeros_like(time_s)
    value[123_456] = 5.0
    shown_s, shown = decimate(time_s, value, 600)

    assert len(shown) == 1200
    assert shown.max() == 5.0
    assert abs(shown_s[shown.argmax()] - time_s[123_456]) < 1 / 600
    assert all(a <= b for a, b in pairwise(shown_s))


def test_a_short_record_is_drawn_sample_by_sample():
    """Nothing is decimated that fits."""
    time_s, value = np.arange(10.0), np.arange(10.0)

    assert decimate(time_s, value, 600)[1] is value


def waveform(**changes):
    """A small waveform."""
    trace = {"name": "coil", "unit": "V", "time_s": [0.0, 0.01, 0.02], "value": [0.0, 5.0, 0.0]} | changes
    return {"title": "K1", "traces": [trace], "marks": [{"name": "edge", "time_s": 0.01}]}


def test_a_waveform_alone_is_an_svg_file():
    """It carries its name space, its trace's name, its marks and its units."""
    drawing = waveform_svg(waveform())

    assert ElementTree.fromstring(str(drawing)).tag == "{http://www.w3.org/2000/svg}svg"
    assert {"coil", "edge", "4\u202fV", "10\u202fms"} <= set(words(drawing))


def test_a_waveform_in_a_page_has_no_address_in_it():
    """A page needs no name space."""
    assert "http" not in waveform_svg(waveform(), alone=False)


def test_marks_close_together_do_not_overlap():
    """Two names at one place stand in two rows."""
    data = waveform() | {"marks": [{"name": "first edge", "time_s": 0.01}, {"name": "last edge", "time_s": 0.0101}]}
    heights = re.findall(r'y="([\d.]+)"[^>]*>(?:first|last) edge<', waveform_svg(data))

    assert len(set(heights)) == 2


@pytest.mark.parametrize(
    "changes",
    [{"time_s": [0.0]}, {"time_s": [0.0, 2.0, 1.0]}, {"value": [0.0, math.nan, 0.0]}, {"time_s": [], "value": []}],
)
def test_a_broken_waveform_is_an_error_not_a_picture(changes):
    """Unpaired, unordered, empty or not-a-number samples are refused."""
    with pytest.raises(ValueError, match="trace"):
        waveform_svg(waveform(**changes))


def test_a_flat_trace_is_a_flat_line():
    """A constant voltage is drawn, with zero on its scale, not blown up to its noise."""
    assert "0\u202fV" in words(waveform_svg(waveform(value=[5.0, 5.01, 5.0])))
