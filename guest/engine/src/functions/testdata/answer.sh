#!/bin/sh
# Asks PostgreSQL 15 for the value of every expression in *.cases and writes *.tsv: expression, tab, its text.
# Give psql's options, such as -h /tmp -p 5432 -U postgres.
cd "$(dirname "$0")" || exit 1
for cases in *.cases; do
    {
        echo "set timezone = 'America/New_York';"
        echo "create temporary table answer (line serial, expression text);"
        echo 'create function pg_temp.attempt(expression text) returns text language plpgsql as $attempt$'
        echo "declare answer text; begin"
        echo "execute format('select string_agg(coalesce(r::text, %L), %L) from (select %s as r) t', 'NULL', ' ; ', expression) into answer;"
        echo "return coalesce(answer, 'no rows');"
        echo "exception when others then return sqlstate || ' ' || sqlerrm; end \$attempt\$;"
        grep -v -e '^$' -e '^--' "$cases" | sed 's/.*/insert into answer (expression) values ($case$&$case$);/'
        printf '%s\n' "select expression || e'\\t' || replace(replace(pg_temp.attempt(expression), '\\', '\\\\'), e'\\n', '\\n') from answer order by line;"
    } | psql -AtqX "$@" > "${cases%.cases}.tsv"
done
