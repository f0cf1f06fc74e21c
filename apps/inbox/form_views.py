"""The form of a task on the page that needs no script."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from apps.accounts.actors import Actor
from apps.core import clock
from apps.core.errors import ProductError
from apps.inbox import drafts, filling, page_fields, queries, words
from apps.inbox.models import UserTask
from apps.steps import forms

#: What a table may have; it is shown with as many rows as are filled in, and some more.
MOST_ROWS = forms.MOST_ROWS


def sent(request: HttpRequest, task: UserTask) -> dict[str, Any]:
    """What the page's form brings, without what is not asked after these answers."""
    form = filling.form_of(task)
    if form is None:
        return {}
    fields = forms.fields_of(form.schema)
    answers = page_fields.read_answers(fields, request.POST, most_rows=MOST_ROWS)
    return forms.only_asked(form.schema, answers)


def with_answer(request: HttpRequest, actor: Actor, task_id: UUID) -> dict[str, Any]:
    """What ``decide_task`` is given of the page's form; empty where there is none.

    The page's one form has the buttons of all answers: what is filled in counts only for those
    that need it.
    """
    if "form_hash" not in request.POST:
        return {}
    task = queries.get_task(actor, task_id)
    form = filling.form_of(task)
    if form is None or request.POST.get("outcome", "") not in form.needed_for:
        return {}
    return {"form_hash": request.POST["form_hash"], "answers": sent(request, task)}


def keep(request: HttpRequest, actor: Actor, task_id: UUID) -> bool:
    """Save what the page's form brings for later, where that was asked; whether it was.

    Raises:
        ProductError: As ``drafts.save_draft``.
    """
    if "keep" not in request.POST:
        return False
    task = queries.get_task(actor, task_id)
    drafts.save_draft(
        actor=actor,
        task_id=task_id,
        form_hash=request.POST.get("form_hash", ""),
        answers=sent(request, task),
        now=clock.now(),
    )
    return True


def context(
    request: HttpRequest, actor: Actor, task: UserTask, refused: ProductError | None
) -> dict[str, Any]:
    """What the page shows of the form: as it was typed, else as it was kept, else beforehand."""
    form = filling.form_of(task)
    if form is None:
        return {}
    kept = drafts.draft_of(actor, task)
    given: Mapping[str, Any] = kept.answers if kept else form.initial
    if request.method == "POST" and "form_hash" in request.POST:
        given = sent(request, task)
    wrong = refused.fields["errors"] if isinstance(refused, filling.AnswersRefused) else ()
    return {
        "asked": page_fields.asked(form.schema, given, wrong, most_rows=MOST_ROWS),
        "form_hash": form.hash,
        "needed_for": form.needed_for,
        "needing": [words.button(task.rule, one) for one in form.needed_for],
        "is_kept": kept is not None,
    }
