/** One browser for a script: pages signed in by fragment, a note of every address that was asked for, axe in light and dark. */

import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

/** Opens Debian's Chromium on the site at `address`; `token` signs in, as the address that `metip up` prints does. */
export async function opened({ address, token = "", theme = "light", size = { width: 1366, height: 768 } }) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: size, colorScheme: theme, reducedMotion: "reduce" });
  const page = await context.newPage();
  const asked = new Set();
  const problems = [];
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(`${address}/${token && `#token=${token}`}`);
  return { page, asked, problems, close: () => browser.close() };
}

/** What the theme can change, and nothing else: looked at again in the other one. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** What axe finds against WCAG 2.2 AA, in one line each; in the light theme by all its rules, in the dark one by those of colours. */
export async function violations(page, theme = "light") {
  const axe = new AxeBuilder({ page });
  const { violations: found } = await (theme === "dark" ? axe.withRules(OF_COLOURS) : axe.withTags(RULES)).analyze();
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${theme}: ${id}: ${node.html.slice(0, 200)} ${node.failureSummary?.split("\n")[1] ?? ""}`));
}
