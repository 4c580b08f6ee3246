// What a list of cases is narrowed to, in the words of GET /v1/cases.

export interface CaseFilter {
  open?: boolean;
  state?: string[];
  category?: string[];
  area_path?: string[];
  agency_id?: string;
  agency_part?: string;
  source?: string[];
  grade?: string;
  supervision?: string;
  listed?: boolean;
  unassigned?: boolean;
  overdue?: boolean;
  recheck?: boolean;
  due_within_hours?: number;
  mine?: string;
  search?: string;
  case_no?: string;
  [other: string]: unknown;
}
export type Sort = "newest" | "updated" | "due" | "grade";
export const SORTS: Sort[] = ["newest", "updated", "due", "grade"];
export const SOURCES = ["grid_worker", "patrol", "inspection", "visit", "public", "qr", "phone", "device", "platform", "superior"];

const CASE_NO = /^\d{6}-\d{0,8}(-\d*)?$/;
export const SHORTEST_SEARCH = 2;

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && !value.length);

/** The filter without what says nothing; words that are a case's number look for that. */
export function tidied(filter: CaseFilter): CaseFilter {
  const { search, ...others } = filter;
  const words = search?.trim() ?? "";
  const found: CaseFilter = CASE_NO.test(words) ? { ...others, case_no: words } : { ...others, search: words.length >= SHORTEST_SEARCH ? words : undefined };
  if (!isGiven(found.agency_id)) delete found.agency_part;
  if (found.state?.length) delete found.open;
  return Object.fromEntries(Object.entries(found).filter(([, value]) => isGiven(value)));
}

/** As query parameters, a list once for each of its values. */
export function parameters(filter: CaseFilter): URLSearchParams {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(tidied(filter))) {
    if (name === "bbox" && Array.isArray(value)) found.append(name, value.join(","));
    else for (const each of Array.isArray(value) ? value : [value]) found.append(name, String(each));
  }
  return found;
}

/** How many filters narrow the list beside its words and whether cases are open. */
export const narrowed = (filter: CaseFilter): number => Object.keys(tidied(filter)).filter((name) => !["open", "search", "case_no", "agency_part"].includes(name)).length;
