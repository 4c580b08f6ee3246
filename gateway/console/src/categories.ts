// Categories as a tree: each below the one that it names or that its dotted code names.
import { computed } from "vue";
import { word } from "./i18n";
import type { Category } from "./model";
import { categoryName, tables } from "./store";

const byCode = computed(() => new Map(tables.categories.map((each) => [each.code, each])));

/** The branch that a category stands on. */
export function topOf(code: string): string {
  const parent = byCode.value.get(code)?.parent ?? code.slice(0, Math.max(0, code.lastIndexOf(".")));
  return parent ? topOf(parent) : code;
}

/** A branch that has no row of its own is named by this page. */
export const topName = (code: string): string => (byCode.value.has(code) ? categoryName(code) : word("top", code));

/** Branches with their categories; those where lives are in danger first. */
export function branchesOf(some: Category[]): [string, Category[]][] {
  const found = new Map<string, Category[]>();
  for (const each of some) {
    const top = topOf(each.code);
    found.set(top, [...(found.get(top) ?? []), each]);
  }
  const hasEmergency = (all: Category[]): number => Number(all.some((each) => each.emergency));
  return [...found].sort((a, b) => hasEmergency(b[1]) - hasEmergency(a[1]));
}
