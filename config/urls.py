"""Every address of the product but ``/hooks/``, which the gateway answers before Django."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from apps.accounts import schema as schema  # noqa: PLC0414 - its classes register themselves
from config import views

# Here and not when Django starts: workers show no pages.
admin.autodiscover()

urlpatterns = [
    path("healthz", views.health, name="health"),
    path("admin/", admin.site.urls),
    path("api/v1/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="api-docs"),
    path("", include("apps.accounts.urls")),
    path("", include("apps.connections.urls")),
    path("", include("apps.notices.urls")),
    path("", include("apps.flows.urls")),
    path("", include("apps.runs.urls")),
    path("", include("apps.triggers.urls")),
    path("", include("apps.inbox.urls")),
    path("", include("apps.inbox.evidence_urls")),
    path("", include("apps.requests.urls")),
    path("", include("apps.operations.urls")),
    re_path(r"^(?!api/|static/|hooks/|ws/)(?P<page>.*)$", views.app_shell, name="app"),
]

handler400 = "config.views.bad_request"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
