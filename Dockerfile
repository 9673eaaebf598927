# One image for every part of ours: `python -m cli <part>`; the environment says the rest (settings.py).
ARG PYTHON=3.13.15-slim-bookworm

FROM python:${PYTHON} AS packages
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --compile --disable-pip-version-check --require-hashes --no-deps -r requirements.lock

FROM python:${PYTHON}
# Pango and HarfBuzz draw the documents. Ours are set in the fonts of reports/fonts; DejaVu stands in for other scripts.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fontconfig fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 allotment \
    && useradd --uid 10001 --gid allotment --no-create-home --home-dir /var/lib/allotment --shell /usr/sbin/nologin allotment \
    && install --directory --owner=allotment --group=allotment --mode=0700 /var/lib/allotment
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/allotment
COPY . .
RUN /opt/venv/bin/python -m compileall -q .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/tmp \
    ALLOTMENT_HOME=/var/lib/allotment
USER allotment
VOLUME /var/lib/allotment
ENTRYPOINT ["python", "-m", "cli"]
CMD ["--help"]
