-- Questions to the flights of 2013. Each starts with a numbered line and is ordered in full, so that two databases
-- must give the same text. Averages are taken of integers or numeric values: sums of floats depend on the order.

-- 1. How many rows has each table?
SELECT 'airlines' AS table_name, count(*) FROM airlines
UNION ALL SELECT 'airports', count(*) FROM airports
UNION ALL SELECT 'planes', count(*) FROM planes
UNION ALL SELECT 'weather', count(*) FROM weather
UNION ALL SELECT 'flights', count(*) FROM flights
ORDER BY 1;

-- 2. Which carriers fly most, and how late are they?
SELECT a.name, count(*) AS flights, count(*) FILTER (WHERE f.dep_time IS NULL) AS cancelled,
       round(avg(f.dep_delay), 2) AS departure_delay, round(avg(f.arr_delay), 2) AS arrival_delay,
       max(f.arr_delay) AS worst
FROM flights f JOIN airlines a USING (carrier)
GROUP BY a.name
ORDER BY flights DESC, a.name;

-- 3. How do delays add up by origin and month, with totals?
SELECT coalesce(origin, '(all)') AS origin, month, count(*) AS flights, sum(dep_delay) AS delay, avg(dep_delay) AS average,
       grouping(origin, month) AS level
FROM flights
GROUP BY ROLLUP (origin, month)
ORDER BY level, origin, month;

-- 4. Cancelled flights by origin and carrier, from every side
SELECT origin, carrier, count(*) AS cancelled, grouping(origin) AS all_origins, grouping(carrier) AS all_carriers
FROM flights
WHERE dep_time IS NULL
GROUP BY CUBE (origin, carrier)
HAVING count(*) > 50
ORDER BY all_origins, all_carriers, cancelled DESC, origin, carrier;

-- 5. Seats by manufacturer, by engine, and in all
SELECT manufacturer, engine, count(*) AS planes, sum(seats) AS seats, min(year) AS oldest
FROM planes
GROUP BY GROUPING SETS ((manufacturer), (engine), ())
HAVING count(*) >= 10
ORDER BY grouping(manufacturer, engine), planes DESC, manufacturer, engine;

-- 6. The three most delayed arrivals of every carrier
SELECT carrier, flight, origin, dest, to_char(time_hour AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS departure, arr_delay, place
FROM (SELECT f.*, row_number() OVER (PARTITION BY carrier ORDER BY arr_delay DESC NULLS LAST, time_hour, flight, origin) AS place
      FROM flights f) ranked
WHERE place <= 3
ORDER BY carrier, place;

-- 7. Departures day by day in January: running total and seven-day mean
SELECT month, day, count(*) AS departures,
       sum(count(*)) OVER (ORDER BY month, day) AS total,
       round(avg(count(*)) OVER (ORDER BY month, day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW), 3) AS mean_of_seven,
       count(*) - lag(count(*)) OVER (ORDER BY month, day) AS change
FROM flights
WHERE month = 1 AND dep_time IS NOT NULL
GROUP BY month, day
ORDER BY month, day;

-- 8. Median and ninetieth percentile of the arrival delay of each origin, by hand
WITH ranked AS (
    SELECT origin, arr_delay,
           row_number() OVER (PARTITION BY origin ORDER BY arr_delay) AS place,
           count(*) OVER (PARTITION BY origin) AS arrivals
    FROM flights
    WHERE arr_delay IS NOT NULL
)
SELECT origin,
       max(arr_delay) FILTER (WHERE place = ceil(arrivals * 0.5)) AS median,
       max(arr_delay) FILTER (WHERE place = ceil(arrivals * 0.9)) AS ninetieth,
       max(arr_delay) FILTER (WHERE place = ceil(arrivals * 0.99)) AS ninety_ninth
FROM ranked
GROUP BY origin
ORDER BY origin;

-- 9. Which planes flew more than twice the mean of their model?
SELECT p.manufacturer, p.model, p.tailnum, c.flights
FROM planes p
JOIN (SELECT tailnum, count(*) AS flights FROM flights GROUP BY tailnum) c ON c.tailnum = p.tailnum
WHERE c.flights > 2 * (SELECT avg(d.flights)
                       FROM planes q
                       JOIN (SELECT tailnum, count(*) AS flights FROM flights GROUP BY tailnum) d ON d.tailnum = q.tailnum
                       WHERE q.model = p.model)
  AND c.flights > 250
ORDER BY c.flights DESC, p.tailnum;

-- 10. Departure delay by weather at the hour of departure
SELECT CASE WHEN w.precip > 0.1 THEN 'rain' WHEN w.visib < 2 THEN 'fog' WHEN w.wind_speed > 25 THEN 'wind' ELSE 'fair' END AS sky,
       f.origin, count(*) AS flights, round(avg(f.dep_delay), 2) AS delay, round(avg(w.temp), 1) AS temperature
FROM flights f
JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
GROUP BY 1, 2
ORDER BY 1, 2;

-- 11. Airline, plane, airports, weather: the longest flights of planes older than 1985
SELECT a.name AS airline, p.manufacturer, p.model, p.year, o.name AS from_airport, d.name AS to_airport, f.distance,
       count(*) AS flights, min(w.temp) AS coldest
FROM flights f
JOIN airlines a ON a.carrier = f.carrier
JOIN planes p ON p.tailnum = f.tailnum
JOIN airports o ON o.faa = f.origin
JOIN airports d ON d.faa = f.dest
LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE p.year < 1985
GROUP BY a.name, p.manufacturer, p.model, p.year, o.name, d.name, f.distance
ORDER BY f.distance DESC, flights DESC, airline, p.manufacturer, p.model, p.year, from_airport, to_airport
LIMIT 25;

-- 12. Destinations that the airports table does not know
SELECT f.dest, count(*) AS flights, min(f.time_hour) AS first, max(f.time_hour) AS last
FROM flights f
WHERE NOT EXISTS (SELECT 1 FROM airports a WHERE a.faa = f.dest)
GROUP BY f.dest
ORDER BY flights DESC;

-- 13. Planes that flew for two carriers
SELECT f.tailnum, p.manufacturer, count(DISTINCT f.carrier) AS carriers, string_agg(DISTINCT f.carrier, '+' ORDER BY f.carrier) AS which
FROM flights f
LEFT JOIN planes p ON p.tailnum = f.tailnum
WHERE f.tailnum IS NOT NULL
GROUP BY f.tailnum, p.manufacturer
HAVING count(DISTINCT f.carrier) > 1
ORDER BY f.tailnum;

-- 14. Places reached from every one of the three origins by the same carrier
SELECT carrier, dest FROM flights WHERE origin = 'EWR'
INTERSECT
SELECT carrier, dest FROM flights WHERE origin = 'JFK'
INTERSECT
SELECT carrier, dest FROM flights WHERE origin = 'LGA'
ORDER BY carrier, dest;

-- 15. Places served in summer that are not served in winter
(SELECT origin, dest FROM flights WHERE month IN (6, 7, 8)
 EXCEPT
 SELECT origin, dest FROM flights WHERE month IN (12, 1, 2))
ORDER BY origin, dest;

-- 16. The first flight of each month from each origin
SELECT DISTINCT ON (origin, month) origin, month, time_hour, carrier, flight, dest, tailnum
FROM flights
ORDER BY origin, month, time_hour, sched_dep_time, carrier, flight;

-- 17. For each carrier, the plane that flew farthest, laterally
SELECT a.carrier, a.name, best.tailnum, best.miles, best.flights
FROM airlines a
CROSS JOIN LATERAL (
    SELECT tailnum, sum(distance) AS miles, count(*) AS flights
    FROM flights f
    WHERE f.carrier = a.carrier AND f.tailnum IS NOT NULL
    GROUP BY tailnum
    ORDER BY miles DESC, tailnum
    LIMIT 2
) best
ORDER BY a.carrier, best.miles DESC;

-- 18. Days of July without a single flight to Anchorage, by a calendar
SELECT d::date AS day, to_char(d, 'FMDay') AS weekday, extract(week FROM d) AS week
FROM generate_series(timestamp '2013-07-01', timestamp '2013-07-31', interval '1 day') AS d
WHERE NOT EXISTS (SELECT 1 FROM flights f WHERE f.month = 7 AND f.day = extract(day FROM d) AND f.dest = 'ANC')
ORDER BY day;

-- 19. Follow one plane: how long did it stay on the ground?
SELECT tailnum, origin, dest, time_hour,
       time_hour - lag(time_hour) OVER plane AS since_last,
       age(time_hour, first_value(time_hour) OVER plane) AS since_first,
       lead(dest) OVER plane AS next_dest,
       date_trunc('week', time_hour AT TIME ZONE 'UTC') AS week
FROM flights
WHERE tailnum = 'N14228'
WINDOW plane AS (PARTITION BY tailnum ORDER BY time_hour, flight)
ORDER BY time_hour, flight;

-- 20. The first forty planes by tail number, each found from the one before (recursive)
WITH RECURSIVE chain (step, tailnum) AS (
    SELECT 1, min(tailnum) FROM planes
    UNION ALL
    SELECT step + 1, (SELECT min(p.tailnum) FROM planes p WHERE p.tailnum > c.tailnum || 'Z')
    FROM chain c
    WHERE step < 40 AND c.tailnum IS NOT NULL
)
SELECT step, c.tailnum, p.manufacturer, p.seats
FROM chain c JOIN planes p ON p.tailnum = c.tailnum
ORDER BY step;

-- 21. Months as a calendar of numbers, with the busiest day of each
WITH RECURSIVE months (month, first_day) AS (
    SELECT 1, date '2013-01-01'
    UNION ALL
    SELECT month + 1, (first_day + interval '1 month')::date FROM months WHERE month < 12
), busiest AS (
    SELECT month, day, count(*) AS flights, rank() OVER (PARTITION BY month ORDER BY count(*) DESC, day) AS place
    FROM flights GROUP BY month, day
)
SELECT to_char(m.first_day, 'Mon YYYY') AS month, m.first_day + (b.day - 1) AS busiest_day, to_char(m.first_day + (b.day - 1), 'Dy') AS weekday,
       b.flights, (m.first_day + interval '1 month')::date - m.first_day AS days
FROM months m JOIN busiest b ON b.month = m.month AND b.place = 1
ORDER BY m.month;

-- 22. Manufacturers, their names cleaned
SELECT initcap(split_part(manufacturer, ' ', 1)) AS maker, count(DISTINCT model) AS models, count(*) AS planes,
       string_agg(DISTINCT left(regexp_replace(model, '[^A-Z0-9]', '', 'g'), 4), ',' ORDER BY left(regexp_replace(model, '[^A-Z0-9]', '', 'g'), 4)) AS short_names,
       max(length(model)) AS longest
FROM planes
GROUP BY 1
ORDER BY planes DESC, maker;

-- 23. Airports whose names say that they are international, by time zone
SELECT coalesce(tzone, 'none') AS zone, count(*) FILTER (WHERE name ILIKE '%international%' OR name ~ '\yIntl\y') AS international,
       count(*) AS airports, round(100.0 * count(*) FILTER (WHERE name ILIKE '%international%' OR name ~ '\yIntl\y') / count(*), 1) AS percent,
       min(upper(substring(name FROM 1 FOR 12))) AS first_name, sum(alt) AS feet
FROM airports
GROUP BY tzone
ORDER BY airports DESC, zone;

-- 24. How the share of late flights goes with the hour of the day
SELECT hour, count(*) AS flights, count(*) FILTER (WHERE dep_delay > 15) AS late,
       to_char(100.0 * count(*) FILTER (WHERE dep_delay > 15) / nullif(count(dep_delay), 0), 'FM990.00%') AS share,
       repeat('#', (20.0 * count(*) FILTER (WHERE dep_delay > 15) / greatest(count(dep_delay), 1))::int) AS bar
FROM flights
GROUP BY hour
ORDER BY hour;

-- 25. Deciles of distance
SELECT decile, min(distance) AS shortest, max(distance) AS longest, count(*) AS routes
FROM (SELECT distance, ntile(10) OVER (ORDER BY distance, origin, dest) AS decile
      FROM (SELECT DISTINCT origin, dest, distance FROM flights) routes) cut
GROUP BY decile
ORDER BY decile;

-- 26. Rank of each origin by cancelled share, month by month
SELECT month, origin, cancelled, share, dense_rank() OVER (PARTITION BY month ORDER BY share DESC) AS place,
       round(percent_rank() OVER (ORDER BY share)::numeric, 4) AS percent_rank
FROM (SELECT month, origin, count(*) - count(dep_time) AS cancelled, round(100.0 * (count(*) - count(dep_time)) / count(*), 3) AS share
      FROM flights GROUP BY month, origin) s
ORDER BY month, place, origin;

-- 27. Hours with flights but without weather, and weather without flights
SELECT CASE WHEN w.time_hour IS NULL THEN 'no weather' WHEN f.time_hour IS NULL THEN 'no flight' ELSE 'both' END AS what,
       coalesce(f.origin, w.origin) AS origin, count(*) AS hours, min(coalesce(f.time_hour, w.time_hour)) AS first
FROM (SELECT DISTINCT origin, time_hour FROM flights) f
FULL JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
GROUP BY 1, 2
ORDER BY 1, 2;

-- 28. Great-circle distance against the distance flown, from coordinates
SELECT f.origin, f.dest, f.distance,
       round((3959 * acos(least(1, sin(radians(o.lat)) * sin(radians(d.lat))
             + cos(radians(o.lat)) * cos(radians(d.lat)) * cos(radians(d.lon - o.lon)))))::numeric, 1) AS great_circle
FROM (SELECT DISTINCT origin, dest, distance FROM flights) f
JOIN airports o ON o.faa = f.origin
JOIN airports d ON d.faa = f.dest
WHERE f.distance > 2000
ORDER BY f.distance DESC, f.origin, f.dest;

-- 29. Speed by model, as JSON
SELECT p.manufacturer, json_build_object('model', p.model, 'planes', count(DISTINCT p.tailnum), 'mph', round(avg(f.distance * 60.0 / f.air_time), 1)) AS about
FROM flights f JOIN planes p USING (tailnum)
WHERE f.air_time > 60
GROUP BY p.manufacturer, p.model
HAVING count(*) > 3000
ORDER BY p.manufacturer, p.model;

-- 30. Carriers that were never the latest on any day of June
SELECT a.carrier, a.name
FROM airlines a
WHERE a.carrier NOT IN (
    SELECT f.carrier
    FROM (SELECT month, day, carrier, max(arr_delay) AS latest FROM flights WHERE month = 6 GROUP BY month, day, carrier) f
    WHERE f.latest = (SELECT max(g.arr_delay) FROM flights g WHERE g.month = f.month AND g.day = f.day)
)
ORDER BY a.carrier;

-- 31. Pairs of flights that left the same gate hour for the same place, self-joined
SELECT f.origin, f.dest, count(*) AS pairs, count(DISTINCT f.time_hour) AS hours
FROM flights f
JOIN flights g ON g.time_hour = f.time_hour AND g.origin = f.origin AND g.dest = f.dest AND g.carrier > f.carrier
WHERE f.month = 3
GROUP BY f.origin, f.dest
HAVING count(*) >= 30
ORDER BY pairs DESC, f.origin, f.dest;

-- 32. Local hour of arrival over the year, daylight saving included
SELECT a.tzone, extract(hour FROM (f.time_hour + f.air_time * interval '1 minute') AT TIME ZONE a.tzone) AS local_hour, count(*) AS arrivals
FROM flights f JOIN airports a ON a.faa = f.dest
WHERE f.air_time IS NOT NULL AND f.month IN (3, 11) AND a.tzone IN ('America/Chicago', 'America/Los_Angeles', 'America/Denver')
GROUP BY 1, 2
ORDER BY 1, 2;

-- 33. Which flight numbers were late on all of their days?
SELECT carrier, flight, count(*) AS days, min(arr_delay) AS least, (array_agg(dest ORDER BY dest))[1] AS a_dest
FROM flights
GROUP BY carrier, flight
HAVING bool_and(arr_delay > 0) AND count(*) >= 4
ORDER BY days DESC, carrier, flight;

-- 34. Any carrier faster than all flights of Envoy Air on the way to Raleigh?
SELECT carrier, flight, time_hour, air_time
FROM flights
WHERE dest = 'RDU' AND origin = 'LGA' AND air_time < ALL (SELECT air_time FROM flights WHERE carrier = 'MQ' AND dest = 'RDU' AND air_time IS NOT NULL)
ORDER BY air_time, time_hour, carrier, flight;

-- 35. The busiest tail number of each week, with ties
WITH weekly AS (
    SELECT date_trunc('week', make_date(year::int, month::int, day::int))::date AS week, tailnum, count(*) AS flights
    FROM flights WHERE tailnum IS NOT NULL AND dep_time IS NOT NULL
    GROUP BY 1, 2
)
SELECT w.week, w.tailnum, w.flights
FROM weekly w
JOIN (SELECT week, max(flights) AS most FROM weekly GROUP BY week) top ON top.week = w.week AND top.most = w.flights
ORDER BY w.week, w.tailnum;

-- 36. A page deep in the list of delays
SELECT carrier, flight, origin, dest, arr_delay, time_hour
FROM flights
WHERE arr_delay IS NOT NULL
ORDER BY arr_delay DESC, time_hour, carrier, flight, origin
LIMIT 10 OFFSET 1000;
