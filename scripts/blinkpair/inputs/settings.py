"""The configuration: what the user wrote, checked, with every default filled in.

Numbers may arrive as text, because Snakemake hands on `--config 'photometry={aperture_px: 3}'` as
text.

Input: the mapping that was read from the configuration file and the command line. Output: a plain
dict with every setting of `workflow/schemas/config.schema.yaml`, so that no later step repeats a
default; or one error that lists everything that is wrong with it.
"""

from __future__ import annotations

import copy
import functools
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from blinkpair.inputs.problems import (
    Problem,
    UnsoundInputError,
    as_number,
    listed,
    nearest,
    number_hint,
    shown,
)

_Path = tuple[str | int, ...]  # keys from the outermost in, and places in a list
_Lines = Mapping[tuple[str, ...], tuple[str, int]]  # key -> file and line

SCHEMAS = Path(__file__).resolve().parents[3] / "workflow" / "schemas"

_UNITS = {"_s": "seconds", "_um": "micrometres", "_px": "pixels"}
_NULL_TEXTS = {"", "~", "null", "none"}
# Intervals need no random numbers any more; a configuration that still has these runs.
RETIRED = {"statistics": ("seed", "resamples")}
# There are some fifty settings; a few lines of YAML's aliases can unfold to more than any memory.
_MOST_VALUES = 10_000
_TRUTH = {"true": True, "false": False}


def load_settings(
    config: Mapping[str, Any] | None, config_files: Iterable[str | Path] = ()
) -> dict[str, Any]:
    """Check a configuration and fill in its defaults.

    Parameters
    ----------
    config : mapping or None
        As Snakemake read it; None or {} is the configuration of the paper.
    config_files : iterable of paths, optional
        The files it was read from: the message then names file and line.

    Returns
    -------
    dict
        Every setting of the schema, nested as there: numbers as float, whole
        numbers as int.

    Raises
    ------
    UnsoundInputError
        Naming every unknown key, wrong type and value out of range.
    """
    settings, problems = examine_settings(config, config_files)
    if problems:
        raise UnsoundInputError(problems)
    return settings


def examine_settings(
    config: object, config_files: Iterable[str | Path] = ()
) -> tuple[dict[str, Any], list[Problem]]:
    """Check a configuration without raising.

    Parameters
    ----------
    config : object
        As for `load_settings`; anything but a mapping is a problem.
    config_files : iterable of paths, optional
        As for `load_settings`.

    Returns
    -------
    settings : dict
        Complete; where the user's value is no good, the default stands in.
    problems : list of Problem
        In the order of the lines, or of the keys where lines are not known.
    """
    from jsonschema import Draft202012Validator  # 0.1 s, only the main process needs it

    schema = load_schema("config")
    lines, found = _read_lines(config_files)
    if config is not None and not isinstance(config, Mapping):
        what = f"the configuration is {_kind(config)}, not settings with a name each"
        found.append(((), Problem("configuration", what, "write one 'name: value' a line")))
        config = None
    if not _countable(config):
        what = f"it holds more than {_MOST_VALUES} values, or one that holds itself"
        found.append(((), Problem("configuration", what, "write it without & and *")))
        config = None
    given = _without_retired(_read_as(config, schema))
    bad: set[tuple[str, ...]] = set()
    for error in Draft202012Validator(schema).iter_errors(given):
        path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            unknown = [k for k in error.instance if k not in error.schema["properties"]]
            keys = [(*path, key) for key in unknown]
            found += [(key, _unknown_key(key, schema, lines)) for key in keys]
        else:
            bad.add(_names(path))
            found.append((path, _wrong_value(path, error.instance, error.schema, lines)))
    found.sort(key=lambda pair: lines.get(_names(pair[0]), ("", 0)))
    # One value can break two rules of the schema and is still reported once.
    problems = list(dict.fromkeys(problem for _, problem in found))
    return _with_defaults(given, schema, bad), problems


@functools.cache
def load_schema(name: str) -> dict[str, Any]:
    """Return a schema of `workflow/schemas` by its name ('config' or 'fields'), as a dict."""
    text = (SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8")
    schema: dict[str, Any] = yaml.safe_load(text)
    return schema


def key_place(path: _Path, lines: _Lines) -> str:
    """Return 'config/config.yaml, line 3, photometry.aperture_px' for the path of a key."""
    names = _names(path)
    file, line = lines.get(names, ("configuration", 0))
    entry = "".join(f", entry {p + 1}" for p in path if isinstance(p, int))
    return f"{file}, {f'line {line}, ' if line else ''}{'.'.join(names)}{entry}"


def _names(path: _Path) -> tuple[str, ...]:
    return tuple(str(p) for p in path if not isinstance(p, int))


def _read_as(value: object, schema: Mapping[str, Any]) -> Any:
    """Copy `value` into plain types, reading texts as the numbers that the schema requires."""
    kinds = _kinds(schema)
    if "object" in kinds:
        if value is None:  # a section whose lines are all commented out
            return {}
        if isinstance(value, Mapping):
            known = schema["properties"]
            return {str(k): _read_as(v, known.get(str(k), {})) for k, v in value.items()}
    if "array" in kinds and isinstance(value, list | tuple):
        return [_read_as(v, schema["items"]) for v in value]
    if isinstance(value, str):
        if "null" in kinds and value.strip().lower() in _NULL_TEXTS:
            return None
        if {"number", "integer"} & kinds and (number := as_number(value)) is not None:
            return number
        if "boolean" in kinds:
            return _TRUTH.get(value.strip().lower(), value)
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            return str(number)  # text, so that the schema refuses it: NaN passes every range
    return copy.deepcopy(value)


def _without_retired(given: Any) -> Any:
    """Drop settings of earlier versions that have no effect any more."""
    for section, keys in RETIRED.items():
        own = given.get(section) if isinstance(given, dict) else None
        if isinstance(own, dict):
            given[section] = {name: value for name, value in own.items() if name not in keys}
    return given


def _countable(value: object) -> bool:
    """Return whether a value holds no more than `_MOST_VALUES` others."""
    waiting, count = [value], 0
    while waiting and count <= _MOST_VALUES:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += one
        count += 1
    return count <= _MOST_VALUES


def _with_defaults(
    given: object, schema: Mapping[str, Any], bad: set[tuple[str, ...]], path: tuple[str, ...] = ()
) -> Any:
    if "object" in _kinds(schema):
        known = given if isinstance(given, dict) else {}
        missing = object()
        return {
            key: _with_defaults(known.get(key, missing), sub, bad, (*path, key))
            if "object" in _kinds(sub) or (key in known and (*path, key) not in bad)
            else _with_defaults(sub["default"], sub, bad, (*path, key))
            for key, sub in schema["properties"].items()
        }
    if isinstance(given, list):
        return [_with_defaults(v, schema["items"], bad, path) for v in given]
    if isinstance(given, int | float) and not isinstance(given, bool):
        return int(given) if "integer" in _kinds(schema) else float(given)
    return given


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _unknown_key(path: _Path, schema: Mapping[str, Any], lines: _Lines) -> Problem:
    """Return the problem of an unknown key, with what was probably meant."""
    *section, key = _names(path)
    inside = functools.reduce(lambda part, name: part["properties"][name], section, schema)
    if instead := inside.get("x-removed", {}).get(key):
        return Problem(key_place(path, lines), "this setting was removed", instead)
    places = {(k,): k for k in schema["properties"]}
    for name, sub in schema["properties"].items():
        places |= {(name, k): k for k in sub.get("properties", {})}
    here = [k for where, k in places.items() if list(where[:-1]) == section]
    dotted = {".".join(where): where for where in places}
    hint = f"known here: {', '.join(here)}"
    about = ""
    if close := nearest(key, here, 0.6 if key not in dotted else 1.0):
        about, hint = ".".join([*section, close]), f"did you mean {close}?"
    elif close := nearest(key, places.values(), 0.8) or nearest(key, dotted, 0.8):
        where = dotted.get(close) or next(w for w, k in places.items() if k == close)
        about = ".".join(where)
        home = f"in the section {where[0]}" if len(where) == 2 else "at the outermost level"
        hint = f"{where[-1]} belongs {home}"
    elif key in ("True", "False"):
        hint += ". YAML reads on, off, yes and no as true and false"
    return Problem(key_place(path, lines), "there is no such setting", hint, about)


def _wrong_value(path: _Path, value: object, schema: Mapping[str, Any], lines: _Lines) -> Problem:
    kinds = _kinds(schema)
    leaf = next((str(p) for p in reversed(path) if not isinstance(p, int)), "")
    meaning = f"meaning: {schema['description']}" if "description" in schema else ""
    unit = next((unit for end, unit in _UNITS.items() if leaf.endswith(end)), "")
    default = json.dumps(schema.get("default"))
    if "enum" in schema:
        what = f"{_kind(value)} is not one of the choices"
        if instead := schema.get("x-removed", {}).get(value if isinstance(value, str) else None):
            return Problem(key_place(path, lines), f"{_kind(value)} was removed", instead)
        close = nearest(value, schema["enum"]) if isinstance(value, str) else None
        hint = f"did you mean {close}?" if close else ""
        hint += f" {'Choices' if hint else 'choices'}: {listed(schema['enum'], 'or')}"
    elif "object" in kinds:
        names = list(schema["properties"])
        what = f"this is a section with settings of its own, not {_kind(value)}"
        hint = f"write '{leaf}:' and below it, indented, for example '{names[0]}: ...'"
        if isinstance(value, list):
            hint += ". Lines of a section begin without a dash"
    elif "array" in kinds and not isinstance(value, list):
        example = default if isinstance(value, dict) or value is None else f"[{value}]"
        what, hint = f"{_kind(value)} is not a list", f"write it in brackets: {example}"
    elif "array" in kinds:
        what = "the list is empty" if not value else "the list has the same value twice"
        hint = f"the default is {default}"
    elif value is None:
        what, hint = "no value is given", f"leave the line out for the default, {default}"
    elif {"number", "integer"} & kinds and (
        isinstance(value, bool) or not isinstance(value, int | float)
    ):
        what = f"{_kind(value)} is not {'a whole' if 'integer' in kinds else 'a'} number"
        hint = number_hint(value, unit) if isinstance(value, str) else "write a number"
        hint += f"; {meaning}"
    elif "boolean" in kinds:
        what, hint = f"{_kind(value)} is neither true nor false", f"write one of them; {meaning}"
    elif "integer" in kinds and isinstance(value, float) and not value.is_integer():
        what, hint = f"{value:g} is not a whole number", f"write one without a point; {meaning}"
    elif {"number", "integer"} & kinds:
        what, hint = f"{value:g} is out of range: it must be {_range(schema)}", meaning
        if "default" in schema:
            hint = f"correct it, or leave the line out for the default, {default}; {meaning}"
    else:
        what = "the text is empty" if value == "" else f"{_kind(value)} is not text"
        hint = f"leave the line out for the default, {default}; {meaning}"
    return Problem(key_place(path, lines), what, hint.strip("; "), ".".join(_names(path)))


def _kind(value: object) -> str:
    """Name a value as its writer sees it in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"'{str(value).lower()}' (a yes or no)"
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int | float):
        return f"{value:g}"
    return shown(value)


def _range(schema: Mapping[str, Any]) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    return listed([f"{word} {schema[key]:g}" for key, word in words.items() if key in schema])


def _read_lines(
    config_files: Iterable[str | Path],
) -> tuple[_Lines, list[tuple[_Path, Problem]]]:
    """Return the line of every key, and the keys that a file holds twice.

    YAML's readers keep the last of two equal keys without a message, so that a section
    repeated further down would replace the first. Later files take precedence over earlier
    ones, as for the values. A file that cannot be read is left out, because its errors were
    reported when the configuration was read.
    """
    lines: dict[tuple[str, ...], tuple[str, int]] = {}
    doubled: list[tuple[_Path, Problem]] = []

    def visit(node: yaml.Node, path: tuple[str, ...], file: str) -> None:
        if not isinstance(node, yaml.MappingNode) or len(path) > 2:
            return
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key_node.tag.endswith(":bool"):
                key = str(key.lower() in ("on", "yes", "true"))  # as it arrives in the mapping
            here = (*path, key)
            lines[here] = (file, line)
            if key in seen:
                what = f"this key is also on line {seen[key]}; only the last would count"
                place = key_place(here, lines)
                doubled.append((here, Problem(place, what, "join the two", ".".join(here))))
            seen[key] = line
            visit(value_node, here, file)

    for file in config_files:
        try:
            text = Path(file).read_text(encoding="utf-8-sig")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if node is not None:
            visit(node, (), str(file))
    return lines, doubled
