"""An answer can be taken back while its question is open; nothing else of it ever changes."""

from django.db import migrations, models
from django.db.models.functions import Coalesce

KEPT = [
    "id", "task_id", "user_id", "on_behalf_of_id", "exception_id", "bulk_id", "outcome", "comment",
    "seen", "decided_at",
]  # fmt: skip
GUARD = f"""
drop trigger insert_only on inbox_decision;
create function inbox_decision_guard() returns trigger language plpgsql as $$
begin
  if ({", ".join(f"new.{one}" for one in KEPT)}) is distinct from
     ({", ".join(f"old.{one}" for one in KEPT)})
     or old.taken_back_at is not null
     or not exists (select 1 from inbox_usertask where id = old.task_id and status = 'open') then
    raise exception 'What people were asked and answered is kept: % of % is refused.',
      lower(tg_op), tg_table_name using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger taken_back_only before update on inbox_decision
  for each row execute function inbox_decision_guard();
create trigger no_delete before delete on inbox_decision
  for each row execute function inbox_refuse();
"""
BEFORE = """
drop function inbox_decision_guard() cascade;
drop trigger no_delete on inbox_decision;
create trigger insert_only before update or delete on inbox_decision
  for each row execute function inbox_refuse();
"""
STANDS = models.Q(("taken_back_at__isnull", True))


class Migration(migrations.Migration):
    dependencies = [("inbox", "0011_questions")]

    operations = [
        migrations.AddField("decision", "taken_back_at", models.DateTimeField(null=True)),
        migrations.RemoveConstraint("decision", "decision_once"),
        migrations.RemoveConstraint("decision", "decision_once_a_place"),
        migrations.AddConstraint(
            "decision",
            models.UniqueConstraint(
                condition=STANDS, fields=("task", "user"), name="decision_once"
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.UniqueConstraint(
                models.F("task"),
                Coalesce("on_behalf_of", "user"),
                condition=STANDS,
                name="decision_once_a_place",
            ),
        ),
        migrations.RunSQL(GUARD, BEFORE),
    ]
