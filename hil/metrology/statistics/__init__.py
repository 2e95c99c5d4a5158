"""Process and measurement-system statistics: what a laboratory says about many readings, units or decisions.

`mean` and `stdev` are for the hot path: they need neither numpy nor scipy. Everything else is one topic a module and is
imported from there: `descriptive`, `constants`, `capability`, `percentile`, `normality`, `grr`, `attribute`, `charts`,
`rules`, `yields`.

What is whose. Quantiles of chi-squared, F and beta come from scipy.special, which everybody checks; their front end
scipy.stats costs a second to import and adds nothing here. Capability, Gauge R&R, charts and run rules are ours:
capstat-core 0.4.3 agrees on the AIAG set but has no confidence limits for Gauge R&R and one maintainer for a year;
mfgqc 0.3.1 has them but brings pandas, scikit-learn and matplotlib, is as young, and reads files its own way. Neither
says which sigma an index used in a way a certificate could quote. The arithmetic is a few hundred lines, and the tests
hold it to the published sets (NIST StRD, NIST e-Handbook, AIAG MSA-4), not to either package.

Whatever cannot be answered is refused with BadData: too few values, NaN, an unbalanced study, swapped limits.
"""

from hil.metrology.statistics.descriptive import lag1_autocorrelation, mean, stdev

__all__ = ["lag1_autocorrelation", "mean", "stdev"]
