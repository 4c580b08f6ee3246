// A refusal as the reader is told it: the words, the field, what would be right, and which moves are legal instead.
import { Problem } from "./api";
import { i18n } from "./i18n";
import { moveName, said } from "./store";
import type { Title } from "./model";

export interface Told {
  text: string;
  status: number;
  code: string;
  field: string | null;
  expected: string | null;
  /** Titles of the moves that are legal from here, after a 409. */
  legal: string[];
  unmet: string[];
}

const UNANSWERED = new Set([0, 502, 503, 504]);

export function told(error: unknown): Told {
  const { t } = i18n.global;
  if (!(error instanceof Problem)) {
    console.error(error);
    return { text: t("error.page"), status: -1, code: "page", field: null, expected: null, legal: [], unmet: [] };
  }
  const { legal_moves: legal, unmet, expected } = error.extra as { legal_moves?: string[]; unmet?: { condition: string; title: Title }[]; expected?: string };
  const text = UNANSWERED.has(error.status) ? t("error.unreachable") : error.message || error.code;
  return {
    text,
    status: error.status,
    code: error.code,
    field: error.field ?? null,
    expected: legal ? null : (expected ?? null), // the same moves, by their codes
    legal: (legal ?? []).map(moveName),
    unmet: (unmet ?? []).map((each) => said(each.title, each.condition)),
  };
}

/** Sent, but without an answer: it may have been done or not. Sending the same again does it once. */
export const isUnanswered = (problem: Told | null): boolean => problem !== null && UNANSWERED.has(problem.status);
