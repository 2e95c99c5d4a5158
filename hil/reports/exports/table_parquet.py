"""The table of measurements as Apache Parquet: the columns of table.py with types, units and what they say.

Unlike CSV it holds text as it stands in the journal.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hil.errors import SetupError
from hil.journal.reader import Journal
from hil.reports.exports.table import COLUMNS, rows


def parquet(journals: Iterable[Journal]) -> bytes:
    """Return the table as Parquet; raises SetupError where pyarrow is not installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet as format_of_file
    except ModuleNotFoundError as error:
        raise SetupError("Parquet needs the package pyarrow", "pip install 'hil[evidence]', or export CSV") from error
    types = {
        "text": pa.string(),
        "real": pa.float64(),
        "whole": pa.int64(),
        "truth": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    found = list(rows(journals))
    fields = [
        pa.field(one.name, types[one.kind], metadata={"unit": one.unit, "description": one.says}) for one in COLUMNS
    ]
    arrays = [pa.array(_cells(found, one.name, one.kind), types[one.kind]) for one in COLUMNS]
    marks = "; ".join(dict.fromkeys(row["marks"] for row in found))
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={"marks": marks}))
    file = io.BytesIO()
    format_of_file.write_table(table, file, compression="zstd")
    return file.getvalue()


def _cells(found: list[dict[str, Any]], name: str, kind: str) -> list[Any]:
    if kind == "time":
        return [datetime.fromisoformat(row[name]) for row in found]
    return [row[name] for row in found]
