"""The trail's API is in ``operations``: it needs the rights of ``accounts``."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
