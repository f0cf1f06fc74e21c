"""Contracts: held against values, held against one another."""

import time

import pytest

from apps.engine import values
from apps.steps.check import check_document
from apps.steps.contracts import accepts_all, faults, found_faults, schema_flaw
from tests.steps.documents import document

OBJECT = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("wide", "narrow", "fits"),
    [
        (OBJECT, OBJECT, True),
        ({}, OBJECT, True),
        (None, OBJECT, True),
        (True, OBJECT, True),
        (OBJECT, {}, False),
        (OBJECT, None, False),
        ({"type": "number"}, {"type": "integer"}, True),
        ({"type": "integer"}, {"type": "number"}, False),
        ({"type": ["string", "null"]}, {"type": "string"}, True),
        ({"type": "string"}, {"type": ["string", "null"]}, False),
        ({"enum": [1, 2, 3]}, {"enum": [1, 3]}, True),
        ({"enum": [1, 3]}, {"enum": [1, 2]}, False),
        ({"enum": [1, 3]}, {"const": 3}, True),
        ({"const": 3}, {"const": 4}, False),
        ({"minimum": 1}, {"minimum": 2}, True),
        ({"minimum": 2}, {"minimum": 1}, False),
        ({"maxLength": 5}, {}, False),
        ({"maxLength": 5}, {"maxLength": 4}, True),
        ({"type": "object"}, OBJECT, True),
        ({**OBJECT, "required": []}, OBJECT, True),
        (OBJECT, {**OBJECT, "required": []}, False),
        ({"properties": {"n": {}, "new": {"type": "string"}}}, OBJECT, True),
        ({**OBJECT, "additionalProperties": False}, OBJECT, False),
        (OBJECT, {**OBJECT, "additionalProperties": False}, True),
        ({"properties": {"n": {"type": "string"}}}, OBJECT, False),
        ({"items": {"type": "number"}}, {"items": {"type": "integer"}}, True),
        ({"items": {"type": "number"}}, {}, False),
        ({"anyOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}, True),
        ({"anyOf": [{"type": "string"}]}, {"type": "string"}, False),
        ({"title": "Old"}, {"title": "New"}, True),
        (False, OBJECT, False),
    ],
)
def test_the_wider_takes_whatever_the_narrower_does(wide, narrow, fits):
    assert accepts_all(wide, narrow) is fits


def test_faults_name_the_field():
    (fault,) = faults(OBJECT, {"n": "x"})
    assert fault == "“n” must be a number; it is text"
    (fault,) = faults(OBJECT, {})
    assert fault == "it lacks “n”"
    assert faults(OBJECT, {"n": 1}) == []
    assert faults(None, object) == []


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": ["integer", "null"]}, 1.5, "must be a whole number or empty; it is a number"),
        ({"type": "boolean"}, [], "must be true or false; it is a list"),
        ({"enum": ["a", 1]}, "b", "must be one of “a”, 1"),
        ({"const": {"a": 1}}, 2, 'must be {"a":1}'),
        ({"minItems": 2}, [1], "must have 2 items or more"),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], "has an item twice"),
        ({"pattern": "^a$"}, "b", "must have the form “^a$”"),
        ({"not": {}}, 1, "does not fit “not”"),
        ({"properties": {"a": False}}, {"a": 1}, "is not asked for"),
        ({"required": list("abcde")}, {}, "lacks “a” and “b” and “c” and 2 more"),
        (False, 1, "is not asked for"),
        ({"multipleOf": "x"}, 1, "cannot be held against what is asked for: TypeError"),
    ],
)
def test_what_does_not_fit_is_said_in_words(schema, value, said):
    (misfit,) = found_faults(schema, value)
    assert misfit.message == said


@pytest.mark.parametrize("whole", ["1", "1.0", "1e2", "-0.0"])
def test_a_whole_number_may_be_written_in_any_way(whole):
    assert faults({"type": "integer"}, values.loads(whole)) == []


def test_a_value_cannot_keep_it_busy():
    started = time.perf_counter()
    (misfit,) = found_faults({"items": {"type": "number"}}, [1] * 1_000_000)
    assert "too large" in misfit.message
    assert time.perf_counter() - started < 5
    assert faults({"items": {"type": "number"}}, [1]) == []


@pytest.mark.parametrize(
    ("trigger", "schema", "severity"),
    [
        ({"type": "schedule", "config": {"cron": "0 9 * * *"}}, {"required": ["n"]}, "error"),
        ({"type": "schedule", "config": {"cron": "0 9 * * *"}}, {"type": "object"}, None),
        ({"type": "manual", "config": {"form": {"type": "object"}}}, OBJECT, "warning"),
        ({"type": "manual", "config": {"form": OBJECT}}, OBJECT, None),
        ({"type": "webhook", "config": {"path": "a"}}, OBJECT, None),
    ],
)
def test_what_the_own_trigger_never_gives_is_found(trigger, schema, severity):
    doc = document({"m": {"type": "map", "config": {"fields": {"x": 1}}}}, ["trigger -> m"])
    doc |= {"trigger": trigger, "settings": {"contract": {"input": schema}}}
    found = [one.severity for one in check_document(doc) if one.code == "contract_unmet"]
    assert found == ([severity] if severity else [])


def test_a_pattern_cannot_keep_it_busy():
    started = time.perf_counter()
    assert faults({"pattern": "^(a+)+$"}, "a" * 40 + "b")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "nothing"}, "is not valid"),
        ({"$ref": "https://elsewhere.example/schema"}, "stands outside"),
        ({"patternProperties": {"^a": {}}}, "patternProperties"),
        ({"properties": {"x": {"pattern": "(?=a)"}}}, "pattern"),
        (3, "object"),
    ],
)
def test_what_cannot_be_held_is_said(schema, said):
    assert said in schema_flaw(schema)


def test_one_that_can_be_held_has_no_flaw():
    assert schema_flaw(OBJECT) == ""
    assert schema_flaw({"$ref": "#/$defs/a", "$defs": {"a": OBJECT}}) == ""


def test_a_bad_one_is_found_at_check():
    doc = document({"m": {"type": "map", "config": {"fields": {"x": 1}}}}, ["trigger -> m"])
    doc["settings"] = {"contract": {"input": {"type": "nothing"}}}
    assert "bad_contract" in {one.code for one in check_document(doc)}
    doc["settings"] = {"contract": {"entry": {}}}
    assert "bad_settings" in {one.code for one in check_document(doc)}
