// A consumer: asks about a vehicle with certificate, officer token, purpose and deadline, and says what an answer or a refusal holds.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ErrorInfoSchema, RetryInfoSchema } from "@metip/contracts/google/rpc/error_details_pb";
import { Purpose } from "@metip/contracts/metip/options/v1/options_pb";
import {
  type GetVehicleResponse,
  Handling,
  VehicleEnquiryService,
  VehicleReportType,
} from "@metip/contracts/metip/pnc/v1/vehicle_enquiry_service_pb";

const DEADLINE_MS = 5000;
const QUESTIONS = [
  { vrm: "KE01CVV", purpose: Purpose.STREET_STOP },
  { vrm: "QQ99QQQ", purpose: Purpose.STREET_STOP },
  { vrm: "KE01CVV", purpose: Purpose.LICENSING_VETTING },
];

async function main(): Promise<void> {
  const home = setting("METIP_HOME", ".metip");
  const token = readFileSync(setting("METIP_TOKEN_FILE", join(home, "token")), "utf-8").trim();
  const service = client(home);
  for (const { vrm, purpose } of QUESTIONS) {
    const request = {
      access: { purpose, reference: "2345/23NOV26", justification: "Vehicle stopped on the street." },
      key: { case: "vrm" as const, value: { value: vrm } },
    };
    try {
      const answer = await service.getVehicle(request, { timeoutMs: DEADLINE_MS, headers: { authorization: `Bearer ${token}` } });
      console.log(`${vrm}: ${told(answer)}`);
    } catch (error) {
      console.log(`${vrm}: ${refused(ConnectError.from(error))}`);
    }
  }
}

function client(home: string): Client<typeof VehicleEnquiryService> {
  const folder = join(home, "identity");
  const consumer = join(folder, setting("METIP_CONSUMER", "developer"));
  const transport = createGrpcTransport({
    baseUrl: `https://${setting("METIP_EDGE", "localhost:8443")}`,
    nodeOptions: {
      ca: readFileSync(join(folder, "ca.pem")),
      cert: readFileSync(join(consumer, "cert.pem")),
      key: readFileSync(join(consumer, "key.pem")),
      minVersion: "TLSv1.3",
    },
    idleConnectionTimeoutMs: 0, // this program asks and ends; a service leaves it out and keeps its connection
  });
  return createClient(VehicleEnquiryService, transport);
}

function told(answer: GetVehicleResponse): string {
  const vehicle = answer.vehicle;
  const words = [`${vehicle?.make} ${vehicle?.model}, ${vehicle?.colour}`];
  words.push(answer.taxed ? "taxed" : "not taxed", answer.insured ? "insured" : "not insured");
  for (const report of answer.reports) {
    words.push(`${VehicleReportType[report.type]} (${Handling[report.handling]})`);
  }
  return words.join(", ");
}

function refused(error: ConnectError): string {
  // The name as gRPC's documents have it: NOT_FOUND, where Connect says NotFound.
  const words = [Code[error.code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()];
  for (const info of error.findDetails(ErrorInfoSchema)) {
    words.push(`${info.reason} of ${info.domain}`);
    for (const key of Object.keys(info.metadata).sort()) {
      if (key !== "call_id") {
        words.push(`${key} ${info.metadata[key]}`);
      }
    }
  }
  for (const retry of error.findDetails(RetryInfoSchema)) {
    words.push(`repeat after ${retry.retryDelay?.seconds ?? 0} s`);
  }
  return words.join(", ");
}

function setting(name: string, otherwise: string): string {
  return process.env[name] ?? otherwise;
}

await main();
