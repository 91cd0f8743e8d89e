# Sluice in a container: built with compilers, shipped without. `make image` builds it; dpdk-config/README.md runs it.
#
# The bases are arguments: any Debian 12 with the Rust of rust-toolchain.toml in the path builds it.
ARG BUILD_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /sluice
COPY dpdk-config/packages.sh dpdk-config/
RUN dpdk-config/packages.sh build
COPY . .
ARG SLUICE_COMMIT=unknown
RUN cargo build --release --locked --package appliance

FROM ${RUNTIME_IMAGE}
COPY dpdk-config/packages.sh /tmp/
RUN /tmp/packages.sh run && rm -rf /tmp/packages.sh /var/lib/apt/lists/* /var/cache/apt/*.bin
COPY --from=build /sluice/target/release/sluice /usr/local/bin/sluice
COPY dpdk-config/sluice.example.toml /usr/share/doc/sluice/
COPY LICENSE /usr/share/doc/sluice/
# DPDK needs no root by itself; dpdk-config/README.md names what each kind of port needs beside.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/sluice"]
CMD ["run", "--config", "/etc/sluice/sluice.toml"]
