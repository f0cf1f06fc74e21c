"""Which waits an event woke is found from the event."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("triggers", "0007_priorities")]

    operations = [
        migrations.AddIndex(
            model_name="eventsubscription",
            index=models.Index(
                condition=models.Q(("event_id__isnull", False)),
                fields=["event_id"],
                name="event_subscription_took",
            ),
        ),
    ]
