-- Casts by value: from, text, to, result.
\i attempt.sql
set timezone = 'America/New_York';
create temporary table sample (type text, input text);
insert into sample select type, input from (values
  ('boolean', '{t,f}'), ('smallint', '{0,1,-5,32767}'), ('integer', '{0,65,300,40000,-2147483648}'),
  ('bigint', '{0,7,-129,4294967295,5000000000,9223372036854775807}'),
  ('real', '{0,1.5,2.5,-2.5,-0.0,3.4e38,0.1,NaN,Infinity,123456.789,1e-40}'),
  ('double precision', '{0,0.5,1.5,2.5,-3.5,1e10,1e300,1e-300,32767.5,2147483647.4,9.3e18,NaN,-Infinity,0.1,123456789.123456789,1e20}'),
  ('numeric', '{0,0.5,1.5,2.5,-2.5,32767.4,32767.5,2147483647.5,9223372036854775807.4,9223372036854775807.5,NaN,Infinity,1e400,1e-400,12345678901234567890.123456789,0.1}'),
  ('text', '{"","  x ",12,1.5,t,2020-01-02,12:34,abcdef,"{1,2}","1 day"}'), ('varchar', '{12,"ab  "}'), ('char(5)', '{12,"ab "}'),
  ('name', '{abc,12}'), ('"char"', '{a,1}'), ('bytea', '{"\\\\x6162"}'), ('uuid', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'),
  ('date', '{2020-03-08,infinity,-infinity,4714-11-24 BC,294277-01-01,1999-12-31}'),
  ('time', '{00:00,24:00,12:34:56.789}'), ('timetz', '{12:34:56+02,00:00:00-15:59}'),
  ('timestamp', '{2020-03-08 02:30,2020-07-01 12:34:56.789,infinity,0044-03-15 10:00 BC}'),
  ('timestamptz', '{2020-03-08 02:30+00,2020-07-01 03:34:56.789+00,-infinity}'),
  ('interval', '{1 day 25:00:00,-1:00,1 mon,"2 years -3 days"}'),
  ('json', '{"{\"b\":1, \"a\":[1,2.50]}","[]",1}'),
  ('jsonb', '{"{\"b\":1, \"a\":[1,2.50]}","[]",1,2.5,-3.5,99999999999,true,"null","\"x\""}'),
  ('oid', '{0,1,4294967295}'), ('integer[]', '{"{1,2,NULL}","{}","[0:1]={70000,2}"}'), ('text[]', '{"{1,2}","{a,\"b c\"}"}'),
  ('numeric[]', '{"{1.5,2.5}"}'))
  as listed (type, inputs), unnest(inputs::text[]) input;
create temporary table target as select type from unnest(array['boolean', 'smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric',
  'numeric(4,1)', 'text', 'varchar', 'varchar(4)', 'char(3)', 'name', '"char"', 'bytea', 'uuid', 'date', 'time', 'timetz', 'timestamp', 'timestamp(0)', 'timestamptz',
  'interval', 'json', 'jsonb', 'oid', 'integer[]', 'smallint[]', 'text[]', 'varchar(1)[]', 'double precision[]']) type;
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
select * from (select s.type as source, input, t.type as target, attempt(format('%L::%s::%s', input, s.type, t.type)) as result
  from sample s, target t) r
where result !~ '[\t\n]' and length(result) < 120 and result !~ '^42846' order by 1, 2, 3;
