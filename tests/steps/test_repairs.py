"""Each repair that the check offers takes its finding away, and brings no error of its own."""

import json
import re
from pathlib import Path

import pytest

from apps.steps.check import check_document
from tests.steps.documents import CALL, DECIDE, STOP, document, mapped, one_step, step
from tests.steps.patching import patched

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "editor" / "repairs.json"
TABLE = {
    "inputs": [{"expression": "trigger.body.amount"}],
    "outputs": [{"name": "size", "type": "string"}],
    "rules": [{"when": ["< 10"], "then": ['"small"']}, {"when": [">= 10"], "then": ['"large"']}],
}
LINKS = ["trigger -> it", "it -> end"]


def linked(*more, **fields):
    made = document({"it": step("map", "It", fields={}), "end": STOP}, LINKS)
    made["links"] += more
    made["steps"]["it"] |= fields
    return made


CASES = {
    "duplicate_link": linked({"from": "it", "to": "end"}),
    "link_into_trigger": linked({"from": "it", "to": "trigger"}),
    "unknown_step": linked({"from": "it", "to": "nowhere"}),
    "no_ports": linked({"from": "end", "to": "it"}),
    "unknown_port": {**linked(), "links": [{"from": "trigger", "to": "it"}, {"from": "it", "port": "dome", "to": "end"}]},
    "unknown_port of the trigger": {**linked(), "links": [{"from": "trigger", "port": "x", "to": "it"}, {"from": "it", "to": "end"}]},
    "no_failure_lane": document({"it": CALL, "end": STOP}, ["trigger -> it", "it:done -> end"]),
    "only_for_effects": linked(retry={"transient": {"max_attempts": 2}}),
    "no_format": {name: value for name, value in linked().items() if name != "format"},
    "bad_name": {**linked(), "name": "Or\u202eders\n2"},
    "looks_like_expression": mapped(text="Order trigger.body.name/~1 of {{ trigger.body.day }}"),
    "no_otherwise": document({"it": step("decide", branches=[{"port": "yes", "when": "trigger.body.ok"}]), "end": STOP}, ["trigger -> it", "it:yes -> end"]),
    "aggregate_without_collect": one_step("table", **TABLE, aggregate="sum"),
    "table_test_failed": one_step("table", **TABLE, tests=[{"given": ["3"], "expect": ['"large"']}]),
    "missing_path of a step": mapped(x='= "a" + steps.itt.output.size'),
    "missing_path of a header": mapped(x="= trigger.headers.Host"),
    "missing_path of an output": document({"call": CALL, "it": step("map", fields={"x": "=steps.call.output.statsu"})}, ["trigger -> call", "call:done -> it"]),
    "missing_path of a time": {**mapped(x="= trigger.scheduled_for"), "trigger": {"type": "schedule", "config": {"cron": "0 9 * * *"}}},
    "unknown_name": document({"size": DECIDE, "it": step("map", fields={"x": "= size.output.port"})}, ["trigger -> size", "size:yes -> it"]),
    "type_mismatch": {
        **one_step("mail.send", ports=("done", "error"), to="a@example.org", subject="= trigger.body.n", text="x"),
        "settings": {"contract": {"input": {"properties": {"n": {"type": "number"}}}}},
    },
    "may_be_too_long": {
        **one_step("mail.send", ports=("done", "error"), to="a@example.org", subject="= trigger.body.n", text="x"),
        "settings": {"contract": {"input": {"properties": {"n": {"type": "string", "maxLength": 900}}}}},
    },
}  # fmt: skip


def repair_of(name):
    code = name.split()[0]
    found = [one for one in check_document(CASES[name]) if one.code == code and one.repair]
    assert found, [one.as_json() for one in check_document(CASES[name])]
    return code, found[0].as_json()


@pytest.mark.parametrize("name", CASES)
def test_a_repair_takes_its_finding_away_and_brings_no_error(name):
    code, finding = repair_of(name)
    assert finding["repair"]["does"]
    before = [
        (one.code, one.step, one.path)
        for one in check_document(CASES[name])
        if one.severity == "error"
    ]
    after = check_document(patched(CASES[name], finding["repair"]["patch"]))
    assert (code, finding["path"], finding["message"]) not in [
        (one.code, one.path, one.message) for one in after
    ]
    assert not {(one.code, one.step, one.path) for one in after if one.severity == "error"} - set(
        before
    )


def test_the_browser_is_tested_with_the_same_repairs():
    cases = []
    for name, made in CASES.items():
        _, finding = repair_of(name)
        cases.append(
            {
                "name": name,
                "document": made,
                "patch": finding["repair"]["patch"],
                "after": patched(made, finding["repair"]["patch"]),
            }
        )
    text = json.dumps(cases, indent=1, ensure_ascii=False, default=str) + "\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(text)
    assert GOLDEN.read_text() == text, (
        "delete tests/golden/editor/repairs.json, and it is written anew"
    )


def test_every_repair_in_the_sources_is_tried():
    """Each place that makes one has a case: a repair that is added is added here."""
    sources = [*(ROOT / "apps" / "steps").rglob("*.py"), *(ROOT / "apps" / "flows").rglob("*.py")]
    made = sum(len(re.findall(r"\bRepair\(\s*f?\"", one.read_text())) for one in sources)
    does = {repair_of(name)[1]["repair"]["does"] for name in CASES}
    assert made <= len(does) + 1, (made, sorted(does))
