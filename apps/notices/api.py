"""The API about how people are told: their own choices, and the workspace's chat."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_of
from apps.accounts.models import User
from apps.accounts.permissions import require
from apps.accounts.schema import PAGE, paged
from apps.core import clock
from apps.core.errors import Forbidden
from apps.core.http import CursorPages
from apps.core.sentences import said
from apps.notices import choosing, pushing, queries, words
from apps.notices.choosing import Wanted
from apps.notices.models import Channel, ChatHook, Delivery, Kind, State
from apps.notices.planning import OFFERED, Choice, Group

CHANNELS = Channel.choices
STATES = State.choices
KINDS = Kind.choices


class QuietShape(serializers.Serializer[Any]):
    """Quiet hours, in the reader's own time zone."""

    begins = serializers.TimeField(format="%H:%M", input_formats=["%H:%M"])
    ends = serializers.TimeField(format="%H:%M", input_formats=["%H:%M"])


class BrowserShape(serializers.Serializer[Any]):
    """A browser that shows messages."""

    id = serializers.UUIDField()
    user_agent = serializers.CharField(source="label")
    host = serializers.CharField()
    created_at = serializers.DateTimeField()


class OwnChatShape(serializers.Serializer[Any]):
    """One's own chat; its address is never shown again."""

    host = serializers.CharField()


class PreferenceShape(serializers.Serializer[Any]):
    """How one is told; ``offered`` is what may be chosen by each way for each group."""

    choices = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
    offered = serializers.DictField(
        child=serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    )
    quiet = QuietShape(allow_null=True)
    digest_at = serializers.TimeField(format="%H:%M", allow_null=True)
    zone = serializers.CharField()
    browsers = BrowserShape(many=True)
    chat = OwnChatShape(allow_null=True)
    push_key = serializers.CharField(help_text="What a browser is given when it subscribes.")


class WantedShape(serializers.Serializer[Any]):
    """What one chooses; what ``choices`` leaves out is told at once."""

    choices = serializers.DictField(
        child=serializers.DictField(child=serializers.ChoiceField(choices=Choice.values))
    )
    quiet = QuietShape(allow_null=True)
    digest_at = serializers.TimeField(format="%H:%M", input_formats=["%H:%M"], allow_null=True)


class KeysShape(serializers.Serializer[Any]):
    """With what only the browser opens its messages."""

    p256dh = serializers.CharField(max_length=200)
    auth = serializers.CharField(max_length=100)


class NewBrowserShape(serializers.Serializer[Any]):
    """What ``PushSubscription.toJSON()`` gives."""

    endpoint = serializers.CharField(max_length=2000)
    keys = KeysShape()


class ChatAddressShape(serializers.Serializer[Any]):
    """The address that the chat shows for incoming messages; it is kept as a secret."""

    url = serializers.CharField(max_length=2000)


class ChatShape(serializers.Serializer[Any]):
    """The workspace's chat."""

    host = serializers.CharField()
    with_titles = serializers.BooleanField()
    groups = serializers.ListField(child=serializers.ChoiceField(choices=Group.values))


class ChatWantedShape(serializers.Serializer[Any]):
    """The same, to be set; without ``url`` the address stays."""

    url = serializers.CharField(max_length=2000, required=False)
    with_titles = serializers.BooleanField()
    groups = serializers.ListField(
        child=serializers.ChoiceField(choices=Group.values), allow_empty=False, max_length=10
    )


class ChatFoundShape(serializers.Serializer[Any]):
    """The workspace's chat, if there is one."""

    chat = ChatShape(allow_null=True)


class TestShape(serializers.Serializer[Any]):
    """By which way."""

    channel = serializers.ChoiceField(choices=Channel.values)


class SentNoticeShape(serializers.Serializer[Any]):
    """A line of the delivery log."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.values)
    title = serializers.CharField()
    path = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.values)
    state = serializers.ChoiceField(choices=State.values)
    held_until = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    tried_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


LOG_PAGE = paged(SentNoticeShape)


class DeliveriesShape(serializers.Serializer[Any]):
    """What was put out."""

    results = SentNoticeShape(many=True)


class PreferenceView(APIView):
    """How one wants to be told in this workspace."""

    @extend_schema(operation_id="my_notifications", responses=PreferenceShape)
    def get(self, request: Request) -> Response:
        return Response(_preference(actor_of(request)))

    @extend_schema(
        operation_id="choose_notifications", request=WantedShape, responses=PreferenceShape
    )
    def put(self, request: Request) -> Response:
        actor, sent = actor_of(request), _sent(WantedShape, request)
        quiet = sent["quiet"] or {}
        wanted = Wanted(sent["choices"], quiet.get("begins"), quiet.get("ends"), sent["digest_at"])
        choosing.change_preference(actor=actor, wanted=wanted, now=clock.now())
        return Response(_preference(actor))


class BrowsersView(APIView):
    """Let this browser show messages."""

    @extend_schema(request=NewBrowserShape, responses={201: BrowserShape})
    def post(self, request: Request) -> Response:
        sent = _sent(NewBrowserShape, request)
        row = choosing.add_browser(
            actor=actor_of(request),
            endpoint=sent["endpoint"],
            p256dh=sent["keys"]["p256dh"],
            auth=sent["keys"]["auth"],
            label=request.headers.get("User-Agent", ""),
            now=clock.now(),
        )
        return Response(BrowserShape(row).data, status=201)


class BrowserView(APIView):
    """One of one's browsers."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, browser_id: UUID) -> Response:
        choosing.remove_browser(actor=actor_of(request), browser_id=browser_id, now=clock.now())
        return Response(status=204)


class OwnChatView(APIView):
    """One's own chat."""

    @extend_schema(request=ChatAddressShape, responses=OwnChatShape)
    def put(self, request: Request) -> Response:
        url = _sent(ChatAddressShape, request)["url"]
        row = choosing.set_own_chat(actor=actor_of(request), url=url, now=clock.now())
        return Response({"host": row.host})

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        choosing.remove_own_chat(actor=actor_of(request), now=clock.now())
        return Response(status=204)


class OwnTestView(APIView):
    """Send oneself a test by one way."""

    @extend_schema(request=TestShape, responses={201: DeliveriesShape})
    def post(self, request: Request) -> Response:
        channel = Channel(_sent(TestShape, request)["channel"])
        rows = choosing.send_test(actor=actor_of(request), channel=channel, now=clock.now())
        return Response({"results": [_delivery(one) for one in rows]}, status=201)


class OwnDeliveriesView(APIView):
    """What one was sent, or is to be sent, newest first."""

    @extend_schema(operation_id="my_deliveries", parameters=PAGE, responses=LOG_PAGE)
    def get(self, request: Request) -> Response:
        pages = CursorPages()
        rows = queries.deliveries_of(actor_of(request))
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([_delivery(one) for one in found])


class TryAgainView(APIView):
    """Have what was given up sent again."""

    @extend_schema(request=None, responses=SentNoticeShape)
    def post(self, request: Request, delivery_id: UUID) -> Response:
        row = choosing.try_again(actor=actor_of(request), delivery_id=delivery_id, now=clock.now())
        return Response(_delivery(row))


class ChatView(APIView):
    """The workspace's chat."""

    @extend_schema(operation_id="workspace_chat", responses=ChatFoundShape)
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, choosing.MANAGE)
        hook = queries.workspace_hook(actor.workspace_id)
        return Response({"chat": _chat(hook) if hook else None})

    @extend_schema(
        operation_id="set_workspace_chat", request=ChatWantedShape, responses=ChatFoundShape
    )
    def put(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, choosing.MANAGE)
        sent = _sent(ChatWantedShape, request)
        hook = choosing.set_workspace_chat(
            actor=actor,
            url=sent.get("url"),
            with_titles=sent["with_titles"],
            groups=sent["groups"],
            now=clock.now(),
        )
        return Response({"chat": _chat(hook)})

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        choosing.remove_workspace_chat(actor=actor_of(request), now=clock.now())
        return Response(status=204)


class ChatTestView(APIView):
    """Send the workspace's chat a test."""

    @extend_schema(request=None, responses={201: DeliveriesShape})
    def post(self, request: Request) -> Response:
        rows = choosing.send_chat_test(actor=actor_of(request), now=clock.now())
        return Response({"results": [_delivery(one) for one in rows]}, status=201)


class ChatDeliveriesView(APIView):
    """What the workspace's chat was sent, newest first."""

    @extend_schema(operation_id="chat_deliveries", parameters=PAGE, responses=LOG_PAGE)
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        require(actor, choosing.MANAGE)
        pages = CursorPages()
        rows = queries.workspace_deliveries(actor.workspace_id)
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([_delivery(one) for one in found])


def _sent(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    found = shape(data=request.data)
    found.is_valid(raise_exception=True)
    sent: dict[str, Any] = found.validated_data
    return sent


def _preference(actor: Actor) -> dict[str, Any]:
    if actor.user_id is None:
        raise Forbidden("Only a person is told anything.")
    user = User.objects.get(pk=actor.user_id)
    row = queries.preference_of(actor.workspace_id, user.pk)
    wishes = queries.wishes(user, actor.workspace_id, row)
    hook = queries.own_hook(actor.workspace_id, user.pk)
    browsers = queries.subscriptions(actor.workspace_id, [user.pk]).order_by("id")
    return {
        "choices": {
            channel: {group: wishes.choice(channel, group) for group in groups}
            for channel, groups in OFFERED.items()
        },
        "offered": OFFERED,
        "quiet": (
            {"begins": f"{wishes.quiet[0]:%H:%M}", "ends": f"{wishes.quiet[1]:%H:%M}"}
            if wishes.quiet
            else None
        ),
        "digest_at": f"{wishes.digest_at:%H:%M}" if wishes.digest_at else None,
        "zone": wishes.zone.key,
        "browsers": BrowserShape(browsers, many=True).data,
        "chat": {"host": hook.host} if hook else None,
        "push_key": pushing.public_key(),
    }


def _chat(hook: ChatHook) -> dict[str, Any]:
    return {"host": hook.host, "with_titles": hook.with_titles, "groups": hook.groups}


def _delivery(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.notice.kind,
        "title": words.subject(row.notice),
        "path": row.notice.path,
        "channel": row.channel,
        "state": row.state,
        "held_until": row.held_until,
        "attempts": row.attempts,
        "error": said(row.last_error),
        "created_at": row.notice.created_at,
        "tried_at": row.tried_at,
        "ended_at": row.ended_at,
    }
