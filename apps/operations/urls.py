"""Addresses of operations."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("", include("apps.operations.audit_urls"))]
