"""What was decided is held for a while, where its step says so, and passed on only then."""

from django.db import migrations, models

#: For how long is shown with the question, and kept with it. Workers of the release before know of
#: nothing that is held: a task that they end is held no longer.
GUARD = """
create function inbox_task_held() returns trigger language plpgsql as $$
begin
  if new.undo_seconds <> old.undo_seconds then
    raise exception 'What a task shows is kept as it was when it was opened.'
      using errcode = 'restrict_violation';
  end if;
  if new.status <> 'open' then
    new.pending := '';
    new.settles_at := null;
  end if;
  return new;
end
$$;
create trigger held before update on inbox_usertask
  for each row execute function inbox_task_held();
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0012_taking_back")]

    operations = [
        migrations.AddField(
            "usertask",
            "pending",
            models.CharField(blank=True, db_default="", default="", max_length=63),
        ),
        migrations.AddField("usertask", "settles_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "usertask", "undo_seconds", models.PositiveIntegerField(db_default=0, default=0)
        ),
        migrations.AddIndex(
            "usertask",
            models.Index(
                condition=models.Q(("settles_at__isnull", False)),
                fields=["settles_at"],
                name="task_settles",
            ),
        ),
        migrations.AddConstraint(
            "usertask",
            models.CheckConstraint(
                condition=models.Q(("pending", ""), ("settles_at__isnull", True))
                | models.Q(
                    ("settles_at__isnull", False),
                    ("status", "open"),
                    models.Q(("pending", ""), _negated=True),
                ),
                name="task_held",
            ),
        ),
        migrations.RunSQL(GUARD, "drop function inbox_task_held() cascade"),
    ]
