"""Facts of an open question may follow an event; what was shown before is kept beside it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.models
from apps.engine.lifecycle import TASK_TRANSITIONS

MOVES = " or ".join(
    f"(old.status = '{before}' and new.status in ({', '.join(repr(str(one)) for one in sorted(after))}))"
    for before, after in TASK_TRANSITIONS.items()
    if after
)
KEPT = [
    "id", "workspace_id", "flow_id", "version_id", "run_id", "lane", "step", "visit", "title",
    "details", "rule", "requester_id", "requester_text", "allow_requester", "needed", "opened_at",
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
  end if;{more}
  if new.status <> old.status and not ({MOVES}) then
    raise exception 'A task cannot go from % to %.', old.status, new.status
      using errcode = 'restrict_violation';
  end if;
  if old.status <> 'open' and (new.outcome, new.closed_at, new.due_at) is distinct from
     (old.outcome, old.closed_at, old.due_at) then
    raise exception 'A task that has ended stays as it ended.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
"""


#: The facts change in one way: as a change says that was written down before, of a task that is open.
BY_A_CHANGE = """
  if (new.seen, new.facts::text) is distinct from (old.seen, old.facts::text) and not (
    old.status = 'open' and new.status = 'open' and exists (
      select 1 from inbox_taskchange c
      where c.task_id = old.id and c.state = 'applied'
        and c.seen_before = old.seen and c.facts_before::text = old.facts::text
        and c.seen_after = new.seen and c.facts_after::text = new.facts::text)) then
    raise exception 'What a task shows is kept as it was when it was opened.'
      using errcode = 'restrict_violation';
  end if;
  if old.superseded_at is not null and new.superseded_at is distinct from old.superseded_at then
    raise exception 'What began anew stays so.' using errcode = 'restrict_violation';
  end if;"""

CHANGES = """
create trigger insert_only before update or delete on inbox_taskchange
  for each row execute function inbox_refuse();
create trigger no_truncate before truncate on inbox_taskchange execute function inbox_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0013_held"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TaskChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.models.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("question", models.UUIDField()),
                ("event_id", models.UUIDField()),
                ("event_type", models.CharField(max_length=200)),
                ("event_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("same", "Same"),
                            ("late", "Late"),
                            ("failed", "Failed"),
                        ],
                        max_length=7,
                    ),
                ),
                ("on_change", models.CharField(max_length=10)),
                ("fields", apps.core.models.ExactJSONField(default=list)),
                ("facts_before", apps.core.models.ExactJSONField(null=True)),
                ("facts_after", apps.core.models.ExactJSONField(null=True)),
                ("seen_before", models.CharField(blank=True, default="", max_length=64)),
                ("seen_after", models.CharField(blank=True, default="", max_length=64)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("at", models.DateTimeField()),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="inbox.usertask",
                    ),
                ),
            ],
            options={"ordering": ["at", "id"]},
        ),
        migrations.CreateModel(
            name="TaskWatch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.models.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("question", models.UUIDField()),
                ("workspace_id", models.UUIDField()),
                ("type", models.CharField(max_length=200)),
                ("key_of", models.CharField(blank=True, default="", max_length=500)),
                ("key_sha256", models.BinaryField(max_length=32)),
                ("where", models.TextField(blank=True, default="")),
                ("known", apps.core.models.ExactJSONField(null=True)),
                ("sets", apps.core.models.ExactJSONField()),
                ("on_change", models.CharField(max_length=10)),
                ("first", apps.core.models.ExactJSONField(null=True)),
                ("since", models.DateTimeField()),
                ("look_at", models.DateTimeField(null=True)),
                ("is_open", models.BooleanField(default=True)),
                (
                    "task",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="watch",
                        to="inbox.usertask",
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint("usertask", "task_once"),
        migrations.AddField(
            "usertask", "round", models.PositiveSmallIntegerField(db_default=1, default=1)
        ),
        migrations.AddField("usertask", "superseded_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "usertask",
            models.UniqueConstraint(
                fields=("run_id", "step", "visit", "kind", "generation", "round", "stage"),
                name="task_once",
            ),
        ),
        migrations.AddField(
            "decision",
            "lapsed_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lapsed",
                to="inbox.taskchange",
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=models.Q(("lapsed_by__isnull", True))
                | models.Q(("taken_back_at__isnull", False)),
                name="decision_lapsed",
            ),
        ),
        migrations.AddIndex(
            "taskchange", models.Index(fields=["event_id"], name="change_by_event")
        ),
        migrations.AddConstraint(
            "taskchange",
            models.UniqueConstraint(fields=("question", "event_id"), name="change_once"),
        ),
        migrations.AddConstraint(
            "taskchange",
            models.CheckConstraint(
                condition=models.Q(("state__in", ["applied", "same", "late", "failed"])),
                name="change_state_known",
            ),
        ),
        migrations.AddConstraint(
            "taskchange",
            models.CheckConstraint(
                condition=models.Q(
                    ("facts_after__isnull", False),
                    ("facts_before__isnull", False),
                    ("state", "applied"),
                )
                | models.Q(("state", "applied"), _negated=True),
                name="change_says_what",
            ),
        ),
        migrations.AddIndex(
            "taskwatch",
            models.Index(
                condition=models.Q(("is_open", True)),
                fields=["workspace_id", "type", "key_of", "key_sha256"],
                name="watch_match",
            ),
        ),
        migrations.AddIndex(
            "taskwatch",
            models.Index(
                condition=models.Q(("look_at__isnull", False)),
                fields=["look_at", "id"],
                name="watch_to_look",
            ),
        ),
        migrations.AddIndex("taskwatch", models.Index(fields=["question"], name="watch_question")),
        migrations.AddConstraint(
            "taskwatch",
            models.CheckConstraint(
                condition=models.Q(("on_change__in", ["keep", "ask_again", "restart"])),
                name="watch_policy_known",
            ),
        ),
        migrations.RunSQL(CHANGES, migrations.RunSQL.noop),
        migrations.RunSQL(
            guard([*KEPT, "round"], ["later"], BY_A_CHANGE),
            guard([*KEPT, "seen"], ["facts", "later"]),
        ),
    ]
