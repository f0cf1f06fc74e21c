"""What is recorded, whole and once, and what is counted instead (engine rules 38 and 39)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from apps.audit.commands import Record, record, record_counted, record_many, write_counted
from apps.audit.models import AuditCounter, AuditEvent, AuditUnsealed, AuditValue
from apps.audit.queries import audit_rows, is_recorded_since, with_values
from apps.audit.records import Target, Who

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
class TestRecord:
    def test_refuses_to_stand_apart_from_what_it_tells_of(self, ada, workspace_id, now):
        with pytest.raises(TransactionManagementError, match="inside the transaction"):
            record(
                who=ada,
                workspace_id=workspace_id,
                verb="flow.edit",
                target=Target("flow", "1"),
                now=now,
            )

    def test_leaves_nothing_when_the_act_is_undone(self, write):
        with pytest.raises(RuntimeError), transaction.atomic():
            write()
            raise RuntimeError
        assert not AuditEvent.objects.exists()
        assert not AuditUnsealed.objects.exists()
        assert not AuditValue.objects.exists()


class TestRows:
    def test_cost_one_statement(self, ada, workspace_id, now, django_assert_num_queries):
        rows = [
            Record(ada, workspace_id, "member.change", Target("member", str(n)), after={"n": n})
            for n in range(20)
        ]
        with transaction.atomic(), django_assert_num_queries(1):
            ids = record_many(rows=rows, now=now)
        assert [row.id for row in audit_rows(workspace_id)] == ids[::-1]

    def test_keep_the_order_they_were_written_in(self, write):
        ids = write(30)
        assert ids == sorted(ids)

    def test_of_one_moment_keep_their_order_too(self, write, now):
        ids = write(30, now=now)
        assert ids == sorted(ids)

    def test_hold_who_what_why_and_the_change(self, ada, workspace_id, now):
        flow, run = uuid4(), uuid4()
        with transaction.atomic():
            record(
                who=Who("token", "t1", "CI", on_behalf_of=ada.id),
                workspace_id=workspace_id,
                verb="run.cancel",
                target=Target("run", str(run), "Run 7"),
                reason="stuck",
                before={"status": "waiting"},
                after={"status": "cancelled"},
                details={"waits": 2},
                correlation_id=run,
                flow_id=flow,
                now=now,
            )
        [row] = with_values(audit_rows(workspace_id))
        assert (row.event.actor_kind, row.event.actor_id, row.event.on_behalf_of) == (
            "token",
            "t1",
            ada.id,
        )
        assert (row.event.target_type, row.event.target_id) == ("run", str(run))
        assert (row.event.flow_id, row.event.correlation_id, row.event.at) == (flow, str(run), now)
        assert row.values["reason"] == "stuck"
        assert row.values["actor.label"] == "CI"
        assert row.group("before") == {"status": "waiting"}
        assert row.group("after") == {"status": "cancelled"}
        assert row.group("details") == {"waits": 2}
        assert row.seal is None
        assert row.withheld == []

    def test_about_a_flow_are_found_by_the_flow(self, write, workspace_id):
        flow = uuid4()
        write(target=Target("flow", str(flow)))
        assert audit_rows(workspace_id, flow=flow).count() == 1

    def test_carry_no_readable_value_in_what_is_sealed(self, write):
        write(reason="because of Bob")
        event = AuditEvent.objects.get()
        with connection.cursor() as cursor:
            cursor.execute("select row_to_json(e)::text from audit_event e")
            text = cursor.fetchone()[0]
        assert not any(value in text for value in ("Bob", "Ada", "Flow"))
        assert len(event.commitments["reason"]) == 64

    def test_take_markup_line_breaks_and_nul_as_they_are(self, write, workspace_id):
        write(reason="<script>\r\nX: y\0", target=Target("flow", str(uuid4()), "a\nb"))
        [row] = with_values(audit_rows(workspace_id))
        assert row.values["reason"] == "<script>\r\nX: y\ufffd"
        assert row.values["target.label"] == "a\nb"


class TestCountedRows:
    STRANGER = Who("system", "sign-in", "somebody at 192.0.2.7")
    DOOR = Target("account", "unknown", "eve@example.org")

    def fail(self, now, key="192.0.2.7", **changes):
        given = {
            "key": key,
            "who": self.STRANGER,
            "workspace_id": None,
            "verb": "sign_in.failure",
            "target": self.DOOR,
            "details": {"address": key},
            "now": now,
        }
        record_counted(**(given | changes))

    def test_are_one_for_each_address_and_minute(self, now):
        now = now.replace(second=1)
        for _ in range(5):
            self.fail(now)
        self.fail(now, key="192.0.2.8")
        assert not AuditEvent.objects.exists()

        assert write_counted(now=now + timedelta(seconds=70)) == 2

        rows = with_values(audit_rows(None))
        assert sorted(row.group("details")["count"] for row in rows) == [1, 5]
        assert {row.group("details")["address"] for row in rows} == {"192.0.2.7", "192.0.2.8"}
        assert not AuditCounter.objects.exists()

    def test_wait_until_their_minute_is_over(self, now):
        self.fail(now.replace(second=58))
        assert write_counted(now=now.replace(second=59)) == 0
        assert write_counted(now=now.replace(second=59) + timedelta(seconds=3)) == 0
        assert write_counted(now=now.replace(second=59) + timedelta(seconds=10)) == 1
        assert write_counted(now=now.replace(second=59) + timedelta(seconds=10)) == 0

    def test_are_refused_at_once_for_what_the_row_would_be(self, now):
        with pytest.raises(ValueError, match="readable in the trail"):
            self.fail(now, target=Target("account", "eve@example.org"))
        with pytest.raises(ValueError, match="named by the program"):
            self.fail(now, details={"not a name": 1})


def test_work_that_goes_on_is_recorded_once_for_a_while(write, ada, workspace_id, now):
    draft = Target("flow", str(uuid4()))
    write(verb="flow.edit", target=draft, now=now)
    asked = {"workspace_id": workspace_id, "verb": "flow.edit", "actor_id": ada.id, "target": draft}

    assert is_recorded_since(**asked, since=now - timedelta(minutes=10))
    assert not is_recorded_since(**asked, since=now + timedelta(microseconds=1))
    assert not is_recorded_since(**{**asked, "actor_id": "x"}, since=now - timedelta(minutes=10))
