import pytest

from tests.steps.documents import STOP, approve, document, step


@pytest.fixture
def good():
    return document(
        {
            "size": step(
                "decide",
                "Large?",
                branches=[{"port": "large", "when": "trigger.body.amount > 10000"}],
                otherwise="small",
            ),
            "approve": approve(due="P2D"),
            "end": STOP,
        },
        [
            "trigger -> size",
            "size:large -> approve",
            "size:small -> end",
            "approve:approved -> end",
            "approve:rejected -> end",
            "approve:timeout -> end",
        ],
        settings={"owner": "ops@example.com", "risk": "medium", "concurrency": {"max": 50}},
        layout={"size": [240, 80]},
    )
