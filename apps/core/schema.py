"""What OpenAPI says of every operation alike: how a refusal looks."""

from typing import Any

from apps.core.http import PROBLEM

_METHODS = {"get", "post", "put", "patch", "delete"}
_PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457); some codes bring further fields.",
    "properties": {
        "type": {"type": "string", "description": "An address that stands for the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for a person."},
        "code": {"type": "string", "description": "What programs tell refusals apart by."},
    },
    "required": ["code", "detail", "status", "title", "type"],
    "additionalProperties": {},
}


def describe_refusals(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """A post-processing hook: every operation may answer with a problem, described once."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components.setdefault("responses", {})["Problem"] = {
        "description": "Refused, with the reason.",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in result.get("paths", {}).values():
        for method in _METHODS & path.keys():
            path[method]["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    return result
