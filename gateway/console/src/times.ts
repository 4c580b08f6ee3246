// Times as people read and type them here: the reader's language, the county's clock.
import { session } from "./api";

const ZONE = "Asia/Shanghai";
const OFFSET = "+08:00"; // no summer time since 1991

const locale = (): string => (session.language === "zh" ? "zh-CN" : "en-GB");

export function when(at: string): string {
  const year = new Date(at).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(locale(), { timeZone: ZONE, year, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

export function day(at: string): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(at));
}

export function clock(at: string): string {
  return new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

/** What a datetime-local field holds, as the API wants it: the county's clock, with its offset. */
export function fromLocal(typed: string): string {
  return `${typed.length === 16 ? `${typed}:00` : typed}${OFFSET}`;
}

/** The same the other way. */
export function toLocal(at: string): string {
  return new Date(Date.parse(at) + 8 * 3600_000).toISOString().slice(0, 16);
}
