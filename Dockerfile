# syntax=docker/dockerfile:1

# The executable is built where Bun is, and runs where nothing else is.
FROM oven/bun:1.4.5 AS build
WORKDIR /redlight
COPY package.json bun.lock ./
COPY patches ./patches
RUN bun install --frozen-lockfile
COPY . .
RUN bun run build
RUN mkdir data

# glibc and certificates, no shell, no package manager; runs as a user without rights.
FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /redlight/bin/redlight /redlight
COPY --from=build --chown=nonroot:nonroot /redlight/data /data
# It writes nowhere else: run it with --read-only --tmpfs /tmp.
ENV HOST=0.0.0.0 DATA_DIR=/data
# In bytes: the garbage collector would take all memory of the machine for its own, and collect too seldom.
ENV BUN_JSC_forceRAMSize=1073741824
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/redlight", "healthcheck"]
ENTRYPOINT ["/redlight"]
CMD ["serve"]
