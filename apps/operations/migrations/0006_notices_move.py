"""Mails become deliveries of notices, which have a package of their own; tasks enter the bell."""

from django.conf import settings
from django.db import migrations, models


def move_mails(apps, schema_editor):
    """What is still to be sent goes on as a delivery; what was sent is not kept twice."""
    old, alerts = apps.get_model("operations", "Notice"), apps.get_model("operations", "Alert")
    tasks, outbox = apps.get_model("inbox", "UserTask"), apps.get_model("core", "Outbox")
    notices = apps.get_model("notices", "Notice")
    deliveries = apps.get_model("notices", "Delivery")
    for mail in old.objects.filter(sent_at__isnull=True, dropped_at__isnull=True):
        about = {"kind": "alert", "title": mail.subject, "path": "/"}
        alert_id = mail.key.partition("alert/")[2]
        alert = alerts.objects.filter(pk=alert_id).first() if alert_id else None
        if alert is not None:
            about["path"] = f"/runs/{alert.run_id}/" if alert.run_id else f"/flows/{alert.flow_id}/"
            about |= {"words": alert.body, "run_id": alert.run_id, "flow_id": alert.flow_id}
        task = tasks.objects.filter(pk=mail.task_id).first() if mail.task_id else None
        if task is not None:
            about = {
                "kind": "decide",
                "title": task.title,
                "path": f"/inbox/{task.pk}/",
                "task_id": task.pk,
                "flow_id": task.flow_id,
                "run_id": task.run_id,
                "due_at": task.due_at,
            }
        notice = notices.objects.create(
            id=mail.pk,
            workspace_id=mail.workspace_id,
            user_id=mail.user_id,
            key=mail.key,
            urgency="normal",
            created_at=mail.created_at,
            **about,
        )
        row = deliveries.objects.create(notice=notice, channel="mail", state="waiting")
        outbox.objects.filter(topic="notice.send", payload__notice=str(mail.pk)).update(
            topic="notice.deliver", payload={"delivery": str(row.pk)}
        )
    outbox.objects.filter(topic="notice.send").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_business_now"),
        ("flows", "0004_draft_revisions"),
        ("inbox", "0007_standing_in"),
        ("notices", "0001_notices"),
        ("operations", "0005_logs_elsewhere_checks_and_evidence"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(move_mails, migrations.RunPython.noop),
        migrations.DeleteModel(name="Notice"),
        migrations.RemoveConstraint(model_name="alert", name="alert_kind_known"),
        migrations.AddField(
            model_name="alert",
            name="path",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddField(model_name="alert", name="task_id", field=models.UUIDField(null=True)),
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("run_failed", "Run Failed"),
                    ("run_held", "Run Held"),
                    ("too_few", "Too Few"),
                    ("too_deep", "Too Deep"),
                    ("run_stuck", "Run Stuck"),
                    ("refused", "Refused"),
                    ("task", "Task"),
                    ("task_news", "Task News"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        "run_failed",
                        "run_held",
                        "too_few",
                        "too_deep",
                        "run_stuck",
                        "refused",
                        "task",
                        "task_news",
                    ]
                ),
                name="alert_kind_known",
            ),
        ),
    ]
