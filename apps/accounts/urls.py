"""Addresses of sign-in pages and of the API about people.

The pages have the names under which django-allauth looks for them.
"""

from django.urls import URLPattern, URLResolver, path

from apps.accounts import api, places_api, views

_API = "api/v1/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", views.sign_in, name="account_login"),
    path("sign-out/", views.sign_out, name="account_logout"),
    path("password/reset/", views.reset, name="account_reset_password"),
    path("password/reset/sent/", views.reset_sent, name="account_reset_password_done"),
    path(
        "password/reset/<str:value>/", views.reset_confirm, name="account_reset_password_from_key"
    ),
    path("invitation/<str:value>/", views.invitation, name="invitation"),
    path(f"{_API}me/", api.MeView.as_view(), name="me"),
    path(f"{_API}me/workspace/", api.MyWorkspaceView.as_view(), name="me-workspace"),
    path(f"{_API}me/password/", api.MyPasswordView.as_view(), name="me-password"),
    path(f"{_API}me/sessions/", api.MySessionsView.as_view(), name="me-sessions"),
    path(f"{_API}me/sessions/end/", api.EndSessionsView.as_view(), name="me-sessions-end"),
    path(f"{_API}members/", api.MembersView.as_view(), name="members"),
    path(f"{_API}members/<uuid:member_id>/", api.MemberView.as_view(), name="member"),
    path(f"{_API}members/<uuid:member_id>/place/", places_api.PlaceView.as_view(), name="place"),
    path(
        f"{_API}members/<uuid:member_id>/calendar/",
        places_api.MemberCalendarView.as_view(),
        name="member-calendar",
    ),
    path(
        f"{_API}members/import/preview/",
        places_api.ImportPreviewView.as_view(),
        name="members-import-preview",
    ),
    path(f"{_API}members/import/", places_api.ImportView.as_view(), name="members-import"),
    path(
        f"{_API}teams/<uuid:team_id>/calendar/",
        places_api.TeamCalendarView.as_view(),
        name="team-calendar",
    ),
    path(f"{_API}invitations/", api.InvitationsView.as_view(), name="invitations"),
    path(
        f"{_API}invitations/<uuid:invitation_id>/",
        api.InvitationView.as_view(),
        name="invitation-one",
    ),
    path(f"{_API}teams/", api.TeamsView.as_view(), name="teams"),
    path(f"{_API}teams/<uuid:team_id>/", api.TeamView.as_view(), name="team"),
    path(f"{_API}tokens/", api.TokensView.as_view(), name="tokens"),
    path(f"{_API}tokens/<uuid:token_id>/", api.TokenView.as_view(), name="token"),
    path(f"{_API}calendar/", api.CalendarView.as_view(), name="calendar"),
    path(f"{_API}flows/<uuid:flow_id>/grants/", api.FlowGrantsView.as_view(), name="flow-grants"),
]
