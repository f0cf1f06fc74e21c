"""Runs and journals, partitioned by time-ordered id; the guards that no code can pass by."""

from datetime import UTC, datetime

from django.db import migrations

from apps.engine.lifecycle import FINAL_RUN, RUN_TRANSITIONS
from apps.runs.partitions import ensure_partitions

STATUSES = ", ".join(f"'{status}'" for status in RUN_TRANSITIONS)
FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL_RUN))
MOVES = " or ".join(
    f"(old.status = '{before}' and new.status in ({', '.join(repr(str(one)) for one in sorted(after))}))"
    for before, after in RUN_TRANSITIONS.items()
    if after
)

TABLES = f"""
create table run (
  id uuid not null primary key,
  workspace_id uuid not null,
  flow_id uuid not null,
  version_id uuid not null,
  status varchar(12) not null default 'queued' check (status in ({STATUSES})),
  correlation_id uuid not null,
  started_by varchar(254) not null default '',
  trigger_type varchar(30) not null,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null,
  error json,
  check ((finished_at is not null) = (status in ({FINAL}))),
  check (error is null or status = 'failed')
) partition by range (id);
create index run_by_flow on run (flow_id, id desc);
create index run_by_workspace on run (workspace_id, id desc);
create index run_by_status on run (workspace_id, status, id desc);
create index run_by_change on run (workspace_id, updated_at, id);
create table run_default partition of run default;

create table run_event (
  run_id uuid not null,
  seq int not null,
  type varchar(30) not null,
  step varchar(63) not null default '',
  at timestamptz not null,
  data json not null,
  primary key (run_id, seq)
) partition by range (run_id);
create table run_event_default partition of run_event default;
"""

GUARDS = f"""
create function run_guard() returns trigger language plpgsql as $$
begin
  if new.status <> old.status and not ({MOVES}) then
    raise exception 'A run cannot go from % to %.', old.status, new.status
      using errcode = 'restrict_violation';
  end if;
  if new.id <> old.id or new.version_id <> old.version_id or new.workspace_id <> old.workspace_id then
    raise exception 'A run keeps its id, version and workspace.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger run_guard before update on run for each row execute function run_guard();
create function run_event_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'The journal is insert-only: % of % is refused.', lower(tg_op), tg_table_name
    using errcode = 'restrict_violation';
end
$$;
create trigger insert_only before update or delete on run_event
  for each row execute function run_event_refuse();
create trigger no_truncate before truncate on run_event execute function run_event_refuse();
create trigger no_truncate before truncate on run_event_default execute function run_event_refuse();
alter table run_state set (fillfactor = 50);
alter table run_command alter column created_at set default clock_timestamp();
alter table run_command alter column priority set default 0;
alter table run_state alter column deaths set default 0;
alter table run_state alter column seq set default 0;
"""


def first_partitions(apps, schema_editor):
    ensure_partitions(datetime.now(UTC))


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0001_initial"),
        ("core", "0002_business_now"),
        ("audit", "0002_insert_only"),
    ]
    operations = [
        migrations.RunSQL(TABLES, "drop table run_event; drop table run"),
        migrations.RunSQL(
            GUARDS, "drop function run_guard() cascade; drop function run_event_refuse() cascade"
        ),
        migrations.RunPython(first_partitions, migrations.RunPython.noop),
    ]
