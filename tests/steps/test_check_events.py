"""The judge of flow documents: events that are told, waited for and started by."""

import pytest

from apps.steps.check import check_document
from tests.steps.documents import document, step


def told(config, kind="wait.event", trigger=None):
    """What is said of one step, as ``(code, field)``."""
    more = {"trigger": trigger} if trigger else {}
    doc = document({"it": step(kind, **config)}, ["trigger -> it"], **more)
    root = "/trigger/config/" if trigger else "/steps/it/config/"
    found = check_document(doc)
    return [
        (one.code, one.path.removeprefix(root))
        for one in found
        if one.code not in {"unlinked_port", "unsigned"} and one.path.startswith(root)
    ]


KEYED = {"type": "a.b", "key": "trigger.body.n", "key_of": "event.data.n"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (KEYED, []),
        ({"type": "a.b"}, []),
        ({"type": "a.b", "where": "event.data.n > trigger.body.n and event.depth < 3"}, []),
        ({}, [("bad_config", "type")]),
        ({"type": ""}, [("bad_config", "type")]),
        ({"type": "two words"}, [("bad_config", "type")]),
        ({"type": "a.b", "key": "1"}, [("half_a_key", "key_of")]),
        ({"type": "a.b", "key_of": "event.id"}, [("half_a_key", "key")]),
        ({**KEYED, "key": "event.data.n"}, [("unknown_name", "key")]),
        ({**KEYED, "key_of": "trigger.body.n"}, [("unknown_name", "key_of")]),
        ({**KEYED, "key_of": "data.n"}, [("unknown_name", "key_of")]),
        ({**KEYED, "key_of": "event.dat"}, [("missing_path", "key_of")]),
        ({**KEYED, "key_of": "event.data.n +"}, [("bad_expression", "key_of")]),
        ({**KEYED, "key_of": "x" * 501}, [("bad_config", "key_of"), ("unknown_name", "key_of")]),
        ({**KEYED, "where": "event.kind = 1"}, [("missing_path", "where")]),
        ({**KEYED, "where": "steps.other.output"}, [("missing_path", "where")]),
        ({**KEYED, "where": "secret"}, [("secret_in_expression", "where")]),
        ({**KEYED, "wher": "true"}, [("bad_config", "wher")]),
    ],
)
def test_a_wait_for_an_event(config, expected):
    assert told(config) == expected


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([{"port": "a", "event": KEYED}, {"port": "b", "for": "P1D"}], []),
        ([{"port": "a", "until": "trigger.body.at"}], []),
        ([], [("bad_config", "ways")]),
        ([{"port": "a"}], [("bad_config", "ways/0")]),
        ([{"port": "a", "for": "P1D", "until": "now()"}], [("bad_config", "ways/0")]),
        ([{"event": {"type": "a"}}], [("bad_config", "ways/0/port")]),
        ([{"port": "a", "for": "soon"}], [("bad_duration", "ways/0/for")]),
        (
            [{"port": "a", "for": "P1D"}, {"port": "a", "for": "P2D"}],
            [("duplicate_port", "ways/1/port")],
        ),
        (
            [{"port": "a", "event": {"type": "a", "key": "1"}}],
            [("half_a_key", "ways/0/event/key_of")],
        ),
        (
            [{"port": "a", "event": {**KEYED, "key_of": "run.id"}}],
            [("unknown_name", "ways/0/event/key_of")],
        ),
    ],
)
def test_the_first_of_several(ways, expected):
    assert told({"ways": ways}, "wait.first") == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"type": "a.b", "data": {"n": "= trigger.body.n"}, "ttl": "PT0S"}, []),
        ({"type": '= "a." + trigger.body.kind'}, []),
        ({}, [("bad_config", "type")]),
        ({"type": "a b"}, [("bad_config", "type")]),
        ({"type": "a", "ttl": "1 hour"}, [("bad_duration", "ttl")]),
        ({"type": "a", "ttl": "P31D"}, [("bad_duration", "ttl")]),
        ({"type": "a", "version": 2}, [("bad_config", "version")]),
        ({"type": "a", "data": "= event.data"}, [("unknown_name", "data")]),
        ({"type": "a", "data": {"k": {"secret": "x"}}}, [("secret_not_allowed", "data/k")]),
    ],
)
def test_what_is_told(config, expected):
    assert told(config, "emit") == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"type": "a.b", "filter": "event.data.n > 1", "dedupe": "event.data.n"}, []),
        ({}, [("bad_config", "type")]),
        ({"type": "a.b", "filter": "trigger.body.n"}, [("unknown_name", "filter")]),
        ({"type": "a.b", "filter": "event.sum > 1"}, [("missing_path", "filter")]),
        ({"type": "a.b", "filter": "event.data >"}, [("bad_expression", "filter")]),
        ({"type": "a.b", "dedupe": "run.id"}, [("unknown_name", "dedupe")]),
    ],
)
def test_what_starts_by_an_event(config, expected):
    assert told({}, "stop", {"type": "event", "config": config}) == expected


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ("trigger.event.subject", []),
        ("trigger.body.n", []),
        ("trigger.event.data", [("missing_path", "fields/x")]),
        ("trigger.event.kind", [("missing_path", "fields/x")]),
        ("trigger.headers.x", [("may_be_missing", "fields/x")]),
        ("event.data", [("unknown_name", "fields/x")]),
    ],
)
def test_what_a_run_reads_of_the_event_that_started_it(reads, expected):
    doc = document(
        {"it": step("map", fields={"x": f"= {reads}"})},
        ["trigger -> it"],
        trigger={"type": "event", "config": {"type": "a.b"}},
    )
    found = [(one.code, one.path) for one in check_document(doc) if one.code != "unlinked_port"]
    assert found == [(code, f"/steps/it/config/{path}") for code, path in expected]


def test_only_a_run_that_an_event_started_has_one():
    doc = document({"it": step("map", fields={"x": "= trigger.event.id"})}, ["trigger -> it"])
    assert "missing_path" in [one.code for one in check_document(doc)]


def test_the_output_of_a_wait_is_known():
    steps = {
        "it": step("wait.event", type="a.b"),
        "then": step("map", fields={"x": "= steps.it.output.event.data.n"}),
        "bad": step("map", fields={"x": "= steps.it.output.event.dta"}),
    }
    doc = document(steps, ["trigger -> it", "it -> then", "then -> bad"])
    wrong = [one for one in check_document(doc) if one.severity == "error"]
    assert [(one.step, one.code) for one in wrong] == [("bad", "missing_path")]
