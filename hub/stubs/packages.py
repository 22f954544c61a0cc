"""How contracts are called in each language: package names that no contract states, put into its options before the compiler reads them.

A contract says `package metip.example.v1` and nothing about languages. Go wants an import path and Java a package; both follow from the
contract's own package and one setting, as in managed mode of `buf generate`.
"""

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

OURS = "metip/"
RULES = "buf/validate/validate.proto"
RULES_IN_JAVA = "build.buf.validate"
"""Where protovalidate's own jar has its rules; the descriptor in its wheel says otherwise."""
GO_MODULE = "example.org/metip/contracts"
"""Stands for a force's own module path, until it gives one."""


def managed(files: FileDescriptorSet, *, go_module: str = GO_MODULE, java_prefix: str = "") -> FileDescriptorSet:
    """A copy in which each contract says its Go and Java package; those of others keep what their owners say.

    `metip/example/v1/x.proto` becomes package `examplev1` at `<go_module>/metip/example/v1`, and Java's `<java_prefix>.metip.example.v1`.
    """
    copy = FileDescriptorSet()
    copy.CopyFrom(files)
    for file in copy.file:
        if file.name.startswith(OURS):
            file.options.go_package = f"{go_module}/{file.name.rpartition('/')[0]};{go_name(file)}"
            file.options.java_package = f"{java_prefix}.{file.package}".lstrip(".")
            file.options.java_multiple_files = True
        elif file.name == RULES:
            file.options.java_package, file.options.java_multiple_files = RULES_IN_JAVA, True
    return copy


def go_name(file: FileDescriptorProto) -> str:
    """The name by which Go code speaks of the package: its last two parts as one word (`examplev1`)."""
    return "".join(file.package.split(".")[-2:]).replace("_", "")
