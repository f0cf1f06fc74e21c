"""Addresses of the API about runs."""

from django.urls import path

from apps.runs import api, history_api, steering_api, testing_api

urlpatterns = [
    path("api/v1/runs/", api.RunsView.as_view()),
    path("api/v1/runs/latest/", api.LatestRunsView.as_view()),
    path("api/v1/runs/pause/", steering_api.PauseRunsView.as_view()),
    path("api/v1/runs/resume/", steering_api.ResumeRunsView.as_view()),
    path("api/v1/runs/cancel/", steering_api.CancelRunsView.as_view()),
    path("api/v1/runs/replay/", steering_api.ReplayRunsView.as_view()),
    path("api/v1/runs/<uuid:run_id>/", api.RunView.as_view()),
    path("api/v1/runs/<uuid:run_id>/journal/", api.JournalView.as_view()),
    path("api/v1/runs/<uuid:run_id>/at/<int:seq>/", history_api.RunAtView.as_view()),
    path("api/v1/runs/<uuid:run_id>/replay/", history_api.ReplayRunView.as_view()),
    path("api/v1/runs/<uuid:run_id>/cancel/", api.CancelRunView.as_view()),
    path("api/v1/runs/<uuid:run_id>/pause/", steering_api.PauseRunView.as_view()),
    path("api/v1/runs/<uuid:run_id>/resume/", api.ResumeRunView.as_view()),
    path("api/v1/runs/<uuid:tested_id>/test/", testing_api.RunTestView.as_view()),
    path("api/v1/flows/<uuid:flow_id>/runs/", api.FlowRunsView.as_view()),
    path("api/v1/flows/<uuid:flow_id>/samples/", testing_api.SamplesView.as_view()),
    path("api/v1/flows/<uuid:flow_id>/samples/<uuid:sample_id>/", testing_api.SampleView.as_view()),
    path("api/v1/flows/<uuid:flow_id>/test-plan/", testing_api.TestPlanView.as_view()),
    path("api/v1/flows/<uuid:flow_id>/test-runs/", testing_api.TestRunsView.as_view()),
    path("api/v1/evaluate/", api.EvaluateView.as_view()),
]
