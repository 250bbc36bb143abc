"""What is wrong with settings and params, in sentences that say what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel, ValidationError

LONGEST_QUOTE = 120
"""Characters of a wrong value that are quoted."""


def in_sentences(error: ValidationError, model: type[BaseModel], *, kind: str) -> str:
    """Return a sentence for each fault: which field, what to write, and what was written.

    :param error: what validating ``model`` raised.
    :param kind: what its fields are called, such as ``param``.
    """
    fields = model.model_json_schema()["properties"]
    return "; ".join(_sentence(fault, fields, kind) for fault in error.errors(include_url=False))


def _sentence(fault: Mapping[str, Any], fields: Mapping[str, Any], kind: str) -> str:
    own_words = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return own_words
    name = str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        return f"there is no {kind} {name}: correct the name or remove it"
    if fault["type"] == "secret":
        return f"{name}: {own_words}"
    wanted = own_words if fault["type"] == "value_error" else f"write {_wanted(fields[name])}"
    quote = repr(fault["input"])
    return f"{name}: {wanted} (got {quote if len(quote) <= LONGEST_QUOTE else f'{quote[:LONGEST_QUOTE]}…'})"


def _wanted(schema: Mapping[str, Any]) -> str:
    """Say what a field takes."""
    schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    match schema.get("type"), schema.get("format"):
        case "boolean", _:
            return "true or false"
        case "integer", _:
            return f"a whole number {_bounds(schema)}"
        case "number", _:
            return f"a number {_bounds(schema)}"
        case _, "uuid":
            return "an id such as 019a3e1c-7a54-7c1f-9d0e-2b1f4f6a8c3d"
        case _:
            return f"a text of {schema.get('minLength', 0)} to {schema['maxLength']} characters"


def _bounds(schema: Mapping[str, Any]) -> str:
    if "exclusiveMinimum" in schema:
        return f"above {schema['exclusiveMinimum']:g}, up to {schema['maximum']:g}"
    return f"from {schema['minimum']:g} to {schema['maximum']:g}"
