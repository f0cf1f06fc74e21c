"""The flow document as a format: its canonical hash, its JSON Schema, and an empty one."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from apps.engine.canonical import content_hash
from apps.steps import registry
from apps.steps.check import MAX_NAME, MAX_STEPS, Settings
from apps.steps.document import FORMAT
from apps.steps.links import MAX_LINKS
from apps.steps.texts import STEP_ID

SCHEMA_ID = "urn:signalbox:flow:1"
#: A text that is FEEL may stand where any other value is due; the run puts the value there.
TEMPLATE = {"type": "string", "pattern": "^=(?!=)", "title": "Expression"}


def document_hash(document: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of the canonical form of everything but ``layout``.

    A moved box changes nothing; any other change, of an unknown field too, does.

    Raises:
        NotJson: The document is no JSON, or holds a number that is not exactly a double.

    Source: RFC 8785, JSON Canonicalization Scheme.
    """
    return content_hash({name: one for name, one in document.items() if name != "layout"})


def empty_document(name: str) -> dict[str, Any]:
    """A flow that nobody has drawn yet; it has findings."""
    return {
        "format": FORMAT,
        "name": name,
        "trigger": {"type": "manual", "config": {"form": {"type": "object", "properties": {}}}},
        "steps": {},
        "links": [],
        "settings": {},
        "layout": {},
    }


def document_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a flow document, made from the catalogue.

    It describes shapes; what ``check`` says beyond them (paths, reachability) it cannot.
    """
    definitions: dict[str, Any] = {}
    steps = [_step_schema(type_, definitions) for type_ in registry.catalogue()]
    triggers = [_trigger_schema(type_, definitions) for type_ in registry.triggers()]
    settings = _moved(Settings.model_json_schema(), "settings", definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Signalbox flow",
        "type": "object",
        "required": ["format", "trigger", "steps", "links"],
        "properties": {
            "format": {"const": FORMAT},
            "name": {"type": "string", "maxLength": MAX_NAME},
            "trigger": {"oneOf": triggers},
            "steps": {
                "type": "object",
                "maxProperties": MAX_STEPS,
                "propertyNames": {
                    "pattern": f"^{STEP_ID.pattern}$",
                    "not": {"enum": ["trigger", "steps", "run", "item", "index"]},
                },
                "additionalProperties": {"oneOf": steps},
            },
            "links": {
                "type": "array",
                "maxItems": MAX_LINKS,
                "items": {
                    "type": "object",
                    "required": ["from", "to"],
                    "properties": {
                        "from": {"type": "string"},
                        "port": {"type": "string"},
                        "to": {"type": "string"},
                    },
                },
            },
            "settings": settings,
            "layout": {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
        },
        "$defs": definitions,
    }


def _step_schema(type_: registry.StepType, definitions: dict[str, Any]) -> dict[str, Any]:
    name = f"{type_.kind}.{type_.version}"
    config = _moved(type_.config_schema, name, definitions)
    return {
        "type": "object",
        "title": type_.title,
        "required": ["type"] if type_.version == 1 else ["type", "version"],
        "properties": {
            "type": {"const": type_.kind},
            "version": {"const": type_.version},
            "title": {"type": "string", "maxLength": MAX_NAME},
            "config": _with_templates(config, definitions, name),
        },
    }


def _trigger_schema(type_: registry.TriggerType, definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "title": type_.title,
        "required": ["type"],
        "properties": {
            "type": {"const": type_.kind},
            "config": _moved(type_.config_schema, f"trigger.{type_.kind}", definitions),
        },
    }


def _moved(schema: Mapping[str, Any], prefix: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema with its own definitions put among the shared ones, under a prefix."""
    own = deepcopy(dict(schema))
    inner = own.pop("$defs", {})
    for name, definition in inner.items():
        definitions[f"{prefix}.{name}"] = _renamed(definition, prefix)
    renamed: dict[str, Any] = _renamed(own, prefix)
    return renamed


def _renamed(node: Any, prefix: str) -> Any:
    if isinstance(node, dict):
        return {
            name: f"#/$defs/{prefix}.{one.rsplit('/', 1)[-1]}"
            if name == "$ref"
            else _renamed(one, prefix)
            for name, one in node.items()
        }
    return [_renamed(one, prefix) for one in node] if isinstance(node, list) else node


def _with_templates(
    schema: dict[str, Any], definitions: dict[str, Any], prefix: str
) -> dict[str, Any]:
    """Let a template stand for every value inside a config, but not for the config itself."""
    for name in [one for one in definitions if one.startswith(f"{prefix}.")]:
        definitions[name] = _opened(definitions[name])
    return _opened(schema)


def _opened(schema: dict[str, Any]) -> dict[str, Any]:
    opened = dict(schema)
    if "properties" in opened:
        opened["properties"] = {
            name: _or_template(one) for name, one in opened["properties"].items()
        }
    for word in ("items", "additionalProperties"):
        if isinstance(opened.get(word), dict):
            opened[word] = _or_template(opened[word])
    if "anyOf" in opened:
        opened["anyOf"] = [_opened(one) for one in opened["anyOf"]]
    return opened


def _or_template(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("x-feel") in {"expression", "unary"}:
        return schema
    notes: dict[str, Any] = {name: schema[name] for name in ("title", "default") if name in schema}
    return {**notes, "anyOf": [_opened(schema), TEMPLATE]}
