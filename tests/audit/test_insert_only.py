from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.audit.models import AuditValue
from apps.audit.partitions import ensure_partitions

pytestmark = pytest.mark.django_db

TABLES = ["audit_event", "audit_value", "audit_leaf", "audit_seal", "audit_erasure"]


def refused(sql):
    with (
        pytest.raises(IntegrityError, match="refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def partitions():
    with connection.cursor() as cursor:
        cursor.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = any(%s::regclass[])"
            " and inhrelid::regclass::text not like '%%idx%%'",
            [TABLES[:3]],
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("table", TABLES)
def test_no_table_can_be_emptied(table):
    refused(f"truncate {table}")
    refused(f"truncate {table} cascade")


@pytest.mark.parametrize("table", ["audit_event", "audit_leaf", "audit_seal", "audit_value"])
def test_no_row_can_be_deleted_or_changed(table, sealed):
    key = "number" if table == "audit_seal" else "id" if table == "audit_event" else "event_id"
    refused(f"delete from {table}")
    refused(f"update {table} set {key} = {key}")


def test_no_partition_can_be_emptied_or_changed_directly(sealed, now):
    ensure_partitions(now + timedelta(days=400))
    names = partitions()
    assert len(names) >= 3 * (1 + 3 + 3)
    for name in names:
        refused(f"truncate {name}")
    month = f"{now:%Y%m}"
    for table in ("audit_event", "audit_value", "audit_leaf"):
        refused(f"delete from {table}_{month}")
        refused(
            f"update {table}_{month} set {'id = id' if table == 'audit_event' else 'event_id = event_id'}"
        )


def test_rows_of_a_partition_made_later_are_guarded_too(write, now):
    later = now + timedelta(days=400)
    ensure_partitions(later)
    write(now=later)
    refused(f"delete from audit_event_{later:%Y%m}")


@pytest.mark.parametrize(
    "change",
    [
        "salted = '{}'",
        "salted = salted - 'reason'",
        "words = ''",
    ],
)
def test_no_value_goes_without_the_command(write, change):
    write()
    refused(f"update audit_value set {change}")


@pytest.mark.parametrize(
    "change",
    [
        "salted = jsonb_set(salted, '{reason,1}', '\"another\"')",
        "salted = jsonb_set(salted, '{reason}', '[\"00\"]')",
        "salted = jsonb_set(salted, '{more}', '[\"00\", \"1\"]') - 'reason'",
        "salted = salted",
        "event_id = '00000000-0000-0000-0000-000000000001', salted = salted - 'reason'",
    ],
)
def test_even_the_way_for_erasure_changes_no_value(write, change):
    write()
    with connection.cursor() as cursor:
        cursor.execute("set local signalbox.audit_erasure = 'on'")
    refused(f"update audit_value set {change}")
    refused("delete from audit_value")


def test_the_way_for_erasure_erases(write):
    write()
    with connection.cursor() as cursor:
        cursor.execute("set local signalbox.audit_erasure = 'on'")
        cursor.execute("update audit_value set salted = salted - 'reason'")
    assert "reason" not in AuditValue.objects.get().salted
