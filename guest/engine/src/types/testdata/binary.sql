-- Send functions: type, text, bytes in hexadecimal.
set timezone = 'America/New_York';
create or replace function sent(type text, input text) returns text language plpgsql as $$
declare
  result text;
  send text;
begin
  select typsend::text into send from pg_type where oid = type::regtype;
  execute format('select encode(%s(%L::%s), ''hex'')', send, input, type) into result;
  return result;
exception when others then
  return null;
end $$;
create temporary table sample (type text, input text);
insert into sample select type, input from unnest(array['boolean']) type, unnest(array['t', 'f']) input;
insert into sample select type, input from unnest(array['smallint', 'integer', 'bigint', 'oid', 'numeric', 'real', 'double precision', 'numeric(5,2)', 'numeric(30,10)']) type,
  unnest(array['0', '-0', '42', '1.5', '-1.25', '123.456', '99949', '32767', '-32768', '2147483647', '-2147483648', '4294967295', '9223372036854775807', '-9223372036854775808', '1e3', '1e20', '123456789012345678', '0.1', '0.00001', '0.0001', '0.00012', '10000', '100000000', '9999.9999', '0.00000000', '-0.0000123400', '3.4028235e38', 'NaN', 'Infinity', '-inf', '0.30000000000000004', '1.2345678901234567890123456789', '-98765432109876543210987654321098765432109876543210.0123456789', '1e100', '1e-100', '12340000', '1000000000000000000000000000000000000000000000000.0000000000000000000000000000001']) input;
insert into sample select type, input from unnest(array['text', 'varchar', 'char(3)', 'name', '"char"']) type, unnest(array['', 'a', 'abc', 'it''s é', '\101', '\303']) input;
insert into sample select 'bytea', input from unnest(array['\x', '\x00ff', '\xdeadbeef']) input;
insert into sample select 'uuid', input from unnest(array['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000000']) input;
insert into sample select type, input from unnest(array['date', 'timestamp', 'timestamptz', 'timestamp(0)', 'time', 'timetz']) type,
  unnest(array['1999-01-08', '1999-01-08 04:05:06', '1999-07-08 04:05:06.789123-08', '24:00', '00:00', '23:59:59.999999', '04:05:06.789+05:30', '04:05:06-15:59', 'infinity', '-infinity', '4714-11-24 BC', '294276-12-31 23:59:59.999999', '5874897-12-31', '2000-01-01', '1970-01-01 00:00:00', '2020-03-08 02:30:00']) input;
insert into sample select 'interval', input from unnest(array['0', '1 year 2 months 3 days 4 hours 5 minutes 6.5 seconds', '-1 mon +2 days -3:04:05', '178000000 years', '-2147483648 days', '1 microsecond']) input;
insert into sample select type, input from unnest(array['json', 'jsonb']) type, unnest(array['null', ' {"b": 1.50, "a":[true, "é"]} ', '""', '1e3']) input;
insert into sample select type, input from unnest(array['regtype', 'regclass']) type, unnest(array['0', '1247', '23']) input;
insert into sample select type, input from unnest(array['integer[]', 'text[]', 'numeric[]', 'boolean[]', 'timestamptz[]', 'uuid[]', 'jsonb[]', 'bytea[]', 'smallint[]', 'varchar[]', 'interval[]']) type,
  unnest(array['{}', '{1,2,3}', '{{1,2},{3,4}}', '{1,NULL,3}', '[0:1]={1,2}', '[-1:0][5:6]={{1,2},{3,NULL}}', '{t,f}', '{NULL}', '{"a b",""}', '{2020-01-01}']) input;
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
-- Rounding goes past the last timestamp, which timestamp_recv takes no more.
delete from sample where type = 'timestamp(0)' and input like '294276-%';
select type, input, sent(type, input) from sample where sent(type, input) is not null order by type, input;
