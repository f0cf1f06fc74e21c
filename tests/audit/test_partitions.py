import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from apps.audit.commands import record_many
from apps.audit.models import AuditEvent, AuditLeaf, AuditSeal, AuditValue
from apps.audit.partitions import ensure_partitions, months, rows_in_default
from apps.audit.queries import audit_rows
from apps.audit.sealing import drop_months_before, seal_pending
from apps.audit.verify import verify_trail
from apps.core.errors import Conflict
from apps.core.partitions import Month

pytestmark = pytest.mark.django_db


def partition_of(row):
    with connection.cursor() as cursor:
        cursor.execute("select tableoid::regclass::text from audit_event where id = %s", [row])
        return cursor.fetchone()[0]


class TestPartitions:
    def test_are_there_for_this_month_and_the_next_two(self, now, write):
        month = Month.of(now)
        assert {month, month.next, month.next.next} <= set(months())
        assert partition_of(write()[0]) == f"audit_event_{month.suffix}"
        assert ensure_partitions(now).created == []

    def test_are_made_ahead_and_only_once(self, now, write):
        later = datetime(2031, 11, 30, 23, 59, 59, 999999, tzinfo=UTC)
        report = ensure_partitions(later)
        assert report.created == [
            f"audit_{table}_{month}"
            for month in ("203111", "203112", "203201")
            for table in ("event", "value", "leaf")
        ]
        assert ensure_partitions(later).created == []
        rows = write(1, now=later) + write(1, now=later + timedelta(microseconds=1))
        assert [partition_of(row) for row in rows] == ["audit_event_203111", "audit_event_203112"]

    def test_that_were_not_made_in_time_are_reported_and_lose_nothing(
        self, write, now, checkpoints
    ):
        late = datetime(2033, 5, 5, tzinfo=UTC)
        [row] = write(1, now=late)
        assert partition_of(row) == "audit_event_default"
        assert rows_in_default() == ["audit_event", "audit_value"]

        report = ensure_partitions(late)
        assert report.in_default == ["audit_event", "audit_value"]
        assert report.created == [
            "audit_leaf_203305",
            *(
                f"audit_{table}_{month}"
                for month in ("203306", "203307")
                for table in ("event", "value", "leaf")
            ),
        ]
        seal_pending(now=late)
        assert verify_trail(checkpoints=checkpoints).problems == []

    def test_outside_the_period_are_not_read(self, write, workspace_id, now):
        later = now + timedelta(days=400)
        ensure_partitions(later)
        write(2, now=later)
        query = audit_rows(
            workspace_id, since=later - timedelta(hours=1), until=later + timedelta(hours=1)
        )
        assert query.count() == 2
        plan = query.explain()
        assert f"audit_event_{later:%Y%m}" in plan
        assert f"audit_event_{now:%Y%m}" not in plan

    @pytest.mark.django_db(transaction=True)
    def test_are_postponed_while_somebody_reads_the_whole_trail(self, now):
        later = now + timedelta(days=400)
        reading, read = threading.Event(), threading.Event()

        def read_all():
            with transaction.atomic():
                AuditEvent.objects.count()
                reading.set()
                read.wait(20)
            connection.close()

        thread = threading.Thread(target=read_all)
        thread.start()
        assert reading.wait(10)
        report = ensure_partitions(later)
        read.set()
        thread.join()
        assert (report.is_postponed, report.created) == (True, [])
        assert len(ensure_partitions(later).created) == 9

    def test_of_december_end_with_the_year(self):
        assert Month(2026, 12).next == Month(2027, 1)
        assert Month(2026, 12).next.first_id > Month(2026, 12).first_id

    def test_nothing_is_written_for_nothing(self, now):
        assert record_many(rows=[], now=now) == []


class TestDroppingOldMonths:
    @pytest.fixture
    def old(self, write, now):
        """Sealed rows of this month, and one seal over rows of this month and the one after next."""
        later = datetime(now.year, now.month, 1, tzinfo=UTC) + timedelta(days=64)
        ids = write(3)
        seal_pending(now=now)
        mixed = write(2) + write(2, now=later)
        seal_pending(now=later)
        return ids + mixed[:2], mixed[2:], later

    def test_leaves_a_signed_anchor_and_a_trail_that_verifies(self, old, ada, checkpoints):
        gone, kept, later = old
        dropped = drop_months_before(who=ada, before=later, reason="kept ten years", now=later)
        seal_pending(now=later)

        assert len(dropped) == 2
        assert not AuditEvent.objects.filter(pk__in=gone).exists()
        assert not AuditValue.objects.filter(event_id__in=gone).exists()
        assert AuditLeaf.objects.filter(event_id__in=gone).count() == 5
        assert AuditEvent.objects.filter(pk__in=kept).count() == 2
        anchor = AuditSeal.objects.filter(kind="anchor").earliest("number")
        assert anchor.extra["rows"] == 5
        assert AuditEvent.objects.get(verb="audit.drop").workspace_id is None

        report = verify_trail(checkpoints=checkpoints)
        assert report.problems == []
        assert (report.dropped, report.checkpoints) == (5, report.seals)

    def test_excuses_no_other_missing_row(self, old, ada, checkpoints, as_superuser):
        _, kept, later = old
        drop_months_before(who=ada, before=later, reason="", now=later)
        as_superuser("delete from audit_event where id = %s", kept[0])
        assert "row_missing" in [p.code for p in verify_trail(checkpoints=checkpoints).problems]

    def test_that_was_not_signed_is_found(self, old, now, checkpoints):
        with connection.cursor() as cursor:
            cursor.execute(f"drop table audit_event_{now:%Y%m}, audit_value_{now:%Y%m}")
        found = [
            p for p in verify_trail(checkpoints=checkpoints).problems if p.code == "row_missing"
        ]
        assert {problem.row for problem in found} == {str(row) for row in old[0]}

    def test_waits_until_every_row_is_sealed(self, old, write, ada, now):
        write(1)
        with pytest.raises(Conflict, match=r"1 rows .* not sealed yet"):
            drop_months_before(who=ada, before=old[2], reason="", now=old[2])
        assert AuditEvent.objects.filter(pk__in=old[0]).count() == 5

    def test_takes_only_whole_months(self, old, ada, now):
        assert drop_months_before(who=ada, before=now, reason="", now=now) == []
        assert AuditEvent.objects.filter(pk__in=old[0]).count() == 5
