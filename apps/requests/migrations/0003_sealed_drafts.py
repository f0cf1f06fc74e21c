"""Drafts are kept sealed. What stands there already is sealed as well."""

from django.db import migrations, models

import apps.core.models
from apps.connections import vault
from apps.engine import values


def seal(registry, _editor):
    for draft in registry.get_model("requests", "RequestDraft").objects.iterator(200):
        plain = values.dumps(draft.answers).encode()
        draft.sealed, draft.answers = vault.seal(plain, f"requests.draft:{draft.pk}"), {}
        draft.save(update_fields=["sealed", "answers"])


def unseal(registry, _editor):
    for draft in registry.get_model("requests", "RequestDraft").objects.iterator(200):
        if draft.sealed is not None and not draft.answers:
            text = vault.open(draft.sealed, f"requests.draft:{draft.pk}").decode()
            draft.answers = values.loads(text)
            draft.save(update_fields=["answers"])


class Migration(migrations.Migration):
    dependencies = [("requests", "0002_files")]

    operations = [
        migrations.AddField("requestdraft", "sealed", models.BinaryField(null=True)),
        migrations.AlterField(
            "requestdraft", "answers", apps.core.models.ExactJSONField(default=dict)
        ),
        migrations.RunPython(seal, unseal),
    ]
