"""The admin console at ``/admin/``: governance over people, flows, triggers, tokens and the trail.

Django's admin, with three rules of ours: who is not a superuser sees only their workspace;
every change calls the command that the app calls too (permission, trail, reason); what is a
record (versions, runs, tasks, trail, seals) can be read and nothing else.
"""
