// The fields of a move, from the table of GET /v1/states: which are asked, of what kind, and the body that is sent.
import { answersOf, type Typed } from "./questions";
import type { CaseMove, MoveRow, Question } from "./model";
import type { Kept } from "./uploads";
import { fromLocal } from "./times";

export type Kind = "reason" | "note" | "agency" | "agencies" | "category" | "answers" | "place" | "level" | "moment" | "day" | "days" | "case" | "supervision" | "flag" | "rating" | "files" | "line";

export interface Field {
  name: string;
  kind: Kind;
  required: boolean;
}

const KINDS: Record<string, Kind> = {
  reason: "reason",
  note: "note",
  agency_id: "agency",
  assisting_agency_ids: "agencies",
  category: "category",
  answers: "answers",
  lon: "place",
  level: "level",
  until: "moment",
  visit_on: "day",
  working_days: "days",
  parent_case_id: "case",
  into_case_id: "case",
  supervision: "supervision",
  public: "flag",
  rating: "rating",
  files: "files",
};
/** Asked by another field (a place is one field), or filled in here. */
const SILENT = new Set(["lat", "original", "crs", "accuracy_m", "device_at", "photo", "attachments"]);
/** Every move takes these; a form shows one of the two texts. */
const TEXTS = ["reason", "note"];

/** A table's name that this page does not know is a line of text. */
export const kindOf = (name: string): Kind => KINDS[name] ?? "line";

export function fieldsOf(row: MoveRow): Field[] {
  const asked = [...row.needs, ...row.accepts.filter((name) => !TEXTS.includes(name) && name !== "files")];
  if (!row.needs.includes("reason") && !row.needs.includes("note")) asked.push("note");
  if (row.accepts.includes("files") || row.needs.includes("files") || row.accepts.includes("photo")) asked.push("files");
  const names = [...new Set(asked)].filter((name) => !SILENT.has(name));
  return names.map((name) => ({ name, kind: kindOf(name), required: row.needs.includes(name) }));
}

/** What is typed into a move's form, by field. */
export interface MoveDraft {
  values: Record<string, Typed>;
  answers: Record<string, Typed>;
  place: { lon: number; lat: number; accuracy_m: number | null; device_at?: string | null } | null;
  files: Kept[];
}
export const blank = (): MoveDraft => ({ values: {}, answers: {}, place: null, files: [] });

export function isTyped(field: Field, typed: MoveDraft): boolean {
  if (field.kind === "place") return typed.place !== null;
  if (field.kind === "files") return typed.files.length > 0;
  if (field.kind === "answers") return true;
  const value = typed.values[field.name];
  return value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && !value.length);
}

/** The body of POST /v1/cases/{id}/moves. Its fields are the table's, whatever they are called. */
export function bodyOf(row: MoveRow, fields: Field[], typed: MoveDraft, questions: Question[]): Pick<CaseMove, "move"> & Record<string, unknown> {
  const body: Pick<CaseMove, "move"> & Record<string, unknown> = { move: row.move };
  for (const field of fields) {
    const value = typed.values[field.name];
    if (field.kind === "answers") {
      if (questions.length) body.answers = answersOf(questions, typed.answers);
    } else if (!isTyped(field, typed)) continue;
    else if (field.kind === "place" && typed.place) {
      const { lon, lat, accuracy_m: accuracy, device_at: at } = typed.place;
      Object.assign(body, { lon, lat, crs: "wgs84" });
      if (accuracy !== null && row.accepts.includes("accuracy_m")) body.accuracy_m = accuracy;
      if (at && row.accepts.includes("device_at")) body.device_at = at;
    } else if (field.kind === "files") body.files = typed.files.map((file) => file.file_id);
    else if (field.kind === "moment") body[field.name] = fromLocal(String(value));
    else if (field.kind === "days" || field.kind === "rating") body[field.name] = Number(value);
    else if (field.kind === "flag") body[field.name] = value === true;
    else body[field.name] = typeof value === "string" ? value.trim() : value;
  }
  return body;
}
