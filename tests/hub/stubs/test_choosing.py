"""What consumers are given: the interfaces on the mesh, all that their messages need, nothing else."""

from datetime import date

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

from adapters.kit.serving import installed_contracts
from hub.stubs import chosen, managed, public
from hub.stubs.packages import RULES, RULES_IN_JAVA, apart_in_java, go_name

CONTRACTS = installed_contracts(date.min)
FILES = chosen(CONTRACTS.descriptor_set)
PACKAGES = sorted({file.package for file in FILES.file if file.package.startswith("metip.")})


def test_every_interface_on_the_mesh_is_handed_out_and_no_private_one() -> None:
    handed_out = {f"{file.package}.{service.name}" for file in FILES.file for service in file.service}
    assert handed_out == public(CONTRACTS.descriptor_set)
    assert handed_out == {one.name for one in CONTRACTS.interfaces if not one.private}


def test_settings_and_records_of_stores_stay_here() -> None:
    names = {file.name for file in FILES.file}
    systems = {one.system for one in CONTRACTS.interfaces if not one.private} - {"hub"}
    assert {f"metip/{system}/v1/settings.proto" for system in systems} & names == set()
    assert "metip/exchange/v1/log.proto" not in names


def test_each_file_comes_after_those_that_it_imports() -> None:
    seen: set[str] = set()
    for file in FILES.file:
        assert set(file.dependency) <= seen
        seen.add(file.name)


def test_a_private_service_is_taken_out_and_the_comments_of_the_others_stay_with_them() -> None:
    whole = FileDescriptorSet.FromString(CONTRACTS.descriptor_set)
    offered = next(
        file for file in whole.file if any(f"{file.package}.{one.name}" in public(CONTRACTS.descriptor_set) for one in file.service)
    )
    hidden = offered.service.add(name="HiddenService")
    offered.service.insert(0, hidden)
    del offered.service[-1]
    for place in offered.source_code_info.location:
        if place.path[:1] == [6] and len(place.path) > 1:
            place.path[1] += 1
    offered.source_code_info.location.add(path=[6, 0], leading_comments=" Is hidden.\n")
    (kept,) = [file for file in chosen(whole.SerializeToString()).file if file.name == offered.name]
    assert "HiddenService" not in [one.name for one in kept.service]
    said = {tuple(place.path): place.leading_comments for place in kept.source_code_info.location}
    assert said[6, 0] == next(place.leading_comments for place in offered.source_code_info.location if tuple(place.path) == (6, 1))
    assert " Is hidden.\n" not in said.values()


def test_an_import_that_is_nowhere_is_no_silence() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        chosen(CONTRACTS.descriptor_set, [FileDescriptorProto(name="extra.proto", dependency=["nowhere.proto"])])


def test_contracts_get_their_go_and_java_packages_and_the_rules_that_of_their_own_jar() -> None:
    files = {file.name: file for file in managed(FILES, go_module="git.example.org/c", java_prefix="org.example").file}
    options = files["metip/common/v1/access.proto"].options
    assert options.go_package == "git.example.org/c/metip/common/v1;commonv1"
    assert (options.java_package, options.java_multiple_files) == ("org.example.metip.common.v1", True)
    assert files[RULES].options.java_package == RULES_IN_JAVA
    assert files["google/protobuf/duration.proto"].options.java_package == "com.google.protobuf"


def test_a_field_that_java_would_take_for_a_texts_octets_gets_its_number_there() -> None:
    text, whole = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_UINT32
    fields = [
        FieldDescriptorProto(name="a", type=text, number=1),
        FieldDescriptorProto(name="a_bytes", json_name="aBytes", type=whole, number=7),
        FieldDescriptorProto(name="b_bytes", type=whole, number=8),
    ]
    message = DescriptorProto(name="M", field=fields, nested_type=[DescriptorProto(name="N", field=fields)])
    (file,) = apart_in_java(FileDescriptorSet(file=[FileDescriptorProto(name="metip/x.proto", message_type=[message])])).file
    for one in (file.message_type[0], file.message_type[0].nested_type[0]):
        assert [field.name for field in one.field] == ["a", "a_bytes7", "b_bytes"]
        assert one.field[1].json_name == "aBytes"


def test_no_two_packages_have_one_name_in_go() -> None:
    named = [go_name(FileDescriptorProto(package=one)) for one in PACKAGES]
    assert len(set(named)) == len(named)
