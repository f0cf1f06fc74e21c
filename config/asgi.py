"""The ASGI application: Django for pages and API, Channels for live updates."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application  # noqa: E402 - the variable names the settings

application = get_asgi_application()
