"""A run knows the run that started it, and the visit there that waits for its end."""

from django.db import migrations, models

RUN = """
alter table run add column parent_id uuid;
create index run_by_parent on run (parent_id) where parent_id is not null;
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0010_stops_and_stuck_runs")]

    operations = [
        migrations.RunSQL(RUN, "drop index run_by_parent; alter table run drop column parent_id"),
        migrations.AddField("runstate", "depth", models.SmallIntegerField(db_default=0, default=0)),
        migrations.AddField("runstate", "parent_id", models.UUIDField(null=True)),
        migrations.AddField("runstate", "parent_lane", models.UUIDField(null=True)),
        migrations.AddField("runstate", "parent_step", models.CharField(max_length=63, null=True)),
        migrations.AddField("runstate", "parent_visit", models.IntegerField(null=True)),
        migrations.AddIndex(
            "runstate",
            models.Index(
                condition=models.Q(("parent_id__isnull", False)),
                fields=["parent_id"],
                name="run_state_child",
            ),
        ),
    ]
