"""An alert about what a flow was to be started with, and does not take."""

from django.db import migrations, models

KINDS = ["run_failed", "run_held", "too_few", "too_deep", "run_stuck", "refused"]


class Migration(migrations.Migration):
    dependencies = [("operations", "0003_stuck_runs")]

    operations = [
        migrations.RemoveConstraint("alert", "alert_kind_known"),
        migrations.AlterField(
            "alert",
            "kind",
            models.CharField(
                choices=[(kind, kind.replace("_", " ").title()) for kind in KINDS], max_length=12
            ),
        ),
        migrations.AddConstraint(
            "alert",
            models.CheckConstraint(
                condition=models.Q(("kind__in", KINDS)), name="alert_kind_known"
            ),
        ),
    ]
