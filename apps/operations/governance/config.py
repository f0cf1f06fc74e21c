"""Puts our admin site in the place of Django's; imports nothing that needs the registry."""

from django.contrib.admin.apps import SimpleAdminConfig


class GovernanceConfig(SimpleAdminConfig):
    """Django's admin application with our site; its pages are looked for with the addresses."""

    default_site = "apps.operations.governance.site.GovernanceSite"
