// Cases on the map: tiles of what the list is narrowed to, asked for again when a case has changed.
import type { Map as MapView } from "maplibre-gl";
import { type CaseFilter, parameters, tidied } from "./filters";
import { CASE_LAYERS, EACH_FROM } from "./map";
import { isOpen } from "./store";

/** The platform keeps a tile for four seconds: asked for sooner it would be the same. */
const KEPT_MS = 4_200;

/** The list's filter in a tile's words: without any of states or of the end a map shows open cases. */
export function ofMap(filter: CaseFilter): CaseFilter {
  const { recheck, state, open, closed_from, closed_to } = tidied(filter);
  const says = recheck === true || [state, open, closed_from, closed_to].some((each) => each !== undefined);
  return says ? filter : { ...filter, open: true };
}

/** Whether an event may change what is shown: what is at rest stays as it is, and is much. */
function mayChange(filter: CaseFilter): boolean {
  const { state, open } = tidied(ofMap(filter));
  return open === true || (state?.some(isOpen) ?? false);
}

export class CaseTiles {
  #address = "";
  #live = true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #more = false;

  constructor(private readonly map: MapView) {}

  /** Under the layer `before`. Another filter gets a source of its own: what was asked for the former is not awaited. */
  draw(filter: CaseFilter, before: string): void {
    const address = `${location.origin}/v1/tiles/cases/{z}/{x}/{y}.mvt?${parameters(ofMap(filter))}`;
    if (address === this.#address) return;
    if (this.#address) {
      for (const layer of CASE_LAYERS) this.map.removeLayer(layer.id);
      this.map.removeSource("cases");
    }
    this.map.addSource("cases", { type: "vector", tiles: [address], minzoom: 0, maxzoom: EACH_FROM });
    for (const layer of CASE_LAYERS) this.map.addLayer(layer, before);
    this.#address = address;
    this.#live = mayChange(filter);
  }

  /** A case changed: seen after at most twice as long as a tile is kept. */
  changed(): void {
    if (!this.#live) return;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#refresh(), KEPT_MS);
    else this.#more = true;
  }

  #refresh(): void {
    this.#timer = undefined;
    const loaded = this.map.isSourceLoaded("cases"); // one that is slow is not asked twice
    if (loaded) this.map.refreshTiles("cases");
    const again = this.#more || !loaded;
    this.#more = false;
    if (again) this.changed();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#live = false;
  }
}
