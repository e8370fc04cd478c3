# The binary of the README, built in one image and run in another that holds nothing else.
#   docker build -t bolthole .
#   docker run -v bolthole:/data -p 4433:4433/udp bolthole node --data /data --listen 0.0.0.0:4433 --advertise HOST:4433
FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cargo build --release --locked

FROM debian:trixie-slim
COPY --from=build /source/target/release/bolthole /usr/local/bin/bolthole
RUN useradd --system --create-home --home-dir /data bolthole
USER bolthole
VOLUME /data
ENTRYPOINT ["bolthole"]
CMD ["node", "--data", "/data"]
