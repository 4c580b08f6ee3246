// What the page knows: who is signed in, the county's tables, units on duty, the newest events; kept true by the two streams.
import { computed, reactive, shallowReactive, watch } from "vue";
import { all, get, Problem, session } from "./api";
import { forgetDrafts } from "./drafts";
import type { Agency, Area, Case, CaseReport, Category, CountyEvent, Me, MoveRow, Page, Place, StateRow, Title, Unit } from "./model";
import { route } from "./route";
import { type Health, listen } from "./sse";

const MOST_EVENTS = 60;

export const store = reactive({
  me: null as Me | null,
  loading: true,
  failed: "" as string,
  health: "connecting" as Health,
  events: [] as CountyEvent[],
  /** The case that is looked at: it is on the map even when it is not open. */
  shown: null as Case | null,
  /** The place of a form that is being filled in. */
  here: null as Place | null,
  /** Somebody asks for a place by a click on the map. */
  picking: null as { picked: (place: Place) => void } | null,
});
export const units = shallowReactive(new Map<string, Unit>());
export const places = shallowReactive(new Map<string, Area>());
export const tables = reactive({
  states: {} as Record<string, StateRow>,
  moves: {} as Record<string, MoveRow>,
  categories: [] as Category[],
  agencies: {} as Record<string, Agency>,
});
const categoriesByCode = computed(() => new Map(tables.categories.map((each) => [each.code, each])));
const wholeCategories = new Map<string, Promise<Category | null>>();
type Listener = (event: CountyEvent, now: Case | null) => void;
const listeners = new Set<Listener>();
let listening: AbortController | null = null;

export function said(title: Title | undefined, otherwise: string): string {
  return title ? title[session.language as keyof Title] : otherwise;
}
export function categoryName(code: string | null | undefined): string {
  const found = categoriesByCode.value.get(code ?? "");
  return found ? said({ zh: found.name, en: found.name_en }, found.code) : (code ?? "");
}
export const isEmergency = (code: string | undefined): boolean => categoriesByCode.value.get(code ?? "")?.emergency ?? false;
export const stateName = (state: string | null | undefined): string => said(tables.states[state ?? ""]?.title, state ?? "");
export const moveName = (move: string): string => said(tables.moves[move]?.title, move);
export const agencyName = (id: string | null | undefined): string => tables.agencies[id ?? ""]?.name ?? "";
/** Whether one's role makes a move at all; whether it is legal now the case's own moves say. */
export const mayEver = (move: string): boolean => (store.me?.roles ?? []).some((role) => tables.moves[move]?.roles.includes(role));
export const isOpen = (state: string): boolean => tables.states[state]?.open ?? true;

/** A category with its questions; null where the platform tells none. */
export function wholeCategory(code: string): Promise<Category | null> {
  const known = wholeCategories.get(code);
  if (known) return known;
  const asked = get<Category>(`/v1/categories/${encodeURIComponent(code)}`).catch((error) => {
    wholeCategories.delete(code);
    if (error instanceof Problem && [404, 405].includes(error.status)) return null;
    throw error;
  });
  wholeCategories.set(code, asked);
  return asked;
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
    tables.agencies = Object.fromEntries(agencies.map((each) => [each.agency_id, each]));
    tables.categories = categories.items;
    void listen("/v1/events/stream?types=hazards.case.*", (event) => void onEvent(event.data), setHealth, signal);
    void listen("/v1/patrol/live/stream", (event) => onPatrol(event.event, event.data), () => {}, signal);
  } catch (error) {
    if (!signal.aborted) store.failed = error instanceof Problem ? error.message || error.code : String(error);
  } finally {
    store.loading = false;
  }
}

export function close(): void {
  listening?.abort();
  listening = null;
  units.clear();
  wholeCategories.clear();
  store.events = [];
  store.me = store.shown = store.here = store.picking = null;
}

// Nothing that one account typed or narrowed waits for the next one.
watch(() => session.token, (token) => token || forgetDrafts());

function setHealth(health: Health): void {
  // What was missed while the line was down is told again from the last id on: nothing needs to be loaded anew.
  store.health = health;
}

async function onEvent(data: string): Promise<void> {
  const event: CountyEvent = JSON.parse(data);
  store.events = [event, ...store.events].slice(0, MOST_EVENTS);
  if (!event.data.case_id) return;
  const now = await caseNow(event.data.case_id);
  for (const each of listeners) each(event, now);
}

/** Hears of every case event with the case as it is now (null: not to be seen any more); returns how to stop. */
export function onCaseEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function caseNow(caseId: string): Promise<Case | null> {
  return get<Case>(`/v1/cases/${caseId}`).catch(() => null);
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

/** The area's names below the county, in one line. */
export async function areaWords(path: string): Promise<string> {
  const names = (await areaOf(path))?.names?.map((each) => each.name) ?? [];
  return (names.length > 1 ? names.slice(1) : names).join(" ");
}

/** Whose hands a report comes from. */
export function reportSource(): CaseReport["source"] {
  const roles = store.me?.roles ?? [];
  if (roles.includes("grid_worker")) return "grid_worker";
  return roles.includes("patrol_officer") ? "patrol" : "inspection";
}

/** Asks for a place by a click on the map; on a phone the map comes to the front until then. */
export function pickPlace(picked: (place: Place) => void): void {
  const back = route.view;
  route.view = "map";
  store.picking = {
    picked: (place) => {
      stopPicking(back);
      picked(place);
    },
  };
}
export function stopPicking(back: typeof route.view = "page"): void {
  store.picking = null;
  route.view = back;
}
