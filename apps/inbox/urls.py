"""Addresses of the inbox."""

from django.urls import path

from apps.inbox import api

urlpatterns = [
    path("api/v1/tasks/", api.TasksView.as_view()),
    path("api/v1/tasks/count/", api.TaskCountView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/", api.TaskView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/decide/", api.DecideView.as_view()),
]
