"""Addresses of the API about flows."""

from django.urls import URLPattern, URLResolver, path

from apps.flows import api, changes_api, explain

_FLOW = "api/v1/flows/<uuid:flow_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/flows/", api.FlowsView.as_view(), name="flows"),
    path(_FLOW, api.FlowView.as_view(), name="flow"),
    path(f"{_FLOW}draft/", api.DraftView.as_view(), name="flow-draft"),
    path(f"{_FLOW}check/", api.CheckView.as_view(), name="flow-check"),
    path(f"{_FLOW}explain/", explain.ExplainView.as_view(), name="flow-explain"),
    path("flows/<uuid:flow_id>/print/", explain.print_page, name="flow-print"),
    path(f"{_FLOW}publish/", api.PublishView.as_view(), name="flow-publish"),
    path(f"{_FLOW}versions/", api.VersionsView.as_view(), name="flow-versions"),
    path(f"{_FLOW}versions/<int:number>/", api.VersionView.as_view(), name="flow-version"),
    path(
        f"{_FLOW}versions/<int:number>/activate/", api.ActivateView.as_view(), name="flow-activate"
    ),
    path(f"{_FLOW}revisions/", changes_api.RevisionsView.as_view(), name="flow-revisions"),
    path(
        f"{_FLOW}revisions/<int:number>/",
        changes_api.RevisionView.as_view(),
        name="flow-revision",
    ),
    path(f"{_FLOW}restore/", changes_api.RestoreView.as_view(), name="flow-restore"),
    path(f"{_FLOW}compare/", changes_api.CompareView.as_view(), name="flow-compare"),
    path(f"{_FLOW}pause/", api.PauseView.as_view(), name="flow-pause"),
    path(f"{_FLOW}resume/", api.ResumeView.as_view(), name="flow-resume"),
    path(f"{_FLOW}archive/", api.ArchiveView.as_view(), name="flow-archive"),
    path(f"{_FLOW}duplicate/", api.DuplicateView.as_view(), name="flow-duplicate"),
    path("api/v1/flow-examples/", api.ExamplesView.as_view(), name="flow-examples"),
    path("api/v1/flow-schema/", api.SchemaView.as_view(), name="flow-schema"),
    path("api/v1/step-types/", api.StepTypesView.as_view(), name="step-types"),
]
