# One image for every role: `docker run patron run importer`, `… run processor`, `… db upgrade`.
#
#   docker build --target runtime -t patron .          production: no simulated shops inside
#   docker build --target sandbox -t patron-sandbox .  the same, with services/sandbox, for the demo
#   docker build --build-arg EXTRAS=tracing …          with what exports traces
#
# What it is built from stands in /usr/share/patron/sbom.cdx.json (CycloneDX).
#
# An index or a certificate authority of the house is given at build time and never stored:
#   docker build --secret id=pip_conf,src=pip.conf --secret id=pip_ca,src=ca.crt …
# (pip.conf then says `cert = /run/secrets/pip_ca`).

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# --- the dependencies, exactly as locked ----------------------------------------------------------
FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
# pip stays behind in /opt/build; what runs has no installer.
RUN python -m venv /opt/build && python -m venv --without-pip /opt/patron
COPY requirements/runtime.txt requirements/tracing.txt /src/requirements/
# Nothing, or `tracing`: the same versions and what exports traces.
ARG EXTRAS=
# Of pycountry's translations, four fifths of its size, only the names of countries are read.
RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    --mount=type=secret,id=pip_ca \
    /opt/build/bin/pip --python /opt/patron/bin/python install \
        --require-hashes --only-binary :all: -r "/src/requirements/${EXTRAS:-runtime}.txt" \
 && find /opt/patron/lib/python3*/site-packages/pycountry/locales \
        -name '*.mo' ! -name iso3166-1.mo -delete

# --- the bill of materials, as `make sbom` makes it -------------------------------------------------
FROM dependencies AS bill
COPY requirements/dev.txt /src/requirements/
# Of what is locked for development, the maker of bills and what it needs, and nothing else.
RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    --mount=type=secret,id=pip_ca \
    for name in boolean-py chardet cyclonedx-bom cyclonedx-python-lib defusedxml license-expression \
            packageurl-python packaging pip-requirements-parser py-serializable pyparsing \
            sortedcontainers typing-extensions; do \
        sed -n "/^$name==/,/[^\\\\]\$/p" /src/requirements/dev.txt; \
    done > /src/bill.txt \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: --no-deps -r /src/bill.txt
WORKDIR /src
COPY pyproject.toml ./
ARG EXTRAS=
RUN PYTHONWARNINGS=ignore /opt/build/bin/cyclonedx-py requirements --pyproject pyproject.toml \
        --output-reproducible --no-validate --output-file /src/sbom.cdx.json \
        "requirements/${EXTRAS:-runtime}.txt"

# --- the application; --root leaves only its own files in /app, so a new version is a small layer --
FROM dependencies AS application
WORKDIR /src
COPY requirements/build.txt requirements/
RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    --mount=type=secret,id=pip_ca \
    /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY shared shared
COPY services services
RUN mv services/sandbox /sandbox \
 && /opt/build/bin/python -m hatchling build -t wheel -d /wheels/runtime \
 && /opt/build/bin/pip --python /opt/patron/bin/python install \
        --no-deps --no-index --root /app /wheels/runtime/*.whl

FROM application AS application-with-sandbox
COPY requirements/sandbox.txt requirements/
RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    --mount=type=secret,id=pip_ca \
    /opt/build/bin/pip --python /opt/patron/bin/python install --root /app-with-sandbox \
        --require-hashes --only-binary :all: -r requirements/sandbox.txt
RUN mv /sandbox services/sandbox \
 && /opt/build/bin/python -m hatchling build -t wheel -d /wheels/sandbox \
 && /opt/build/bin/pip --python /opt/patron/bin/python install \
        --no-deps --no-index --root /app-with-sandbox /wheels/sandbox/*.whl

# --- what runs ------------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS base
RUN groupadd --gid 10001 patron \
 && useradd --uid 10001 --gid patron --no-create-home --home-dir /var/lib/patron \
        --shell /usr/sbin/nologin patron \
 && install -d -o patron -g patron -m 0750 /var/lib/patron \
 && install -d -m 0755 /etc/patron
COPY --from=dependencies /opt/patron /opt/patron
COPY --from=bill /src/sbom.cdx.json /usr/share/patron/sbom.cdx.json
COPY deploy/container/probe.py /usr/local/lib/patron/probe.py
ENV PATH=/opt/patron/bin:$PATH \
    PATRON_CONFIG=/etc/patron/patron.toml \
    PATRON_HEALTH__HOST=0.0.0.0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/patron
EXPOSE 9101 9102 9103 9104 9110
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=4 \
    CMD ["python", "-IS", "/usr/local/lib/patron/probe.py", "/livez"]
ENTRYPOINT ["patron"]
CMD ["--help"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Patron" \
      org.opencontainers.image.description="Keeps the customers of every web shop and of the ERP in step." \
      org.opencontainers.image.vendor="The Patron authors" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM base AS sandbox
COPY --from=application-with-sandbox /app-with-sandbox /
LABEL org.opencontainers.image.title="Patron with simulated shops"

# Last, so that a build without --target makes the production image.
FROM base AS runtime
COPY --from=application /app /
