"""What becomes of times that were missed, and of those that come while a run is under way."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("triggers", "0004_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="looked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="schedulefire",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "Waits for the run before"),
                    ("started", "Started a run"),
                    ("over", "Started a run, which is over or was told to end"),
                    ("skipped", "Passed over: the run before was under way"),
                ],
                db_default="started",
                default="started",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="schedulefire",
            name="run_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(
                condition=models.Q(("enabled", True)), fields=["looked_at"], name="schedule_ahead"
            ),
        ),
        migrations.AddIndex(
            model_name="schedulefire",
            index=models.Index(
                condition=models.Q(("status__in", ["waiting", "started"])),
                fields=["schedule", "fire_at"],
                name="schedule_fire_open",
            ),
        ),
        migrations.AddIndex(
            model_name="schedulefire",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["schedule"],
                name="schedule_fire_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedulefire",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["waiting", "started", "over", "skipped"])),
                name="schedule_fire_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedulefire",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["started", "over"]), ("run_id__isnull", True), _connector="XOR"
                ),
                name="schedule_fire_started_a_run",
            ),
        ),
    ]
