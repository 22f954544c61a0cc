/** What runs out: certificates, and the impact assessments without which a contract does not load. */

import type { CertificateState, ReviewDue } from "@gen/metip/hub/v1/mesh_service_pb";
import { Empty } from "@/parts/states";
import { type Column, Table } from "@/parts/table";
import { Tag } from "@/parts/tag";
import { Time } from "@/parts/time";
import { addressOf } from "@/route";
import { plural, secondsOf } from "@/words/formatting";

export const Certificates = ({ certificates }: { certificates: readonly CertificateState[] }) => (
  <>
    <h2 class="govuk-heading-m" id="certificates">Certificates</h2>
    {certificates.length === 0 ? (
      <Empty title="The hub knows of no certificate.">It runs without identities of its own; see its settings.</Empty>
    ) : (
      <Table caption="Certificates" columns={CERTIFICATES} rows={certificates} name={(one) => one.use + one.spiffeId} />
    )}
  </>
);

const CERTIFICATES: readonly Column<CertificateState>[] = [
  { head: "Use", cell: ({ use }) => use, order: ({ use }) => use },
  { head: "Identity", cell: ({ spiffeId }) => <code>{spiffeId || "–"}</code> },
  { head: "State", cell: (one) => <Life one={one} /> },
  { head: "Ends", cell: ({ notAfter }) => <Time at={notAfter} full />, order: ({ notAfter }) => secondsOf(notAfter) ?? 0 },
  { head: "Left", cell: ({ notAfter }) => <Time at={notAfter} /> },
];

function Life({ one }: { one: CertificateState }) {
  const over = (secondsOf(one.notAfter) ?? Infinity) * 1000 < Date.now();
  if (over) return <Tag tone="bad">expired</Tag>;
  return one.expiresSoon ? <Tag tone="warn">replace it now</Tag> : <Tag tone="good">in date</Tag>;
}

export function ReviewsDue({ reviews }: { reviews: readonly ReviewDue[] }) {
  if (reviews.length === 0) return null;
  return (
    <>
      <h2 class="govuk-heading-m" id="reviews">Impact assessments to review</h2>
      <Table caption="Impact assessments to review" columns={REVIEWS} rows={reviews} name={(one) => one.element} />
    </>
  );
}

const REVIEWS: readonly Column<ReviewDue>[] = [
  { head: "Interface", cell: ({ element }) => <a class="govuk-link" href={addressOf("interfaces", element)}>{element}</a> },
  { head: "Assessment", cell: ({ reference }) => reference },
  { head: "Review by", cell: ({ reviewBy }) => reviewBy, order: ({ days }) => days },
  {
    head: "Left",
    cell: ({ days }) => <Tag tone={days < 0 ? "bad" : "warn"}>{days < 0 ? `${plural(-days, "day")} over` : plural(days, "day")}</Tag>,
  },
];
