"""Tasks of another kind: what becomes of a step that has failed."""

from django.db import migrations, models

GUARD = """
create function inbox_task_kind_guard() returns trigger language plpgsql as $$
begin
  if (new.kind, new.generation) is distinct from (old.kind, old.generation) then
    raise exception 'What a task asks is kept as it was when it was opened.'
      using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger task_kind_guard before update on inbox_usertask
  for each row execute function inbox_task_kind_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0004_assignee_keeps_workspace")]

    operations = [
        migrations.AddField(
            "usertask",
            "kind",
            models.CharField(db_default="approval", default="approval", max_length=10),
        ),
        migrations.AddField(
            "usertask", "generation", models.PositiveIntegerField(db_default=1, default=1)
        ),
        migrations.RemoveConstraint("usertask", "task_once"),
        migrations.AddConstraint(
            "usertask",
            models.UniqueConstraint(
                fields=("run_id", "step", "visit", "kind", "generation"), name="task_once"
            ),
        ),
        migrations.AddConstraint(
            "usertask",
            models.CheckConstraint(
                condition=models.Q(("kind__in", ["approval", "exception"])), name="task_kind_known"
            ),
        ),
        migrations.RunSQL(GUARD, "drop function inbox_task_kind_guard() cascade"),
    ]
