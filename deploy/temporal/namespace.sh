#!/bin/sh
# The namespace our processes live in, made where it is missing. The CLI reads TEMPORAL_ADDRESS from the environment.
set -eu

left=60
until temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"; do
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
        echo "no namespace $TEMPORAL_NAMESPACE at $TEMPORAL_ADDRESS" >&2
        exit 1
    fi
    sleep 2
done
