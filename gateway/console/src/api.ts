// One session with the gateway: its token, renewed while the page is open, and requests that speak problem+json.
import { reactive } from "vue";

const KEPT = "pingan.token";
const RENEW_BEFORE_MS = 3 * 60_000;

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export const session = reactive({ token: sessionStorage.getItem(KEPT) ?? "", language: "zh" });
let renewal: ReturnType<typeof setTimeout> | undefined;

function keep(token: string, expiresIn: number): void {
  session.token = token;
  sessionStorage.setItem(KEPT, token);
  clearTimeout(renewal);
  renewal = setTimeout(renew, Math.max(10_000, expiresIn * 1000 - RENEW_BEFORE_MS));
}

export function forget(): void {
  session.token = "";
  sessionStorage.removeItem(KEPT);
  clearTimeout(renewal);
}

export async function signIn(login: string, password: string): Promise<void> {
  const form = new URLSearchParams({ grant_type: "password", username: login, password });
  const answer = await send("/v1/auth/token", { method: "POST", body: form });
  const grant = await answer.json();
  keep(grant.access_token, grant.expires_in);
}

/** The next token; a page that was reloaded asks at once, since it does not know how old its token is. */
export async function renew(): Promise<void> {
  try {
    const grant = await (await send("/v1/auth/renew", { method: "POST" })).json();
    keep(grant.access_token, grant.expires_in);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) {
      renewal = setTimeout(renew, 15_000);
    }
  }
}

export async function signOut(): Promise<void> {
  try {
    await send("/v1/auth/logout", { method: "POST" });
  } finally {
    forget();
  }
}

/** The answer, or a Problem. No answer at all is a Problem `unreachable` with status 0. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Accept-Language", session.language);
  const token = session.token;
  if (token) headers.set("Authorization", `Bearer ${token}`);
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable", "");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && session.token && token !== session.token) return send(path, init); // renewed meanwhile
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 401 && token && token === session.token) forget();
  throw new Problem(answer.status, problem.code ?? "unknown", problem.detail ?? problem.title ?? "", problem.field, problem);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await send(path, signal ? { signal } : {})).json();
}

/** A write; `version` goes as If-Match, `key` as Idempotency-Key: the same key again is the same write. */
export async function post<T>(path: string, body: unknown, key: string, version?: number): Promise<T> {
  return write("POST", path, body, key, version);
}

export async function put<T>(path: string, body: unknown, key: string, version?: number): Promise<T> {
  return write("PUT", path, body, key, version);
}

async function write<T>(method: string, path: string, body: unknown, key: string, version?: number): Promise<T> {
  const headers: Record<string, string> = { "Content-Type": "application/json", "Idempotency-Key": key };
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  return (await send(path, { method, body: JSON.stringify(body), headers })).json();
}

const COPY_TRIES = 12;

/** A file that only the session may read, as an address for <img>, <audio> and downloads; revoke it when done. */
export async function blobAddress(path: string): Promise<string> {
  for (let tries = 0; tries < COPY_TRIES; tries++) {
    const answer = await send(path);
    if (answer.status !== 202) return URL.createObjectURL(await answer.blob());
    // Readers' copies are made in the background.
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After") ?? 1)));
  }
  throw new Problem(202, "preparing", "");
}

/** One key for one content: the same again is the same write, something else is another. */
export function keyed(): (body: unknown) => string {
  let last = "";
  let key = "";
  return (body) => {
    const now = JSON.stringify(body);
    if (now !== last) [last, key] = [now, crypto.randomUUID()];
    return key;
  };
}

export async function all<T>(path: string, most: number): Promise<T[]> {
  const found: T[] = [];
  let after: string | null = "";
  while (after !== null && found.length < most) {
    const mark: string = path.includes("?") ? "&" : "?";
    const page: { items: T[]; next: string | null } = await get(`${path}${after ? `${mark}after=${encodeURIComponent(after)}` : ""}`);
    found.push(...page.items);
    after = page.next;
  }
  return found;
}
