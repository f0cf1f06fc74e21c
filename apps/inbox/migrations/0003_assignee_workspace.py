"""An assignee knows the workspace: who has left is found by person, not by going through tasks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0002_kept_as_shown")]

    operations = [
        migrations.AddField("taskassignee", "workspace_id", models.UUIDField(null=True)),
        migrations.RunSQL(
            "update inbox_taskassignee a set workspace_id = t.workspace_id"
            " from inbox_usertask t where t.id = a.task_id",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField("taskassignee", "workspace_id", models.UUIDField()),
        migrations.RemoveIndex("taskassignee", "assignee_open"),
        migrations.AddIndex(
            "taskassignee",
            models.Index(
                fields=["user", "workspace_id", "-task"],
                name="assignee_waiting",
                condition=models.Q(is_open=True, dropped_at__isnull=True),
            ),
        ),
    ]
