"""Addresses of operations."""

from django.urls import URLPattern, URLResolver, include, path

from apps.operations import access_api, api, leaving_api, stop_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.operations.audit_urls")),
    path(
        "api/v1/members/<uuid:member_id>/belongings/",
        leaving_api.BelongingsView.as_view(),
        name="belongings",
    ),
    path(
        "api/v1/members/<uuid:member_id>/rehome/", leaving_api.RehomeView.as_view(), name="rehome"
    ),
    path(
        "api/v1/flows/<uuid:flow_id>/access-changes/",
        access_api.AccessChangesView.as_view(),
        name="flow-access-changes",
    ),
    path("api/v1/alerts/", api.AlertsView.as_view(), name="alerts"),
    path("api/v1/alerts/read/", api.ReadAlertsView.as_view(), name="alerts-read"),
    path("api/v1/operations/stop/", stop_api.StopView.as_view(), name="stop"),
    path("api/v1/operations/resume/", stop_api.ResumeView.as_view(), name="stop-resume"),
    path("metrics", api.MetricsView.as_view(), name="metrics"),
    path("api/v1/export/<slug:kind>.ndjson", api.ExportView.as_view(), name="export"),
]
