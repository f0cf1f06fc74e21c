"""The kinds of tasks, and the answers to each. What answers come to: ``steps.deciding``."""

from collections.abc import Mapping

from apps.steps import deciding

APPROVED, REJECTED = deciding.APPROVED, deciding.REJECTED
RETRY, SKIP, FAIL = "retry", "skip", "fail"
#: An approval, or what becomes of a step that has failed.
APPROVAL, EXCEPTION = "approval", "exception"
#: The answers there are, by the kind of the task.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    APPROVAL: (APPROVED, REJECTED),
    EXCEPTION: (RETRY, SKIP, FAIL),
}
