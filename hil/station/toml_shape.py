"""The shape of a TOML file that people write: pydantic at the border, its findings in plain words with key and line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from hil.names import LONGEST_TEXT, PLAIN_NAME, what_is_wrong
from hil.station.config import Mistake
from hil.station.suggest import did_you_mean
from hil.station.toml_lines import KeyPath
from hil.station.toml_recovery import SyntaxMistake

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
Flaw = tuple[KeyPath, str, str]  # where, what, and a hint or nothing
Keys = Sequence[tuple[tuple[str, ...], type[BaseModel]]]


def _readable(text: str) -> str:
    """Refuse text that cannot stand on one line of a certificate or a terminal."""
    if why := what_is_wrong(text, LONGEST_TEXT):
        raise PydanticCustomError("unreadable", "{why}", {"why": why})
    return text


def _plain(name: str) -> str:
    """Refuse a name that could be taken for a path, an option or a command."""
    if not PLAIN_NAME.fullmatch(name):
        raise PydanticCustomError("no_plain_name", "a name is up to 64 letters, digits, '.', '_' and '-'")
    return name


Text = Annotated[str, Field(min_length=1), AfterValidator(_readable)]
Name = Annotated[str, AfterValidator(_plain)]


class Strict(BaseModel):
    """A table that has these keys and no other, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


_IN_OTHER_WORDS = {
    "string_type": "text in double quotes is wanted here",
    "int_type": "a whole number is wanted here",
    "float_type": "a number is wanted here",
    "finite_number": "a finite number is wanted here",
    "list_type": "a list in square brackets is wanted here",
    "dict_type": "a table is wanted here",
    "model_type": "a table is wanted here",
    "model_attributes_type": "a table is wanted here",
    "date_type": "a bare date is wanted here, as 2026-03-31 without quotes",
    "date_from_datetime_inexact": "a bare date is wanted here, without a time",
    "string_too_short": "this must not be empty",
    "too_short": "at least one is needed",
    "greater_than_equal": "this must be {ge:g} or more",
    "greater_than": "this must be more than {gt:g}",
    "less_than": "this must be less than {lt:g}",
    "less_than_equal": "this must be {le:g} or less",
    "missing": "this key is missing",
    "extra_forbidden": "there is no such key",
}
Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], values: Mapping[str, Any], keys: Keys) -> tuple[Model | None, list[Flaw]]:
    """Return the values as the model, or what is wrong with their shape; keys: the tables whose keys are fixed."""
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, [(_path(flaw), *_in_words(flaw, keys)) for flaw in error.errors()]


def as_mistakes(
    file: str, lines: Mapping[KeyPath, int], torn: Sequence[SyntaxMistake], flaws: Sequence[Flaw]
) -> list[Mistake]:
    """Return every mistake of a file in the order of its lines."""
    mistakes = [Mistake(file, one.line, one.key, one.what) for one in torn]
    mistakes += [Mistake(file, _line(lines, path), _spelled(path), what, hint) for path, what, hint in flaws]
    return sorted(mistakes, key=lambda one: (one.line, one.key))


def _line(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of the key, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _spelled(path: KeyPath) -> str:
    """Write a path as TOML would: names with dots in quotes, places in a list in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if BARE_KEY.fullmatch(part) else f'"{part}"')
    return text


def _path(flaw: ErrorDetails) -> KeyPath:
    return tuple(part for part in flaw["loc"] if part != "[key]")


def _in_words(flaw: ErrorDetails, keys: Keys) -> tuple[str, str]:
    template = _IN_OTHER_WORDS.get(flaw["type"])
    what = template.format(**flaw.get("ctx", {})) if template else flaw["msg"]
    if flaw["type"] == "extra_forbidden":
        return what, did_you_mean(str(flaw["loc"][-1]), _keys_beside(flaw["loc"], keys))
    if flaw["type"] == "missing" or not isinstance(flaw["input"], str | int | float):
        return what, ""
    return f"{what}, not {flaw['input']!r}", ""


def _keys_beside(path: KeyPath, keys: Keys) -> list[str]:
    for pattern, model in keys:
        if len(pattern) == len(path) - 1 and all(p in {"*", part} for p, part in zip(pattern, path, strict=False)):
            return list(model.model_fields)
    return []
