"""When a task changed, for exports; and the guards: what was shown and answered stays as it was.

Plain triggers, not pgtrigger's: those are switched off by a session setting, ``pgtrigger.ignore``.
"""

import django.utils.timezone
from django.db import migrations, models

from apps.engine.lifecycle import TASK_TRANSITIONS

MOVES = " or ".join(
    f"(old.status = '{before}' and new.status in ({', '.join(repr(str(one)) for one in sorted(after))}))"
    for before, after in TASK_TRANSITIONS.items()
    if after
)
SHOWN = [
    "id", "workspace_id", "flow_id", "version_id", "run_id", "lane", "step", "visit", "title",
    "details", "rule", "requester_id", "requester_text", "allow_requester", "seen", "needed",
    "due_at", "opened_at",
]  # fmt: skip

GUARDS = f"""
create function inbox_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'What people were asked and answered is kept: % of % is refused.',
    lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger insert_only before update or delete on inbox_decision
  for each row execute function inbox_refuse();
create trigger no_truncate before truncate on inbox_decision execute function inbox_refuse();

create function inbox_task_guard() returns trigger language plpgsql as $$
begin
  if ({", ".join(f"new.{name}" for name in SHOWN)}, new.facts::text) is distinct from
     ({", ".join(f"old.{name}" for name in SHOWN)}, old.facts::text) then
    raise exception 'What a task shows is kept as it was when it was opened.'
      using errcode = 'restrict_violation';
  end if;
  if new.status <> old.status and not ({MOVES}) then
    raise exception 'A task cannot go from % to %.', old.status, new.status
      using errcode = 'restrict_violation';
  end if;
  if old.status <> 'open' and (new.outcome, new.closed_at) is distinct from (old.outcome, old.closed_at) then
    raise exception 'A task that has ended stays as it ended.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger task_guard before update on inbox_usertask
  for each row execute function inbox_task_guard();
create trigger no_delete before delete on inbox_usertask
  for each row execute function inbox_refuse();
create trigger no_truncate before truncate on inbox_usertask execute function inbox_refuse();

create function inbox_assignee_guard() returns trigger language plpgsql as $$
begin
  if (new.id, new.task_id, new.user_id, new.via) is distinct from (old.id, old.task_id, old.user_id, old.via)
     or (new.is_open and not old.is_open)
     or (old.dropped_at is not null and new.dropped_at is distinct from old.dropped_at) then
    raise exception 'Whom a task was put to is kept.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger assignee_guard before update on inbox_taskassignee
  for each row execute function inbox_assignee_guard();
create trigger no_delete before delete on inbox_taskassignee
  for each row execute function inbox_refuse();
create trigger no_truncate before truncate on inbox_taskassignee execute function inbox_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="usertask",
            name="updated_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="usertask",
            index=models.Index(fields=["workspace_id", "updated_at", "id"], name="task_by_change"),
        ),
        migrations.RunSQL(
            GUARDS,
            "drop function inbox_refuse() cascade; drop function inbox_task_guard() cascade;"
            " drop function inbox_assignee_guard() cascade",
        ),
    ]
