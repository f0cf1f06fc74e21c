"""A step that has failed as a question to people: what went wrong, and what may follow."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_noop

from apps.engine import values
from apps.flows.compiled import compiled
from apps.flows.models import Flow
from apps.runs.models import Run
from apps.runs.ports import TaskRequest
from apps.runs.queries import resolved_input

#: Those who are asked, beside the flow's owner.
ASKED_ROLE = "operator"
#: A longer input is not put on the page; the run shows it whole.
MOST_CHARACTERS = 20_000
_CLASSES = {
    "transient": gettext_noop("It may work later"),
    "permanent": gettext_noop("It will not work by itself"),
    "human": gettext_noop("It needs a person"),
    "unknown": gettext_noop("Nobody can tell whether it was done"),
}


def as_question(asked: TaskRequest) -> Mapping[str, Any]:
    """What a failed step asks, in the shape of an approval's request.

    The role of operators and the flow's owner are asked; the first answer decides, there is no
    time limit, and whoever started the run may answer, too.
    """
    owner = Flow.objects.filter(pk=asked.flow_id).values_list("owner__email", flat=True).first()
    return {
        "title": gettext("“%(step)s” went wrong") % {"step": title_of(asked)},
        "details": "",
        "users": [owner] if owner else [],
        "groups": [ASKED_ROLE],
        "rule": {"any": 1},
        "weights": [],
        "veto": {"users": [], "groups": []},
        "due_at": None,
        "fields": _facts(asked),
        "requester": "",
        "allow_requester": True,
    }


def title_of(asked: TaskRequest) -> str:
    """The step as its author named it, else what its kind does."""
    step = compiled(asked.version_id).steps[asked.step]
    return step.title if step.title != step.id else step.type.title


def _facts(asked: TaskRequest) -> list[dict[str, Any]]:
    error, attempts = asked.request["error"], asked.request["attempts"]
    facts = [
        {"label": gettext("What went wrong"), "value": error["message"]},
        {"label": gettext("What that means"), "value": gettext(_CLASSES[error["class"]])},
        {"label": gettext("Its short name"), "value": error["code"]},
    ]
    if attempts:
        facts.append({"label": gettext("How often it was tried"), "value": attempts})
    run = Run.objects.get(pk=asked.run_id)
    given = _without_secrets(resolved_input(run, asked.step, asked.visit))
    if given:
        if len(values.dumps(given)) > MOST_CHARACTERS:
            given = gettext("Too long to be shown here; the run has all of it.")
        facts.append({"label": gettext("What the step was given"), "value": given})
    return facts


def _without_secrets(value: Any) -> Any:
    """The input as people may read it: a secret is named, and nothing of it is there anyway."""
    if isinstance(value, Mapping):
        if isinstance(value.get("secret"), str) and set(value) <= {"secret", "prefix"}:
            return gettext("the secret “%(name)s”") % {"name": value["secret"]}
        return {name: _without_secrets(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_secrets(one) for one in value]
    return value
