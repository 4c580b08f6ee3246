// The map's look: one paper, hairlines for grids, colour only where something happens. No base map is needed.
import type { Feature, FeatureCollection, Point } from "geojson";
import type { CircleLayerSpecification, ExpressionSpecification, StyleSpecification, SymbolLayerSpecification } from "maplibre-gl";
import type { Case, Unit } from "./model";

const TEXT = "#33475a";
const MIXED = "#17344f";
export const TONES: Record<string, string> = {
  reported: "#c8553d",
  verified: "#c8553d",
  registered: "#d08b2e",
  dispatched: "#d08b2e",
  accepted: "#2f7f86",
  handling: "#2f7f86",
  suspended: "#7a6a94",
  handled: "#5b7f4b",
  checked: "#5b7f4b",
};

const OVERDUE = "#8f1d1d";
const dot = (tone: ExpressionSpecification, late: ExpressionSpecification): CircleLayerSpecification["paint"] => ({
  "circle-color": tone,
  "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 5, 15, 8],
  "circle-stroke-color": ["case", late, OVERDUE, "#ffffff"],
  "circle-stroke-width": ["case", late, 3, 1.6],
});
const level = (name: string): ExpressionSpecification => ["==", ["get", "level"], name];

/** From this zoom the platform's tiles show each case by itself; below it those of a cell together, with their `count`. */
export const EACH_FROM = 14;
const SEVERAL: ExpressionSpecification = [">", ["get", "count"], 1];
const TONE: ExpressionSpecification = ["match", ["get", "state"], ...Object.entries(TONES).flat(), MIXED] as unknown as ExpressionSpecification;
const LATE: ExpressionSpecification = ["==", ["get", "overdue"], "yes"];
const NUMBER: ExpressionSpecification = ["case", [">=", ["get", "count"], 1000], ["concat", ["to-string", ["round", ["/", ["get", "count"], 1000]]], "k"], ["to-string", ["get", "count"]]];

/** Of the source `cases`, which comes and goes with what the list is narrowed to. */
export const CASE_LAYERS: (CircleLayerSpecification | SymbolLayerSpecification)[] = [
  { id: "cases together", type: "circle", source: "cases", "source-layer": "cases", filter: SEVERAL, paint: { "circle-color": TONE, "circle-opacity": 0.88, "circle-radius": ["interpolate", ["linear"], ["get", "count"], 2, 7, 20, 10, 200, 14], "circle-stroke-color": ["case", LATE, OVERDUE, "#ffffff"], "circle-stroke-width": ["case", LATE, 2.5, 1] } },
  { id: "cases", type: "circle", source: "cases", "source-layer": "cases", filter: ["!", SEVERAL], paint: dot(TONE, LATE) },
  { id: "numbers", type: "symbol", source: "cases", "source-layer": "cases", filter: SEVERAL, layout: { "text-field": NUMBER, "text-size": 11, "text-font": ["sans-serif"], "symbol-sort-key": ["-", ["get", "count"]], "text-padding": 0 }, paint: { "text-color": "#ffffff" } },
];

/** Around a point that a tile of this zoom bears, as wide as the tile can tell it: where its one case lies. */
export function around([lon, lat]: [number, number], zoom: number): number[] {
  const unit = (360 / 2 ** Math.min(Math.floor(zoom), EACH_FROM) / 4096) * 2;
  return [lon - unit, lat - unit, lon + unit, lat + unit];
}

export function style(origin: string): StyleSpecification {
  const label = (id: string, of: string, size: number, from: number, to: number): StyleSpecification["layers"][number] => ({
    id,
    type: "symbol",
    source: "areas",
    "source-layer": "labels",
    filter: level(of),
    minzoom: from,
    maxzoom: to,
    layout: { "text-field": ["get", "name"], "text-size": size, "text-font": ["sans-serif"], "text-padding": 6 },
    paint: { "text-color": TEXT, "text-halo-color": "#f5f2ea", "text-halo-width": 1.6, "text-opacity": 0.85 },
  });
  return {
    version: 8,
    sources: {
      areas: { type: "vector", tiles: [`${origin}/v1/tiles/areas/{z}/{x}/{y}.mvt`], minzoom: 0, maxzoom: 15 },
      shown: { type: "geojson", data: nothing() },
      units: { type: "geojson", data: nothing() },
      here: { type: "geojson", data: nothing() },
    },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": "#e9e5da" } },
      { id: "land", type: "fill", source: "areas", "source-layer": "areas", paint: { "fill-color": "#f7f4ed" } },
      { id: "special", type: "fill", source: "areas", "source-layer": "areas", minzoom: 12, filter: ["all", level("grid"), ["!=", ["get", "kind"], "ordinary"]], paint: { "fill-color": "#dfe6e4", "fill-opacity": 0.7 } },
      { id: "grids", type: "line", source: "areas", "source-layer": "areas", minzoom: 12, filter: level("grid"), paint: { "line-color": "#b9b4a6", "line-width": ["interpolate", ["linear"], ["zoom"], 12, 0.4, 15, 1] } },
      { id: "villages", type: "line", source: "areas", "source-layer": "areas", minzoom: 10, filter: level("village"), paint: { "line-color": "#a39d8d", "line-width": ["interpolate", ["linear"], ["zoom"], 10, 0.5, 14, 1.3] } },
      { id: "towns", type: "line", source: "areas", "source-layer": "areas", filter: level("town"), paint: { "line-color": "#6f7d88", "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.8, 13, 1.8] } },
      { id: "county", type: "line", source: "areas", "source-layer": "areas", filter: level("county"), paint: { "line-color": "#17344f", "line-width": 2.2 } },
      label("grid names", "grid", 11, 14, 24),
      label("village names", "village", 12, 10.8, 24),
      label("town names", "town", 14, 7, 13),
      { id: "shown ring", type: "circle", source: "shown", paint: { "circle-radius": 14, "circle-color": "#17344f", "circle-opacity": 0.16, "circle-stroke-color": "#17344f", "circle-stroke-width": 1.5 } },
      { id: "shown", type: "circle", source: "shown", paint: dot(["get", "tone"], ["get", "overdue"]) },
      { id: "units", type: "circle", source: "units", paint: { "circle-color": "#2b5fb3", "circle-radius": 6, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } },
      { id: "unit names", type: "symbol", source: "units", minzoom: 11, layout: { "text-field": ["get", "name"], "text-size": 11, "text-offset": [0, 1.3], "text-font": ["sans-serif"] }, paint: { "text-color": "#2b5fb3", "text-halo-color": "#ffffff", "text-halo-width": 1.4 } },
      { id: "here", type: "circle", source: "here", paint: { "circle-radius": 9, "circle-color": "#d08b2e", "circle-opacity": 0.35, "circle-stroke-color": "#d08b2e", "circle-stroke-width": 2 } },
    ],
  };
}

export function nothing(): FeatureCollection<Point> {
  return { type: "FeatureCollection", features: [] };
}

/** The case that is looked at, as it is: it may be closed, or newer than its tile. */
export function shownCase(found: Case | null): FeatureCollection<Point> {
  return found ? collection([found], () => ({ id: found.case_id, tone: TONES[found.state] ?? "#777777", overdue: found.overdue === true })) : nothing();
}

export function unitFeatures(found: Iterable<Unit>): FeatureCollection<Point> {
  return collection([...found], (each) => ({ id: each.unit_id, name: each.call_sign }));
}

export function pointAt(place: { lon: number; lat: number } | null): FeatureCollection<Point> {
  return place ? collection([place], () => ({})) : nothing();
}

function collection<T extends { lon: number; lat: number }>(items: T[], properties: (item: T) => Feature["properties"]): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    features: items.map((item) => ({ type: "Feature", geometry: { type: "Point", coordinates: [item.lon, item.lat] }, properties: properties(item) })),
  };
}
