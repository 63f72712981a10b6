//! What is read, what is refused, and in which words.

use super::{parse, split};

#[test]
fn reads_what_postgresql_reads() {
    let statements = [
        "select 1::text collate \"C\"",
        "select a between symmetric 2 and 1 and true",
        "select - 2 ^ 2, ~ 5 + 3",
        "table t",
        "(table t) union all table u order by 1",
        "insert into t table u",
        "insert into s.t table u",
        "create table x as table y",
        "with a as (table t) select * from a",
        "select * from rows from (generate_series(1, 2), unnest(array[1])) with ordinality as x(a, b, c)",
        "select * from t for no key update of t, u skip locked",
        "select * from t for key share nowait",
        "insert into t overriding system value values (1)",
        "begin isolation level serializable, read only, deferrable",
        "begin transaction not deferrable",
        "set transaction read only, not deferrable",
        "vacuum (verbose, analyze) t",
        "vacuum analyze t",
        "vacuum",
        "create table n (a int unique nulls not distinct, b numeric(5, 2) unique nulls distinct not null)",
        "analyze verbose t",
        "analyze",
        "select (x).* from x",
        "select sum(a) over (partition by b order by c rows between 1 preceding and 1 following exclude ties) from t",
        "select sum(a) over w from t window w as (order by b exclude no others)",
        "select x like any (array['a', 'b']), x not ilike all (select 'a')",
        "select int4 '1', uuid 'a', interval '1' day, timestamp with time zone 'now'",
        "select 'a'\n  'b'",
        "select x operator(pg_catalog.+) y",
        "select a.b.c, (a).b, a[1], a[1:2], (array[1,2])[1]",
        "select from t",
        "select extract(year from x), substring(a from 1 for 2), trim(both 'x' from y), position('a' in b)",
        "select count(*) filter (where x), percentile_cont(0.5) within group (order by x)",
        "insert into t (a, b) values (1, default) on conflict (a) do update set b = excluded.b returning *",
        "update t set (a, b) = (1, 2) from u where t.a = u.a",
        "delete from t using u where t.a = u.a",
        "select * from a left join b using (x) natural join c cross join lateral (select 1) d",
        "select distinct on (a) a, b from t group by rollup (a, b), grouping sets ((a), ()) fetch first 1 row with ties",
        "select $1::int, array(select 1), row(1, 2), (1, 2) = (3, 4), x is not distinct from y",
        "select a from t limit all offset 3 rows",
        "select date 'x', x::timestamp(3) with time zone, cast(x as numeric(10, 2)), x::varchar(3)[]",
    ];
    for sql in statements {
        if let Err(error) = parse(sql) {
            panic!("{sql}: {error}");
        }
    }
}

#[test]
fn says_what_is_wrong_as_postgresql_does() {
    let cases = [
        ("selec 1", "syntax error at or near \"selec\"", 1),
        ("select 1 from", "syntax error at end of input", 14),
        ("select * frm t", "syntax error at or near \"frm\"", 10),
        ("select 'abc", "unterminated quoted string at or near \"'abc\"", 8),
        ("select \"abc", "unterminated quoted identifier at or near \"\"abc\"", 8),
        ("select /* x", "unterminated /* comment at or near \"/* x\"", 8),
        ("select 1 2", "syntax error at or near \"2\"", 10),
        ("select 1; select 2", "syntax error at or near \"select\"", 11),
        ("select\n  é, )", "syntax error at or near \")\"", 13),
        ("select * from t where", "syntax error at end of input", 22),
        ("select 1 < 2 = true", "syntax error at or near \"=\"", 14),
    ];
    for (sql, message, position) in cases {
        let error = parse(sql).expect_err(sql);
        assert_eq!((error.message(), error.0.position), (message, Some(position)), "{sql}");
        assert_eq!(error.sqlstate(), "42601", "{sql}");
    }
}

#[test]
fn refuses_what_it_would_have_to_ignore() {
    for sql in [
        "with recursive t as (select 1) search depth first by a set b select * from t",
        "with recursive t as (select 1) cycle a set b using c select * from t",
        "do $$ begin end $$",
        "reindex table t",
        "create or replace rule r as on insert to t do nothing",
        "alter view v rename to w",
        "drop index concurrently i",
        "prepare transaction 'x'",
        "set constraints all deferred",
    ] {
        assert_eq!(parse(sql).expect_err(sql).sqlstate(), "0A000", "{sql}");
    }
}

#[test]
fn hostile_nesting_is_an_error_and_not_the_end() {
    let deep = 20_000;
    let cases = [
        format!("select {}1{}", "(".repeat(deep), ")".repeat(deep)),
        format!("select {}1", "(".repeat(deep)),
        format!("select {}1", "- ".repeat(deep)),
        format!("select {}true", "not ".repeat(deep)),
        format!("select 1{}", " + 1".repeat(deep)),
        format!("select 1{}", "::int".repeat(deep)),
        format!("select a{}", "[1]".repeat(deep)),
        format!("select 1 {}", "between 1 and 2 ".repeat(deep)),
        format!("select * from {}t{}", "(".repeat(deep), ")".repeat(deep)),
        format!("select 1 {}", "union select 1 ".repeat(deep)),
        format!("select * from t {}", "join t on true ".repeat(deep)),
        format!("select {}", "case when ".repeat(deep)),
        format!("select {}", "f(".repeat(deep)),
        format!("select {}", "array[".repeat(deep)),
        "select (".repeat(deep),
    ];
    for sql in cases {
        let error = parse(&sql).expect_err("too deep");
        assert!(matches!(error.sqlstate(), "54001" | "42601"), "{}: {error}", &sql[..40]);
    }
}

#[test]
fn long_chains_of_conditions_are_fine() {
    for word in ["and", "or"] {
        let chain = vec!["a = 1"; 20_000].join(&format!(" {word} "));
        assert!(parse(&format!("select 1 where {chain}")).is_ok(), "{word}");
    }
    let values = vec!["(1, 'x')"; 20_000].join(", ");
    assert!(parse(&format!("insert into t values {values}")).is_ok());
}

#[test]
fn splits_statements_and_nothing_else() {
    let cases: [(&str, &[&str]); 7] = [
        ("select 1; select 2 ;", &["select 1", "select 2"]),
        (" ;; -- x;\n select ';' ; /* ; /* ; */ */", &["select ';'"]),
        ("select $$;$$, $a$ ; $b$ $a$; x", &["select $$;$$, $a$ ; $b$ $a$", "x"]),
        ("select E'\\';' ; select 'it''s;'", &["select E'\\';'", "select 'it''s;'"]),
        ("select \"a;\"\"b\"; y", &["select \"a;\"\"b\"", "y"]),
        ("select $1; select a$b$c;", &["select $1", "select a$b$c"]),
        ("", &[]),
    ];
    for (sql, expected) in cases {
        let spans = split(sql).expect(sql);
        let found: Vec<&str> = spans.iter().map(|&(start, end)| &sql[start..end]).collect();
        assert_eq!(found, expected, "{sql}");
    }
    assert_eq!(split("select 'a").expect_err("open quote").sqlstate(), "42601");
}
