/** Plays one of a script's scenarios: `node <script> <scenario>`, facts as JSON on standard input, the answer as JSON on standard output. */

import { text } from "node:stream/consumers";
import { opened, violations } from "./driving.mjs";

const PATIENCE_MS = 30_000;

/**
 * A scenario is given the page and what goes with it: `goto` follows an address of the console, `check` lets axe look at what is shown, in
 * light and dark, `ready` tells whoever started the script that it watches now.
 */
export async function play(scenarios) {
  const [name = ""] = process.argv.slice(2);
  const { address, token, ...facts } = JSON.parse(await text(process.stdin));
  const { page, asked, problems, close } = await opened({ address, token });
  page.setDefaultTimeout(PATIENCE_MS);
  const found = [];
  const addresses = [];
  page.on("framenavigated", (frame) => addresses.push(frame.url()));
  const check = async () => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      found.push(...(await violations(page, colorScheme)));
    }
    addresses.push(page.url());
  };
  const goto = async (path) => {
    await page.goto(address + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
  };
  const ready = () => process.stdout.write("ready\n");
  try {
    const answer = await scenarios[name]({ page, check, goto, ready }, facts);
    process.stdout.write(JSON.stringify({ ...answer, violations: found, origins: [...asked], problems, addresses }));
  } catch (error) {
    process.stderr.write(`${error}\n${await page.locator("main").innerText().catch(() => "")}\n`);
    process.exitCode = 1;
  } finally {
    await close();
  }
}
