"""The Celery application. Messages are doorbells: what is to be done is a row in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings  # noqa: E402 - the variable above names the settings

app = Celery("signalbox")
app.conf.update(settings.CELERY)
app.autodiscover_tasks()
