"""Calls in partitions of a day. What a trigger made of an event is told apart by its id from now on.

Calls of the last thirty days are moved within this migration: about a minute for ten million.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection, migrations, models

from apps.core.partitions import AHEAD
from apps.triggers.partitions import ensure_partitions

APART = """
alter table triggers_delivery rename to triggers_delivery_before;
create table triggers_delivery
  (like triggers_delivery_before including defaults including constraints including storage)
  partition by range (id);
alter table triggers_delivery_before drop constraint triggers_delivery_pkey cascade;
drop index if exists delivery_list, delivery_not_run, delivery_of_event_once;
alter table triggers_delivery add constraint triggers_delivery_pkey primary key (id);
create index delivery_list on triggers_delivery (trigger_id, id desc);
create index delivery_not_run on triggers_delivery (trigger_id, id)
  where verdict in ('refused', 'duplicate');
create index delivery_of_event on triggers_delivery (event_id) where event_id is not null;
create table triggers_delivery_default partition of triggers_delivery default;
"""
# As ``triggers.partitions.id_of_taking`` does it.
MOVE = """
insert into triggers_delivery (id, workspace_id, trigger_id, event_id, run_id, verdict, reason,
                               summary, headers, query, body, received_at)
select
  case when event_id is null then id else (
    left(replace(event_id::text, '-', ''), 12) || '7' || left(digest, 3)
    || '8' || substr(digest, 4, 15))::uuid end,
  workspace_id, trigger_id, event_id, run_id, verdict, reason,
  summary, headers, query, body, received_at
from (
  select *, encode(sha256(convert_to(event_id::text || trigger_id::text, 'UTF8')), 'hex') as digest
  from triggers_delivery_before
) as before;
drop table triggers_delivery_before;
"""
OLDEST = """
select min(least(id, coalesce(event_id, id))::text) from triggers_delivery_before
"""


def move(apps, schema_editor):
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(OLDEST)
        oldest = cursor.fetchone()[0]
        day = now
        if oldest:
            milliseconds = int(oldest.replace("-", "")[:12], 16)
            day = max(datetime.fromtimestamp(milliseconds / 1000, UTC), now - timedelta(days=400))
        while day < now:
            ensure_partitions(day)
            day += timedelta(days=AHEAD + 1)
        ensure_partitions(now)
        cursor.execute(MOVE)


class Migration(migrations.Migration):
    dependencies = [("triggers", "0009_listeners"), ("core", "0002_business_now")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(APART, migrations.RunSQL.noop),
                migrations.RunPython(move, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.RemoveConstraint("delivery", "delivery_of_event_once"),
                migrations.AddIndex(
                    "delivery",
                    models.Index(
                        fields=["event_id"],
                        name="delivery_of_event",
                        condition=models.Q(event_id__isnull=False),
                    ),
                ),
            ],
        ),
    ]
