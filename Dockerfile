# The whole bundle in one container: api, worker, rpc and dashboard under PM2. docs/operating.md says how to run it.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# here and below, no package runs a script: none of them needs one
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY gen gen
COPY src src
RUN node bin/build.mjs

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
# tini: as process 1, PM2 would leave zombies. procps: PM2 finds the children of a process with ps
RUN apt-get update \
 && apt-get install -y --no-install-recommends procps tini \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# /data belongs to the user that runs the processes; a fresh named volume gets owner and mode from here
RUN install -d -o node -g node -m 0750 /data
# a user's own image is FROM this one and copies its kinds here; until then there are none
RUN mkdir /kinds && ln -s /app/bin/madhava.mjs /usr/local/bin/madhava
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ecosystem.config.cjs ./
COPY bin bin
COPY idl idl
COPY sdk sdk
COPY gen gen
COPY --from=build /app/dist dist
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    DATA_DIR=/data \
    KINDS_DIR=/kinds
USER node
VOLUME /data
EXPOSE 8000 9000 9001
HEALTHCHECK --interval=15s --timeout=8s --retries=3 --start-period=60s --start-interval=1s \
  CMD ["node", "/app/bin/healthcheck.mjs"]
ENTRYPOINT ["tini", "--"]
# by their whole paths: an image that is FROM this one may have another WORKDIR
CMD ["node", "/app/bin/start.mjs"]
# package.json says the version; a label cannot read it
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Madhava" \
      org.opencontainers.image.description="A task server in one container: REST, Thrift, live progress, files you can read." \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="MIT AND AGPL-3.0-only AND LGPL-3.0-or-later" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
