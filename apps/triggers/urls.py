"""Addresses of the API about triggers. ``/hooks/`` itself is the gateway's, before Django."""

from django.urls import URLPattern, URLResolver, path

from apps.triggers import api, events_api, samples_api

_FLOW = "api/v1/flows/<uuid:flow_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_FLOW}trigger/", api.TriggerView.as_view(), name="flow-trigger"),
    path(f"{_FLOW}deliveries/", api.DeliveriesView.as_view(), name="flow-deliveries"),
    path(f"{_FLOW}listen/", samples_api.ListenView.as_view(), name="flow-listen"),
    path(f"{_FLOW}send-test/", samples_api.SendTestView.as_view(), name="flow-send-test"),
    path("api/v1/trigger-preview/", api.TriggerPreviewView.as_view(), name="trigger-preview"),
    path("api/v1/events/", events_api.EventsView.as_view(), name="events"),
    path("api/v1/event-types/", events_api.EventTypesView.as_view(), name="event-types"),
    path("api/v1/events/<uuid:event_id>/", events_api.EventView.as_view(), name="event"),
]
