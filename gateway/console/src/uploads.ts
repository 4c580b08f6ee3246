// Files go up as they are chosen, so that a move or a report only names them: nothing is lost when that is refused.
import { session, Problem } from "./api";

export interface Kept {
  file_id: string;
  kind: "photo" | "audio" | "document";
  name: string;
  /** Where and when a picture says that it was taken. */
  exif?: { lon: number | null; lat: number | null; taken_at: string | null } | null;
}

export const TAKEN = "image/jpeg,image/png,image/webp,audio/*,application/pdf";
export const MOST_FILES = 10;

/** Sends one file; `progress` hears parts of one. Raises Problem. */
export function upload(file: File, key: string, progress: (part: number) => void): Promise<Kept> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/files");
    request.setRequestHeader("Authorization", `Bearer ${session.token}`);
    request.setRequestHeader("Accept-Language", session.language);
    request.setRequestHeader("Idempotency-Key", key);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(new Problem(0, "unreachable", ""));
    request.onload = () => {
      const body = request.response ?? {};
      if (request.status >= 300) reject(new Problem(request.status, body.code ?? "unknown", body.detail ?? "", body.field, body));
      else resolve({ file_id: body.file_id, kind: body.kind, name: file.name, exif: body.exif ?? null });
    };
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
}
