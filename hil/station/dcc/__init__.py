"""Calibrations from a PTB Digital Calibration Certificate (DCC), version 3.

A certificate must be valid by hil's own subset of its schema (schema/README.md), and by PTB's where that is given.

What is read, and nothing is guessed:

- number: coreData/uniqueIdentifier; date: endPerformanceDate; laboratory: its contact's name; serial number: of the one
  item, an identification by the manufacturer whose refType is `basic_serialNumber` or whose name is "serial number".
- due: the date of a statement with the refType `basic_recalibration`. Most have none, for ISO/IEC 17025, 7.8.4.3,
  wants it agreed with the customer: then it is due when the accuracy specification of the driver ends to hold
  (`valid_months`). An import may say another date.
- a result gives one table. Its name, or else that of its measurementResult, says the quantity, and its own name the
  range: "AC voltage, range 300 V". The words are those of `QUANTITIES` in results.py; the range is spelt as in the
  accuracy specification, and left out where there is one only.
- its quantities are told by refType: what the instrument showed (`basic_measuredValue`, or `basic_nominalValue` of a
  source or decade), and `basic_measurementError` (shown minus true) or `basic_measurementError_correction`, whose
  expanded uncertainty and coverage factor are taken. Where a `basic_referenceValue` stands beside them, the error must
  be shown minus reference, or the result is left out: its signs would be a guess.
- units are D-SI: `\\volt`, `\\milli\\volt`, and the like. What was found before an adjustment or repair is left out.

Each result that is left out becomes one of the certificate's notes. So does what it was checked against, and that a
signature was not verified.
"""

from __future__ import annotations

from hil.station.dcc.certificate import certificate_of
from hil.station.dcc.document import DccRefused

__all__ = ["DccRefused", "certificate_of"]
