"""Who may keep secrets and change the allow-list: rights of ``accounts``, named once."""

KEEP_SECRETS = "secrets.manage"
CHANGE_HOSTS = "hosts.manage"
