// The list: pages of one filter by cursor, kept true while others work; selection; what was saved.
import { computed, reactive, watch } from "vue";
import { get, Problem, session } from "./api";
import { type CaseFilter, parameters, type Sort, tidied } from "./filters";
import type { Case, CountyEvent, Page } from "./model";
import { type Told, told } from "./problems";

const PAGE = 50;
const AGAIN_MS = 700;
const KEPT = "pingan.list";

interface Facet {
  value: string;
  cases: number;
}
export const FRESH: CaseFilter = { open: true };

function kept(): { filter: CaseFilter; sort: Sort } {
  const text = sessionStorage.getItem(KEPT);
  return text ? JSON.parse(text) : { filter: { ...FRESH }, sort: "newest" };
}

export const listing = reactive({
  ...kept(),
  items: [] as Case[],
  next: null as string | null,
  loading: false,
  failed: null as Told | null,
  /** Field -> value -> how many cases; empty where the platform does not count. */
  facets: {} as Record<string, Record<string, number>>,
  total: null as number | null,
  /** Whether all were counted; else there are at least so many. */
  exact: true,
  selected: new Set<string>(),
});
export const chosenCases = computed(() => listing.items.filter((each) => listing.selected.has(each.case_id)));

/** A case of the list as it was last told. */
export const listed = (caseId: string): Case | undefined => listing.items.find((each) => each.case_id === caseId);

let asking: AbortController | null = null;
let again: ReturnType<typeof setTimeout> | undefined;
let askedAt = 0;

function address(after: string | null): string {
  const query = parameters(listing.filter);
  if (listing.sort !== "newest") query.set("sort", listing.sort);
  query.set("limit", String(PAGE));
  if (after) query.set("after", after);
  return `/v1/cases?${query}`;
}

/** The first page anew. */
export async function ask(): Promise<void> {
  clearTimeout(again);
  again = undefined;
  asking?.abort();
  if (!session.token) return;
  const mine = (asking = new AbortController());
  listing.loading = true;
  askedAt = Date.now();
  try {
    const page = await get<Page<Case>>(address(null), mine.signal);
    if (mine.signal.aborted) return;
    joinFirst(page);
    listing.failed = null;
    void count(mine.signal);
  } catch (error) {
    if (!mine.signal.aborted) listing.failed = told(error);
  } finally {
    if (!mine.signal.aborted) listing.loading = false;
  }
}

/** The new first page before what was loaded behind it, as long as the two meet. */
function joinFirst(page: Page<Case>): void {
  const last = page.items[page.items.length - 1]?.case_id;
  const at = page.next === null ? -1 : listing.items.findIndex((each) => each.case_id === last);
  const fresh = new Set(page.items.map((each) => each.case_id));
  const behind = at >= PAGE - 1 ? listing.items.slice(at + 1).filter((each) => !fresh.has(each.case_id)) : [];
  if (!behind.length) listing.next = page.next;
  listing.items = [...page.items, ...behind];
  prune();
}

/** One more page. */
export async function more(): Promise<void> {
  if (listing.loading || !listing.next) return;
  const mine = asking ?? (asking = new AbortController());
  listing.loading = true;
  try {
    const page = await get<Page<Case>>(address(listing.next), mine.signal);
    if (mine.signal.aborted) return;
    const known = new Set(listing.items.map((each) => each.case_id));
    listing.items = [...listing.items, ...page.items.filter((each) => !known.has(each.case_id))];
    listing.next = page.next;
    listing.failed = null;
  } catch (error) {
    if (!mine.signal.aborted) listing.failed = told(error);
  } finally {
    if (!mine.signal.aborted) listing.loading = false;
  }
}

/** How many cases there would be by each facet. A platform that does not count leaves the list without numbers. */
async function count(signal: AbortSignal): Promise<void> {
  try {
    const found = await get<{ cases: number; exact: boolean; facets: Record<string, Facet[]> }>(`/v1/cases/facets?${parameters(listing.filter)}`, signal);
    if (signal.aborted) return;
    listing.total = found.cases;
    listing.exact = found.exact;
    listing.facets = Object.fromEntries(Object.entries(found.facets).map(([name, values]) => [name, Object.fromEntries(values.map((each) => [each.value, each.cases]))]));
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    listing.facets = {};
    listing.total = null;
  }
}

/** A case changed: its row follows at once, the page is asked for again soon, at most once in a while. */
export function heard(_event: CountyEvent, now: Case | null): void {
  if (now) {
    const at = listing.items.findIndex((each) => each.case_id === now.case_id);
    if (at >= 0 && listing.items[at]!.version <= now.version) listing.items[at] = now;
  }
  if (again === undefined) again = setTimeout(ask, Math.max(0, askedAt + AGAIN_MS - Date.now()));
}

function prune(): void {
  const here = new Set(listing.items.map((each) => each.case_id));
  for (const id of [...listing.selected]) if (!here.has(id)) listing.selected.delete(id);
}

export function narrow(filter: CaseFilter, sort: Sort = listing.sort): void {
  listing.filter = { ...filter };
  listing.sort = sort;
}

export function stop(): void {
  clearTimeout(again);
  again = undefined;
  asking?.abort();
  listing.items = [];
  listing.next = null;
  listing.selected.clear();
  listing.failed = null;
}

watch(
  () => [JSON.stringify(tidied(listing.filter)), listing.sort],
  () => {
    sessionStorage.setItem(KEPT, JSON.stringify({ filter: listing.filter, sort: listing.sort }));
    listing.items = [];
    listing.next = null;
    listing.selected.clear();
    void ask();
  },
);
watch(
  () => session.token,
  (token) => {
    if (token) return;
    stop();
    sessionStorage.removeItem(KEPT);
    Object.assign(listing, { filter: { ...FRESH }, sort: "newest", facets: {}, total: null });
  },
);
