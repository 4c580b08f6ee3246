// Cases that may be the same thing: told before a report is sent.
import { post, Problem } from "./api";
import type { Case, Place } from "./model";

export type Similar = Case & { distance_m?: number | null };

/** Near in place, time and category; none where the platform gives no such hint. */
export async function similarTo(category: string, place: Place): Promise<Similar[]> {
  const asked = { category, lon: place.lon, lat: place.lat, crs: "wgs84" };
  try {
    return (await post<{ items: Similar[] }>("/v1/cases/similar", asked, crypto.randomUUID())).items;
  } catch (error) {
    if (error instanceof Problem) return []; // a hint that fails must not stop a report
    throw error;
  }
}
