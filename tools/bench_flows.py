"""The flows of the first bench: five steps that decide something, and one that asks a person."""

from typing import Any

_HOP = {"type": "stop", "version": 1, "title": "Stop", "config": {"outcome": "completed"}}
THROUGHPUT: dict[str, Any] = {
    "format": "signalbox.flow/1",
    "name": "Throughput",
    "trigger": {
        "type": "webhook",
        "config": {"path": "bench", "signature": {"scheme": "none"}},
    },
    "steps": {
        "read": {
            "type": "map",
            "version": 1,
            "title": "Read",
            "config": {
                "fields": {"amount": "= trigger.body.amount", "tier": "= trigger.body.tier"}
            },
        },
        "size": {
            "type": "decide",
            "version": 1,
            "title": "Large?",
            "config": {
                "branches": [{"port": "large", "when": "steps.read.output.amount > 100"}],
                "otherwise": "small",
            },
        },
        "note": {
            "type": "map",
            "version": 1,
            "title": "Note",
            "config": {"fields": {"text": '= "large for " + steps.read.output.tier'}},
        },
        "done": _HOP,
        "small": _HOP,
    },
    "links": [
        {"from": "trigger", "to": "read"},
        {"from": "read", "to": "size"},
        {"from": "size", "port": "large", "to": "note"},
        {"from": "size", "port": "small", "to": "small"},
        {"from": "note", "to": "done"},
    ],
    "settings": {},
    "layout": {},
}
APPROVAL: dict[str, Any] = {
    **THROUGHPUT,
    "name": "Decision",
    "trigger": {
        "type": "webhook",
        "config": {"path": "decision", "signature": {"scheme": "none"}},
    },
    "steps": {
        "ask": {
            "type": "approval",
            "version": 1,
            "title": "Ask",
            "config": {
                "title": "Bench",
                "assignees": {"users": ["approver@demo.local"], "groups": []},
                "rule": {"any": 1},
                "due": "P1D",
            },
        },
        "done": _HOP,
        "refused": _HOP,
    },
    "links": [
        {"from": "trigger", "to": "ask"},
        {"from": "ask", "port": "approved", "to": "done"},
        {"from": "ask", "port": "rejected", "to": "refused"},
        {"from": "ask", "port": "timeout", "to": "refused"},
    ],
}
