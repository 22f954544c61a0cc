"""One page for each interface, one for types that several share: from the contracts, the sample access policy, the recorded cases."""

import json
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from hub.access.reading import read
from hub.catalogue.elements import Elements, elements
from hub.catalogue.messages import section
from hub.catalogue.prose import block, code, contents, heading, link, plain, table
from hub.cli.explaining import DELIVERY, MIRRORS, VERBS
from hub.cli.messages import Messages
from hub.cli.personal import personal_fields
from hub.cli.printing import span
from hub.contracts import Interface, Operation
from hub.contracts.samples import Sample, cases
from hub.laptop.layout import TRUST_DOMAIN
from hub.laptop.preparing import first_policy
from hub.mesh.grants import BY_CONTRACT, Rights, rights_of
from hub.mesh.routes import RETRIES
from hub.stubs import chosen

TYPES: Final = "types"
IDENTITY: Final = ".metip/identity"


@dataclass(frozen=True)
class Catalogue:
    """What pages are written from."""

    messages: Messages
    recorded: tuple[Sample, ...] = field(default=())
    """Every case that can be read, by whose samples and refusals operations are shown."""

    @cached_property
    def offered(self) -> tuple[Interface, ...]:
        """Interfaces on the mesh, by name."""
        return tuple(one for one in self.messages.contracts.interfaces if not one.private)

    @cached_property
    def elements(self) -> Elements:
        """What they are made of."""
        return elements(chosen(self.messages.contracts.descriptor_set))

    @cached_property
    def rights(self) -> Rights:
        """Who may call what under the policy that a new estate begins with."""
        contracts = self.messages.contracts
        return rights_of(contracts, read(first_policy().encode(), contracts, TRUST_DOMAIN, source="sample").policy, TRUST_DOMAIN)

    @cached_property
    def homes(self) -> Mapping[str, tuple[str, ...]]:
        """Messages and enums by the page they stand on: the interface's that alone is made of them, otherwise their package's."""
        users: dict[str, list[str]] = defaultdict(list)
        for one in self.offered:
            for name in self.elements.used_by(*(kind for operation in one.operations for kind in (operation.request, operation.reply))):
                users[name].append(one.name)
        found: dict[str, list[str]] = defaultdict(list)
        for name, interfaces in users.items():
            alone = len(interfaces) == 1 and _package(name) == _package(interfaces[0])
            found[interfaces[0] if alone else f"{TYPES}/{_package(name)}"].append(name)
        return {page: tuple(names) for page, names in found.items()}


def catalogue(messages: Messages) -> Catalogue:
    """The catalogue of these contracts, with the recorded cases of this installation. Raises `CaseError` for one that can't be read."""
    return Catalogue(messages, tuple(cases(messages)))


def pages(known: Catalogue) -> Iterator[tuple[str, str]]:
    """Every generated page: its path within the site, without ending, and its Markdown."""
    for one in known.offered:
        yield f"interfaces/{one.name}", _text(_interface(one, known))
    shared = sorted(page for page in known.homes if page.startswith(f"{TYPES}/"))
    for page in shared:
        yield f"interfaces/{page}", _text(_types(page.removeprefix(f"{TYPES}/"), known.homes[page], known.elements))
    yield "interfaces/index", _text(_index(known, shared))


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _index(known: Catalogue, shared: Iterable[str]) -> Iterator[str]:
    yield from heading(1, "Interfaces")
    yield from ("Each is a protobuf service that one system owns. The [register](/docs/interfaces.md) has them as one table.", "")
    rows = [(link(one.name), one.system, plain(one.description.partition(". ")[0])) for one in known.offered]
    yield from table(("interface", "system", "what it is"), rows)
    yield from contents([f"/interfaces/{one.name}" for one in known.offered], caption="Interfaces")
    yield from contents([f"/interfaces/{page}" for page in shared], caption="Shared types")


def _types(package: str, names: Iterable[str], found: Elements) -> Iterator[str]:
    yield from heading(1, package)
    yield from ("Types that several interfaces share.", "")
    for name in sorted(names):
        yield from section(name, found, 2)


def _interface(one: Interface, known: Catalogue) -> Iterator[str]:
    yield from heading(1, one.name.removeprefix("metip."), one.name)
    yield from (plain(one.description), "")
    contracts = known.messages.contracts
    takers = sorted({taken.system for taken in contracts.subscriptions if taken.operation.partition("/")[0] == one.name})
    facts = [
        ("full name", code(one.name)),
        ("system", one.system),
        ("owner", one.owner),
        ("spoken behind it", one.wire),
        ("further back ends", ", ".join(contracts.back_ends_of(one.name))),
        ("delivered to", ", ".join(takers)),
        ("assessment", f"{one.dpia.reference}, to be reviewed by {one.dpia.review_by}"),
        ("classification", one.classification.replace("_", "-")),
        ("legal regime", one.legal_regime.replace("_", " ").lower()),
        ("personal fields", personal_fields(one, known.messages)),
    ]
    yield from table(("", ""), [(what, plain(said) if what != "full name" else said) for what, said in facts if said])
    yield from heading(2, "Operations")
    for operation in one.operations:
        yield from _operation(operation, known)
    own = known.homes.get(one.name, ())
    if own:
        yield from heading(2, "Messages")
        for name in own:
            yield from section(name, known.elements)


def _operation(one: Operation, known: Catalogue) -> Iterator[str]:
    yield from heading(3, code(one.method), one.name)
    yield from (plain(one.description), "")
    streams = ("stream of " if one.client_streams else "", "stream of " if one.server_streams else "")
    request, reply = (f"{many}{link(name, name.rpartition('.')[2])}" for many, name in zip(streams, (one.request, one.reply), strict=True))
    facts = [
        ("takes", request),
        ("answers", reply),
        ("kind", _kind(one)),
        ("who may call", _callers(one, known.rights)),
        ("officer", "a token of an officer is demanded" if one.officer_required else "no person need be behind the call"),
        ("purposes", ", ".join(code(f"PURPOSE_{purpose}") for purpose in one.purposes)),
        ("justification", "demanded" if one.justification_required else ""),
        ("record", plain(VERBS.get(one.verb, one.verb))),
        ("time", f"at most {span(one.timeout)}"),
        ("repeated", f"by Envoy, up to {RETRIES} times, where an instance is UNAVAILABLE" if one.delivery_class.repeatable else "never"),
        ("size", f"at most {one.max_request_bytes:,} bytes"),
        ("consults", ", ".join(link(name) if _known(name, known) else code(name) for name in one.consults)),
        ("delivery", _delivery(one)),
        ("comparison", plain(MIRRORS.get(one.mirror, one.mirror))),
        ("JSON", code(f"POST {one.path}")),
    ]
    yield from table(("", ""), [fact for fact in facts if fact[1]])
    mine = [case for case in known.recorded if case.operation.name == one.name]
    sample = next((case for case in mine if case.marked), None)
    if sample is not None:
        yield from ("**Try it**, with `make run` in another terminal:", "")
        yield from block("console", "\n".join(_lines(one, known.messages.document(sample.request))))
    refusals = sorted({(case.status, case.reason, case.title) for case in mine if case.reason})
    if refusals:
        yield from ("**Refusals on record**; what each reason means says [errors](/docs/errors.md):", "")
        yield from table(
            ("status", "reason", "for example"), [(code(status), code(reason), plain(title)) for status, reason, title in refusals]
        )


def _kind(one: Operation) -> str:
    if one.delivery is not None:
        return "A message: accepted once it is on disk, delivered afterwards."
    return plain(DELIVERY[one.delivery_class.name])


def _delivery(one: Operation) -> str:
    if one.delivery is None:
        return ""
    said = [f"taken for the same within {span(one.delivery.dedupe_window)}", f"kept {span(one.delivery.retention)} after delivery"]
    said += [f"expires after {span(one.delivery.max_age)}"] if one.delivery.max_age else []
    said += [f"the same message by {', '.join(map(code, one.idempotency_fields))}"] if one.idempotency_fields else []
    said += [f"in order by {', '.join(map(code, one.ordering_fields))}"] if one.ordering_fields else []
    return "; ".join(said)


def _callers(one: Operation, rights: Rights) -> str:
    """By the sample policy: consumers by the end of their SPIFFE id, adapters as their contracts give it to them."""
    said = []
    for right in rights[one.name]:
        name = code(right.consumer.removeprefix(f"spiffe://{TRUST_DOMAIN}/"))
        narrowed = [f"in the roles {', '.join(right.roles)}"] if right.roles else []
        narrowed += [f"for {', '.join(right.purposes)}"] if right.purposes else []
        narrowed += ["by contract"] if right.grant == BY_CONTRACT else []
        said.append(f"{name} ({', '.join(narrowed)})" if narrowed else name)
    return f"{', '.join(dict.fromkeys(said))} under the sample policy" if said else "nobody under the sample policy"


def _lines(one: Operation, request: Mapping[str, Any]) -> Iterator[str]:
    data = shlex.quote(json.dumps(request, ensure_ascii=False))
    token = '-H "authorization: Bearer $(metip token issue)" ' if one.officer_admissible else ""
    files = {"cacert": f"{IDENTITY}/ca.pem", "cert": f"{IDENTITY}/developer/cert.pem", "key": f"{IDENTITY}/developer/key.pem"}
    grpcurl, curl = (" ".join(f"{dash}{name} {path}" for name, path in files.items()) for dash in ("-", "--"))
    yield f"grpcurl {grpcurl} \\\n  {token}-d {data} \\\n  localhost:8443 {one.name}"
    yield ""
    yield f"curl {curl} \\\n  {token}-H 'content-type: application/json' -d {data} \\\n  https://localhost:8444/{one.name}"


def _known(name: str, known: Catalogue) -> bool:
    return any(one.name == name.partition("/")[0] for one in known.offered)


def _package(name: str) -> str:
    """`metip.example.v1` of any element in it."""
    return ".".join(name.split(".")[:3])
