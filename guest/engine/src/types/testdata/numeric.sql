-- Arithmetic on numerics: operation, left, right, result.
\i attempt.sql
create temporary table number as select * from (values
  ('0'), ('0.000'), ('1'), ('-1'), ('2'), ('3'), ('-3'), ('0.5'), ('-0.5'), ('1.5'), ('2.50'), ('7'), ('10'), ('16'),
  ('100'), ('9999'), ('10000'), ('0.0001'), ('0.9999'), ('1.0001'), ('0.95'), ('1.05'), ('12345.678'), ('-12345.678'),
  ('0.000123'), ('99999999999999999999'), ('1e-20'), ('123456789012345678901234567890.123456789'),
  ('98765432109876543210987654321098765432109876543210'), ('1e60'), ('-1e-40'), ('3.14159265358979323846'), ('1000001'),
  ('1.000000000000000000001'), ('4611686018427387904'), ('NaN'), ('Infinity'), ('-Infinity'))
  as listed (value);
create temporary table result as
  select operation, l.value as left_value, r.value as right_value,
    attempt(format(form, quote_literal(l.value) || '::numeric', quote_literal(r.value) || '::numeric')) as result
  from number l, number r, (values ('add', '%s + %s'), ('sub', '%s - %s'), ('mul', '%s * %s'), ('div', '%s / %s'),
    ('rem', '%s %% %s'), ('div_trunc', 'div(%s, %s)'), ('power', 'power(%s, %s)'), ('log', 'log(%2$s, %1$s)'),
    ('cmp', 'case when %s < %s then -1 when %1$s = %2$s then 0 else 1 end')) as o (operation, form)
  union all
  select operation, l.value, '', attempt(format(form, quote_literal(l.value) || '::numeric'))
  from number l, (values ('sqrt', 'sqrt(%s)'), ('exp', 'exp(%s)'), ('ln', 'ln(%s)'), ('log10', 'log(%s)'),
    ('abs', 'abs(%s)'), ('ceil', 'ceil(%s)'), ('floor', 'floor(%s)'), ('trim_scale', 'trim_scale(%s)')) as o (operation, form)
  union all
  select operation, l.value, digits::text, attempt(format(form, quote_literal(l.value) || '::numeric', digits))
  from number l, generate_series(-3, 5, 2) digits, (values ('round', 'round(%s, %s)'), ('trunc', 'trunc(%s, %s)')) as o (operation, form);
\if :{?rows}
\else
  \set rows 1000
\endif
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
select * from (select * from result where length(result) < 200
  -- PostgreSQL is off by one in the last digit here
  and (operation, left_value, right_value) <> ('power', '99999999999999999999', '0.95') order by md5(operation || left_value || right_value) limit :rows) r order by 1, 2, 3;
