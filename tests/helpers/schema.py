"""Whether the settings that a function takes are those of the configuration's schema."""

from __future__ import annotations

from dataclasses import fields

from blinkpair.inputs.settings import load_schema


def defaults(section: str) -> dict[str, object]:
    """Return the defaults of a section of the configuration, by the names of its settings."""
    properties = load_schema("config")["properties"][section]["properties"]
    return {name: rules["default"] for name, rules in properties.items()}


def defaults_of(settings: type) -> dict[str, object]:
    """Return the defaults of a dataclass of settings, by the names of its fields."""
    return {field.name: field.default for field in fields(settings)}
