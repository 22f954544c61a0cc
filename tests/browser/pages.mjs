/** Scenarios of Messages, Parallel running and Ledger: `node pages.mjs <scenario>`, facts as JSON on standard input, answer as JSON. */

import { play } from "./playing.mjs";

const WHY = { reason: "Alert 9 of the night shift", reference: "INC-2026-17" };

/** Says why one looks; the fields are those of the form or dialog that is there. */
async function say(within) {
  await within.getByLabel("Why do you look?").fill(WHY.reason);
  await within.getByLabel("Reference", { exact: true }).fill(WHY.reference);
}

async function confirmed(page, verb) {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: verb, exact: true }).waitFor();
  const why = dialog.getByLabel("Why?");
  if (await why.count()) await why.fill(WHY.reason);
  await dialog.getByRole("button", { name: verb, exact: true }).click();
}

const tree = (page) => page.getByRole("list", { name: "The message's story" });

await play({
  /** A message is found by whom it is about; nothing that was typed is in an address, and what is personal is masked. */
  async find({ page, check, goto }, { kind, value, messageId }) {
    await goto("/messages");
    await page.getByLabel("By", { exact: true }).selectOption(kind);
    await page.getByLabel("Is", { exact: true }).fill(value);
    await say(page);
    await page.getByRole("button", { name: "Find", exact: true }).click();
    await page.getByRole("link", { name: messageId }).click();
    await tree(page).waitFor();
    const journey = page.getByRole("list", { name: "The whole journey" });
    await journey.getByRole("listitem").first().waitFor();
    await check();
    const content = await page.getByLabel("Content", { exact: true }).textContent();
    return { title: await page.title(), story: await tree(page).textContent(), journey: await journey.textContent(), masked: !content.includes(value), content: content.length };
  },

  /** A message is parked, its group gets a note, the subscription goes on, and the group is replayed after a dry run. */
  async replay({ page, check, goto }, { messageId, subscription }) {
    await goto(`/messages/${messageId}`);
    await page.getByRole("button", { name: `Park ${subscription}` }).click();
    await confirmed(page, "Park");
    await page.getByRole("button", { name: `Release ${subscription}` }).waitFor();
    await goto("/messages");
    const group = page.getByRole("listitem").filter({ hasText: `of ${subscription}` }).first();
    await group.getByRole("button", { name: /^Leave a note/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("The far system is away until noon, change 4711");
    await dialog.getByRole("button", { name: "Leave it" }).click();
    await group.getByText("change 4711").waitFor();
    await check();
    await page.getByRole("button", { name: `Resume ${subscription}` }).click();
    await confirmed(page, "Resume");
    await page.getByRole("button", { name: `Pause ${subscription}` }).waitFor();
    await group.getByRole("button", { name: /^Replay/ }).click();
    await confirmed(page, "Run it dry");
    const counted = page.getByRole("dialog", { name: "Replay 1 delivery?" });
    await counted.getByText("Nothing was replayed yet").waitFor();
    await check();
    const before = await group.count();
    await counted.getByRole("button", { name: "Replay 1 delivery" }).click();
    const outcome = page.getByRole("dialog", { name: "1 delivery begun anew" });
    await outcome.getByRole("button", { name: "Close" }).click();
    await goto(`/messages/${messageId}`);
    await tree(page).getByText(/Attempt 1: OK/).waitFor();
    return { before, story: await tree(page).textContent() };
  },

  /** The address that an alert gives: the deliveries it is about are in view, filtered as the alert says. */
  async alert({ page, goto }, { path }) {
    await goto(path);
    const heading = page.getByRole("heading", { name: "Deliveries", exact: true });
    await page.waitForFunction(() => {
      const place = document.getElementById("deliveries")?.getBoundingClientRect();
      return place && scrollY > 0 && place.top > -5 && place.bottom < innerHeight;
    });
    const chosen = (label) => page.getByLabel(label, { exact: true }).inputValue();
    return { heading: await heading.innerText(), subscription: await chosen("Subscription"), state: await chosen("State") };
  },

  /** The messages of an interface, from its box on the map: what is listed is of its operations. */
  async ofInterface({ page, goto }, { name, messageId }) {
    await goto(`/estate?q=${name}`);
    await page.getByRole("link", { name: new RegExp(`^${name}:`) }).first().press("Enter");
    await page.getByRole("region", { name: `Details of ${name}` }).getByRole("link", { name: "its messages" }).click();
    const choice = page.getByLabel("Interface or operation", { exact: true });
    await page.getByRole("link", { name: messageId }).first().waitFor();
    const listed = await page.getByRole("table", { name: "Deliveries", exact: true }).getByRole("row").allTextContents();
    return { chosen: await choice.inputValue(), listed: listed.slice(1) };
  },

  /** Filters are kept as views of this browser, and a view brings them back. */
  async views({ page, goto }) {
    await goto("/messages?state=parked&since=2h");
    await page.getByRole("button", { name: "Save this view" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Night shift");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await goto("/messages");
    await page.getByRole("link", { name: "Night shift" }).click();
    return { address: new URL(page.url()).search, state: await page.getByLabel("State", { exact: true }).inputValue() };
  },

  /** An interface is stepped back in one confirmed click. */
  async back({ page, check, goto }, { name, title }) {
    await goto("/parallel");
    await page.getByRole("link", { name: title, exact: true }).click();
    const step = page.locator("[aria-current=step]");
    const before = await step.textContent();
    await page.getByRole("button", { name: "Step back…" }).click();
    await check();
    await confirmed(page, "Step back");
    await page.waitForFunction((was) => document.querySelector("[aria-current=step]")?.textContent !== was, before);
    const history = page.getByRole("list", { name: "Steps, the latest first" }).getByRole("listitem").first();
    await history.getByText(WHY.reason).waitFor();
    await check();
    return { path: decodeURIComponent(new URL(page.url()).pathname), name, before, after: await step.textContent(), history: await history.textContent() };
  },

  /** Whoever may only look sees the same pages, and no act can be begun. */
  async looking({ page, goto }) {
    await goto("/messages");
    await page.getByRole("button", { name: /^Pause/ }).first().waitFor();
    const steer = page.getByRole("button", { name: /^(Pause|Replay|Resume)/ });
    const enabled = await steer.evaluateAll((found) => found.filter((one) => !one.disabled).length);
    return { shown: await steer.count(), offered: enabled };
  },

  /** The ledger is searched by whom records are about; a record has a page of its own. */
  async ledger({ page, check, goto }, { kind, value }) {
    await goto("/ledger");
    await page.getByText(/missing of/).waitFor();
    await page.getByLabel("About", { exact: true }).selectOption(kind);
    await page.getByLabel("Is", { exact: true }).fill(value);
    await say(page);
    await page.getByRole("button", { name: "Search", exact: true }).click();
    const lines = page.getByRole("list", { name: "Records" }).getByRole("listitem");
    await lines.first().waitFor();
    await check();
    const sentences = await lines.allTextContents();
    await lines.first().getByRole("link").click();
    await page.getByText("Particulars").waitFor();
    await check();
    return { sentences, record: await page.title(), particulars: await page.getByText("sealed", { exact: true }).count() };
  },
});
