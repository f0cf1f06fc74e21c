"""Addresses of the trail's API."""

from django.urls import URLPattern, URLResolver, path

from apps.operations import audit_api as api
from apps.operations import trail_api as trail

_API = "api/v1/audit/"

urlpatterns: list[URLPattern | URLResolver] = [
    path(_API, api.AuditView.as_view(), name="audit"),
    path(f"{_API}seals/", api.SealsView.as_view(), name="audit-seals"),
    path(f"{_API}state/", api.TrailStateView.as_view(), name="audit-state"),
    path(f"{_API}bundle/", api.BundleView.as_view(), name="audit-bundle"),
    path(f"{_API}consistency/", trail.ConsistencyView.as_view(), name="audit-consistency"),
    path(f"{_API}verifier/", trail.VerifierView.as_view(), name="audit-verifier"),
    path(f"{_API}checks/", trail.ChecksView.as_view(), name="audit-checks"),
    path(f"{_API}checks/<uuid:check_id>/", trail.CheckView.as_view(), name="audit-check"),
    path(f"{_API}evidence/", trail.EvidenceView.as_view(), name="audit-evidence"),
    path(
        f"{_API}evidence/<uuid:pack_id>/",
        trail.OneEvidenceView.as_view(),
        name="audit-evidence-one",
    ),
    path(
        f"{_API}evidence/<uuid:pack_id>/file/",
        trail.EvidenceFileView.as_view(),
        name="audit-evidence-file",
    ),
    path(f"{_API}destinations/", trail.DestinationsView.as_view(), name="audit-destinations"),
    path(
        f"{_API}destinations/<uuid:destination_id>/",
        trail.DestinationView.as_view(),
        name="audit-destination",
    ),
    path(
        f"{_API}destinations/<uuid:destination_id>/test/",
        trail.DestinationTestView.as_view(),
        name="audit-destination-test",
    ),
    path(f"{_API}<uuid:event_id>/check/", trail.RowCheckView.as_view(), name="audit-row-check"),
    path(f"{_API}<uuid:event_id>/", api.AuditRowView.as_view(), name="audit-row"),
    path(f"{_API}<uuid:event_id>/proof/", api.ProofView.as_view(), name="audit-proof"),
]
