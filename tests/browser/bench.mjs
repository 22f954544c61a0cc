/**
 * How long the console takes to answer a hand, with 200 synthetic interfaces at 1,000 calls a second told anew every second: from a key or a
 * click to the next frame painted after it. Prints milliseconds; `node bench.mjs`, with CHROMIUM naming the browser. It judges nothing.
 */

import { opened } from "./driving.mjs";
import { synthetic } from "./synthetic.mjs";

const ROUNDS = 5;
const size = { interfaces: 200, systems: 40, consumers: 25, perSecond: 1000 };

/** From the event's own time stamp to the frame after next, as the browser measured it, its own queue included. */
const measured = (page) =>
  page.evaluate(() => {
    window.took = [];
    const note = (event) => requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - event.timeStamp)));
    for (const kind of ["input", "click", "change"]) addEventListener(kind, note, { capture: true });
  });

const settled = (page) => page.waitForTimeout(400);

async function round(page) {
  await page.keyboard.press("/");
  for (const key of "synthetic1") await page.keyboard.press(key);
  await settled(page);
  await page.getByRole("searchbox").fill("");
  await settled(page);
  await page.locator('svg.map a[href*="system="]').first().click();
  await settled(page);
  await page.getByRole("link", { name: /Show those of all systems/ }).click();
  await settled(page);
  await page.getByLabel("As").selectOption("table");
  await page.getByRole("button", { name: "Calls/s" }).click();
  await page.getByRole("button", { name: "Show more" }).click();
  await settled(page);
  await page.getByLabel("As").selectOption("map");
  await page.locator("svg.map").waitFor();
}

const feed = await synthetic(size);
const { page, problems, close } = await opened({ address: feed.address });
await page.locator("svg.map").waitFor();
await measured(page);
for (let n = 0; n < ROUNDS; n += 1) await round(page);
const took = (await page.evaluate(() => window.took)).toSorted((a, b) => a - b);
const at = (share) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))]);
const shown = await page.evaluate(() => ({ boxes: document.querySelectorAll(".box").length, wires: document.querySelectorAll(".wire").length }));
process.stdout.write(`${JSON.stringify({ ...size, interactions: took.length, p50_ms: at(0.5), p95_ms: at(0.95), worst_ms: at(1), ...shown, problems })}\n`);
await close();
feed.close();
