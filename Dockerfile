# A small static image: one binary, no shell, no libc, no root. Build: docker build -t forebay .
# Where there is a Rust toolchain already, conf/image builds the same image from a local binary.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# The target is named, although it is the host's: only then do the flags spare build scripts and procedural macros.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --bin forebay --target "$target" \
 && mkdir -p /image/data \
 && cp "target/$target/release/forebay" /image/forebay

FROM scratch
# An empty folder that the user below owns: a new volume on /data takes over its owner.
COPY --from=build --chown=65532:65532 /image/data /data
COPY --from=build /image/forebay /forebay
USER 65532:65532
ENV FOREBAY_DATA_DIR=/data \
    FOREBAY_FORWARD__0__LISTEN=0.0.0.0:24224 \
    FOREBAY_HTTP__LISTEN=0.0.0.0:24231
VOLUME /data
EXPOSE 24224 24231
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/forebay", "health"]
ENTRYPOINT ["/forebay"]
CMD ["run"]
