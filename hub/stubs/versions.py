"""What the generated sources stand on: one pinned version of each plugin and library, for the generator, the manifests and the examples.

Generated code never runs on a library older than its generator. protoc itself is the one of the development lock; `protobuf-java` of a
version goes with protoc of the same number without the leading 4.
"""

from typing import Final

PYTHON: Final = {"protobuf": ">=7.36.2,<8", "grpcio": ">=1.85.1,<1.86", "grpcio-status": ">=1.85.1,<1.86"}
PROTOVALIDATE: Final = ">=2.1,<3"

GO: Final = "1.26.0"
"""The oldest Go that the libraries take."""
GO_PLUGINS: Final = {
    "protoc-gen-go": "google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2",
}
GO_LIBRARIES: Final = {
    "google.golang.org/protobuf": "v1.36.12",
    "google.golang.org/grpc": "v1.85.0",
    "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go": "v1.36.12-20260825204119-511051f7f437.2",
}

JAVA: Final = "17"
GRPC_JAVA: Final = "1.83.1"
PROTOBUF_JAVA: Final = "4.35.1"
PROTOVALIDATE_JAVA: Final = "1.3.0"

PROTOC_GEN_ES: Final = "2.13.0"
"""Plugin and runtime of one number; later ones want a newer Node.js than the example does."""
