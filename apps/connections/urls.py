"""Addresses of the API about secrets and allowed hosts."""

from django.urls import URLPattern, URLResolver, path

from apps.connections import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/secrets/", api.SecretsView.as_view(), name="secrets"),
    path("api/v1/secrets/<str:name>/", api.SecretView.as_view(), name="secret"),
    path("api/v1/allowed-hosts/", api.AllowedHostsView.as_view(), name="allowed-hosts"),
    path(
        "api/v1/allowed-hosts/<uuid:host_id>/", api.AllowedHostView.as_view(), name="allowed-host"
    ),
]
