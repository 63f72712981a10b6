// What a flight costs, and how good a route is. Values of SQL are { tag, val } here: { tag: "text", val: "JFK" }.

import sql from "isobar:procedure/sql@0.1.0";

// Dollars a mile, and what a passenger pays before the aeroplane has moved.
const RATES = { AA: 0.14, B6: 0.11, DL: 0.15, UA: 0.14, WN: 0.09, F9: 0.08 };
const OTHER_RATE = 0.12;
const BASE_FARE = 39;
const LATE_MINUTES = 15;

export function fare(distance, carrier) {
  return Math.round((BASE_FARE + distance * (RATES[carrier] ?? OTHER_RATE)) * 100) / 100;
}

export function routeScore(origin, dest) {
  const [row] = ask(
    `SELECT count(*) AS flights, count(DISTINCT carrier) AS carriers, COALESCE(max(distance), 0) AS distance,
            COALESCE(avg(CASE WHEN arr_delay <= ${LATE_MINUTES} THEN 1.0 ELSE 0.0 END)
                     FILTER (WHERE arr_delay IS NOT NULL), 0)::double precision AS on_time,
            COALESCE(avg(arr_delay), 0)::double precision AS mean_delay
     FROM flights WHERE origin = $1 AND dest = $2`,
    text(origin),
    text(dest),
  );
  if (row.flights === 0) throw `nobody flies from ${origin} to ${dest}`;
  // Being on time counts most, then choice, then how often one may leave.
  const choice = Math.min(row.carriers / 4, 1);
  const often = Math.min(row.flights / 365 / 5, 1);
  const score = 100 * (0.7 * row.on_time + 0.2 * choice + 0.1 * often);
  return {
    flights: row.flights,
    carriers: row.carriers,
    distance: row.distance,
    onTime: row.on_time,
    meanDelay: row.mean_delay,
    score: Math.round(score * 10) / 10,
  };
}

export function book(payer, origin, dest) {
  const offers = ask(
    "SELECT DISTINCT carrier::text AS carrier, distance FROM flights WHERE origin = $1 AND dest = $2 ORDER BY carrier",
    text(origin),
    text(dest),
  ).map(({ carrier, distance }) => ({ carrier, price: fare(distance, carrier) }));
  if (offers.length === 0) {
    throw { sqlstate: "FA001", message: `nobody flies from ${origin} to ${dest}`, detail: null, hint: null };
  }
  const { carrier, price } = offers.reduce((best, offer) => (offer.price < best.price ? offer : best));
  const amount = { text: price.toFixed(2) };
  // A uuid's halves are more than a number of JavaScript holds: as text it stays whole.
  const [receipt] = ask(
    "SELECT transfer::text AS transfer FROM transfer($1, $2, $3)",
    text(payer),
    text(carrier),
    { tag: "numeric", val: amount },
  );
  return { carrier, price: amount, transfer: receipt.transfer };
}

const text = (val) => ({ tag: "text", val });

// All rows of a statement as objects by column name; NULL is null. A failed statement throws its error.
function ask(statement, ...parameters) {
  const rows = sql.query(statement, parameters);
  const names = rows.columns().map(({ name }) => name);
  const found = [];
  for (let batch = rows.next(1000); batch.length > 0; batch = rows.next(1000)) {
    for (const row of batch) {
      found.push(Object.fromEntries(row.map(({ tag, val }, place) => [names[place], tag === "null" ? null : val])));
    }
  }
  return found;
}
