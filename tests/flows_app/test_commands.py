"""What happens to a flow from the first drawing to the archive."""

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts.actors import Actor
from apps.audit.models import AuditEvent
from apps.connections.models import Secret
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.flows import checks, commands, ports, queries
from apps.flows.examples import EXAMPLES
from apps.flows.models import FLOW_TRANSITIONS, Draft, Flow, FlowState, FlowVersion
from apps.steps.findings import Finding
from apps.steps.format import document_hash
from tests.support import people

pytestmark = pytest.mark.django_db

BAD_NAMES = ["", "   ", "a\nb", "a\r\nBcc: x", "\u202egnp", "n" * 151, "tab\there"]


def verbs(flow):
    rows = AuditEvent.objects.filter(target_id=str(flow.pk)).order_by("id")
    return list(rows.values_list("verb", flat=True))


def document_of(flow):
    return Draft.objects.get(flow=flow).document


def save(actor, flow, document, now, *, revision=None):
    draft = Draft.objects.get(flow=flow)
    return commands.save_draft(
        actor=actor,
        flow_id=flow.pk,
        document=document,
        if_match=draft.revision if revision is None else revision,
        now=now,
    )


def publish(actor, flow, now, note=""):
    return commands.publish_flow(actor=actor, flow_id=flow.pk, note=note, now=now)


class TestCreateFlow:
    def test_makes_an_empty_draft(self, actor, builder, now):
        flow = commands.create_flow(actor=actor, name=" Orders ", now=now)

        assert (flow.name, flow.owner, flow.state) == ("Orders", builder, "active")
        assert document_of(flow)["name"] == "Orders"
        assert flow.draft.revision == 1
        assert verbs(flow) == ["flow.create"]

    def test_begins_with_an_example(self, actor, now):
        flow = commands.create_flow(actor=actor, name="Mine", example="github-triage", now=now)

        assert document_of(flow) == {**EXAMPLES["github-triage"].document, "name": "Mine"}
        assert (flow.draft.trigger_type, flow.draft.trigger_path) == ("webhook", "github/issues")

    def test_of_an_unknown_example_is_refused(self, actor, now):
        with pytest.raises(Invalid, match="no example"):
            commands.create_flow(actor=actor, name="Mine", example="x", now=now)

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_refuses_a_name_that_is_not_one_line(self, actor, now, name):
        with pytest.raises(Invalid):
            commands.create_flow(actor=actor, name=name, now=now)
        assert not Flow.objects.exists()

    def test_keeps_markup_in_a_name_as_text(self, actor, now):
        name = "<img src=x onerror=alert(1)> & “quotes”"
        assert commands.create_flow(actor=actor, name=name, now=now).name == name

    def test_is_for_builders(self, viewer, now):
        with pytest.raises(Forbidden):
            commands.create_flow(actor=people.actor(viewer), name="X", now=now)

    def test_by_the_system_has_no_owner(self, acme, now):
        flow = commands.create_flow(actor=Actor.system(acme.pk), name="Demo", now=now)
        assert flow.owner is None


@pytest.mark.parametrize("slug", list(EXAMPLES))
def test_every_example_can_be_published(actor, now, slug):
    flow = commands.create_flow(actor=actor, name="Mine", example=slug, now=now)
    assert [one.code for one in checks.findings_of(flow, document_of(flow))] in ([], ["unsigned"])
    assert publish(actor, flow, now).number == 1


class TestSaveDraft:
    def test_replaces_the_document_and_keeps_what_it_does_not_know(self, actor, flow, now):
        document = {
            **document_of(flow),
            "x-ours": {"deep": [1, {"é": None}]},
            "numbers": [Decimal("1.50"), Decimal("1E+3"), 10**20, Decimal("0.1")],
        }
        document["steps"]["fetch"]["note"] = "kept"

        draft = save(actor, flow, document, now)

        stored = document_of(flow)
        assert draft.revision == 2
        assert stored == document
        assert str(stored["numbers"][0]) == "1.50"
        assert str(stored["numbers"][1]) == "1E+3"
        assert list(stored) == list(document)

    def test_of_an_older_revision_is_refused_with_who_and_when(self, actor, builder, flow, now):
        save(actor, flow, document_of(flow), now)

        with pytest.raises(commands.DraftChanged) as refused:
            save(actor, flow, {**document_of(flow), "name": "Lost"}, now, revision=1)

        assert refused.value.status == 412
        assert builder.name in refused.value.message
        assert refused.value.fields["revision"] == 2
        assert refused.value.fields["updated_at"] == now
        assert refused.value.fields["updated_by"]["id"] == str(builder.pk)
        assert document_of(flow)["name"] == "Report"

    @pytest.mark.parametrize("document", [None, [], "text", 3, {}])
    def test_takes_only_objects(self, actor, flow, now, document):
        with pytest.raises(Invalid):
            save(actor, flow, document, now)

    def test_takes_at_most_a_megabyte(self, actor, flow, now):
        with pytest.raises(commands.DocumentTooLarge):
            save(actor, flow, {"text": "x" * 1_000_000}, now)

    def test_takes_what_is_wrong(self, actor, flow, now):
        save(actor, flow, {"steps": 3, "trigger": [], "name": 7}, now)
        assert document_of(flow) == {"steps": 3, "trigger": [], "name": 7}
        assert Flow.objects.get(pk=flow.pk).name == "Report"

    def test_renames_the_flow_where_the_name_fits(self, actor, flow, now):
        save(actor, flow, {**document_of(flow), "name": "Sales"}, now)
        assert Flow.objects.get(pk=flow.pk).name == "Sales"
        save(actor, flow, {**document_of(flow), "name": "a\nb"}, now)
        assert Flow.objects.get(pk=flow.pk).name == "Sales"

    def test_tells_the_trail_once_in_ten_minutes_and_person(self, acme, actor, flow, now):
        colleague = people.actor(people.person(acme, "builder", email="bob@acme.test"))
        for minute in range(0, 25, 5):
            at = now + timedelta(minutes=minute)
            save(actor, flow, document_of(flow), at)
            save(colleague, flow, document_of(flow), at)

        # The creator's own first minutes are told by flow.create.
        assert verbs(flow) == ["flow.create", *["flow.edit"] * 5]

    def test_is_for_who_may_edit(self, viewer, stranger, flow, now):
        with pytest.raises(Forbidden):
            save(people.actor(viewer), flow, document_of(flow), now)
        with pytest.raises(NotFound):
            save(people.actor(stranger), flow, document_of(flow), now)


class TestRenameFlow:
    def test_renames_the_draft_too(self, actor, flow, now):
        commands.rename_flow(actor=actor, flow_id=flow.pk, name="Sales", now=now)

        assert Flow.objects.get(pk=flow.pk).name == "Sales"
        assert document_of(flow)["name"] == "Sales"
        assert Draft.objects.get(flow=flow).revision == 2
        assert verbs(flow) == ["flow.create", "flow.edit"]

    def test_to_the_same_name_changes_nothing(self, actor, flow, now):
        commands.rename_flow(actor=actor, flow_id=flow.pk, name="Report", now=now)
        assert Draft.objects.get(flow=flow).revision == 1

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_refuses_what_is_no_name(self, actor, flow, now, name):
        with pytest.raises(Invalid):
            commands.rename_flow(actor=actor, flow_id=flow.pk, name=name, now=now)


class TestGiveFlow:
    def test_makes_somebody_else_the_owner(self, actor, viewer, flow, now):
        commands.give_flow(actor=actor, flow_id=flow.pk, owner_id=viewer.pk, now=now)
        assert Flow.objects.get(pk=flow.pk).owner == viewer

    def test_refuses_who_does_not_belong_here(self, actor, stranger, flow, now):
        with pytest.raises(Invalid):
            commands.give_flow(actor=actor, flow_id=flow.pk, owner_id=stranger.pk, now=now)


class TestDuplicateFlow:
    def test_copies_the_draft(self, actor, flow, now):
        copy = commands.duplicate_flow(actor=actor, flow_id=flow.pk, now=now)

        assert copy.name == "Copy of Report"
        assert document_of(copy) == {**document_of(flow), "name": "Copy of Report"}
        assert verbs(copy) == ["flow.duplicate"]

    def test_of_a_flow_that_is_not_there_for_the_actor(self, stranger, flow, now):
        with pytest.raises(NotFound):
            commands.duplicate_flow(actor=people.actor(stranger), flow_id=flow.pk, now=now)


class TestPublishFlow:
    def test_makes_a_version_and_activates_it(self, actor, builder, flow, now, released):
        version = publish(actor, flow, now, " First release ")

        flow.refresh_from_db()
        assert flow.active_version == version
        assert (version.number, version.note, version.author) == (1, "First release", builder)
        assert version.hash == document_hash(document_of(flow))
        assert version.document == document_of(flow)
        assert version.trigger_type == "schedule"
        assert released == [(1, "active")]
        assert verbs(flow) == ["flow.create", "flow.publish"]

    def test_is_refused_while_an_error_stands(self, actor, flow, now, released):
        broken = document_of(flow)
        broken["links"][0]["to"] = "gone"
        save(actor, flow, broken, now)

        with pytest.raises(commands.HasErrors) as refused:
            publish(actor, flow, now)

        assert refused.value.status == 422
        assert "unknown_step" in [one["code"] for one in refused.value.fields["findings"]]
        assert not FlowVersion.objects.exists()
        assert released == []

    def test_counts_on_and_keeps_the_hash_of_an_unchanged_document(self, actor, flow, now):
        first, second = publish(actor, flow, now), publish(actor, flow, now)
        assert (first.number, second.number) == (1, 2)
        assert first.hash == second.hash

    def test_of_a_moved_box_keeps_the_hash(self, actor, flow, now):
        first = publish(actor, flow, now)
        moved = document_of(flow)
        moved["layout"]["fetch"] = [999, Decimal("0.12345678901234567890123")]
        save(actor, flow, moved, now)
        assert publish(actor, flow, now).hash == first.hash

    def test_of_anything_else_changes_the_hash(self, actor, flow, now):
        first = publish(actor, flow, now)
        for change in ({"x-ours": 1}, {"name": "Other"}):
            save(actor, flow, {**document_of(flow), **change}, now)
            assert publish(actor, flow, now).hash != first.hash

    @pytest.mark.parametrize("number", [Decimal("0.1234567890123456789"), 2**53 + 1])
    def test_of_a_number_that_two_documents_could_share_is_refused(self, actor, flow, now, number):
        save(actor, flow, {**document_of(flow), "x-limit": number}, now)
        with pytest.raises(commands.HasErrors) as refused:
            publish(actor, flow, now)
        assert [one["code"] for one in refused.value.fields["findings"]] == ["bad_number"]

    def test_asks_the_packages_above(self, actor, flow, now):
        taken = Finding("path_taken", "error", "The path is taken.", "Choose another.")
        ports.register_check(lambda *, flow, document: [taken])
        with pytest.raises(commands.HasErrors):
            publish(actor, flow, now)

    def test_that_fails_above_leaves_nothing(self, actor, flow, now):
        def fail(**_):
            raise Conflict("The address was taken a moment ago.")

        ports.register_release(fail)
        with pytest.raises(Conflict):
            publish(actor, flow, now)
        assert not FlowVersion.objects.exists()
        assert Flow.objects.get(pk=flow.pk).active_version is None

    def test_of_another_revision_than_was_seen_is_refused(self, actor, flow, now):
        save(actor, flow, document_of(flow), now)
        with pytest.raises(commands.DraftChanged):
            commands.publish_flow(actor=actor, flow_id=flow.pk, note="", if_match=1, now=now)

    def test_refuses_a_note_that_is_too_long(self, actor, flow, now):
        with pytest.raises(Invalid):
            publish(actor, flow, now, "n" * 2_001)

    def test_is_for_who_may_publish(self, operator, flow, now):
        with pytest.raises(Forbidden):
            publish(people.actor(operator), flow, now)

    def test_later_edits_do_not_reach_a_version(self, actor, flow, now):
        version = publish(actor, flow, now)
        before = deepcopy(version.document)
        save(actor, flow, {**document_of(flow), "steps": {}}, now)
        assert FlowVersion.objects.get().document == before


class TestActivateVersion:
    def test_brings_an_older_one_back(self, actor, flow, now, released):
        publish(actor, flow, now)
        publish(actor, flow, now)

        version = commands.activate_version(
            actor=actor, flow_id=flow.pk, number=1, now=now, reason="Two is wrong"
        )

        assert Flow.objects.get(pk=flow.pk).active_version == version
        assert released == [(1, "active"), (2, "active"), (1, "active")]
        assert verbs(flow)[-1] == "flow.activate"

    def test_that_is_active_changes_nothing(self, actor, flow, now, released):
        publish(actor, flow, now)
        commands.activate_version(actor=actor, flow_id=flow.pk, number=1, now=now)
        assert released == [(1, "active")]

    def test_that_is_not_there(self, actor, flow, now):
        with pytest.raises(NotFound):
            commands.activate_version(actor=actor, flow_id=flow.pk, number=7, now=now)

    def test_is_refused_when_its_address_was_taken_since(self, actor, flow, now):
        publish(actor, flow, now)
        publish(actor, flow, now)
        taken = Finding("path_taken", "error", "The path is taken.", "Choose another.")
        ports.register_check(lambda *, flow, document: [taken])
        with pytest.raises(commands.HasErrors):
            commands.activate_version(actor=actor, flow_id=flow.pk, number=1, now=now)


class TestStates:
    MOVES = {
        FlowState.PAUSED: commands.pause_flow,
        FlowState.ACTIVE: commands.resume_flow,
        FlowState.ARCHIVED: commands.archive_flow,
    }

    @pytest.fixture
    def keeper(self, acme):
        """Somebody who may pause and archive."""
        return people.actor(people.person(acme, "operator", "admin"))

    @pytest.mark.parametrize("start", list(FlowState))
    @pytest.mark.parametrize("end", list(FlowState))
    def test_change_as_the_table_says(self, keeper, flow, now, released, start, end):
        Flow.objects.filter(pk=flow.pk).update(state=start)
        move = self.MOVES[end]
        if start == end:
            assert move(actor=keeper, flow_id=flow.pk, now=now).state == end
            assert released == []
        elif end in FLOW_TRANSITIONS[start]:
            assert move(actor=keeper, flow_id=flow.pk, now=now, reason="Because").state == end
            assert released == [(None, end)]
        else:
            with pytest.raises(Conflict):
                move(actor=keeper, flow_id=flow.pk, now=now)
            assert Flow.objects.get(pk=flow.pk).state == start

    def test_are_told_to_the_trail(self, keeper, flow, now):
        commands.pause_flow(actor=keeper, flow_id=flow.pk, now=now)
        commands.resume_flow(actor=keeper, flow_id=flow.pk, now=now)
        commands.archive_flow(actor=keeper, flow_id=flow.pk, now=now)
        assert verbs(flow) == ["flow.create", "flow.pause", "flow.resume", "flow.archive"]

    def test_an_archived_flow_refuses_every_change(self, actor, keeper, flow, now):
        publish(actor, flow, now)
        commands.archive_flow(actor=keeper, flow_id=flow.pk, now=now)
        changes = [
            lambda: save(actor, flow, document_of(flow), now),
            lambda: publish(actor, flow, now),
            lambda: commands.rename_flow(actor=actor, flow_id=flow.pk, name="X", now=now),
            lambda: commands.activate_version(actor=actor, flow_id=flow.pk, number=1, now=now),
            lambda: commands.give_flow(
                actor=actor, flow_id=flow.pk, owner_id=actor.user_id, now=now
            ),
        ]
        for change in changes:
            with pytest.raises(commands.Archived):
                change()

    def test_a_paused_flow_can_be_published_and_stays_paused(self, actor, keeper, flow, now):
        commands.pause_flow(actor=keeper, flow_id=flow.pk, now=now)
        publish(actor, flow, now)
        assert Flow.objects.get(pk=flow.pk).state == FlowState.PAUSED

    def test_are_not_for_viewers(self, viewer, flow, now):
        for move in self.MOVES.values():
            with pytest.raises(Forbidden):
                move(actor=people.actor(viewer), flow_id=flow.pk, now=now)


class TestWhatOnlyTheWorkspaceKnows:
    @pytest.fixture
    def secret(self, acme, now):
        return Secret.objects.create(
            workspace=acme,
            name="reports",
            hosts=["reports.example.com"],
            ciphertext=b"",
            created_at=now,
            updated_at=now,
        )

    def codes(self, flow, **fetch):
        document = document_of(flow)
        document["steps"]["fetch"]["config"].update(fetch)
        return [one.code for one in checks.findings_of(flow, document)]

    def test_a_secret_that_is_not_there(self, flow):
        assert self.codes(flow, headers={"X": {"secret": "reprots"}}) == ["unknown_secret"]

    def test_a_secret_that_may_go_to_the_host(self, flow, secret):
        assert self.codes(flow, headers={"X": {"secret": "reports"}}) == []

    def test_a_secret_that_may_not(self, flow, secret):
        found = self.codes(flow, url="https://evil.example", body={"a": [{"secret": "reports"}]})
        assert found == ["secret_not_for_host"]

    def test_a_signature_whose_secret_is_not_there(self, flow):
        document = document_of(flow)
        document["trigger"] = {
            "type": "webhook",
            "config": {"path": "a", "signature": {"scheme": "github", "secret": "gh"}},
        }
        assert "unknown_secret" in [one.code for one in checks.findings_of(flow, document)]

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:9000/x", "http://localhost/x", "https://[::1]/", "http://10.1.2.3"],
    )
    def test_a_host_inside_the_network_is_a_warning(self, flow, url):
        assert self.codes(flow, url=url) == ["private_host"]

    def test_a_group_that_is_not_there(self, actor, now):
        flow = commands.create_flow(actor=actor, name="V", example="vendor-onboarding", now=now)
        document = document_of(flow)
        document["steps"]["approve"]["config"]["assignees"] = {"groups": ["finance"]}
        assert "unknown_group" in [one.code for one in checks.findings_of(flow, document)]

    @pytest.mark.parametrize(
        "document", [None, 3, {"steps": []}, {"steps": {"a": 1}, "trigger": 2}]
    )
    def test_anything_can_be_checked(self, flow, document):
        assert checks.findings_of(flow, document)


class TestQueries:
    def test_search_looks_at_name_owner_and_path(self, actor, flow, now):
        hooked = commands.create_flow(actor=actor, name="H", example="github-triage", now=now)

        def found(words):
            return set(queries.listed_flows(actor, search=words))

        assert found("rep") == {flow}
        assert found("github/") == {hooked}
        assert found("builder@acme") == {flow, hooked}
        assert found("rep nothing") == set()
        assert found("%") == set()

    def test_archived_flows_are_listed_when_asked_for(self, actor, admin, flow, now):
        commands.archive_flow(actor=people.actor(admin), flow_id=flow.pk, now=now)
        assert not queries.listed_flows(actor).exists()
        assert queries.listed_flows(actor, state="archived").get() == flow
        assert queries.listed_flows(actor, state="all").get() == flow

    def test_nobody_sees_another_workspace(self, stranger, flow):
        assert not queries.visible_flows(people.actor(stranger)).exists()
