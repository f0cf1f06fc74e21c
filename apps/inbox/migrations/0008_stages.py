"""Stages of one question; the clock of a question stands still while somebody is asked for more."""

from django.conf import settings
from django.db import migrations, models

import apps.core.models
from apps.engine.lifecycle import TASK_TRANSITIONS

MOVES = " or ".join(
    f"(old.status = '{before}' and new.status in ({', '.join(repr(str(one)) for one in sorted(after))}))"
    for before, after in TASK_TRANSITIONS.items()
    if after
)
BEFORE = [
    "id", "workspace_id", "flow_id", "version_id", "run_id", "lane", "step", "visit", "title",
    "details", "rule", "requester_id", "requester_text", "allow_requester", "seen", "needed",
    "due_at", "opened_at",
]  # fmt: skip
#: The limit itself moves while the question is open; what it was at first is kept.
NOW = [one for one in BEFORE if one != "due_at"] + [
    "first_due_at", "stage", "stages", "stage_title",
]  # fmt: skip


def guard(kept, exact, more=""):
    new = ", ".join([*(f"new.{one}" for one in kept), *(f"new.{one}::text" for one in exact)])
    return f"""
create or replace function inbox_task_guard() returns trigger language plpgsql as $$
begin
  if ({new}) is distinct from
     ({new.replace("new.", "old.")}) then
    raise exception 'What a task shows is kept as it was when it was opened.'
      using errcode = 'restrict_violation';
  end if;
  if new.status <> old.status and not ({MOVES}) then
    raise exception 'A task cannot go from % to %.', old.status, new.status
      using errcode = 'restrict_violation';
  end if;
  if old.status <> 'open' and (new.outcome, new.closed_at{more}) is distinct from
     (old.outcome, old.closed_at{more.replace("new.", "old.")}) then
    raise exception 'A task that has ended stays as it ended.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
"""


#: Workers of the release before know of one limit only; they may still open tasks meanwhile.
FIRST = """
alter table inbox_usertask alter column later set default '[]'::json;
update inbox_usertask set first_due_at = due_at where due_at is not null;
create function inbox_task_first_due() returns trigger language plpgsql as $$
begin
  new.first_due_at := coalesce(new.first_due_at, new.due_at);
  return new;
end
$$;
create trigger first_due before insert on inbox_usertask
  for each row execute function inbox_task_first_due();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0007_standing_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint("usertask", "task_once"),
        migrations.AddField("usertask", "first_due_at", models.DateTimeField(null=True)),
        migrations.AddField("usertask", "later", apps.core.models.ExactJSONField(default=list)),
        migrations.AddField("usertask", "paused_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "usertask", "stage", models.PositiveSmallIntegerField(db_default=1, default=1)
        ),
        migrations.AddField(
            "usertask",
            "stage_title",
            models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            "usertask", "stages", models.PositiveSmallIntegerField(db_default=1, default=1)
        ),
        migrations.AddConstraint(
            "usertask",
            models.UniqueConstraint(
                fields=("run_id", "step", "visit", "kind", "generation", "stage"),
                name="task_once",
            ),
        ),
        migrations.AddConstraint(
            "usertask",
            models.CheckConstraint(
                condition=models.Q(("stage__gte", 1), ("stage__lte", models.F("stages"))),
                name="task_stage",
            ),
        ),
        migrations.RunSQL(
            FIRST,
            "drop function inbox_task_first_due() cascade;"
            " alter table inbox_usertask alter column later drop default",
        ),
        migrations.RunSQL(guard(NOW, ["facts", "later"], ", new.due_at"), guard(BEFORE, ["facts"])),
    ]
