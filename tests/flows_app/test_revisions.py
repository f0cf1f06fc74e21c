"""What a draft was, what differs, going back, and publishing a part of the changes."""

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.audit.models import AuditEvent
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.flows import commands, queries, revisions
from apps.flows.candidates import Choice
from apps.flows.models import Draft, DraftContent, DraftRevision
from tests.support import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(acme):
    return people.person(acme, "builder", email="bea@acme.test")


@pytest.fixture
def published(flow, actor, now):
    commands.publish_flow(actor=actor, flow_id=flow.pk, note="First", now=now)
    return flow


def document_of(flow):
    return Draft.objects.get(flow=flow).document


def save(actor, flow, document, now):
    revision = Draft.objects.get(flow=flow).revision
    return commands.save_draft(
        actor=actor, flow_id=flow.pk, document=document, if_match=revision, now=now
    )


def retitled(document, step, title):
    made = deepcopy(document)
    made["steps"][step]["title"] = title
    return made


def first_steps(flow):
    return list(document_of(flow)["steps"])[:2]


class TestEverySave:
    def test_is_a_revision_with_its_author_and_what_it_changed(self, actor, builder, flow, now):
        one, _ = first_steps(flow)
        save(actor, flow, retitled(document_of(flow), one, "Another"), now)

        newest, first = queries.revisions_of(actor, flow.pk)
        assert (newest.number, newest.author, newest.changed) == (2, builder, 1)
        assert newest.about == ["Another"]
        assert first.number == 1
        before = queries.get_revision(actor, flow.pk, 1).content.document
        assert before["steps"][one]["title"] != "Another"

    def test_of_the_same_document_keeps_it_once(self, actor, flow, now):
        document = document_of(flow)
        one, _ = first_steps(flow)
        save(actor, flow, retitled(document, one, "A"), now)
        save(actor, flow, document, now)

        assert DraftRevision.objects.filter(flow=flow).count() == 3
        assert DraftContent.objects.filter(flow=flow).count() == 2

    def test_keeps_also_what_was_there_before_revisions_were_kept(self, actor, flow, now):
        DraftRevision.objects.filter(flow=flow).delete()
        document = document_of(flow)
        save(actor, flow, {**document, "name": "Other"}, now)

        assert queries.get_revision(actor, flow.pk, 1).content.document == document

    def test_of_another_workspace_is_not_there(self, flow, stranger):
        with pytest.raises(NotFound):
            queries.revisions_of(people.actor(stranger), flow.pk)


class TestThinningOut:
    @pytest.mark.parametrize("minute", [0, 9, 30, 55, 59])
    def test_keeps_the_new_ones_then_one_an_hour_then_one_a_day(self, minute):
        now = datetime(2026, 3, 30, 23, minute, tzinfo=UTC)
        rows = [
            (10_000 - count, now - timedelta(minutes=10 * count)) for count in range(6 * 24 * 34)
        ]
        stay = revisions.kept(rows, now)

        assert stay.issuperset(number for number, _ in rows[: revisions.ALL_UP_TO])
        old = [moment for number, moment in rows if number in stay]
        eleventh = [moment for moment in old if moment.date() == date(2026, 3, 19)]
        assert sorted(moment.hour for moment in eleventh) == list(range(24))
        days = [
            moment.day for moment in old if date(2026, 2, 24) < moment.date() < date(2026, 2, 28)
        ]
        assert sorted(days) == [25, 26, 27]

    def test_lets_go_of_contents_that_nothing_says_any_more(self, actor, flow, now):
        one, _ = first_steps(flow)
        for title in ("A", "B", "C"):
            save(actor, flow, retitled(document_of(flow), one, title), now)
        DraftRevision.objects.filter(flow=flow, number__lt=4).update(
            created_at=now - timedelta(days=90)
        )
        revisions.thin_out(flow, now)

        assert set(flow.revisions.values_list("number", flat=True)) == {4, 3}
        assert DraftContent.objects.filter(flow=flow).count() == 2


class TestRestoreDraft:
    def restore(self, actor, flow, now, **what):
        revision = Draft.objects.get(flow=flow).revision
        return commands.restore_draft(
            actor=actor, flow_id=flow.pk, if_match=revision, now=now, **what
        )

    def test_brings_back_a_revision_as_the_next_one(self, actor, flow, now):
        document = document_of(flow)
        save(actor, flow, {**document, "steps": {}, "links": []}, now)
        draft = self.restore(actor, flow, now, revision=1)

        assert (draft.document, draft.revision) == (document, 3)
        newest = queries.revisions_of(actor, flow.pk)[0]
        assert (newest.kind, newest.source) == ("restored", "revision 1")
        assert AuditEvent.objects.filter(verb="flow.restore", target_id=str(flow.pk)).count() == 1

    def test_brings_back_a_version(self, actor, published, now):
        document = document_of(published)
        save(actor, published, {**document, "name": "Other", "steps": {}, "links": []}, now)
        self.restore(actor, published, now, version=1)

        published.refresh_from_db()
        assert document_of(published) == document
        assert published.name == document["name"]

    @pytest.mark.parametrize("what", [{}, {"version": 1, "revision": 1}])
    def test_wants_one_of_the_two(self, actor, published, now, what):
        with pytest.raises(Invalid):
            self.restore(actor, published, now, **what)

    @pytest.mark.parametrize("what", [{"version": 9}, {"revision": 99}])
    def test_refuses_what_is_not_there(self, actor, published, now, what):
        with pytest.raises(NotFound):
            self.restore(actor, published, now, **what)

    def test_refuses_what_somebody_saved_over(self, actor, flow, now):
        with pytest.raises(commands.DraftChanged):
            commands.restore_draft(actor=actor, flow_id=flow.pk, if_match=7, now=now, revision=1)

    def test_is_for_those_who_edit(self, viewer, flow, now):
        with pytest.raises(Forbidden):
            self.restore(people.actor(viewer), flow, now, revision=1)


class TestPublishingAPart:
    @pytest.fixture
    def of_two(self, published, actor, other, now):
        """One change by each of two people; returns the flow and the ids of both changes."""
        one, two = first_steps(published)
        save(actor, published, retitled(document_of(published), one, "Mine"), now)
        save(people.actor(other), published, retitled(document_of(published), two, "Theirs"), now)
        return published, f"/steps/{one}/title", f"/steps/{two}/title"

    def publish(self, actor, flow, now, groups, base=1):
        return commands.publish_flow(
            actor=actor, flow_id=flow.pk, note="", now=now, choice=Choice(base, frozenset(groups))
        )

    def test_leaves_the_rest_in_the_draft(self, of_two, actor, builder, other, now):
        flow, mine, theirs = of_two
        one, two = first_steps(flow)
        before = document_of(flow)
        version = self.publish(actor, flow, now, [mine])

        assert version.document["steps"][one]["title"] == "Mine"
        assert version.document["steps"][two]["title"] != "Theirs"
        assert version.authors == [str(builder.pk)]
        draft = Draft.objects.get(flow=flow)
        assert draft.document == before
        assert list(draft.touched) == [theirs]
        assert draft.touched[theirs][-1][0] == str(other.pk)

    def test_of_everything_is_the_draft_itself(self, of_two, actor, builder, other, now):
        flow, mine, theirs = of_two
        version = self.publish(actor, flow, now, [mine, theirs])

        assert version.document == document_of(flow)
        assert set(version.authors) == {str(builder.pk), str(other.pk)}
        assert Draft.objects.get(flow=flow).touched == {}

    def test_is_checked_as_a_whole(self, published, actor, now):
        document = document_of(published)
        one, _ = first_steps(published)
        broken = retitled(document, one, "Fine")
        broken["steps"][one]["config"] = {"nonsense": True}
        save(actor, published, broken, now)
        fine = f"/steps/{one}/title"
        with pytest.raises(commands.HasErrors, match="The draft cannot"):
            commands.publish_flow(actor=actor, flow_id=published.pk, note="", now=now)

        assert self.publish(actor, published, now, [fine]).number == 2
        with pytest.raises(commands.HasErrors, match="What is chosen"):
            self.publish(actor, published, now, [f"/steps/{one}/config/nonsense"], base=2)

    def test_refuses_what_does_not_differ_and_what_is_nothing(self, of_two, actor, now):
        flow, _, _ = of_two
        for groups in (["/steps/nowhere"], []):
            with pytest.raises(Invalid):
                self.publish(actor, flow, now, groups)

    def test_refuses_a_choice_from_another_version(self, of_two, actor, now):
        flow, mine, _ = of_two
        with pytest.raises(commands.AnotherBase):
            self.publish(actor, flow, now, [mine], base=None)

    def test_of_a_first_version_is_refused(self, flow, actor, now):
        with pytest.raises(Invalid, match="whole draft"):
            self.publish(actor, flow, now, ["/name"], base=None)


class TestTheApi:
    def test_lists_shows_compares_and_restores(self, published, actor, builder, now):
        one, _ = first_steps(published)
        save(actor, published, retitled(document_of(published), one, "Mine"), now)
        browser = people.browser(builder)
        root = f"/api/v1/flows/{published.pk}/"

        listed = browser.get(f"{root}revisions/").json()["results"]
        assert [(row["number"], row["is_current"]) for row in listed] == [(2, True), (1, False)]
        assert browser.get(f"{root}revisions/1/").json()["document"]["steps"]
        found = browser.get(f"{root}compare/?language=de").json()
        assert [group["id"] for group in found["groups"]] == [f"/steps/{one}/title"]
        assert "heißt jetzt „Mine“" in found["groups"][0]["changes"][0]["text"]
        assert found["groups"][0]["authors"][0]["email"] == builder.email
        assert (found["before"]["number"], found["after"]["what"]) == (1, "draft")
        same = browser.get(f"{root}compare/?from=1&to=r1").json()
        assert (same["same"], same["groups"]) == (True, [])
        restored = people.send(
            browser, "POST", f"{root}restore/", {"revision": 1}, **{"If-Match": '"2"'}
        )
        assert (restored.status_code, restored["ETag"]) == (200, '"3"')

    def test_tells_a_first_version_step_by_step(self, flow, builder):
        found = people.browser(builder).get(f"/api/v1/flows/{flow.pk}/compare/").json()
        paths = {one["path"] for group in found["groups"] for one in group["changes"]}
        assert found["before"]["what"] == "empty"
        assert {f"/steps/{one}" for one in document_of(flow)["steps"]} <= paths
        assert [person["email"] for person in found["authors"]] == [builder.email]
        assert found["same"] is False
        told = [one["text"] for group in found["groups"] for one in group["changes"]]
        assert any(text.startswith("The flow starts: ") for text in told)
        # What every flow has is no news.
        assert not [text for text in told if "format" in text or "called" in text or "?" in text]

    def test_publishes_a_part_and_names_its_authors(self, published, actor, builder, now):
        one, two = first_steps(published)
        document = retitled(document_of(published), one, "Mine")
        save(actor, published, retitled(document, two, "Later"), now)
        browser = people.browser(builder)
        path = f"/api/v1/flows/{published.pk}/publish/"
        body = {"note": "Part", "changes": [f"/steps/{one}/title"], "base": 1}

        assert people.send(browser, "POST", path, body).status_code == 428
        made = people.send(browser, "POST", path, body, **{"If-Match": '"2"'})
        assert made.status_code == 201
        assert [person["email"] for person in made.json()["authors"]] == [builder.email]
        left = browser.get(f"/api/v1/flows/{published.pk}/compare/").json()
        assert [group["id"] for group in left["groups"]] == [f"/steps/{two}/title"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("from=9", 404),
            ("from=r99", 404),
            ("from=0", 422),
            ("from=latest", 422),
            ("to=%00", 422),
            ("language=fr", 422),
            ("from=99999999999999999999", 422),
        ],
    )
    def test_refuses_what_cannot_be_compared(self, published, builder, query, status):
        browser = people.browser(builder)
        answer = browser.get(f"/api/v1/flows/{published.pk}/compare/?{query}")
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"

    def test_is_not_there_for_a_stranger(self, published, stranger):
        browser = people.browser(stranger)
        for path in ("revisions/", "revisions/1/", "compare/"):
            assert browser.get(f"/api/v1/flows/{published.pk}/{path}").status_code == 404
