// What is being typed outlives a closed form, a lost answer and a reload of this tab; never another account.
import { reactive, watch } from "vue";

const PREFIX = "pingan.draft.";

/** The draft of that name as it was left, or a new one; kept while it changes. */
export function draft<T extends object>(name: string, fresh: () => T): T {
  const kept = sessionStorage.getItem(PREFIX + name);
  const found = reactive({ ...fresh(), ...(kept ? (JSON.parse(kept) as T) : {}) }) as T;
  watch(found, (now) => sessionStorage.setItem(PREFIX + name, JSON.stringify(now)), { deep: true, flush: "sync" });
  return found;
}

export function forgetDraft(name: string): void {
  sessionStorage.removeItem(PREFIX + name);
}

/** Somebody else may sit down here next. */
export function forgetDrafts(): void {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
}
