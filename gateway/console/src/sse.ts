// Server-sent events over fetch: EventSource cannot carry a bearer token. Resumes by the last id, with backoff.
import { Problem, send, session } from "./api";

export interface Heard {
  id: string;
  event: string;
  data: string;
}
export type Health = "connecting" | "open" | "lost";

/** Listens until the signal aborts or the session ends. */
export async function listen(
  path: string,
  heard: (event: Heard) => void,
  health: (state: Health) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = "";
  let pause = 500;
  while (!signal.aborted && session.token) {
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (last) headers["Last-Event-ID"] = last;
      const answer = await send(path, { headers, signal });
      health("open");
      pause = 500;
      await read(answer, (event) => {
        if (event.id) last = event.id;
        if (event.data) heard(event);
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 401) {
        health("lost");
        return; // not ours to hear: asking again would not help
      }
    }
    health("lost");
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 8_000);
  }
}

async function read(answer: Response, heard: (event: Heard) => void): Promise<void> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    let end: number;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      heard(parsed(rest.slice(0, end)));
      rest = rest.slice(end + 2);
    }
  }
}

function parsed(block: string): Heard {
  const event: Heard = { id: "", event: "message", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    if (name === "id") event.id = value;
    else if (name === "event") event.event = value;
    else if (name === "data") event.data += (event.data ? "\n" : "") + value;
  }
  return event;
}
