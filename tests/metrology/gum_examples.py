"""The end gauge of GUM H.1 as inputs of a model: JCGM 100:2008, annex H.1, in nm and degrees Celsius."""

import math

from hil.metrology.budget import Component, u_shaped
from hil.metrology.propagation import Input

SQRT3 = math.sqrt(3.0)


def length_nm(l_s, d, alpha_s, theta, d_alpha, d_theta):
    """GUM, equation H.3: the length of the end gauge."""
    return l_s + d - l_s * (d_alpha * theta + alpha_s * d_theta)


def end_gauge():
    """Estimates, standard uncertainties and degrees of freedom of GUM, table H.1."""
    return [
        Input("l_s", 50_000_623.0, "nm", (Component("certificate", "B", "normal", 25.0, 1.0, 18),)),
        Input(
            "d",
            215.0,
            "nm",
            (
                Component("mean of 5", "A", "normal", 5.8, 1.0, 24),
                Component("comparator, random", "B", "normal", 3.9, 1.0, 5),
                Component("comparator, systematic", "B", "normal", 6.7, 1.0, 8),
            ),
        ),
        Input("alpha_s", 11.5e-6, "1/K", (Component("limits", "B", "rectangular", 2e-6 / SQRT3),)),
        Input("theta", -0.1, "K", (Component("mean", "B", "normal", 0.2), u_shaped("cyclic", 0.5))),
        Input("d_alpha", 0.0, "1/K", (Component("limits", "B", "rectangular", 1e-6 / SQRT3, 1.0, 50),)),
        Input("d_theta", 0.0, "K", (Component("limits", "B", "rectangular", 0.05 / SQRT3, 1.0, 2),)),
    ]
