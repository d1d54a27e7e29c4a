# syntax=docker/dockerfile:1
# One file for every service: docker build --build-arg SERVICE=inference -t flts/inference:0.1.0 .
# SERVICE is a package's name without its scope: gateway, preprocess, train, eval, inference, cli.
ARG NODE_IMAGE=node:24-bookworm-slim

# The packages of others, in the order of how rarely they change.
FROM ${NODE_IMAGE} AS packages
ARG PNPM_VERSION=11.28.11
ENV CI=true PNPM_CONFIG_STORE_DIR=/pnpm PNPM_CONFIG_UPDATE_NOTIFIER=false
RUN npm install --global --no-fund --no-audit pnpm@${PNPM_VERSION}
WORKDIR /flts
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
RUN pnpm fetch
COPY package.json ./
COPY packages/backends/package.json packages/backends/
COPY packages/cli/package.json packages/cli/
COPY packages/common/package.json packages/common/
COPY packages/families/package.json packages/families/
COPY packages/forecasting/package.json packages/forecasting/
COPY packages/neural/package.json packages/neural/
COPY packages/testing/package.json packages/testing/
COPY services/eval/package.json services/eval/
COPY services/gateway/package.json services/gateway/
COPY services/inference/package.json services/inference/
COPY services/preprocess/package.json services/preprocess/
COPY services/train/package.json services/train/
RUN pnpm install --offline --frozen-lockfile

# What one service needs of them, without what no process reads; it fails where that is too much. A changed source does not come here.
FROM packages AS dependencies
ARG SERVICE
ARG TARGETPLATFORM=linux/amd64
COPY tools/images/prune.ts tools/images/
RUN pnpm --filter "@flts/${SERVICE:?name it with --build-arg SERVICE=}" --prod --offline deploy --legacy /deployed \
    && node tools/images/prune.ts /deployed --platform "${TARGETPLATFORM}"

# Our own code, compiled once for all services.
FROM packages AS compiled
COPY . .
RUN pnpm exec tsc -b

FROM compiled AS code
ARG SERVICE
RUN --mount=type=bind,from=dependencies,source=/deployed,target=/deployed \
    node tools/images/lay-code.ts "${SERVICE}" /deployed /code

FROM ${NODE_IMAGE}
WORKDIR /app
COPY --from=dependencies /deployed ./
COPY --from=code /code ./
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="flts/${SERVICE}" \
      org.opencontainers.image.description="FLTS, forecasts of the load of mobile base stations: ${SERVICE}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
ENV NODE_ENV=production HOME=/tmp
# A number, so that a cluster can see that it is not root. Nothing below /app is ever written.
USER 10001:10001
EXPOSE 8000 9091
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.METRICS_PORT || 9091}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node hears signals itself: it is the first process, with no shell before it.
ENTRYPOINT ["node", "dist/main.js"]
