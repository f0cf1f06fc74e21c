"""Addresses of the API about how people are told."""

from django.urls import path

from apps.notices import api, views

_MINE = "api/v1/me/notifications/"
_CHAT = "api/v1/chat/"

urlpatterns = [
    path("push-worker.js", views.push_worker, name="push-worker"),
    path(_MINE, api.PreferenceView.as_view()),
    path(f"{_MINE}browsers/", api.BrowsersView.as_view()),
    path(f"{_MINE}browsers/<uuid:browser_id>/", api.BrowserView.as_view()),
    path(f"{_MINE}chat/", api.OwnChatView.as_view()),
    path(f"{_MINE}test/", api.OwnTestView.as_view()),
    path(f"{_MINE}deliveries/", api.OwnDeliveriesView.as_view()),
    path("api/v1/deliveries/<uuid:delivery_id>/retry/", api.TryAgainView.as_view()),
    path(_CHAT, api.ChatView.as_view()),
    path(f"{_CHAT}test/", api.ChatTestView.as_view()),
    path(f"{_CHAT}deliveries/", api.ChatDeliveriesView.as_view()),
]
