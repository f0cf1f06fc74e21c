"""A version is never changed, and a flow's active version is one of its own.

Plain triggers, not pgtrigger's: those are switched off by a session setting, ``pgtrigger.ignore``.
"""

from django.db import migrations

IMMUTABLE = """
create function flows_version_immutable() returns trigger language plpgsql as $$
begin
  raise exception 'A published version is never changed: % of % is refused.',
    lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger immutable before update or delete on flows_flowversion
  for each row execute function flows_version_immutable();
create trigger no_truncate before truncate on flows_flowversion
  execute function flows_version_immutable();
"""
OWN_VERSION = """
alter table flows_flow add constraint flow_active_version_own
  foreign key (active_version_id, id) references flows_flowversion (id, flow_id)
  deferrable initially deferred
"""


class Migration(migrations.Migration):
    dependencies = [("flows", "0001_initial")]
    operations = [
        migrations.RunSQL(IMMUTABLE, "drop function flows_version_immutable() cascade"),
        migrations.RunSQL(
            OWN_VERSION, "alter table flows_flow drop constraint flow_active_version_own"
        ),
    ]
