# One image for every process; compose.yaml says which one a container runs.
# The commands are the Makefile's own, so what is built here is what `make test` has tried.

FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY Makefile pyproject.toml manage.py package.json package-lock.json .npmrc ./
COPY requirements ./requirements
COPY tools ./tools
COPY config ./config
COPY apps ./apps
COPY frontend ./frontend
COPY static ./static
COPY templates ./templates
RUN make install

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home signalbox
WORKDIR /app
COPY --from=build /app/Makefile /app/pyproject.toml /app/manage.py ./
COPY --from=build /app/.venv ./.venv
COPY --from=build /app/tools ./tools
COPY --from=build /app/config ./config
COPY --from=build /app/apps ./apps
COPY --from=build /app/static ./static
COPY --from=build /app/templates ./templates
ENV HOST=0.0.0.0 \
    PORT=8000 \
    PYTHONUNBUFFERED=1 \
    SIGNALBOX_ENV=production \
    SIGNALBOX_HOME=/data \
    SIGNALBOX_PREBUILT=1
USER signalbox
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["make", "healthy"]
STOPSIGNAL SIGTERM
CMD ["make", "web"]
