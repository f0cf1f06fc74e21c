"""What each verb of the trail says, for whoever reads it outside the app: packs, lists, pages.

The app has the same words in its own catalogues (``audit.verb.…``); a test holds both together.
"""

from typing import Final

from django.utils.translation import gettext, gettext_noop

__all__ = ["VERBS", "verb_words"]

VERBS: Final[dict[str, str]] = {
    "access.denied": gettext_noop("Was refused"),
    "audit.drop": gettext_noop("Dropped old trail"),
    "audit.erase": gettext_noop("Erased values"),
    "audit.verify": gettext_noop("Checked the trail"),
    "browser.add": gettext_noop("Lets a browser show messages"),
    "browser.remove": gettext_noop("Lets a browser show no messages any more"),
    "chat.remove": gettext_noop("Disconnected a chat"),
    "chat.set": gettext_noop("Connected a chat"),
    "clock.advance": gettext_noop("Moved the clock"),
    "delegation.create": gettext_noop("Named somebody to stand in"),
    "delegation.end": gettext_noop("Ended a stand-in"),
    "destination.add": gettext_noop("Added log elsewhere"),
    "destination.change": gettext_noop("Changed log elsewhere"),
    "destination.remove": gettext_noop("Removed log elsewhere"),
    "destination.test": gettext_noop("Tested log elsewhere"),
    "event.publish": gettext_noop("Published event"),
    "export.read": gettext_noop("Exported"),
    "file.quarantine": gettext_noop("Held file back"),
    "file.read": gettext_noop("Read file"),
    "file.upload": gettext_noop("Uploaded file"),
    "filter.delete": gettext_noop("Deleted a filter of the inbox"),
    "filter.save": gettext_noop("Kept a filter of the inbox"),
    "flow.activate": gettext_noop("Activated a version"),
    "flow.archive": gettext_noop("Archived flow"),
    "flow.create": gettext_noop("Created flow"),
    "flow.duplicate": gettext_noop("Duplicated flow"),
    "flow.edit": gettext_noop("Edited flow"),
    "flow.grant": gettext_noop("Changed access to flow"),
    "flow.pause": gettext_noop("Paused flow"),
    "flow.publish": gettext_noop("Published flow"),
    "flow.restore": gettext_noop("Restored draft"),
    "flow.resume": gettext_noop("Resumed flow"),
    "group.change": gettext_noop("Changed team"),
    "group.create": gettext_noop("Created team"),
    "group.delete": gettext_noop("Deleted team"),
    "host.allow": gettext_noop("Allowed host"),
    "host.remove": gettext_noop("Removed host"),
    "keys.rotate": gettext_noop("Rotated keys"),
    "link.use": gettext_noop("Decided by a mail’s link"),  # noqa: RUF001 - as the app has it
    "member.change": gettext_noop("Changed roles or teams"),
    "member.deactivate": gettext_noop("Deactivated person"),
    "member.import": gettext_noop("Took over a file of people"),
    "member.invite": gettext_noop("Invited person"),
    "member.join": gettext_noop("Joined"),
    "member.place": gettext_noop("Changed manager, deputy or department"),
    "member.rehome": gettext_noop("Handed on everything a person had"),
    "member.uninvite": gettext_noop("Withdrew invitation"),
    "notice.retry": gettext_noop("Had a notification sent again"),
    "notice.test": gettext_noop("Sent a test notification"),
    "operations.resume": gettext_noop("Let everything go on"),
    "operations.stop": gettext_noop("Stopped everything"),
    "password.ask": gettext_noop("Asked for a new password"),
    "password.change": gettext_noop("Changed password"),
    "password.reset": gettext_noop("Reset password"),
    "policy.refused": gettext_noop("Was refused by a rule"),
    "preference.change": gettext_noop("Changed notifications"),
    "request.send": gettext_noop("Sent request"),
    "request.withdraw": gettext_noop("Withdrew request"),
    "run.cancel": gettext_noop("Cancelled run"),
    "run.forget": gettext_noop("Removed old runs"),
    "run.pause": gettext_noop("Paused run"),
    "run.replay": gettext_noop("Started run again"),
    "run.resume": gettext_noop("Let run go on"),
    "run.start": gettext_noop("Started run"),
    "run.test": gettext_noop("Tried a draft out"),
    "sample.delete": gettext_noop("Deleted a sample"),
    "sample.keep": gettext_noop("Kept a sample"),
    "sample.listen": gettext_noop("Opened an address for a draft"),
    "sample.send": gettext_noop("Sent a test"),
    "secret.delete": gettext_noop("Deleted secret"),
    "secret.set": gettext_noop("Set secret"),
    "session.change": gettext_noop("Changed workspace"),
    "session.end": gettext_noop("Ended sessions"),
    "settings.change": gettext_noop("Changed settings"),
    "sign_in.failure": gettext_noop("Failed to sign in"),
    "sign_in.success": gettext_noop("Signed in"),
    "sign_out": gettext_noop("Signed out"),
    "task.answer": gettext_noop("Answered a question"),
    "task.ask": gettext_noop("Asked for more"),
    "task.change": gettext_noop("Facts followed an event"),
    "task.claim": gettext_noop("Took a task"),
    "task.decide": gettext_noop("Decided task"),
    "task.drop": gettext_noop("Withdrew task"),
    "task.escalate": gettext_noop("Nobody answered: next step taken"),
    "task.exception_allow": gettext_noop("Allowed an exception"),
    "task.exception_ask": gettext_noop("Asked for an exception"),
    "task.fallback": gettext_noop("Asked the group that stands in"),
    "task.hand_over": gettext_noop("Handed over a task"),
    "task.late": gettext_noop("Nobody took the task up in time"),
    "task.release": gettext_noop("Gave a task back"),
    "task.settle": gettext_noop("Passed a decision on after its time to be taken back"),
    "task.take_back": gettext_noop("Took an answer back"),
    "task.timeout": gettext_noop("Task ran out of time"),
    "task.unask": gettext_noop("Took a question back"),
    "token.create": gettext_noop("Created access key"),
    "token.revoke": gettext_noop("Revoked access key"),
    "workspace.create": gettext_noop("Created workspace"),
}


def verb_words(verb: str) -> str:
    """“Published flow” for ``flow.publish``, in the language of the moment.

    One without words reads as it stands.
    """
    if verb in VERBS:
        return gettext(VERBS[verb])
    plain = verb.replace(".", " ").replace("_", " ")
    return plain[:1].upper() + plain[1:]
