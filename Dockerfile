# The gateway. Build it in a checkout:
#   docker build -t octroi .
# Run it with a configuration, since calls without a key are taken on loopback only:
#   docker run -p 8787:8787 -v octroi:/var/lib/octroi -v ./config.json:/etc/octroi/config.json:ro \
#     -e OPENAI_API_KEY octroi

FROM node:24-slim AS build
WORKDIR /octroi
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /octroi
COPY --from=build /octroi/node_modules node_modules
COPY --from=build /octroi/dist dist
COPY package.json LICENSE CHANGELOG.md ./
COPY bin bin
COPY prices prices
COPY schemas schemas
RUN install -d -o node -g node -m 0700 /var/lib/octroi
USER node
VOLUME /var/lib/octroi
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8788/readyz').then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
# Calls in flight have 60 s when the container is told to stop: docker stop --time 75, or as long in an orchestrator.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "bin/octroi.mjs"]
CMD ["serve", "--config", "/etc/octroi/config.json", "--data", "/var/lib/octroi", "--host", "0.0.0.0", "--drain", "60s", "--log", "json", "--quiet"]
