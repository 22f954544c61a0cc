/** Writes THIRD-PARTY-LICENCES beside the site: every package of which something is in the bundle, with its own licence text. */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { Plugin } from "vite";

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

export function licences(): Plugin {
  const folders = new Set<string>();
  return {
    name: "licences",
    apply: "build",
    moduleParsed({ id }) {
      const folder = packageOf(id);
      if (folder) folders.add(folder);
    },
    generateBundle() {
      // Its stylesheet is taken in by sass, out of sight of the bundler.
      folders.add(join(import.meta.dirname, "node_modules", "govuk-frontend"));
      const source = [...folders].map(told).toSorted().join(`\n${"-".repeat(80)}\n\n`);
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY-LICENCES", source });
    },
  };
}

function packageOf(id: string): string | undefined {
  if (!id.includes(`${sep}node_modules${sep}`)) return undefined;
  let folder = dirname(id.replace(/^\0/, "").replace(/\?.*$/, ""));
  while (!isPackage(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** Folders of one package hold package.json files too that only say which kind of module they are. */
function isPackage(file: string): boolean {
  return existsSync(file) && "version" in JSON.parse(readFileSync(file, "utf8"));
}

function told(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : "Its package holds no text of the licence.";
  return `${name} ${version} (${license})\n\n${text}\n`;
}
