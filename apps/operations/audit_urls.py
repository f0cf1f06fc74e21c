"""Addresses of the trail's API."""

from django.urls import URLPattern, URLResolver, path

from apps.operations import audit_api as api

_API = "api/v1/audit/"

urlpatterns: list[URLPattern | URLResolver] = [
    path(_API, api.AuditView.as_view(), name="audit"),
    path(f"{_API}seals/", api.SealsView.as_view(), name="audit-seals"),
    path(f"{_API}state/", api.TrailStateView.as_view(), name="audit-state"),
    path(f"{_API}bundle/", api.BundleView.as_view(), name="audit-bundle"),
    path(f"{_API}<uuid:event_id>/", api.AuditRowView.as_view(), name="audit-row"),
    path(f"{_API}<uuid:event_id>/proof/", api.ProofView.as_view(), name="audit-proof"),
]
