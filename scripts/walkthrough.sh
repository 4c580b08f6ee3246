#!/usr/bin/env bash
# The platform's main job, told with curl and jq against a running platform (`make up` first):
# a hazard is reported in GCJ-02 with a photo, located, verified, registered, dispatched, worked and checked by
# somebody else, closed; a major hazard is returned, listed, led by an official, extended, fails a check, passes the next
# and is struck off; a webhook receiver and an SSE client hear every step; a patrol's positions are on record.
#
#   scripts/walkthrough.sh            the demo accounts' own grid
#   AREA=330499101201003 scripts/walkthrough.sh     another grid of that community
#   PINGAN_URL=http://host:port  PINGAN_OUT=dir (keeps what was received)  PINGAN_PASSWORD_PREFIX=pingan-demo-
#
# Every status is asserted; it ends with "walkthrough: ok".
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${PINGAN_URL:-}" ]; then
    port=$(sed -n 's/^PINGAN_GATEWAY_PORT=//p' .local/env)
    PINGAN_URL="http://127.0.0.1:${port:?no .local/env; run make up first, or set PINGAN_URL}"
fi
PREFIX=${PINGAN_PASSWORD_PREFIX:-pingan-demo-}
OUT=${PINGAN_OUT:-$(mktemp -d)}
mkdir -p "$OUT"
rm -f "$OUT"/port "$OUT"/secret # of an earlier run
: >"$OUT/webhooks.jsonl"
: >"$OUT/events.sse"
BACKGROUND=()
trap 'for pid in "${BACKGROUND[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT

say() { printf '\n== %s\n' "$*"; }
die() { printf 'walkthrough: FAILED: %s\n' "$*" >&2; [ ! -s "$OUT/body" ] || { cat "$OUT/body" >&2; echo >&2; }; exit 1; }

# call STATUS METHOD PATH TOKEN [curl arguments]: the answer's body in $OUT/body, its headers in $OUT/headers
call() {
    local expected=$1 method=$2 path=$3 token=$4 status
    shift 4
    status=$(curl -sS --max-time 30 -o "$OUT/body" -D "$OUT/headers" -w '%{http_code}' -X "$method" \
        -H "Authorization: Bearer $token" "$@" "$PINGAN_URL$path") || die "$method $path: no answer"
    [ "$status" = "$expected" ] || die "$method $path answered $status, not $expected"
}
json() { call "$1" "$2" "$3" "$4" -H 'Content-Type: application/json' -d "$5" "${@:6}"; }
field() { jq -er "$1" "$OUT/body" || die "no $1 in the answer"; }
expect() { jq -e "$1" "$OUT/body" >/dev/null || die "expected $1"; }
refused() { # refused STATUS CODE after a call: a problem document with this code
    grep -qi '^content-type: application/problem+json' "$OUT/headers" || die "not problem+json"
    expect ".code == \"$1\" and .status != null and .title != null and .trace_id != null"
    printf '   refused as it should be: %s - %s\n' "$1" "$(jq -r '.detail // .title' "$OUT/body")"
}
token() {
    curl -sS --max-time 30 -o "$OUT/body" "$PINGAN_URL/v1/auth/token" --data-urlencode grant_type=password \
        --data-urlencode "username=$1" --data-urlencode "password=$PREFIX$1"
    jq -er .access_token "$OUT/body" || die "no token for $1"
}
eventually() { # eventually SECONDS WHAT COMMAND...: until the command succeeds
    local end=$((SECONDS + $1)) what=$2
    shift 2
    # In a subshell: a `die` in there means "not yet".
    until ("$@") >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || die "waited in vain for $what"
        sleep 0.2
    done
}
uuid() { cat /proc/sys/kernel/random/uuid; }
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# WGS84 -> GCJ-02, the well-known approximation, so that the report comes as a phone with AMap would send it.
GCJ='def rad: . * 3.141592653589793 / 180; def pi: 3.141592653589793;
def wave($x): 20*(6*$x*pi|sin) + 20*(2*$x*pi|sin);
def dlat($x;$y): -100+2*$x+3*$y+0.2*$y*$y+0.1*$x*$y+0.2*($x|fabs|sqrt) + wave($x)*2/3
  + (20*($y*pi|sin)+40*($y/3*pi|sin))*2/3 + (160*($y/12*pi|sin)+320*($y*pi/30|sin))*2/3;
def dlon($x;$y): 300+$x+2*$y+0.1*$x*$x+0.1*$x*$y+0.1*($x|fabs|sqrt) + wave($x)*2/3
  + (20*($x*pi|sin)+40*($x/3*pi|sin))*2/3 + (150*($x/12*pi|sin)+300*($x/30*pi|sin))*2/3;
def gcj($lon;$lat): 6378245.0 as $a | 0.00669342162296594323 as $ee | ($lat|rad|sin) as $s | (1-$ee*$s*$s) as $m
  | {lon: ($lon + dlon($lon-105;$lat-35)*180/($a/($m|sqrt)*($lat|rad|cos)*pi)),
     lat: ($lat + dlat($lon-105;$lat-35)*180/(($a*(1-$ee))/($m*($m|sqrt))*pi))};'

say "Tokens"
COUNTY=$(token county)
TOWN=$(token town)
FIRE=$(token fire)
COMMUNITY=$(token community)
WORKER=$(token worker)
PATROL=$(token patrol)
call 401 GET /v1/cases not-a-token
refused unauthenticated

say "Whose grid is it?"
call 200 GET /v1/auth/me "$WORKER"
AREA=${AREA:-$(field '.scope.areas[0] | rtrimstr("/") | split("/") | last')}
call 200 GET "/v1/areas/$AREA" "$WORKER"
LON=$(field .lon)
LAT=$(field .lat)
NAME=$(field .name)
AREA_PATH=$(field .path)
read -r GLON GLAT < <(jq -rn "$GCJ gcj($LON;$LAT) | \"\(.lon) \(.lat)\"")
echo "   $NAME ($AREA) at $LON,$LAT in WGS84 = $GLON,$GLAT in GCJ-02"
call 200 GET "/v1/areas/locate?lon=$GLON&lat=$GLAT&crs=gcj02" "$WORKER"
expect ".code == \"$AREA\""
call 422 GET "/v1/areas/locate?lon=$GLON&lat=$GLAT" "$WORKER"
refused crs_required

say "Listening: a webhook subscription and an event stream"
python3 scripts/receiver.py --secret-file "$OUT/secret" --out "$OUT/webhooks.jsonl" --port-file "$OUT/port" &
BACKGROUND+=($!)
eventually 10 "the webhook receiver" test -s "$OUT/port"
json 201 POST /v1/subscriptions "$COUNTY" \
    "{\"url\": \"http://127.0.0.1:$(cat "$OUT/port")/hook\", \"types\": [\"hazards.case.*\"]}"
SUBSCRIPTION=$(field .subscription_id)
field .secret >"$OUT/secret"
curl -sSN --max-time 300 -H "Authorization: Bearer $COUNTY" "$PINGAN_URL/v1/events/stream" >"$OUT/events.sse" &
BACKGROUND+=($!)
eventually 10 "the event stream" test -s "$OUT/events.sse"

say "Report, as the grid worker's phone does: GCJ-02, with a photo"
base64 -d >"$OUT/photo.png" <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC
PNG
KEY=$(uuid)
report() { # report STATUS: the same request each time, under the same key
    call "$1" POST /v1/cases "$WORKER" -H "Idempotency-Key: $KEY" \
        -F 'category=fire.exit_blocked' -F 'source=grid_worker' -F 'crs=gcj02' -F "lon=$GLON" -F "lat=$GLAT" \
        -F 'description=三号楼疏散通道堆放杂物，电动车占道充电' -F "occurred_at=$OCCURRED" -F "photo=@$OUT/photo.png;type=image/png"
}
OCCURRED=$(now)
report 201
CASE=$(field .case_id)
CASE_NO=$(field .case_no)
expect ".state == \"reported\" and .area_path == \"$AREA_PATH\" and .unassigned == false"
echo "   case $CASE_NO, found to lie in $NAME"
report 201
expect ".case_id == \"$CASE\""
echo "   sent again under the same key: the same case"

say "Bad input is answered, not swallowed"
BAD='{"category": "fire.exit_blocked", "source": "grid_worker", "description": "堆放杂物"'
json 422 POST /v1/cases "$WORKER" "$BAD, \"lon\": $GLON, \"lat\": $GLAT}"
refused crs_required
json 422 POST /v1/cases "$WORKER" "$BAD, \"crs\": \"wgs84\", \"lon\": $LAT, \"lat\": $LON}"
refused coordinates_swapped
json 422 POST /v1/cases "$WORKER" \
    "{\"category\": \"no.such\", \"source\": \"grid_worker\", \"description\": \"x\", \"crs\": \"wgs84\", \"lon\": $LON, \"lat\": $LAT}"
refused hazards.unknown_category
json 422 POST /v1/cases "$WORKER" "$BAD, \"crs\": \"wgs84\", \"lon\": $LON, \"lat\": $LAT}" -H "Idempotency-Key: $KEY"
refused idempotency_key_reused

# move TOKEN MOVE [JSON fields] : one move of the state machine on the case as it stands
move_as() {
    local status=$1 token=$2 move=$3 more=${4:-}
    call 200 GET "/v1/cases/$CASE" "$token"
    VERSION=$(field .version)
    json "$status" POST "/v1/cases/$CASE/moves" "$token" "{\"move\": \"$move\"$more}" -H "If-Match: \"$VERSION\""
}
step() { move_as 200 "$@"; printf '   %-12s -> %s\n' "$2" "$(field .state)"; }

say "Verify, register, dispatch"
call 200 GET "/v1/cases/$CASE/moves" "$COMMUNITY"
echo "   legal now: $(jq -c '[.items[].move]' "$OUT/body")"
step "$COMMUNITY" verify
move_as 409 "$TOWN" close
refused hazards.illegal_move
expect '.legal_moves | length > 0'
step "$TOWN" register
json 412 POST "/v1/cases/$CASE/moves" "$TOWN" '{"move": "dispatch"}' -H 'If-Match: "1"'
refused stale_version
json 428 POST "/v1/cases/$CASE/moves" "$TOWN" '{"move": "dispatch"}'
refused precondition_required
step "$TOWN" dispatch
call 200 GET /v1/auth/me "$FIRE"
FIRE_AGENCY=$(field .agency_id)
call 200 GET "/v1/cases/$CASE" "$FIRE"
expect ".lead_agency_id == \"$FIRE_AGENCY\""
echo "   the fire brigade leads the case, and sees it"

say "The agency works it"
step "$FIRE" accept
step "$FIRE" start
step "$FIRE" finish ', "note": "通道已清理，充电线路已拆除"'
move_as 403 "$FIRE" pass_check
refused hazards.self_check
# A check is made at the place, with a picture.
PICTURE=", \"photo\": {\"media_type\": \"image/png\", \"data\": \"$(base64 -w0 "$OUT/photo.png")\"}"
step "$COMMUNITY" pass_check \
    ", \"note\": \"现场核查，通道畅通\", \"lon\": $GLON, \"lat\": $GLAT, \"crs\": \"gcj02\", \"accuracy_m\": 8$PICTURE"
step "$TOWN" close
expect '.state == "closed"'

say "A patrol's positions"
call 200 GET "/v1/patrol/units?limit=50" "$PATROL"
UNIT=$(field '.items[0].unit_id')
# A unit has one started shift: end the one that a walkthrough left which broke off in the middle.
call 200 GET "/v1/patrol/shifts?unit_id=$UNIT&status=started" "$PATROL"
for left in $(field '.items | map("\(.shift_id)/\(.version)") | join(" ")'); do
    json 200 POST "/v1/patrol/shifts/${left%/*}/moves" "$PATROL" '{"move": "end"}' -H "If-Match: \"${left#*/}\""
done
FROM=$(date -u -d '-10 minutes' +%Y-%m-%dT%H:%M:%SZ) UNTIL=$(date -u -d '+2 hours' +%Y-%m-%dT%H:%M:%SZ)
json 201 POST /v1/patrol/shifts "$PATROL" \
    "{\"unit_id\": \"$UNIT\", \"duty\": \"street_patrol\", \"planned_from\": \"$FROM\", \"planned_until\": \"$UNTIL\"}"
SHIFT=$(field .shift_id)
VERSION=$(field .version)
json 200 POST "/v1/patrol/shifts/$SHIFT/moves" "$PATROL" '{"move": "start"}' -H "If-Match: \"$VERSION\""
expect '.status == "started"'
sleep 2
for i in 0 1 2 3 4; do
    jq -cn --arg unit "$UNIT" --arg at "$(date -u -d "-$((4 - i)) seconds + 3 seconds" +%Y-%m-%dT%H:%M:%SZ)" \
        --argjson lon "$LON" --argjson lat "$LAT" --argjson i $i \
        '{unit_id: $unit, device_at: $at, lon: ($lon + $i * 0.00001), lat: $lat, accuracy_m: 5}'
done >"$OUT/positions.ndjson"
jq -cn --arg unit "$UNIT" '{unit_id: $unit, device_at: "2199-01-01T00:00:00Z", lon: 120, lat: 30}' >>"$OUT/positions.ndjson"
echo 'this is not JSON' >>"$OUT/positions.ndjson"
call 202 POST "/v1/patrol/positions?crs=wgs84" "$PATROL" -H 'Content-Type: application/x-ndjson' --data-binary "@$OUT/positions.ndjson"
BATCH=$(field .batch_id)
expect '.taken == 5 and (.bad | length) == 2'
echo "   5 positions taken, 2 refused: $(jq -c .bad "$OUT/body")"
ingested() { call 200 GET "/v1/patrol/positions/batches/$BATCH" "$PATROL" && expect '.state == "ingested" or .state == "done"'; }
eventually 10 "the batch" ingested
seen_live() { call 200 GET /v1/patrol/live "$COUNTY" && jq -e ".items[] | select(.unit_id == \"$UNIT\")" "$OUT/body"; }
eventually 10 "the unit's live position" seen_live
jq -c ".items[] | select(.unit_id == \"$UNIT\")" "$OUT/body"
call 422 GET "/v1/patrol/shifts/$SHIFT/track" "$COUNTY"
refused purpose_required
call 200 GET "/v1/patrol/shifts/$SHIFT/track?purpose=duty_review" "$COUNTY"
call 200 GET "/v1/patrol/shifts/$SHIFT" "$PATROL"
json 200 POST "/v1/patrol/shifts/$SHIFT/moves" "$PATROL" '{"move": "end"}' -H "If-Match: \"$(field .version)\""

say "What was said about the case: history"
call 200 GET "/v1/cases/$CASE/history" "$COUNTY"
jq -r '.items[] | "   \(.at)  \(.move)  \(.from_state // "-") -> \(.to_state)"' "$OUT/body"
expect '[.items[].move] == ["report","verify","register","dispatch","accept","start","finish","pass_check","close"]'

say "What was heard"
FACTS='["reported","verified","registered","dispatched","accepted","handling_started","handled","checked","closed"]'
# Thin payloads name the case; the order per case is the order of its versions.
webhooks() { jq -ces --arg id "$CASE" '[.[].body | select(tostring | contains($id)) | .type | split(".")[-2]]' "$OUT/webhooks.jsonl"; }
all_webhooks() { [ "$(webhooks)" = "$FACTS" ]; }
eventually 20 "nine verified webhook deliveries, in order" all_webhooks
echo "   webhooks, signatures verified: $(webhooks)"
stream() { sed -n 's/^data: *//p' "$OUT/events.sse" | jq -ces --arg id "$CASE" '[.[] | select(tostring | contains($id)) | .type | split(".")[-2]]'; }
all_streamed() { [ "$(stream)" = "$FACTS" ]; }
eventually 20 "nine events on the stream, in order" all_streamed
echo "   event stream:                  $(stream)"
call 200 GET "/v1/subscriptions/$SUBSCRIPTION/deliveries?limit=100" "$COUNTY"
call 200 GET "/v1/subscriptions/$SUBSCRIPTION" "$COUNTY"
json 200 POST "/v1/subscriptions/$SUBSCRIPTION/moves" "$COUNTY" '{"move": "delete"}' -H "If-Match: \"$(field .version)\""

say "A major hazard: returned, led by an official, listed, extended, checked twice"
call 201 POST /v1/cases "$WORKER" -H "Idempotency-Key: $(uuid)" \
    -F 'category=fire.three_in_one' -F 'source=inspection' -F 'crs=wgs84' -F "lon=$LON" -F "lat=$LAT" \
    -F 'description=沿街店铺住宿与生产经营混用，唯一疏散楼梯被封堵' -F "photo=@$OUT/photo.png;type=image/png"
FIRST="$CASE $CASE_NO"
CASE=$(field .case_id)
LISTING="挂牌〔2026〕$(uuid | cut -c1-6)号"
TODAY=$(TZ=Asia/Shanghai date +%Y-%m-%d)
IN_A_MONTH=$(date -u -d '+30 days' +%Y-%m-%dT%H:%M:%SZ)
PHOTO64=$(base64 -w0 "$OUT/photo.png")
PHOTO=", \"photo\": {\"media_type\": \"image/png\", \"data\": \"$PHOTO64\"}"
ON_SITE=", \"lon\": $LON, \"lat\": $LAT, \"crs\": \"wgs84\", \"accuracy_m\": 8$PHOTO"
step "$TOWN" register
step "$TOWN" dispatch
step "$FIRE" return ', "reason": "须先明确业主单位"'
expect '.returns == 1 and .lead_agency_id == null'
step "$COUNTY" declare_major ", \"reason\": \"封堵唯一疏散通道，符合重大火灾隐患判定\", \"until\": \"$IN_A_MONTH\"$PHOTO"
step "$COUNTY" name_leader ', "leader_name": "李建国", "leader_title": "副县长"'
step "$COUNTY" list_case ", \"reason\": \"重大火灾隐患\", \"listing_no\": \"$LISTING\", \"until\": \"$IN_A_MONTH\", \"public\": true"
curl -sS --max-time 30 -o "$OUT/body" "$PINGAN_URL/v1/public/listings" # no sign-in
expect "[.items[] | select(.listing_no == \"$LISTING\")] | length == 1"
echo "   on the public list: $LISTING"
step "$COUNTY" plan_visit ", \"visit_on\": \"$TODAY\""
step "$TOWN" dispatch
step "$FIRE" accept
step "$FIRE" start
step "$FIRE" request_extension ', "reason": "拆除违建须走程序", "working_days": 5'
DUE=$(field .due_at)
move_as 403 "$FIRE" grant_extension
refused forbidden
step "$COUNTY" grant_extension
expect ".extensions == 1 and .due_at > \"$DUE\""
step "$COUNTY" record_visit ", \"visit_on\": \"$TODAY\", \"note\": \"现场督促拆除，业主承诺两周内完成\""
step "$FIRE" finish ', "note": "封堵已拆除"'
move_as 422 "$COMMUNITY" pass_check ', "note": "没到现场"'
refused hazards.missing_move_field
step "$COMMUNITY" fail_check ", \"reason\": \"二层仍有杂物\"$ON_SITE"
expect '.state == "handling" and .reworks == 1'
step "$FIRE" finish ', "note": "二层已清空"'
step "$COMMUNITY" pass_check ", \"note\": \"全部畅通\"$ON_SITE"
move_as 409 "$COUNTY" close
refused hazards.illegal_move
expect '[.unmet[].condition] | contains(["not_listed"])'
step "$COUNTY" review ', "note": "消防救援大队复核，隐患消除"'
step "$COUNTY" unlist_case ', "reason": "整改完成并核查"'
step "$COUNTY" close
expect '.state == "closed" and .grade == "major" and .recheck_due_at != null'
step "$COMMUNITY" pass_recheck ", \"note\": \"回头看，未反弹\"$ON_SITE"
expect '.state == "closed" and .recheck_due_at == null'
call 200 GET "/v1/cases/$CASE/history/export" "$COUNTY"
cp "$OUT/body" "$OUT/history.json"
[ ! -x .venv/bin/python ] || scripts/pingan audit verify-file "$OUT/history.json" # needs no database

printf '\ncase %s\nwalkthrough: ok\n' "$FIRST"
