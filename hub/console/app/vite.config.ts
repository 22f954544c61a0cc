/** Builds the console into `../site`: hashed names, nothing inline, no source maps, no time of day; the same sources give the same bytes. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { licences } from "./licences.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: { alias: { "@": here("./src"), "@gen": here("./gen") } },
  plugins: [licences()],
  css: { preprocessorOptions: { scss: { loadPaths: [here("./node_modules/govuk-frontend/dist")], quietDeps: true } } },
  build: {
    outDir: process.env["METIP_SITE"] ?? here("../site"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
