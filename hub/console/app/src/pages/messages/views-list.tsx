/** Views: given ones, and those that somebody saved in this browser; each is a link, and its address can be passed on. */

import { useState } from "preact/hooks";
import { Confirm } from "@/parts/confirm";
import { Field } from "@/parts/field";
import { useRoute } from "@/route";
import { GIVEN, savedViews, saveViews, type View, withView } from "./views";

export function Views() {
  const { query } = useRoute();
  const [views, setViews] = useState(savedViews);
  const [saving, setSaving] = useState(false);
  const keep = (next: readonly View[]) => {
    saveViews(next);
    setViews(next);
  };
  const here = query.toString();
  return (
    <div class="views">
      <ul aria-label="Views">
        {GIVEN.map((one) => (
          <li key={one.name}>
            <ViewLink view={one} here={here} />
          </li>
        ))}
        {views.map((one) => (
          <li key={one.name}>
            <ViewLink view={one} here={here} />
            <button type="button" class="views__drop" onClick={() => keep(views.filter((each) => each.name !== one.name))}>
              ×<span class="govuk-visually-hidden"> Forget the view {one.name}</span>
            </button>
          </li>
        ))}
        <li>
          <button type="button" class="govuk-button govuk-button--secondary small" disabled={!here} onClick={() => setSaving(true)}>
            Save this view
          </button>
        </li>
      </ul>
      {saving && <Save close={() => setSaving(false)} save={(name) => keep(withView(views, { name, query: here }))} />}
    </div>
  );
}

const ViewLink = ({ view, here }: { view: View; here: string }) => (
  <a class="govuk-link" href={`/messages?${view.query}#deliveries`} aria-current={view.query === here ? "page" : undefined}>{view.name}</a>
);

function Save({ close, save }: { close: () => void; save: (name: string) => void }) {
  const [name, setName] = useState("");
  return (
    <Confirm title="Save this view" verb="Save" close={close} act={async () => save(name.trim())}>
      <Field label="Name" hint="It is kept in this browser, with the filters of the address." value={name} change={setName} required longest={40} />
    </Confirm>
  );
}
