"""How passwords are kept."""

from django.contrib.auth import hashers


class Argon2id(hashers.Argon2PasswordHasher):
    """Argon2id with OWASP's second recommended setting: 46 MiB, one pass more than asked.

    Django's own default takes 100 MiB and eight threads for every sign-in, which on a small
    machine lets a handful of strangers take the memory that runs need.

    Source: OWASP Password Storage Cheat Sheet (m=47104, t=1, p=1).
    """

    time_cost = 2
    memory_cost = 47_104
    parallelism = 1
