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

/** Packages without a file of their own: MIT asks for these words, and of the Apache licence there is one text for all. */
const MIT = "Copyright (C) 2017 Crown Copyright (Government Digital Service)";
const APACHE = join(import.meta.dirname, "..", "..", "..", "LICENSE");
/** Where the words of a second licence stand at the head of a source file. */
const HEADS: Readonly<Record<string, string>> = { "@bufbuild/protobuf": join("dist", "esm", "wire", "varint.js") };

function told(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const texts = file ? [readFileSync(join(folder, file), "utf8").trim()] : [];
  if (!file && license.includes("Apache-2.0")) texts.push(readFileSync(APACHE, "utf8").trim());
  if (!file && license === "MIT") texts.push(MIT, mit());
  const head = HEADS[name];
  if (head) texts.push(commented(readFileSync(join(folder, head), "utf8")));
  if (texts.length === 0) throw new Error(`${name} comes without the words of its licence (${license}): add them to licences.ts`);
  return `${name} ${version} (${license})\n\n${texts.join("\n\n")}\n`;
}

/** The words of the MIT licence, from a package that brings them. */
function mit(): string {
  const whole = readFileSync(join(import.meta.dirname, "node_modules", "preact", "LICENSE"), "utf8");
  return whole.slice(whole.indexOf("Permission is hereby granted")).trim();
}

/** The first comment of a source file. */
function commented(source: string): string {
  const lines = source.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, "")).join("\n");
}
