"""Addresses of the inbox. ``/inbox/`` itself is a page of the browser's app."""

from django.urls import path

from apps.inbox import api, views

urlpatterns = [
    path("inbox/list/", views.list_page, name="inbox-list"),
    path("inbox/<uuid:task_id>/", views.task_page, name="inbox-task"),
    path("api/v1/tasks/", api.TasksView.as_view()),
    path("api/v1/tasks/count/", api.TaskCountView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/", api.TaskView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/decide/", api.DecideView.as_view()),
]
