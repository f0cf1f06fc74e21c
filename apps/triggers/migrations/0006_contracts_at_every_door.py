"""What a flow takes stands with its trigger; a schedule's time may be refused."""

from django.db import migrations, models

from apps.core.models import ExactJSONField

# Written with each release from now on; what is released already gets it here.
_FILL = """
update triggers_trigger t
set contract = v.document #> '{settings,contract,input}'
from flows_flowversion v
where v.id = t.version_id
  and v.document #>> '{settings,contract,input}' not in ('true', '{}')
"""
STATUSES = ["waiting", "started", "over", "skipped", "refused"]


class Migration(migrations.Migration):
    dependencies = [
        ("triggers", "0005_missed_and_overlap"),
    ]

    operations = [
        migrations.AddField("trigger", "contract", ExactJSONField(null=True)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            "schedulefire",
            "status",
            models.CharField(
                choices=[
                    ("waiting", "Waits for the run before"),
                    ("started", "Started a run"),
                    ("over", "Started a run, which is over or was told to end"),
                    ("skipped", "Passed over: the run before was under way"),
                    ("refused", "Refused: the flow asks for something else"),
                ],
                db_default="started",
                default="started",
                max_length=8,
            ),
        ),
        migrations.RemoveConstraint("schedulefire", "schedule_fire_status_known"),
        migrations.AddConstraint(
            "schedulefire",
            models.CheckConstraint(
                condition=models.Q(("status__in", STATUSES)), name="schedule_fire_status_known"
            ),
        ),
        migrations.AddField(
            "schedulefire",
            "reason",
            models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
    ]
