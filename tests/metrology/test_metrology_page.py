"""The examples of docs/metrology.md, run as they stand."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "metrology.md"


def test_the_examples_of_the_page_run():
    """What the page says comes out is what comes out."""
    found = doctest.testfile(str(PAGE), module_relative=False)

    assert found.failed == 0
    assert found.attempted > 20
