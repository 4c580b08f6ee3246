// Chinese first, English by a switch. Names of states, moves and categories come from the API in both languages.
import { createI18n } from "vue-i18n";
import { session } from "./api";
import { en } from "./messages/en";
import { zh } from "./messages/zh";

const kept = localStorage.getItem("pingan.language");
session.language = kept === "en" ? "en" : "zh";

export const i18n = createI18n({ legacy: false, locale: session.language, messages: { zh, en } });

export function switchLanguage(): void {
  session.language = session.language === "zh" ? "en" : "zh";
  i18n.global.locale.value = session.language as "zh" | "en";
  localStorage.setItem("pingan.language", session.language);
  document.documentElement.lang = session.language === "zh" ? "zh-CN" : "en";
  document.title = i18n.global.t("title");
}

/** A word of the API that has no title there: a source, a level, a stage. Unknown ones are shown as they are. */
export function word(kind: string, value: string | null | undefined): string {
  const key = `words.${kind}.${value ?? ""}`;
  return value && i18n.global.te(key) ? i18n.global.t(key) : (value ?? "");
}
