"""An alert about runs that make no progress."""

from django.db import migrations, models

KINDS = ["run_failed", "run_held", "too_few", "too_deep", "run_stuck"]


class Migration(migrations.Migration):
    dependencies = [("operations", "0002_circles_of_events")]

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
