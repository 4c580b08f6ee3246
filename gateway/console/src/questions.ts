// A category's typed questions (Open311): what was typed, as the API wants it, and what is wrong with it before it is sent.
import type { Question } from "./model";
import { fromLocal } from "./times";

export type Typed = string | string[] | boolean | number | null | undefined;
export type Answer = string | string[] | boolean | number;

const LONGEST: Record<string, number> = { string: 200, text: 1000 };

export const isEmpty = (typed: Typed): boolean => typed === null || typed === undefined || typed === "" || (Array.isArray(typed) && !typed.length);

/** The bounds of a text's length, of a number, or of how many are chosen. */
export function bounds(question: Question): { min: number | undefined; max: number | undefined } {
  const counted = question.type !== "number";
  const most = question.type === "multivaluelist" ? question.values.length : LONGEST[question.type];
  return { min: question.min ?? (counted ? 1 : undefined), max: question.max ?? most };
}

/** The answer as it is sent; undefined when nothing was typed. */
export function answerOf(question: Question, typed: Typed): Answer | undefined {
  if (isEmpty(typed)) return undefined;
  if (question.type === "number") return Number(typed);
  if (question.type === "boolean") return typed === true || typed === "true";
  if (question.type === "datetime") return fromLocal(String(typed));
  return Array.isArray(typed) ? typed : String(typed).trim() || undefined;
}

export function answersOf(questions: Question[], typed: Record<string, Typed>): Record<string, Answer> {
  return Object.fromEntries(
    questions.flatMap((question) => {
      const answer = answerOf(question, typed[question.code]);
      return answer === undefined ? [] : [[question.code, answer]];
    }),
  );
}

/** Why the answer will not do: a key of the messages with its values; null when it will. */
export function objection(question: Question, typed: Typed): [string, Record<string, number>] | null {
  const answer = answerOf(question, typed);
  if (answer === undefined) return question.required ? ["field.required", {}] : null;
  const { min, max } = bounds(question);
  const size = typeof answer === "number" ? answer : typeof answer === "boolean" ? undefined : answer.length;
  if (question.type === "number" && !Number.isFinite(size)) return ["field.number", {}];
  if (size === undefined || question.type === "datetime" || question.type === "singlevaluelist") return null;
  const kind = question.type === "number" ? "Number" : question.type === "multivaluelist" ? "Choices" : "Length";
  if (min !== undefined && size < min) return [`field.least${kind}`, { n: min }];
  return max !== undefined && size > max ? [`field.most${kind}`, { n: max }] : null;
}
