"""Addresses of the evidence of decisions."""

from django.urls import path

from apps.inbox import evidence_api, evidence_views

urlpatterns = [
    path("inbox/<uuid:task_id>/evidence/", evidence_views.evidence_page, name="inbox-evidence"),
    path(
        "api/v1/tasks/<uuid:task_id>/decisions/<uuid:decision_id>/evidence/",
        evidence_api.EvidenceFileView.as_view(),
        name="decision-evidence",
    ),
    path("api/v1/runs/<uuid:run_id>/tasks/", evidence_api.RunTasksView.as_view(), name="run-tasks"),
]
