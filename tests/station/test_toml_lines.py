"""Lines of keys, against tomllib; recovery from syntax errors."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.station.toml_lines import key_lines
from hil.station.toml_recovery import loads_all

BARE = st.text("abcdefgXYZ019_-", min_size=1, max_size=6)
QUOTED = st.text(min_size=0, max_size=6).filter(lambda text: text.isprintable()).map(json.dumps)
LITERAL = st.text('abc .=[]{}#"', max_size=6).map(lambda text: f"'{text}'")
SCALARS = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.sampled_from(["true", "1.5e3", "inf", "2026-03-31", "07:32:00", "1979-05-27 07:32:00Z"]),
    st.text("ab #=[]{}.,'é", max_size=8).map(json.dumps),
    st.text('ab #=[]{}.,"', max_size=8).map(lambda text: f"'{text}'"),
    st.sampled_from(['"""a\n = [ # b\n"""', "'''x\n[y]\n'''", '"""quotes "" \\""" end""""', "'''it''s'''"]),
)


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Arrays over one line or many, with comments and a trailing comma."""
    layouts = st.sampled_from([("[", ", ", "]"), ("[\n  ", ",  # ] } =\n  ", ",\n]"), ("[ # [\n", " ,\n", "\n]")])
    many = st.tuples(layouts, st.lists(values, min_size=1, max_size=3))
    return st.one_of(st.just("[]"), many.map(lambda it: it[0][0] + it[0][1].join(it[1]) + it[0][2]))


def inline_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(BARE, values), max_size=3, unique_by=lambda pair: pair[0])
    return pairs.map(lambda items: "{ " + ", ".join(f"{key} = {value}" for key, value in items) + " }")


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(arrays(inner), inline_tables(inner)), max_leaves=5)
KEYS = st.lists(st.one_of(BARE, QUOTED, LITERAL), min_size=1, max_size=3).map(" . ".join)
STATEMENTS = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    st.tuples(KEYS, VALUES).map(lambda pair: f"  {pair[0]}={pair[1]} # note"),
    KEYS.map(lambda keys: f"[{keys}]"),
    KEYS.map(lambda keys: f"[[ {keys} ]]  # note"),
    st.sampled_from(["", "# comment = [", "   "]),
)


def readable(statements: list[str]) -> str:
    """Keep the statements that tomllib accepts after those before them."""
    kept: list[str] = []
    for statement in statements:
        try:
            tomllib.loads("\n".join([*kept, statement]))
        except tomllib.TOMLDecodeError:
            continue
        kept.append(statement)
    return "\n".join(kept)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Return the paths of everything inside a document that tomllib read."""
    inner = value.items() if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else ()
    return {(*path, key) for key, _ in inner}.union(*(paths(one, (*path, key)) for key, one in inner))


@settings(max_examples=60, deadline=None)
@given(st.lists(STATEMENTS, max_size=8).map(readable))
def test_the_scanner_finds_exactly_the_keys_that_tomllib_finds(text: str):
    """No key is missed, none is invented, whatever the style of the document."""
    assert set(key_lines(text)) == paths(tomllib.loads(text))


@settings(max_examples=60, deadline=None)
@given(st.lists(STATEMENTS, max_size=8).map(readable), BARE)
def test_a_key_stands_on_the_line_the_scanner_says(text: str, name: str):
    """A key put on the first line after any table is found there, and its table's older lines do not move."""
    before = key_lines(text)
    line = text.count("\n") + 2
    try:
        tomllib.loads(f"{text}\n{name}-new = 1")
    except tomllib.TOMLDecodeError:
        return
    after = key_lines(f"{text}\n{name}-new = 1")

    assert {path: after[path] for path in before} == before
    assert [at for path, at in after.items() if path not in before] == [line]


def test_lines_are_counted_through_strings_arrays_and_comments():
    """A value over several lines does not shift what comes after it."""
    text = 'a = """\n[b]\n"""\n# c = 1\n[t]\nx = [\n 1, # 2\n { y = 3 },\n]\n"z.z" = 1'

    lines = key_lines(text)

    assert lines == {
        ("a",): 1, ("t",): 5, ("t", "x"): 6, ("t", "x", 0): 7, ("t", "x", 1): 8, ("t", "x", 1, "y"): 8,
        ("t", "z.z"): 10,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("a = 1\nb = foo\nc = 2", 2),
        ('a = 1\nb = "open\nc = 2', 2),
        ("a = 1\nb\nc = 2", 2),
        ('a = 1\nb = [\n "x",\nc = 2', 2),
        ('a = 1\nb = ["x" "y"]\nc = 2', 2),
        ("a = 1\nb = { x = 1\nc = 2", 2),
        ("a = 1\na = 1\nc = 2", 2),
        ("a = 1\nb = 2026-02-30\nc = 2", 2),
        ("a = 1\nb = [1,\n two,\n]\nc = 2", 3),
        ("a = 1\nb = '''\nc = 2", 2),
        ("a = 1\n[t\nc = 2", 2),
        ("a = 1\r\nb = foo\r\nc = 2\r\n", 2),
        ("a = 1\nb.\nc = 2", 2),
        ("a = 1\nc = 2\nb = [\n", 3),
    ],
)
def test_a_syntax_error_costs_its_own_statement_only(broken: str, line: int):
    """What stands before and after the error is still read, and the error has the line where it was made."""
    _, values, mistakes = loads_all(broken)

    assert [one.line for one in mistakes] == [line]
    assert values.get("t", values)["c"] == 2


def test_each_of_many_syntax_errors_is_reported():
    """One bad line does not hide the next."""
    _, values, mistakes = loads_all("[t]\na = x\nb = 1\nc = \n[t]\nd = 2\n[u\ne = 3\n")

    assert [(one.line, one.key) for one in mistakes] == [(2, "t.a"), (4, "t.c"), (5, "t"), (7, "u")]
    assert values["u"] == {"e": 3}


@settings(max_examples=100, deadline=None)
@given(st.text("ab=[]{}\"'#.\n ,1", max_size=60))
def test_recovery_ends_whatever_the_text(text: str):
    """Any text is read to its end, and what was left of it is TOML whose keys have lines."""
    readable_text, values, _ = loads_all(text)

    assert set(key_lines(readable_text)) == paths(values)
