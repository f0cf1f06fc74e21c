"""The guard of assignees also keeps their workspace."""

from django.db import migrations


def guard(kept):
    return f"""
create or replace function inbox_assignee_guard() returns trigger language plpgsql as $$
begin
  if ({", ".join(f"new.{name}" for name in kept)}) is distinct from ({", ".join(f"old.{name}" for name in kept)})
     or (new.is_open and not old.is_open)
     or (old.dropped_at is not null and new.dropped_at is distinct from old.dropped_at) then
    raise exception 'Whom a task was put to is kept.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_assignee_workspace")]

    operations = [
        migrations.RunSQL(
            guard(["id", "task_id", "workspace_id", "user_id", "via"]),
            guard(["id", "task_id", "user_id", "via"]),
        )
    ]
