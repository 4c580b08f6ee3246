// What the API answers, as far as the page reads it. Bodies that it sends are typed from the OpenAPI document.
import type { paths } from "./generated/api";

export type CaseReport = paths["/v1/cases"]["post"]["requestBody"]["content"]["application/json"];
export type CaseMove = paths["/v1/cases/{case_id}/moves"]["post"]["requestBody"]["content"]["application/json"];

export interface Title {
  zh: string;
  en: string;
}
export interface Case {
  case_id: string;
  case_no: string;
  version: number;
  category: string;
  state: string;
  grade: string;
  description: string;
  lon: number;
  lat: number;
  area_path: string;
  unassigned: boolean;
  overdue?: boolean;
  lead_agency_id: string | null;
  reported_at: string;
  due_at?: string | null;
}
export interface HistoryEntry {
  seq: number;
  at: string;
  move: string;
  from_state: string | null;
  to_state: string;
  agency_id: string | null;
  reason: string | null;
  note: string | null;
}
export interface StateRow {
  state: string;
  title: Title;
  open: boolean;
}
export interface MoveRow {
  move: string;
  title: Title;
  needs: string[];
  accepts: string[];
}
export interface Category {
  code: string;
  name: string;
  name_en: string;
  emergency: boolean;
  active: boolean;
}
export interface Agency {
  agency_id: string;
  name: string;
}
export interface Unit {
  unit_id: string;
  call_sign: string;
  lon: number;
  lat: number;
  heading: number | null;
  device_at: string;
}
export interface Area {
  code: string;
  name: string;
  level: string;
  path: string;
  lon: number;
  lat: number;
  geometry?: GeoJSON.Geometry;
  names?: { code: string; level: string; name: string }[];
}
export interface Me {
  name: string;
  roles: string[];
  agency_id: string | null;
  scope: { areas: string[] };
  demo: boolean;
}
export interface CountyEvent {
  id: string;
  type: string;
  time: string;
  data: { case_id?: string; case_no?: string; state?: string; category?: string; overdue?: boolean };
}
export interface Page<T> {
  items: T[];
  next: string | null;
}
