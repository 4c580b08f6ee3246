// What the API offers around lists of cases: saved filters, one move for many, exports.
import { blobAddress, get, post, put, send } from "./api";
import type { CaseFilter, Sort } from "./filters";
import { tidied } from "./filters";
import type { Page } from "./model";

export interface SavedFilter {
  filter_id: string;
  name: string;
  shared: boolean;
  mine?: boolean;
  account_id?: string;
  sort: Sort;
  filter: CaseFilter;
  version: number;
}
export const savedFilters = async (): Promise<SavedFilter[]> => (await get<Page<SavedFilter>>("/v1/case-filters")).items;
export function keepFilter(filterId: string, name: string, shared: boolean, filter: CaseFilter, sort: Sort): Promise<SavedFilter> {
  return put(`/v1/case-filters/${filterId}`, { name, shared, sort, filter: tidied(filter) }, crypto.randomUUID());
}
export async function removeFilter(filterId: string): Promise<void> {
  await send(`/v1/case-filters/${filterId}`, { method: "DELETE", headers: { "Idempotency-Key": crypto.randomUUID() } });
}

export const BULK_MOVES = ["verify", "register", "dispatch", "accept", "start", "refuse", "close", "void", "remind"];
export interface BulkResult {
  moved: number;
  refused: number;
  items: { case_id: string; outcome: "moved" | "refused"; problem?: { code: string; detail?: string; zh?: string } | null }[];
}
export const moveMany = (body: unknown, key: string): Promise<BulkResult> => post("/v1/cases/bulk", body, key);

export interface CaseExport {
  export_id: string;
  state: "asked" | "writing" | "ready" | "failed" | "expired";
  format: string;
  progress?: number;
  rows?: number | null;
  truncated?: boolean;
  error?: string | null;
}
export const askExport = (filter: CaseFilter, sort: Sort, format: string): Promise<CaseExport> => post("/v1/cases/exports", { filter: tidied(filter), sort, format }, crypto.randomUUID());
export const exportNow = (exportId: string): Promise<CaseExport> => get(`/v1/cases/exports/${exportId}`);

/** Hands the browser a file that only this session may read. */
export async function download(path: string, name: string): Promise<void> {
  const address = await blobAddress(path);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
