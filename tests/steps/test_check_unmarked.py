"""Texts that look like expressions but are taken word for word."""

from typing import Any

import pytest

from apps.steps.check import check_document
from apps.steps.findings import Finding


def findings_of(text: str, **trigger: Any) -> list[Finding]:
    """What the check says of a flow whose one field holds the text."""
    return check_document(
        {
            "format": "signalbox.flow/1",
            "name": "Orders",
            "trigger": {"type": "manual", "config": {}},
            "steps": {
                "it": {
                    "type": "map",
                    "version": 1,
                    "title": "It",
                    "config": {"fields": {"a": text}},
                },
                "end": {"type": "stop", "version": 1, "title": "End", "config": {}},
            },
            "links": [{"from": "trigger", "to": "it"}, {"from": "it", "to": "end"}],
            **trigger,
        }
    )


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("trigger.body.amount", "Write = trigger.body.amount if its value is meant."),
        (" steps.it.output.x ", "Write = steps.it.output.x if its value is meant."),
        ("{{ trigger.body.amount }}", "Write = trigger.body.amount if its value is meant."),
        ("{{= run.id}}", "Write = run.id if its value is meant."),
        (
            'Pay "now": trigger.body.amount EUR',
            'Write = "Pay \\"now\\": " + string(trigger.body.amount) + " EUR" if its value is meant.',
        ),
        (
            "https://a.example/${run.id}",
            'Write = "https://a.example/" + string(run.id) if its value is meant.',
        ),
        ("{{ $json.total }}", "Begin with “=” and join texts"),
        ("trigger.body.a " + "x" * 300, "Begin with “=” and join texts"),
    ],
)
def test_a_text_that_looks_like_an_expression_says_how_to_write_it(text: str, fix: str) -> None:
    [finding] = findings_of(text)
    assert finding.fix.startswith(fix)
    assert "taken as text" in finding.message
    assert (finding.code, finding.severity) == ("looks_like_expression", "warning")
    assert (finding.step, finding.path) == ("it", "/steps/it/config/fields/a")


@pytest.mark.parametrize(
    "text",
    [
        "The trigger.",
        "Our steps. Output follows.",
        "a.steps.x.output",
        "mytrigger.body.x",
        "{ braces } and ${HOME}",
        "{{}}",
        "trigger.bodywork",
        '= "trigger.body.amount"',
        "== trigger body",
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert findings_of(text) == []


def test_what_is_never_a_template_is_left_alone() -> None:
    hook = {"path": "orders", "masked": ["trigger.body.card"], "dedupe": "trigger.body.id"}
    found = findings_of("a", trigger={"type": "webhook", "config": hook})
    assert [one.code for one in found] == ["unsigned"]
