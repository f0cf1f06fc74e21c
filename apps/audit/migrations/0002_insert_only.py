"""The trail refuses change. Row triggers on a partitioned table hold on every partition, made now
or later; TRUNCATE of a partition passes the parent by, so each partition has a trigger of its own
(``audit.partitions`` gives it to new ones)."""

from collections.abc import Iterator

from django.db import migrations

PARTITIONED = ["audit_event", "audit_value", "audit_leaf"]
INSERT_ONLY = ["audit_event", "audit_leaf", "audit_seal", "audit_erasure"]

FUNCTIONS = """
create function audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'The trail is insert-only: % of % is refused.', lower(tg_op), tg_table_name
    using errcode = 'restrict_violation';
end
$$;
create function audit_erase_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE'
     and current_setting('signalbox.audit_erasure', true) = 'on'
     and new.event_id = old.event_id
     and new.salted <> old.salted
     and new.salted = old.salted
       - array(select name from jsonb_object_keys(old.salted) name where not new.salted ? name)
  then
    return new;
  end if;
  raise exception 'A value of the trail can only be erased, by the command for it: % of % is refused.',
    lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$$;
"""


def _operations() -> Iterator[migrations.RunSQL]:
    yield migrations.RunSQL(
        FUNCTIONS, "drop function audit_refuse() cascade; drop function audit_erase_only() cascade"
    )
    for table in INSERT_ONLY:
        yield migrations.RunSQL(
            f"create trigger insert_only before update or delete on {table}"
            " for each row execute function audit_refuse()",
            migrations.RunSQL.noop,
        )
    yield migrations.RunSQL(
        "create trigger erase_only before update or delete on audit_value"
        " for each row execute function audit_erase_only()",
        migrations.RunSQL.noop,
    )
    for table in [*INSERT_ONLY, "audit_value", *(f"{table}_default" for table in PARTITIONED)]:
        yield migrations.RunSQL(
            f"create trigger no_truncate before truncate on {table} execute function audit_refuse()",
            migrations.RunSQL.noop,
        )


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = list(_operations())
