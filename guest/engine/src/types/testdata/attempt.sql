-- Evaluates an expression to its text, or to the SQLSTATE, message and detail that it fails with.
create or replace function attempt(expression text) returns text language plpgsql as $$
declare
  result text;
  message_text text;
  detail_text text;
begin
  execute 'select (' || expression || ')::text' into result;
  return coalesce(result, 'NULL');
exception when others then
  get stacked diagnostics message_text = message_text, detail_text = pg_exception_detail;
  return sqlstate || ' ' || message_text || case when detail_text = '' then '' else ' / ' || detail_text end;
end $$;
