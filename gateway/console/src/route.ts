// Where the page is, in its address: #/ the list, #/cases/<id> a case, #/report a new one, #/mine one's own reports.
import { reactive } from "vue";
import type { Place } from "./model";

export type View = "list" | "map" | "page";

const CASE = /^#\/cases\/([0-9a-f-]{36})$/;
const REPORT = /^#\/report(?:\?lon=(-?[\d.]+)&lat=(-?[\d.]+))?$/;

export const route = reactive({
  name: "list" as "list" | "case" | "report" | "mine",
  caseId: null as string | null,
  place: null as Place | null,
  /** Of list, map and page a phone shows one. */
  view: "list" as View,
});

function read(): void {
  const hash = location.hash;
  const ofCase = CASE.exec(hash);
  const report = REPORT.exec(hash);
  route.caseId = ofCase?.[1] ?? null;
  route.place = report?.[1] ? { lon: Number(report[1]), lat: Number(report[2]) } : null;
  route.name = ofCase ? "case" : report ? "report" : hash === "#/mine" ? "mine" : "list";
  if (route.name !== "list") route.view = "page";
  else if (route.view === "page") route.view = "list";
}

function go(hash: string): void {
  if (location.hash === hash) read();
  else location.hash = hash;
}

export const caseAddress = (caseId: string): string => `#/cases/${caseId}`;
export const showCase = (caseId: string): void => go(caseAddress(caseId));
export const showMine = (): void => go("#/mine");
export const showReport = (place?: Place): void => go(place ? `#/report?lon=${place.lon}&lat=${place.lat}` : "#/report");
export function showList(view: View = "list"): void {
  route.view = view;
  go("#/");
}

addEventListener("hashchange", read);
read();
