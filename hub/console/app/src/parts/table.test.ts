import { expect, test } from "vitest";
import { matches } from "./filter-box";
import { type Column, inOrder } from "./table";

const COLUMNS: Column<{ name: string; size: bigint }>[] = [
  { head: "Name", cell: () => null, order: ({ name }) => name },
  { head: "Size", cell: () => null, order: ({ size }) => size },
];
const ROWS = [{ name: "b10", size: 2n }, { name: "b9", size: 10n }, { name: "a", size: 1n }];
const names = (head: string, down: boolean) => inOrder(ROWS, COLUMNS, { head, down }).map(({ name }) => name);

test("names are ordered with numbers in them as numbers", () => expect(names("Name", false)).toEqual(["a", "b9", "b10"]));
test("the largest comes first when asked down", () => expect(names("Size", true)).toEqual(["b9", "b10", "a"]));
test("without a wish rows stay as they came", () => expect(inOrder(ROWS, COLUMNS)).toBe(ROWS));
test("a filter wants each word, anywhere, whatever the case", () => {
  expect(matches("EXAMPLE veh", "metip.example.v1", "VehicleService")).toBe(true);
  expect(matches("example person", "metip.example.v1", "VehicleService")).toBe(false);
  expect(matches("", "x")).toBe(true);
});
