# The image that docs/clusters.md names: the program and nothing else. docker build -t nandseqgen .
# Not built by the tests of this repository, which have no container engine.
FROM rust:1.90-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cargo build --profile dist --locked --package nandseqgen && strip -o /nandseqgen target/dist/nandseqgen

FROM debian:bookworm-slim
COPY --from=build /nandseqgen /usr/local/bin/nandseqgen
WORKDIR /out
ENTRYPOINT ["nandseqgen"]
