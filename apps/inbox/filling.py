"""What people fill in at a task: which form it is, which answers need it, and whether it fits.

The form is that of the version the run is of; its hash stands on the task and is part of what was
seen. The server alone judges what is filled in, by whichever door it comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.queries import people_in
from apps.core.errors import Conflict, Invalid
from apps.engine import values
from apps.engine.canonical import content_hash
from apps.flows.compiled import compiled
from apps.inbox.models import UserTask
from apps.steps import forms
from apps.steps.contracts import Misfit

#: More than that is no form that somebody has filled in.
MOST_CHARACTERS = 500_000


class FormChanged(Conflict):
    """Another form was filled in than the task asks with."""

    code = "form_changed"


class FormNeeded(Invalid):
    """This answer needs the form filled in, and nothing was."""

    code = "form_needed"


class AnswersRefused(Invalid):
    """Some of what was filled in does not fit; ``errors`` says which and why."""

    code = "answers_refused"


@dataclass(frozen=True, slots=True)
class TaskForm:
    """The form of a task. ``needed_for`` are the answers that need it filled in."""

    schema: Mapping[str, Any]
    hash: str
    needed_for: tuple[str, ...]
    initial: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """One answer as it was given: the question's short name, its title and kind, and the value."""

    name: str
    label: str
    kind: forms.Kind
    value: Any


def of_request(version_id: UUID, step: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A task's fields about its form, from what its step asks."""
    asked = request.get("form")
    if not isinstance(asked, Mapping):
        return {}
    return {"form_hash": content_hash(_schema(version_id, step)), "form": dict(asked)}


def form_of(task: UserTask) -> TaskForm | None:
    """The form that the task asks with; None where nothing is filled in."""
    if not task.form_hash or task.form is None:
        return None
    return TaskForm(
        _schema(task.version_id, task.step),
        task.form_hash,
        tuple(task.form["for"]),
        task.form["initial"],
    )


def as_shown(task: UserTask) -> dict[str, Any]:
    """What of the form is part of the matter that is shown; empty without one."""
    if not task.form_hash or task.form is None:
        return {}
    return {"form": {"hash": task.form_hash, **task.form}}


def judged(
    task: UserTask, outcome: str, *, form_hash: str | None, answers: object
) -> dict[str, Any] | None:
    """What was filled in, as it is kept with the answer; None where it takes nothing.

    Raises:
        FormChanged: It is not the form of this task.
        FormNeeded: The answer needs it, and nothing was filled in.
        AnswersRefused: Some of it does not fit.
        Invalid: The answer takes nothing, or it cannot be kept.
    """
    form = form_of(task)
    if form is None or outcome not in form.needed_for:
        if answers:
            raise Invalid("This answer takes nothing that is filled in; send it without.")
        return None
    if form_hash is not None and form_hash != form.hash:
        raise FormChanged("This was filled in on another form; look at it again, then answer.")
    if answers is None:
        raise FormNeeded("This answer needs the form filled in; nothing was changed.")
    given = named(answers)
    hold(form.schema, given, task.workspace_id)
    return given


def named(answers: object) -> dict[str, Any]:
    """Answers as they can be kept.

    Raises:
        Invalid: They are no set of named values, or too much, or hold signs that no text has.
    """
    if not isinstance(answers, Mapping):
        raise Invalid("The answers must be an object of named values.")
    try:
        size = forms.size_of(answers)
    except values.NotJson:
        raise Invalid("The answers hold signs that cannot be kept; write them anew.") from None
    if size > MOST_CHARACTERS:
        raise Invalid("That is more than a form can hold; shorten your answers.")
    return dict(answers)


def hold(
    form: object, answers: Mapping[str, Any], workspace_id: UUID, wrong: Sequence[Misfit] = ()
) -> None:
    """See that the answers fit the form, and that people who are named are members.

    ``wrong``: what is known not to fit already.

    Raises:
        AnswersRefused: Some do not.
    """
    wrong = wrong or forms.judge(form, answers)
    if not wrong:
        wrong = _unknown_people(workspace_id, forms.asked_fields(form, answers), answers)
    if wrong:
        raise AnswersRefused(
            "Some answers do not fit; each says what is expected.",
            errors=[{"path": one.path, "message": f"It {one.message}."} for one in wrong],
        )


def as_read(form: object, answers: Mapping[str, Any] | None) -> list[Filled]:
    """What was filled in, in the order in which it was asked, with the columns of a table named."""
    if not answers:
        return []
    return [
        Filled(one.name, one.title, one.kind, read(one, answers[one.name]))
        for one in forms.fields_of(form)
        if one.name in answers
    ]


def filled_in(task: UserTask, answers: Mapping[str, Any] | None) -> list[Filled]:
    """The same of an answer to a task."""
    form = form_of(task)
    return as_read(form.schema, answers) if form is not None else []


def read(one: forms.Field, value: Any) -> Any:
    """An answer with the columns of a table under their titles."""
    if one.kind != "table" or not isinstance(value, list):
        return value
    titles = {cell.name: cell.title for cell in one.columns}
    return [
        {titles.get(name, name): cell for name, cell in row.items()}
        if isinstance(row, Mapping)
        else row
        for row in value
    ]


def _schema(version_id: UUID, step: str) -> Mapping[str, Any]:
    form: Mapping[str, Any] = compiled(version_id).steps[step].raw["form"]
    return form


def _unknown_people(
    workspace_id: UUID, asked: Sequence[forms.Field], answers: Mapping[str, Any]
) -> list[Misfit]:
    said = {
        (path, str(address).strip().lower())
        for one in asked
        for path, address in _people_in(one, answers.get(one.name))
    }
    if not said:
        return []
    known = {one.email for one in people_in(workspace_id, users=[email for _, email in said])}
    return [
        Misfit(path, "must be a member of this workspace")
        for path, email in sorted(said)
        if email not in known
    ]


def _people_in(one: forms.Field, value: Any) -> list[tuple[str, Any]]:
    if one.kind == "person" and value is not None:
        return [(one.name, value)]
    if one.kind != "table" or not isinstance(value, list):
        return []
    return [
        (f"{one.name}.{at}.{cell.name}", row[cell.name])
        for at, row in enumerate(value)
        for cell in one.columns
        if cell.kind == "person" and isinstance(row, Mapping) and row.get(cell.name)
    ]
