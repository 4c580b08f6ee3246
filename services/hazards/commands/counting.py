"""Keeping the counts of cases: what changed since is added to them, a few thousand changes at a time.

A trigger writes what a case was and what it is into `case_deltas`, in the case's own transaction and in nobody's way.
Here they are taken out and added up. A reader adds what lies there still (`queries.facets`), so that its figures are
those of this very moment whatever is behind.
"""

from __future__ import annotations

from sqlalchemy import text

from backbone.database import Session

EVERY_S = 5.0
MOST = 5_000
"""Changes of one run: more add up better, and none of them is waited for."""

# Each change counts in its village, its town and the county: among all cases and among those of each agency that takes
# part; in town and county also among those of its state and of its category. Grids hold few: they are counted as they
# are. Changes of one village that are alike are added up first: of a million there are a tenth as many.
FOLD = """
WITH taken AS (
    DELETE FROM hazards.case_deltas WHERE id IN (SELECT id FROM hazards.case_deltas ORDER BY id LIMIT :most)
    RETURNING cases, area_path, substring(area_path FROM '^(?:[0-9]+/){1,3}') COLLATE "C" AS village,
        sensitivity, state, category, source, grade, lead_agency_id, supervision, participants
), summed AS (
    SELECT village, sensitivity, sum(cases) AS cases,
        ARRAY[''] || ARRAY(SELECT DISTINCT 'agency:' || agency FROM unnest(participants) agency) AS few,
        ARRAY['state:' || state, 'category:' || category] AS more,
        ARRAY['', 'state:' || state, 'category:' || category, 'source:' || source, 'grade:' || grade,
            'agency:' || coalesce(lead_agency_id::text, ''), 'supervision:' || coalesce(supervision, '')] AS each
    FROM taken GROUP BY village, sensitivity, state, category, source, grade, lead_agency_id, supervision, participants
    HAVING sum(cases) <> 0
), above AS (
    SELECT village, array_to_string(trim_array(codes, cardinality(codes) - depth), '/') || '/' AS area_path, depth,
        codes[depth + 1] AS child
    FROM (SELECT DISTINCT village FROM summed) villages,
        LATERAL (SELECT string_to_array(rtrim(village, '/'), '/')) split (codes),
        LATERAL generate_series(1, cardinality(codes)) depth
), spread AS (
    SELECT above.area_path, of.given, an.value, summed.sensitivity, sum(summed.cases) AS cases
    FROM summed JOIN above USING (village),
        unnest(CASE WHEN depth < 3 THEN few || more ELSE few END) of (given),
        unnest(CASE WHEN depth < 3 THEN each || ('area:' || coalesce(child, '')) ELSE each END) an (value)
    GROUP BY 1, 2, 3, 4 HAVING sum(summed.cases) <> 0
    UNION ALL
    SELECT village, of.given, 'area:' || split_part(area_path, '/', 4), sensitivity, sum(alike.cases)
    FROM (SELECT village, area_path, sensitivity, participants, sum(cases) AS cases FROM taken
            WHERE split_part(village, '/', 3) <> '' GROUP BY 1, 2, 3, 4) alike,
        LATERAL (SELECT '' UNION SELECT 'agency:' || agency FROM unnest(participants) agency) of (given)
    GROUP BY 1, 2, 3, 4 HAVING sum(alike.cases) <> 0
), added AS (
    INSERT INTO hazards.case_counts AS kept (area_path, given, value, sensitivity, cases)
    SELECT area_path, given, value, sensitivity, cases FROM spread ORDER BY 1, 2, 3, 4
    ON CONFLICT (area_path, given, value, sensitivity) DO UPDATE SET cases = kept.cases + excluded.cases
)
SELECT count(*) FROM taken
"""
_FOLD = text(FOLD)


def fold_counts(session: Session, most: int = MOST) -> int:
    """Adds what changed to the counts; returns how many changes there were."""
    return int(session.execute(_FOLD, {"most": most}).scalar_one())
