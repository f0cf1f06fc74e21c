"""Addresses of the API about secrets and allowed hosts."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
