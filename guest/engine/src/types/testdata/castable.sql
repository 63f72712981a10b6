-- The loosest context that each conversion needs: from, to, implicit | assignment | explicit.
\i attempt.sql
create temporary table type_name as select type from unnest(array['boolean', 'smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric',
  'text', 'varchar', 'bpchar', 'name', '"char"', 'bytea', 'uuid', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval',
  'json', 'jsonb', 'oid', 'regclass', 'regtype', 'integer[]', 'bigint[]', 'text[]', 'date[]']) type;
create function pg_temp.context(source text, target text) returns text language plpgsql as $$
begin
  begin
    execute format('create function pg_temp.probe(%s) returns int language sql as $f$ select 1 $f$', target);
    execute format('select pg_temp.probe(null::%s)', source);
    raise exception 'implicit' using errcode = 'ZZ001';
  exception when sqlstate 'ZZ001' then return 'implicit';
  when others then null;
  end;
  begin
    execute format('create temporary table probe (x %s)', target);
    execute format('insert into probe select null::%s', source);
    raise exception 'assignment' using errcode = 'ZZ001';
  exception when sqlstate 'ZZ001' then return 'assignment';
  when others then null;
  end;
  execute format('select null::%s::%s', source, target);
  return 'explicit';
exception when others then return null;
end $$;
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
select * from (select s.type as source, t.type as target, pg_temp.context(s.type, t.type) as context from type_name s, type_name t) r
where context is not null order by 1, 2;
