"""Addresses of requests. ``/requests/`` and what is below it are pages of the browser's app."""

from django.urls import URLPattern, path

from apps.requests import api, public

_FORM = "api/v1/request-forms/<uuid:form_id>/"

urlpatterns: list[URLPattern] = [
    path("forms/<uuid:public_id>/", public.form_page, name="public-form"),
    path("api/v1/request-forms/", api.FormsView.as_view()),
    path(_FORM, api.FormView.as_view()),
    path(f"{_FORM}draft/", api.DraftView.as_view()),
    path("api/v1/files/", api.FilesView.as_view()),
    path("api/v1/files/<uuid:file_id>/", api.FileView.as_view()),
    path("api/v1/requests/", api.RequestsView.as_view()),
    path("api/v1/requests/<uuid:request_id>/", api.RequestView.as_view()),
    path("api/v1/requests/<uuid:request_id>/withdraw/", api.WithdrawView.as_view()),
]
