"""The one settings module. Production is the default; every difference is an environment variable.

``docs/operating.md`` lists the variables. ``SIGNALBOX_ENV=embedded`` is what ``make up``
sets: a database and a broker of its own, keys made on the first start, demo data.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("SIGNALBOX_HOME") or BASE_DIR / "var").absolute()
ENVIRONMENT = os.environ.get("SIGNALBOX_ENV") or "production"
if ENVIRONMENT not in {"embedded", "production"}:
    raise ImproperlyConfigured(
        f"SIGNALBOX_ENV is {ENVIRONMENT!r}; set it to 'embedded' or 'production'."
    )
EMBEDDED = ENVIRONMENT == "embedded"


def _required(name: str, what: str) -> str:
    """The variable's value. Without one the product refuses to start and says what to set."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {what}")
    return value


def _flag(name: str, *, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


# Keys. Embedded mode keeps them in 0600 files below HOME and passes them on by environment.
SECRET_KEY = _required("SIGNALBOX_SECRET_KEY", "set it to at least 50 random characters.")
if not EMBEDDED and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5):
    raise ImproperlyConfigured(
        "SIGNALBOX_SECRET_KEY is too short or too simple: set it to at least 50 random characters."
    )
ENCRYPTION_KEYS = [
    key.strip()
    for key in _required(
        "SIGNALBOX_ENCRYPTION_KEYS",
        "set it to one or more base64 keys of 32 bytes, separated by commas; the first encrypts.",
    ).split(",")
    if key.strip()
]
SIGNING_KEY = _required(
    "SIGNALBOX_SIGNING_KEY",
    "set it to a base64 Ed25519 private key of 32 bytes; it seals the trail.",
)
CHECKPOINTS = Path(os.environ.get("SIGNALBOX_CHECKPOINTS") or HOME / "checkpoints.log")

DEBUG = False
if not EMBEDDED and _flag("DEBUG"):
    raise ImproperlyConfigured("DEBUG is set: unset it, production never runs with DEBUG.")
if not EMBEDDED and _flag("SIGNALBOX_DEMO"):
    raise ImproperlyConfigured(
        "SIGNALBOX_DEMO is set: unset it, demo people with a known password have no place here."
    )
DEMO = EMBEDDED and _flag("SIGNALBOX_DEMO", default=True)
TEST_CLOCK = _flag("SIGNALBOX_TEST_CLOCK")
if TEST_CLOCK and not EMBEDDED:
    raise ImproperlyConfigured("SIGNALBOX_TEST_CLOCK is set: unset it, production keeps real time.")
RAW_DAYS = int(os.environ.get("SIGNALBOX_RAW_DAYS") or 30)
RUN_DAYS = int(os.environ.get("SIGNALBOX_RUN_DAYS") or 0)
if RUN_DAYS < 0 or 0 < RUN_DAYS < 31:
    raise ImproperlyConfigured(
        f"SIGNALBOX_RUN_DAYS is {RUN_DAYS}: set it to 31 or more, since repeated calls are answered"
        " with their first run for 30 days; unset it to keep runs for ever."
    )
PORT = int(os.environ.get("PORT") or 8000)
TRUSTED_PROXIES = [
    address.strip()
    for address in os.environ.get("SIGNALBOX_TRUSTED_PROXIES", "").split(",")
    if address.strip()
]
PUBLIC_URL = os.environ.get("SIGNALBOX_PUBLIC_URL") or f"http://127.0.0.1:{PORT}"
ALLOWED_HOSTS = [
    host.strip() for host in os.environ.get("SIGNALBOX_HOSTS", "").split(",") if host.strip()
] or (["127.0.0.1", "localhost", "[::1]"] if EMBEDDED else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("SIGNALBOX_HOSTS is not set: name the hosts people open, by commas.")
if not EMBEDDED and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "SIGNALBOX_HOSTS is *: name the hosts people open; links in mails are made of them."
    )

INSTALLED_APPS = [
    "apps.operations.governance.config.GovernanceConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "pgtrigger",
    "guardian",
    "allauth",
    "allauth.account",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "apps.core",
    "apps.audit",
    "apps.accounts",
    "apps.connections",
    "apps.notices",
    "apps.flows",
    "apps.runs",
    "apps.triggers",
    "apps.inbox",
    "apps.requests",
    "apps.operations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.ActorMiddleware",
    "apps.accounts.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]

# Data. The pool is psycopg's: the hot paths of the design were measured with it.
_database = conninfo_to_dict(
    _required("DATABASE_URL", "set it to the address of a PostgreSQL 15+ database.")
)
if not EMBEDDED and _database.get("password") in {
    "admin",
    "changeme",
    "password",
    "postgres",
    "secret",
    "signalbox",
}:
    raise ImproperlyConfigured(
        "DATABASE_URL has a default password: set one of its own for the database's role."
    )
#: So many calls of one worker process are under way at once.
EFFECT_THREADS = int(os.environ.get("SIGNALBOX_EFFECT_THREADS") or 208)
DATABASE_POOL = {"min_size": 1, "max_size": int(os.environ.get("SIGNALBOX_DB_POOL") or 10)}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname", ""),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": str(_database.pop("port", "")),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {**_database, "pool": {**DATABASE_POOL, "timeout": 5}},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = _required("REDIS_URL", "set it to the address of a Redis 7-compatible server.")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
        "KEY_PREFIX": "cache",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
}

CELERY_APP = "config.celery.app"
# How a process says that it can take work; the supervisor listens.
READY = "config.stack.notices.ready"
CELERY = {
    # Celery says otherwise how a socket and its database are named.
    "broker_url": (
        REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
        if REDIS_URL.startswith("unix://")
        else REDIS_URL
    ),
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "task_default_queue": "housekeeping",
    "task_routes": {"runs.drive": {"queue": "drive"}, "runs.work_effects": {"queue": "effects"}},
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {
        "visibility_timeout": 3600,
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
    },
    "worker_hijack_root_logger": False,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_time_limit": None,
}

# People.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "apps.accounts.backends.PasswordBackend",
    "guardian.backends.ObjectPermissionBackend",
]
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = ["apps.accounts.hashers.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
CSRF_FAILURE_VIEW = "apps.accounts.views.csrf_failure"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "apps.accounts.sessions"
SESSION_COOKIE_NAME = "sessionid" if EMBEDDED else "__Host-sessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not EMBEDDED
# The end in any case; a browser not used for `accounts.sessions.IDLE` is out before.
SESSION_COOKIE_AGE = int(timedelta(days=7).total_seconds())
CSRF_COOKIE_NAME = "csrftoken" if EMBEDDED else "__Host-csrftoken"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = not EMBEDDED
CSRF_HEADER_NAME = "HTTP_X_CSRFTOKEN"

# What browsers are told.
# TLS ends at the proxy, which also sends people on to it. A redirect from here would come too late
# for a token or a signature that was just sent in the clear, and would fail the health check.
SECURE_SSL_REDIRECT = False
SILENCED_SYSTEM_CHECKS = ["security.W008"]
SECURE_HSTS_SECONDS = 0 if EMBEDDED else int(timedelta(days=365).total_seconds())
SECURE_HSTS_INCLUDE_SUBDOMAINS = not EMBEDDED
SECURE_HSTS_PRELOAD = not EMBEDDED
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# API.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.authentication.BearerAuthentication",
        "apps.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.http.ExactJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.core.http.OneForm",
    "DEFAULT_RENDERER_CLASSES": ["apps.core.http.ExactJSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.http.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.http.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Signalbox",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    # The description holds no secret, and programs read it before they have a token.
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Without it Swagger's page asks a server of its makers what it thinks of the description.
    # All of it at once is more than the page draws: beyond some 125 operations it stops half-way.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "validatorUrl": None},
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.core.schema.describe_refusals",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": "apps.runs.shapes.RUN_STATUSES",
        "StepStatus": "apps.runs.shapes.STEP_STATUSES",
        "TaskStatus": "apps.inbox.api.TASK_STATUSES",
        "TaskKind": "apps.inbox.api.TASK_KINDS",
        "WaitKind": "apps.runs.shapes.WAITS",
        "TestKind": "apps.runs.testing_shapes.KINDS",
        "DestinationKind": "apps.operations.models.DestinationKind",
        "JobState": "apps.operations.models.JobState",
        "RowState": "apps.operations.trail_api.ROW_STATES",
    },
}

# Words and files.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = HOME / "static"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Files that people attach: asked of by a program or clamd before anybody reads them.
SCANNER = os.environ.get("SIGNALBOX_SCANNER", "")

# Mail: files under HOME/mail in embedded mode, SMTP else.
_mail = os.environ.get("SIGNALBOX_SMTP_URL", "")
EMAIL_BACKEND = (
    "apps.connections.mail.GuardedBackend"
    if _mail
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = HOME / "mail"
DEFAULT_FROM_EMAIL = os.environ.get("SIGNALBOX_MAIL_FROM") or "Signalbox <signalbox@localhost>"
if _mail:
    from urllib.parse import unquote, urlsplit

    _smtp = urlsplit(_mail)
    EMAIL_HOST = _smtp.hostname or ""
    EMAIL_PORT = _smtp.port or (465 if _smtp.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_smtp.username or "")
    EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
    EMAIL_USE_SSL = _smtp.scheme == "smtps"
    EMAIL_USE_TLS = _smtp.scheme == "smtp" and _smtp.port != 25
    EMAIL_TIMEOUT = 10

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.LineFormatter" if EMBEDDED else "config.logs.JsonFormatter"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("SIGNALBOX_LOG_LEVEL") or "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
}
