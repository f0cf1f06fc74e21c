"""An alert about events that start one another in a circle."""

from django.db import migrations, models

KINDS = ["run_failed", "run_held", "too_few", "too_deep"]


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_alerts_and_notices")]

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
