"""One slice may take a run through several states: the guard allows what several moves allow."""

from django.db import migrations

from apps.engine.lifecycle import RUN_TRANSITIONS, reachable

MOVES = " or ".join(
    f"(old.status = '{before}' and new.status in ({', '.join(repr(str(one)) for one in sorted(after))}))"
    for before, after in reachable(RUN_TRANSITIONS).items()
    if after
)

GUARD = f"""
create or replace function run_guard() returns trigger language plpgsql as $$
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
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_claims_of_the_dead")]
    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
