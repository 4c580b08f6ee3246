// What the page knows: open cases, units on duty, the newest events; kept true by the two streams.
import { computed, reactive, shallowReactive } from "vue";
import { all, get, Problem, session } from "./api";
import type { Agency, Area, Case, Category, CountyEvent, Me, MoveRow, Page, StateRow, Title, Unit } from "./model";
import { type Health, listen } from "./sse";

export const MOST_CASES = 1000;
const MOST_EVENTS = 60;

export const store = reactive({
  me: null as Me | null,
  loading: true,
  failed: "" as string,
  more: false,
  health: "connecting" as Health,
  chosen: null as string | null,
  reporting: null as { lon: number; lat: number } | null,
  events: [] as CountyEvent[],
});
export const cases = shallowReactive(new Map<string, Case>());
export const units = shallowReactive(new Map<string, Unit>());
export const places = shallowReactive(new Map<string, Area>());
export const tables = reactive({
  states: {} as Record<string, StateRow>,
  moves: {} as Record<string, MoveRow>,
  categories: [] as Category[],
  agencies: {} as Record<string, string>,
});
let listening: AbortController | null = null;

export const newestFirst = computed(() => [...cases.values()].sort((a, b) => (a.reported_at < b.reported_at ? 1 : -1)));

export function said(title: Title | undefined, otherwise: string): string {
  return title ? title[session.language as keyof Title] : otherwise;
}
export function categoryName(code: string | undefined): string {
  const found = tables.categories.find((each) => each.code === code);
  return found ? said({ zh: found.name, en: found.name_en }, found.code) : (code ?? "");
}
export function stateName(state: string | undefined): string {
  return said(tables.states[state ?? ""]?.title, state ?? "");
}
export function isOpen(state: string): boolean {
  return tables.states[state]?.open ?? true;
}

/** Loads everything, then listens; what happens while it loads is heard, since listening begins first. */
export async function open(): Promise<void> {
  store.loading = true;
  store.failed = "";
  close();
  listening = new AbortController();
  const { signal } = listening;
  try {
    const [me, states, categories, agencies] = await Promise.all([
      get<Me>("/v1/auth/me"),
      get<{ states: StateRow[]; moves: MoveRow[] }>("/v1/states"),
      get<Page<Category>>("/v1/categories"),
      all<Agency>("/v1/agencies?limit=200", 1000),
    ]);
    store.me = me;
    tables.states = Object.fromEntries(states.states.map((row) => [row.state, row]));
    tables.moves = Object.fromEntries(states.moves.map((row) => [row.move, row]));
    tables.agencies = Object.fromEntries(agencies.map((each) => [each.agency_id, each.name]));
    tables.categories = categories.items.filter((each) => each.active);
    void listen("/v1/events/stream?types=hazards.case.*", (event) => void onEvent(event.data), setHealth, signal);
    void listen("/v1/patrol/live/stream", (event) => onPatrol(event.event, event.data), () => {}, signal);
    await loadCases();
  } catch (error) {
    if (!signal.aborted) store.failed = error instanceof Problem ? error.message || error.code : String(error);
  } finally {
    store.loading = false;
  }
}

export function close(): void {
  listening?.abort();
  listening = null;
  cases.clear();
  units.clear();
  store.events = [];
  store.chosen = store.reporting = store.me = null;
}

async function loadCases(): Promise<void> {
  const open = Object.values(tables.states).filter((row) => row.open);
  const wanted = open.map((row) => `state=${row.state}`).join("&");
  const found = await all<Case>(`/v1/cases?limit=200&${wanted}`, MOST_CASES);
  for (const each of found) keepNewest(each);
  store.more = found.length >= MOST_CASES;
}

function setHealth(health: Health): void {
  // What was missed while the line was down is told again from the last id on: nothing needs to be loaded anew.
  store.health = health;
}

async function onEvent(data: string): Promise<void> {
  const event: CountyEvent = JSON.parse(data);
  store.events = [event, ...store.events].slice(0, MOST_EVENTS);
  if (event.data.case_id) await refresh(event.data.case_id);
}

/** The case as it is now; one that may not be seen any more, or is closed, leaves the list. */
export async function refresh(caseId: string): Promise<Case | null> {
  try {
    const now = await get<Case>(`/v1/cases/${caseId}`);
    keepNewest(now);
    return now;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) cases.delete(caseId);
    return null;
  }
}

export function keepNewest(now: Case): void {
  const known = cases.get(now.case_id);
  if (known && known.version > now.version) return;
  if (isOpen(now.state)) cases.set(now.case_id, now);
  else cases.delete(now.case_id);
}

function onPatrol(event: string, data: string): void {
  if (event === "positions") for (const unit of JSON.parse(data) as Unit[]) units.set(unit.unit_id, unit);
  if (event === "gone") for (const id of JSON.parse(data) as string[]) units.delete(id);
}

/** An area's names, from the county down; asked once. */
export async function areaOf(path: string): Promise<Area | null> {
  const known = places.get(path);
  if (known) return known;
  const code = path.split("/").filter(Boolean).pop();
  try {
    const area = await get<Area>(`/v1/areas/${code}`);
    places.set(path, area);
    return area;
  } catch {
    return null;
  }
}
