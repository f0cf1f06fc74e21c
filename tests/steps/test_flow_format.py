"""The page about the format says what the code does."""

import json
import re
from pathlib import Path

import pytest

from apps.steps import registry
from apps.steps.check import check_document
from apps.steps.format import document_hash, document_schema, empty_document

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "flow-format.md").read_text()
SOURCES = [
    *(ROOT / "apps" / "steps").rglob("*.py"),
    ROOT / "apps" / "flows" / "checks.py",
    ROOT / "apps" / "triggers" / "checks.py",
]


def test_every_code_is_explained():
    code = "".join(one.read_text() for one in SOURCES)
    said = set(re.findall(r'"([a-z]+(?:_[a-z]+)*)",\s*"(?:error|warning)"', code))
    said |= set(re.findall(r'Flaw\(\s*"([a-z_]+)"', code))
    assert len(said) > 35
    assert not {one for one in said - {"done", "error"} if f"`{one}`" not in PAGE}


@pytest.mark.parametrize("type_", registry.catalogue(), ids=lambda one: one.kind)
def test_every_step_type_is_explained_with_its_fields(type_):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{type_.kind}` |"))
    for name in [
        *type_.config_schema["properties"],
        *(type_.ports if isinstance(type_.ports, tuple) else ()),
    ]:
        assert re.search(rf"\b{name}\b", row), name


@pytest.mark.parametrize("type_", registry.triggers(), ids=lambda one: one.kind)
def test_every_trigger_is_explained_with_its_fields(type_):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{type_.kind}` |"))
    for name in type_.config_schema["properties"]:
        assert f"`{name}`" in row, name


def test_the_sample_is_a_good_document():
    (sample,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert check_document(json.loads(sample)) == []


def test_an_empty_document_says_what_to_do_first():
    assert [one.code for one in check_document(empty_document("New"))] == ["no_steps"]


def test_the_hash_is_for_ever():
    """Stored hashes name versions: this one may not change."""
    document = {"format": "signalbox.flow/1", "name": "é", "steps": {"b": 1, "a": [True, None]}}
    expected = "517aeba6eb9d4837c432098529505213d904c9df4baed52e90b776fd859f9bc4"
    assert document_hash({**document, "layout": {"a": [1, 2]}}) == document_hash(document)
    assert document_hash(document) == expected


def test_the_schema_has_no_reference_that_leads_nowhere():
    schema = document_schema()
    text = repr(schema)
    for name in re.findall(r"#/\$defs/([^']+)'", text):
        assert name in schema["$defs"], name
