"""Addresses of the inbox. ``/inbox/`` itself is a page of the browser's app."""

from django.urls import path

from apps.inbox import (
    api,
    asking_api,
    form_api,
    handing_api,
    handing_views,
    link_views,
    list_api,
    list_views,
    question_views,
    taking_back_views,
    views,
)

urlpatterns = [
    path("inbox/list/", list_views.list_page, name="inbox-list"),
    path("inbox/bulk/", list_views.bulk_page, name="inbox-bulk"),
    path("inbox/<uuid:task_id>/", views.task_page, name="inbox-task"),
    path("inbox/<uuid:task_id>/claim/", handing_views.claim, name="inbox-claim"),
    path("inbox/<uuid:task_id>/release/", handing_views.release, name="inbox-release"),
    path("inbox/<uuid:task_id>/hand-over/", handing_views.hand_over, name="inbox-hand-over"),
    path("inbox/<uuid:task_id>/exceptions/", handing_views.ask_exception, name="inbox-exception"),
    path(
        "inbox/<uuid:task_id>/exceptions/<uuid:exception_id>/allow/",
        handing_views.allow_exception,
        name="inbox-allow",
    ),
    path("inbox/<uuid:task_id>/take-back/", taking_back_views.take_back, name="inbox-take-back"),
    path("inbox/<uuid:task_id>/ask/", question_views.ask, name="inbox-ask"),
    path("inbox/questions/", question_views.questions_page, name="inbox-questions"),
    path(
        "inbox/questions/<uuid:question_id>/", question_views.question_page, name="inbox-question"
    ),
    path(
        "inbox/questions/<uuid:question_id>/take-back/",
        question_views.take_back,
        name="inbox-question-back",
    ),
    path("decide/", link_views.decide_by_link, name="decide-by-link"),
    path("decide/<str:value>/", link_views.link_page, name="decision-link"),
    path("api/v1/tasks/", list_api.TasksView.as_view()),
    path("api/v1/tasks/counts/", list_api.CountsView.as_view()),
    path("api/v1/tasks/bulk/", list_api.BulkView.as_view()),
    path("api/v1/task-filters/", list_api.FiltersView.as_view()),
    path("api/v1/task-filters/<uuid:filter_id>/", list_api.FilterView.as_view()),
    path("api/v1/tasks/count/", api.TaskCountView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/", api.TaskView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/decide/", api.DecideView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/draft/", form_api.TaskDraftView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/claim/", handing_api.ClaimView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/release/", handing_api.ReleaseView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/hand-over/", handing_api.HandOverView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/exceptions/", handing_api.ExceptionsView.as_view()),
    path(
        "api/v1/tasks/<uuid:task_id>/exceptions/<uuid:exception_id>/allow/",
        handing_api.AllowView.as_view(),
    ),
    path("api/v1/tasks/<uuid:task_id>/take-back/", taking_back_views.TakeAnswerBackView.as_view()),
    path("api/v1/tasks/<uuid:task_id>/questions/", asking_api.AskView.as_view()),
    path("api/v1/questions/", asking_api.QuestionsView.as_view()),
    path("api/v1/questions/<uuid:question_id>/", asking_api.QuestionView.as_view()),
    path("api/v1/questions/<uuid:question_id>/answer/", asking_api.AnswerView.as_view()),
    path("api/v1/questions/<uuid:question_id>/take-back/", asking_api.TakeBackView.as_view()),
    path("api/v1/tasks/reassign/", handing_api.ReassignView.as_view()),
    path("api/v1/colleagues/", handing_api.ColleaguesView.as_view()),
    path("api/v1/delegations/", handing_api.DelegationsView.as_view()),
    path("api/v1/delegations/<uuid:delegation_id>/", handing_api.DelegationView.as_view()),
]
