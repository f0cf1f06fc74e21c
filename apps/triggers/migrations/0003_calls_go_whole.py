"""Raw bodies go with their calls, by id: the index of bodies alone only cost each call a write."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("triggers", "0002_sealed_bodies")]

    operations = [migrations.RemoveIndex("delivery", "delivery_raw")]
