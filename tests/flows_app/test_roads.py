"""Each paved road from beginning to end, with the triggers it brings, on the real tables."""

from datetime import timedelta

import pytest
from django.utils import translation

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.core import clock
from apps.core.models import uuid7
from apps.flows import commands
from apps.flows.examples import ROADS, examples
from apps.flows.models import Draft, Flow
from apps.flows.roads import SAYS
from apps.inbox.commands import close_overdue, decide_task
from apps.inbox.models import UserTask
from apps.inbox.telling import tell_assignees
from apps.notices.models import Notice
from apps.notices.words import sentence, subject
from apps.runs import sweep
from apps.runs.models import Run, RunEvent, Sample
from apps.steps.check import CheckContext, check_document
from tests.runs.support import Bench, assert_replays, cursor_of_this_thread
from tests.support import people

GROUPS = frozenset({"viewer", "builder", "operator", "approver", "auditor", "admin"})
SLUGS = [road(SAYS["en"]).slug for road in ROADS]
TRIALS = [
    pytest.param(road(SAYS["en"]).slug, at, id=f"{road(SAYS['en']).slug}: {trial.name}")
    for road in ROADS
    for at, trial in enumerate(road(SAYS["en"]).trials)
]


@pytest.mark.parametrize("language", sorted(SAYS))
class TestEveryRoad:
    @pytest.mark.parametrize("slug", SLUGS)
    def test_has_no_fault_but_that_nobody_has_chosen_who_signs(self, slug, language):
        known = CheckContext(groups=GROUPS)
        found = check_document(examples(language)[slug].document, known=known)
        assert {one.code for one in found} <= {"unsigned"}, found

    @pytest.mark.parametrize("slug", SLUGS)
    def test_has_an_owner_a_runbook_and_a_risk(self, slug, language):
        settings = examples(language)[slug].document["settings"]
        assert {"owner", "runbook", "risk"} <= set(settings)
        assert len(settings["runbook"]) > 40

    @pytest.mark.parametrize("slug", SLUGS)
    def test_every_approval_has_a_limit_and_a_way_for_silence(self, slug, language):
        document = examples(language)[slug].document
        for name, one in document["steps"].items():
            if one["type"] == "approval":
                assert one["config"]["due"]
                assert (name, "timeout") in {
                    (link["from"], link.get("port")) for link in document["links"]
                }

    @pytest.mark.parametrize("slug", SLUGS)
    def test_every_effect_is_tried_again_and_has_a_way_for_failure(self, slug, language):
        document = examples(language)[slug].document
        for name, one in document["steps"].items():
            if one["type"] != "mail.send":
                continue
            assert one["retry"]["transient"]["max_attempts"] > 1
            leads = any(
                link["from"] == name and link.get("port") == "error" for link in document["links"]
            )
            assert leads or one["on_error"] == {"then": "ask"}

    @pytest.mark.parametrize("slug", SLUGS)
    def test_differs_from_the_other_languages_in_words_alone(self, slug, language):
        def bones(document):
            return (
                [(name, one["type"]) for name, one in document["steps"].items()],
                document["links"],
                document["layout"],
            )

        assert bones(examples(language)[slug].document) == bones(examples("en")[slug].document)
        mine, english = examples(language)[slug], examples("en")[slug]
        assert [one.answers for one in mine.trials] == [one.answers for one in english.trials]
        if language != "en":
            assert mine.description != english.description


class World:
    """A workspace with somebody in each role, and a flow begun from a road."""

    def __init__(self, slug):
        self.bench = Bench()
        self.workspace = self.bench.workspace = people.make_workspace(f"r{uuid7().hex[-12:]}")
        self.people = {
            role: people.actor(people.person(self.workspace, role), self.workspace)
            for role in ("builder", "approver", "operator", "admin")
        }
        builder = self.people["builder"]
        self.flow = commands.create_flow(actor=builder, name="Road", example=slug, now=clock.now())
        commands.publish_flow(actor=builder, flow_id=self.flow.pk, note="", now=clock.now())
        self.flow = Flow.objects.get(pk=self.flow.pk)

    def begin(self, body):
        assert self.flow.active_version is not None
        run_id = self.bench.start(self.flow.active_version, body)
        self.bench.settle()
        return run_id

    def answer(self, task, outcome):
        if outcome == "timeout":
            close_overdue(now=task.due_at + timedelta(seconds=1))
        else:
            for assignee in task.assignees.all():
                task.refresh_from_db()
                if task.status == "open":
                    decide_task(
                        actor=self._actor(assignee.user_id),
                        task_id=task.pk,
                        outcome=outcome,
                        comment="Looked at it.",
                        seen=None,
                        now=clock.now(),
                    )
        self.bench.settle()

    def _actor(self, user_id) -> Actor:
        return next(one for one in self.people.values() if one.user_id == user_id)

    def finish(self, run_id, answers):
        """Answer as told, let time pass where the flow only waits, until the run has ended."""
        for _ in range(20):
            run = Run.objects.get(pk=run_id)
            if run.finished_at:
                return run
            task = UserTask.objects.filter(run_id=run_id, status="open").first()
            if task is not None:
                self.answer(task, answers[task.step])
            else:
                sweep.fire_timers(now=clock.now() + timedelta(days=400))
                self.bench.settle()
        raise AssertionError(f"{run.status} after all answers: {UserTask.objects.values('step')}")


@pytest.fixture
def world(transactional_db, valkey, monkeypatch, settings):
    monkeypatch.setattr("apps.runs.drive._cursor", cursor_of_this_thread)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return World


@pytest.mark.slow
@pytest.mark.parametrize(("slug", "at"), TRIALS)
def test_a_road_goes_from_its_trigger_to_its_end(world, slug, at):
    trial = examples()[slug].trials[at]
    made = world(slug)

    run_id = made.begin(trial.body)
    run = made.finish(run_id, trial.answers)

    last = RunEvent.objects.filter(run_id=run_id, type="step.completed").latest("seq")
    wanted = made.flow.active_version.document["steps"][trial.ends]
    assert (last.step, run.status) == (trial.ends, wanted["config"]["outcome"])
    assert_replays(run_id)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_flow_begun_from_a_road_is_its_beginners_and_brings_its_triggers(world, slug):
    made = world(slug)

    document = Draft.objects.get(flow=made.flow).document
    assert document["settings"]["owner"] == made.people["builder"].email
    kept = Sample.objects.filter(flow_id=made.flow.pk).order_by("-id")
    assert [one.name for one in kept] == [trial.name for trial in examples()[slug].trials]
    assert kept[0].trigger["body"] == examples()[slug].trials[0].body


def test_a_road_is_begun_in_the_words_of_whoever_begins(world):
    with translation.override("de"):
        made = world("invoice-approval")
    steps = Draft.objects.get(flow=made.flow).document["steps"]
    assert steps["one"]["title"] == "Eine Person genehmigt"


def test_an_approver_is_told_in_their_own_language(world):
    made = world("vendor-onboarding")
    user = made.people["approver"].user_id
    User.objects.filter(pk=user).update(language="de")
    run_id = made.begin(examples()["vendor-onboarding"].trials[1].body)
    task = UserTask.objects.get(run_id=run_id)

    tell_assignees({"task": str(task.pk)})

    notice = Notice.objects.get(task_id=task.pk, user_id=user)
    assert notice.user
    with translation.override(notice.user.mail_language):
        assert subject(notice).startswith("Zu entscheiden: ")
        assert "Sie werden um eine Entscheidung gebeten" in sentence(notice)
