// How far a deadline clock has run. A stage may count working time: its bells say when which share was used up.
import type { Clock } from "./model";

export interface Reading {
  /** Per cent of the time used; above 100 when missed. */
  share: number;
  tone: "calm" | "half" | "soon" | "late" | "rest";
  /** Milliseconds to the due time; negative when it has passed. */
  left: number;
}

/** The moments at which shares were or will be used, ascending: start, warnings, due time. */
function marks(clock: Clock): [number, number][] {
  const start = Date.parse(clock.started_at);
  const due = Date.parse(clock.due_at);
  const rung = (clock.bells ?? []).flatMap((each): [number, number][] => {
    const share = Number(/^warn_(\d+)$/.exec(each.bell)?.[1]);
    const at = Date.parse(each.at);
    return share && at > start && at < due ? [[at, share]] : [];
  });
  return [[start, 0], ...rung.sort((a, b) => a[0] - b[0]), [due, 100]];
}

export function reading(clock: Clock, now: number): Reading {
  const stopped = clock.ended_at ?? clock.paused_at;
  const at = stopped ? Math.min(now, Date.parse(stopped)) : now;
  const points = marks(clock);
  const due = points[points.length - 1]![0];
  let share = 100;
  if (at < due) {
    const next = points.findIndex((point) => point[0] > at);
    const [from, to] = [points[Math.max(0, next - 1)]!, points[Math.max(1, next)]!];
    share = from[1] + (Math.max(0, at - from[0]) / Math.max(1, to[0] - from[0])) * (to[1] - from[1]);
  } else if (due > points[0]![0]) {
    share = 100 * (1 + (at - due) / (due - points[0]![0]));
  }
  const late = at > due;
  const tone = late ? "late" : clock.ended_at ? "rest" : share >= 80 ? "soon" : share >= 50 ? "half" : "calm";
  return { share, tone, left: due - at };
}

/** Days and hours, hours and minutes, or minutes: two words at most. */
export function span(milliseconds: number, t: (key: string, values: Record<string, number>) => string): string {
  const minutes = Math.max(0, Math.floor(Math.abs(milliseconds) / 60_000));
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  if (d) return t("span.dh", { d, h });
  return h ? t("span.hm", { h, m }) : t("span.m", { m });
}
