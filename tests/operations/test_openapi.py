"""The API describes itself, and answers as it says."""

import json
from pathlib import Path

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from apps.core import clock
from apps.triggers.models import Delivery
from tests.security.world import World
from tests.support import people

pytestmark = pytest.mark.django_db
COMMITTED = Path(__file__).parents[2] / "frontend" / "openapi.json"


@pytest.fixture(scope="module")
def described():
    return json.loads(COMMITTED.read_text())


def closed(schema):
    """The schema, refusing fields that it does not name: what is answered must be described."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(one) for name, one in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def readable(described):
    """``(address, schema)`` of every GET that answers JSON."""
    for path, operations in described["paths"].items():
        if "get" in operations:
            content = operations["get"]["responses"]["200"]["content"]
            if "application/json" in content:
                yield path, content["application/json"]["schema"]


def test_the_committed_description_is_whole_and_valid(described):
    validate_schema(described)
    made = SchemaGenerator().get_schema(request=None, public=True)
    assert set(described["paths"]) == set(made["paths"])


#: What is never so long that it would come in pages.
WHOLE = {"/api/v1/step-types/", "/api/v1/request-forms/", "/api/v1/tasks/bulk/"}


def test_lists_are_pages(described):
    for path, schema in readable(described):
        name = schema.get("$ref", "").rpartition("/")[2]
        shape = described["components"]["schemas"].get(name, {}).get("properties", {})
        if "results" in shape and path not in WHOLE:
            assert {"results", "next", "previous"} <= shape.keys(), path


def test_a_refusal_is_described_once_for_every_operation(described):
    for path in described["paths"].values():
        for operation in path.values():
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}


def test_every_read_answers_with_what_its_schema_says(described):
    world = World()
    Delivery.objects.create(
        workspace_id=world.acme.pk,
        trigger_id=world.ids["trigger"],
        verdict="refused",
        reason="No.",
        headers={},
        query={},
        received_at=clock.now(),
    )
    everything = people.browser(people.person(world.acme, *people.ROLES))
    components = closed(described["components"])
    wrong = []
    for path, schema in readable(described):
        browser = everything
        if "alerts" in path or "v1/tasks" in path:  # one's own
            browser = world.browsers["builder" if "alerts" in path else "approver"]
        if "/requests/" in path:
            browser = world.browsers["viewer"]
        if "/questions/" in path:
            browser = world.browsers["approver"]
        query = f"?flows={world.flow.pk}" if path.endswith("/runs/latest/") else ""
        if path.endswith("/tasks/bulk/"):
            query = f"?tasks={world.ids['task']}&outcome=approved"
        answer = browser.get(path.replace("_id}", "}").format(**world.ids) + query)
        if answer.status_code != 200:
            wrong.append(f"{path}: {answer.status_code}")
            continue
        whole = {**closed(schema), "components": components}
        checker = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        errors = checker.iter_errors(json.loads(answer.content))
        wrong += [f"{path} {error.json_path}: {error.message[:300]}" for error in errors]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv; q=0.5", "nonsense"])
def test_every_read_answers_whatever_the_caller_accepts(described, accept):
    world = World()
    everything = people.browser(people.person(world.acme, *people.ROLES))
    for path, operations in described["paths"].items():
        if "get" not in operations:
            continue
        address = path.replace("_id}", "}").format(**world.ids)
        plain = everything.get(address)
        asked = everything.get(address, headers={"Accept": accept})
        assert asked.status_code == plain.status_code != 406, path
        assert asked["Content-Type"] == plain["Content-Type"], path


@pytest.mark.parametrize(
    ("path", "status"),
    [("nothing/", 404), ("flows/00000000-0000-7000-8000-000000000000/", 404), ("audit/", 403)],
)
def test_a_refusal_is_what_it_is_described_as(described, client_as, path, status):
    answer = client_as("viewer").get(f"/api/v1/{path}")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    Draft202012Validator(described["components"]["schemas"]["Problem"]).validate(answer.json())


def test_the_page_to_read_it_comes_from_here(client_as):
    page = client_as("viewer").get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"//" not in page.content.replace(b"<!DOCTYPE", b"")
