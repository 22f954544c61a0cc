"""How contracts are called in each language: package names that no contract states, put into its options before the compiler reads them.

A contract says `package metip.example.v1` and nothing about languages. Go wants an import path and Java a package; both follow from the
contract's own package and one setting, as in managed mode of `buf generate`.
"""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

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


def apart_in_java(files: FileDescriptorSet) -> FileDescriptorSet:
    """A copy in which no field has the name under which Java gives the octets of a text beside it.

    Of a text `content`, Java makes `getContent` and `getContentBytes`; a field `content_bytes` gets its number behind its name there, as
    protoc itself keeps `content_count` apart. What is sent is the same: names don't travel, and the name in JSON stays.
    """
    copy = FileDescriptorSet()
    copy.CopyFrom(files)
    waiting = [message for file in copy.file if file.name.startswith(OURS) for message in file.message_type]
    while waiting:
        message = waiting.pop()
        waiting += message.nested_type
        taken = {f"{one.name}_bytes" for one in message.field if one.type == FieldDescriptorProto.TYPE_STRING}
        for one in message.field:
            if one.name in taken:
                one.name += str(one.number)
    return copy


def go_name(file: FileDescriptorProto) -> str:
    """The name by which Go code speaks of the package: its last two parts as one word (`examplev1`)."""
    return "".join(file.package.split(".")[-2:]).replace("_", "")
