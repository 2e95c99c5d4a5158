"""Seconds a certificate.pdf takes after the first: `python benchmarks/bench_pdf.py RUN [--times 7]`, both languages."""

from __future__ import annotations

import argparse
import io
import statistics
import time
from pathlib import Path

import pikepdf

from hil.journal.reader import JOURNAL_NAME, read_journal
from hil.reports import pdf
from hil.reports.edition import Edition


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("run", type=Path)
    asked.add_argument("--times", type=int, default=7)
    given = asked.parse_args()
    journal = read_journal(given.run)
    inside = {JOURNAL_NAME: (given.run / JOURNAL_NAME).read_bytes()}

    def render(language: str) -> tuple[float, float, bytes]:
        cpu, wall = time.process_time(), time.monotonic()
        made = pdf.render(journal, given.run, Edition(language=language), inside)
        return time.process_time() - cpu, time.monotonic() - wall, made

    print(f"first: {render('en')[0]:.2f} s CPU, with the imports and the fonts")
    for language in ("en", "de"):
        made = [render(language) for _ in range(given.times)]
        cpu, wall = (statistics.median(one[place] for one in made) for place in (0, 1))
        data, same = made[0][2], len({one[2] for one in made}) == 1
        print(f"{language}: {cpu:.2f} s CPU, {wall:.2f} s, {_pages(data)} pages, {len(data)} bytes, same bytes: {same}")


def _pages(data: bytes) -> int:
    with pikepdf.open(io.BytesIO(data)) as opened:
        return len(opened.pages)


if __name__ == "__main__":
    main()
