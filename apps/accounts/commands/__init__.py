"""Every write about people: who belongs where, what they hold, how they come in.

Each command checks the right, locks, decides, saves and writes the trail in one transaction.
"""

from apps.accounts.commands.entry import (
    accept_invitation,
    ask_for_reset,
    change_password,
    delete_expired,
    end_session,
    end_sessions,
    note_failed_sign_in,
    note_refusal,
    note_sign_in,
    note_sign_out,
    reset_password,
    send_invitation,
    send_reset,
    update_profile,
)
from apps.accounts.commands.grants import GrantSubject, grant_flow, set_flow_grants
from apps.accounts.commands.keys import create_token, revoke_token
from apps.accounts.commands.people import (
    add_member,
    change_member,
    create_team,
    delete_team,
    invite_member,
    make_first_admin,
    make_workspace,
    rename_team,
    revoke_invitation,
)

__all__ = [
    "GrantSubject",
    "accept_invitation",
    "add_member",
    "ask_for_reset",
    "change_member",
    "change_password",
    "create_team",
    "create_token",
    "delete_expired",
    "delete_team",
    "end_session",
    "end_sessions",
    "grant_flow",
    "invite_member",
    "make_first_admin",
    "make_workspace",
    "note_failed_sign_in",
    "note_refusal",
    "note_sign_in",
    "note_sign_out",
    "rename_team",
    "reset_password",
    "revoke_invitation",
    "revoke_token",
    "send_invitation",
    "send_reset",
    "set_flow_grants",
    "update_profile",
]
