"""Puts our admin site in the place of Django's; imports nothing that needs the registry."""

from django.contrib.admin.apps import AdminConfig


class GovernanceConfig(AdminConfig):
    """Django's admin application with our site."""

    default_site = "apps.operations.governance.site.GovernanceSite"
