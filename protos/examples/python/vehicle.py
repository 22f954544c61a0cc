"""A consumer: asks about a vehicle with certificate, officer token, purpose and deadline, and says what an answer or a refusal holds."""

import os
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from metip.common.v1.access_pb2 import AccessContext
from metip.common.v1.identifiers_pb2 import Vrm
from metip.options.v1 import options_pb2 as options
from metip.pnc.v1 import vehicle_enquiry_service_pb2 as api
from metip.pnc.v1.vehicle_enquiry_service_pb2_grpc import VehicleEnquiryServiceStub

DEADLINE = 5.0
QUESTIONS = (
    ("KE01CVV", options.PURPOSE_STREET_STOP),
    ("QQ99QQQ", options.PURPOSE_STREET_STOP),
    ("KE01CVV", options.PURPOSE_LICENSING_VETTING),
)


def main() -> None:
    home = Path(os.environ.get("METIP_HOME", ".metip"))
    consumer = home / "identity" / os.environ.get("METIP_CONSUMER", "developer")
    token = Path(os.environ.get("METIP_TOKEN_FILE", home / "token")).read_text().strip()
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(home / "identity" / "ca.pem").read_bytes(),
        private_key=(consumer / "key.pem").read_bytes(),
        certificate_chain=(consumer / "cert.pem").read_bytes(),
    )
    with grpc.secure_channel(os.environ.get("METIP_EDGE", "localhost:8443"), credentials) as channel:
        service = VehicleEnquiryServiceStub(channel)
        for vrm, purpose in QUESTIONS:
            access = AccessContext(purpose=purpose, reference="2345/23NOV26", justification="Vehicle stopped on the street.")
            request = api.GetVehicleRequest(access=access, vrm=Vrm(value=vrm))
            try:
                answer = service.GetVehicle(request, timeout=DEADLINE, metadata=[("authorization", f"Bearer {token}")])
            except grpc.RpcError as error:
                print(f"{vrm}: {refused(error)}")
            else:
                print(f"{vrm}: {told(answer)}")


def told(answer: api.GetVehicleResponse) -> str:
    vehicle = answer.vehicle
    words = [f"{vehicle.make} {vehicle.model}, {vehicle.colour}"]
    words += ["taxed" if answer.taxed else "not taxed", "insured" if answer.insured else "not insured"]
    for report in answer.reports:
        kind = api.VehicleReportType.Name(report.type).removeprefix("VEHICLE_REPORT_TYPE_")
        words.append(f"{kind} ({api.Handling.Name(report.handling).removeprefix('HANDLING_')})")
    return ", ".join(words)


def refused(error: grpc.RpcError) -> str:
    words = [error.code().name]
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            words.append(f"{info.reason} of {info.domain}")
            words += [f"{key} {value}" for key, value in sorted(info.metadata.items()) if key != "call_id"]
        elif detail.Unpack(retry):
            words.append(f"repeat after {retry.retry_delay.seconds} s")
    return ", ".join(words)


if __name__ == "__main__":
    main()
