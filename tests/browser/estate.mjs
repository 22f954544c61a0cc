/** Scenarios of Estate, Interface and Mesh. */

import { play } from "./playing.mjs";

const WIDE = { width: 1366, height: 768 };
const TABLET = { width: 820, height: 1180 };

const box = (page, name) => page.getByRole("link", { name: new RegExp(`^${name}:`) }).first();

await play({
  /** The map is filtered by the keyboard alone, a box shows what stands behind it, and the table says the same in rows. */
  async estate({ page, check, goto }, { name }) {
    await goto("/estate");
    await page.getByRole("group", { name: "Consumers, interfaces and systems" }).waitFor();
    await check();
    await page.keyboard.press("/");
    await page.keyboard.type(name);
    await box(page, name).waitFor();
    const drawn = await page.locator("svg.map a.box--interfaces").count();
    await box(page, name).press("Enter");
    const details = page.getByRole("region", { name: `Details of ${name}` });
    await details.getByRole("link", { name: "Open the interface" }).waitFor();
    await check();
    const address = page.url();
    await goto(`/estate?view=table&q=${name}`);
    await page.getByRole("cell", { name }).first().waitFor();
    await check();
    const heads = await page.getByRole("columnheader").allTextContents();
    await page.setViewportSize(TABLET);
    await check();
    const overflows = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    await page.setViewportSize(WIDE);
    return { drawn, deep: new URL(address).search, heads, overflows };
  },

  /** Calls move from one system to the other while one looks at the map. */
  async moved({ page, check, goto, ready }, { name, shares }) {
    await goto(`/estate?q=${name}`);
    await box(page, name).waitFor();
    const before = await page.locator("svg.map .wire text").allTextContents();
    ready();
    for (const share of shares) await page.locator("svg.map .wire text", { hasText: share }).first().waitFor();
    await check();
    return { before, after: await page.locator("svg.map .wire text").allTextContents() };
  },

  /** The contract is read with its comments, rules and callers, and an operation is tried with its sample. */
  async interface({ page, check, goto }, { name, operation, field }) {
    await goto("/interfaces");
    await page.getByRole("searchbox").fill(name);
    await page.getByRole("link", { name: name.replace(/^.*\./, ""), exact: true }).first().waitFor();
    await check();
    await goto(`/interfaces/${name}?operation=${operation}`);
    await page.getByRole("heading", { name: "Who may call it" }).first().waitFor();
    const callers = await page.getByRole("table", { name: "Who may call it" }).first().textContent();
    await page.getByRole("button", { name: "Call it" }).first().click();
    await page.getByText("the whole story of this call").waitFor();
    const status = await page.locator("form .govuk-tag").first().textContent();
    const reply = await page.getByLabel("Reply 1").textContent();
    await page.locator("details", { has: page.getByText(`${operation}Request`, { exact: true }) }).last().locator("summary").click();
    const fields = await page.getByRole("table", { name: `Fields of ${name.replace(/[^.]*$/, "")}${operation}Request` }).textContent();
    await check();
    return { callers, status, reply, fields: fields.includes(field) };
  },

  /** A change that Envoy refuses appears with its cause, its author and Envoy's words; every Envoy is in step otherwise. */
  async refused({ page, check, goto, ready }, { words }) {
    await goto("/mesh");
    await page.getByRole("table", { name: "Envoys" }).waitFor();
    await check();
    const before = await page.getByRole("table", { name: "Envoys" }).textContent();
    ready();
    const change = page.locator("details.change", { hasText: words }).first();
    await change.waitFor();
    const told = await change.textContent();
    await page.getByText("ACK after a NACK").waitFor();
    await page.getByLabel("Outcome").selectOption("refused");
    await check();
    const left = await page.locator("details.change").count();
    await change.getByRole("link", { name: /^Change/ }).click();
    await page.locator(".change--shown").waitFor();
    const certificates = await page.getByRole("table", { name: "Certificates" }).textContent();
    return { before, told, left, certificates, path: new URL(page.url()).pathname };
  },

  /** Without a token nothing is shown but how to sign in; a wrong token is no better. */
  async stranger({ page, check, goto }) {
    await page.evaluate(() => sessionStorage.setItem("metip-token", "not.a.token"));
    await goto("/mesh");
    await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
    await check();
    return { hash: new URL(page.url()).hash };
  },
});
