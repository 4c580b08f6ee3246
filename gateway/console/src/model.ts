// What the API answers, as far as the page reads it. Bodies that it sends are typed from the OpenAPI document.
import type { paths } from "./generated/api";

export type CaseReport = paths["/v1/cases"]["post"]["requestBody"]["content"]["application/json"];
export type CaseMove = paths["/v1/cases/{case_id}/moves"]["post"]["requestBody"]["content"]["application/json"];

export interface Title {
  zh: string;
  en: string;
}
export interface Place {
  lon: number;
  lat: number;
}
export interface Bell {
  bell: string;
  at: string;
  rung: boolean;
}
export interface Clock {
  stage: string;
  round?: number;
  state: "running" | "paused" | "ended";
  started_at: string;
  due_at: string;
  original_due_at?: string | null;
  paused_at?: string | null;
  ended_at?: string | null;
  bells?: Bell[];
}
export interface Extension {
  requested_at: string;
  agency_id: string;
  reason: string;
  working_days?: number | null;
  until?: string | null;
  decision: string | null;
  decided_at?: string | null;
  due_before?: string | null;
  due_after?: string | null;
}
export interface CaseFile {
  file_id: string;
  kind: "photo" | "audio" | "document";
  media_type: string;
  size_bytes: number;
  seconds?: number | null;
  pages?: number | null;
  move: string | null;
  added_at: string;
}
export interface Photo {
  blob: string;
  media_type: string;
  move: string | null;
  added_at: string;
}
export interface AgencyPart {
  agency_id: string;
  part: string;
  state?: string | null;
  asked_at?: string | null;
  due_at?: string | null;
  answered_at?: string | null;
  finished_at?: string | null;
}
export interface SupervisionIssue {
  seq: number;
  level: string;
  agency_id: string;
  points: number;
  issued_at: string;
  lifted_at: string | null;
}
export interface Listing {
  listing_no: string;
  agency_id: string;
  public: boolean;
  until: string;
  listed_at: string;
  removed_at: string | null;
  overdue?: boolean;
}
export interface Leader {
  name: string;
  title: string;
  agency_id: string | null;
  team?: string | null;
}
export interface Visit {
  visit_id: string;
  planned_on: string | null;
  made_on: string | null;
  found?: string | null;
  overdue?: boolean;
  missed_at?: string | null;
  lapsed_at?: string | null;
}
export interface Check {
  seq: number;
  round: number;
  passed: boolean;
  recheck?: boolean;
  agency_id: string;
  at: string;
  accuracy_m: number | null;
  distance_m: number | null;
  radius_m: number | null;
}
export interface LinkedCase {
  case_id: string;
  case_no: string;
  state?: string;
  category?: string;
  description?: string;
  distance_m?: number | null;
}
/** Which of these a platform tells depends on its release: what is absent is not shown. */
export interface Case {
  case_id: string;
  case_no: string;
  version: number;
  category: string;
  source: string;
  state: string;
  grade: string;
  level?: string;
  description: string;
  lon: number;
  lat: number;
  area_path: string;
  unassigned: boolean;
  overdue?: boolean;
  reporting_agency_id: string | null;
  lead_agency_id: string | null;
  county_decides?: boolean;
  assisting_agency_ids: string[];
  assisting_asked_ids?: string[];
  assisting_working_ids?: string[];
  former_agency_ids: string[];
  occurred_at: string;
  reported_at: string;
  updated_at?: string;
  closed_at?: string | null;
  due_at?: string | null;
  accept_due_at?: string | null;
  returns: number;
  reworks: number;
  reopenings: number;
  reminders?: number;
  rating?: number | null;
  answers?: Record<string, unknown> | null;
  supervision?: string | null;
  supervision_agency_id?: string | null;
  listing_agency_id?: string | null;
  parent_case_id?: string | null;
  open_children?: number;
  recheck_due_at?: string | null;
  merged_into_id?: string | null;
  reports?: number;
  photos?: Photo[];
  files?: CaseFile[];
  clocks?: Clock[];
  extension_requests?: Extension[];
  agencies?: AgencyPart[];
  supervisions?: SupervisionIssue[];
  listing?: Listing | null;
  leader?: Leader | null;
  visits?: Visit[];
  checks?: Check[];
  merged?: LinkedCase[];
  rests_in?: LinkedCase | null;
}
export interface HistoryEntry {
  seq: number;
  at: string;
  move: string;
  from_state: string | null;
  to_state: string;
  account_id: string | null;
  agency_id: string | null;
  roles: string[] | null;
  reason: string | null;
  note: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}
export interface StateRow {
  state: string;
  title: Title;
  open: boolean;
}
export interface MoveRow {
  move: string;
  title: Title;
  from: string[];
  to: Record<string, string>;
  roles: string[];
  needs: string[];
  accepts: string[];
}
export type QuestionType = "string" | "text" | "number" | "datetime" | "singlevaluelist" | "multivaluelist" | "boolean";
export interface Question {
  code: string;
  zh: string;
  en: string;
  type: QuestionType;
  required: boolean;
  values: { key: string; zh: string; en: string }[];
  min: number | null;
  max: number | null;
}
export interface Category {
  code: string;
  name: string;
  name_en: string;
  parent?: string | null;
  emergency: boolean;
  active: boolean;
  questions?: Question[];
  check_radius_m?: number | null;
  check_photo?: boolean;
  check_on_site?: boolean;
}
export interface Agency {
  agency_id: string;
  name: string;
  kind: string;
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
  account_id: string;
  roles: string[];
  agency_id: string | null;
  scope: { areas: string[] };
  demo: boolean;
}
export interface CountyEvent {
  id: string;
  type: string;
  time: string;
  data: { case_id?: string; case_no?: string; state?: string; exact_state?: string; category?: string; overdue?: boolean; parent_case_id?: string | null };
}
export interface Page<T> {
  items: T[];
  next: string | null;
}
