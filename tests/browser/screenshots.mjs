/** Takes the pictures of `docs/screenshots/`: `node screenshots.mjs "$(metip console)" FOLDER PAGE…`, a page being NAME=/address. Never run by a test. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { opened } from "./driving.mjs";

const [console_, folder, ...pages] = process.argv.slice(2);
const [address, token] = console_.split("/#token=");
mkdirSync(folder, { recursive: true });
for (const theme of ["light", "dark"]) {
  const { page, close } = await opened({ address, token, theme });
  for (const one of pages) {
    const [name, path] = one.split(/=(.*)/s);
    await page.goto(address + path);
    await page.waitForTimeout(4_000);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
  }
  await close();
}
