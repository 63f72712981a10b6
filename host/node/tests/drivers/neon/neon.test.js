// The @neondatabase/serverless driver from npm, unmodified, against the node that ISOBAR_URL names.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { neon, neonConfig, NeonDbError, Pool } from "@neondatabase/serverless";

const base = process.env.ISOBAR_URL;
assert.ok(base, "ISOBAR_URL names the node to test");

let endpoint = `${base}/sql`;
neonConfig.fetchEndpoint = () => endpoint;
neonConfig.poolQueryViaFetch = true;
const sql = neon("postgresql://tester:secret@localhost/isobar");

/** The error that a promise is rejected with. */
async function failure(promise) {
  const error = await promise.then(() => null, (error) => error);
  assert.ok(error, "it should have failed");
  assert.ok(error instanceof NeonDbError, `not a database error: ${error}`);
  return error;
}

async function post(path, body = {}) {
  const headers = { "Neon-Connection-String": "postgresql://tester:secret@localhost/isobar" };
  const response = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

before(async () => {
  await sql`DROP TABLE IF EXISTS account`;
  await sql`CREATE TABLE account (id int PRIMARY KEY, owner text NOT NULL, balance numeric(12, 2) NOT NULL DEFAULT 0 CHECK (balance >= 0))`;
});

after(async () => {
  await sql`DROP TABLE IF EXISTS account`;
});

describe("types", () => {
  test("values arrive as the driver's types", async () => {
    const [row] = await sql`SELECT 1::int2 AS small, 2::int AS int, 9007199254740993::bigint AS big, 1.50::numeric AS numeric,
      1.5::float8 AS double, 0.25::real AS real, true AS yes, false AS no, 'grüße 🚀' AS text, 'ab'::char(4) AS fixed,
      '{"a": [1, null]}'::jsonb AS document, '[1]'::json AS raw, '\\xdead'::bytea AS bytes,
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS id, timestamptz '2024-02-29 12:34:56.789+00' AS at, interval '1 day' AS span`;
    assert.equal(row.small, 1);
    assert.equal(row.int, 2);
    assert.equal(row.big, "9007199254740993");
    assert.equal(row.numeric, "1.50");
    assert.equal(row.double, 1.5);
    assert.equal(row.real, 0.25);
    assert.equal(row.yes, true);
    assert.equal(row.no, false);
    assert.equal(row.text, "grüße 🚀");
    assert.equal(row.fixed, "ab  ");
    assert.deepEqual(row.document, { a: [1, null] });
    assert.deepEqual(row.raw, [1]);
    assert.deepEqual([...row.bytes], [0xde, 0xad]);
    assert.equal(row.id, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    assert.equal(row.at.toISOString(), "2024-02-29T12:34:56.789Z");
    assert.equal(row.span.days, 1);
  });

  test("NULL is null, in every place", async () => {
    const [row] = await sql`SELECT NULL AS nothing, NULL::int AS number, ${null}::text AS parameter, array[1, NULL] AS list`;
    assert.deepEqual(row, { nothing: null, number: null, parameter: null, list: [1, null] });
  });

  test("parameters travel as what they are", async () => {
    const at = new Date("2024-07-01T10:20:30.400Z");
    const [row] = await sql`SELECT ${1}::int + 1 AS sum, ${"it's"} AS text, ${true}::boolean AS flag, ${1.25}::numeric AS exact,
      ${at}::timestamptz AS at, ${{ k: ["v"] }}::jsonb AS document, ${Buffer.from([0, 255])}::bytea AS bytes`;
    assert.equal(row.sum, 2);
    assert.equal(row.text, "it's");
    assert.equal(row.flag, true);
    assert.equal(row.exact, "1.25");
    assert.equal(row.at.getTime(), at.getTime());
    assert.deepEqual(row.document, { k: ["v"] });
    assert.deepEqual([...row.bytes], [0, 255]);
  });

  test("arrays in both directions", async () => {
    const [row] = await sql`SELECT ${[1, 2, 3]}::int[] AS numbers, ${["a", 'say "b"', null, ""]}::text[] AS texts,
      array[true, false] AS flags, array[]::int[] AS empty, 2 = ANY (${[1, 2]}::int[]) AS found`;
    assert.deepEqual(row.numbers, [1, 2, 3]);
    assert.deepEqual(row.texts, ["a", 'say "b"', null, ""]);
    assert.deepEqual(row.flags, [true, false]);
    assert.deepEqual(row.empty, []);
    assert.equal(row.found, true);
  });

  test("array mode, full results and query()", async () => {
    const full = await sql.query("SELECT g AS n, g * 2 AS m FROM generate_series(1, $1::int) g ORDER BY g", [3], { arrayMode: true, fullResults: true });
    assert.deepEqual(full.rows, [[1, 2], [2, 4], [3, 6]]);
    assert.equal(full.command, "SELECT");
    assert.equal(full.rowCount, 3);
    assert.deepEqual(full.fields.map((field) => [field.name, field.dataTypeID]), [["n", 23], ["m", 23]]);
  });

  test("a pool's query goes the same way", async () => {
    const pool = new Pool({ connectionString: "postgresql://tester:secret@localhost/isobar" });
    const result = await pool.query("SELECT $1::int + 1 AS n", [41]);
    assert.deepEqual(result.rows, [{ n: 42 }]);
    await pool.end();
  });
});

describe("statements", () => {
  test("insert, update, delete and what they return", async () => {
    const made = await sql`INSERT INTO account (id, owner, balance) VALUES (1, 'ann', 10), (2, 'bob', 20.5) RETURNING id, balance`;
    assert.deepEqual(made, [{ id: 1, balance: "10.00" }, { id: 2, balance: "20.50" }]);
    const changed = await sql.query("UPDATE account SET balance = balance + $1 WHERE id = $2", ["1.25", 1], { fullResults: true });
    assert.equal(changed.command, "UPDATE");
    assert.equal(changed.rowCount, 1);
    assert.deepEqual(changed.rows, []);
    assert.deepEqual(await sql`SELECT balance FROM account WHERE id = 1`, [{ balance: "11.25" }]);
    assert.deepEqual(await sql`DELETE FROM account WHERE id IN (1, 2) RETURNING owner`, [{ owner: "ann" }, { owner: "bob" }]);
  });

  test("a thousand rows and a long text", async () => {
    const rows = await sql`SELECT g, repeat('x', 1000) AS text FROM generate_series(1, 1000) g ORDER BY g`;
    assert.equal(rows.length, 1000);
    assert.equal(rows[999].g, 1000);
    assert.equal(rows[0].text.length, 1000);
  });
});

describe("batches are one transaction", () => {
  test("results come in order, and later statements see earlier ones", async () => {
    const [, , rows] = await sql.transaction([
      sql`INSERT INTO account VALUES (10, 'cy', 5)`,
      sql`UPDATE account SET balance = balance * 2 WHERE id = 10`,
      sql`SELECT balance FROM account WHERE id = 10`,
    ]);
    assert.deepEqual(rows, [{ balance: "10.00" }]);
  });

  test("a failure undoes all of it", async () => {
    const error = await failure(sql.transaction([
      sql`INSERT INTO account VALUES (11, 'di', 5)`,
      sql`UPDATE account SET balance = -1 WHERE id = 11`,
    ]));
    assert.equal(error.code, "23514");
    assert.deepEqual(await sql`SELECT * FROM account WHERE id = 11`, []);
  });

  for (const isolationLevel of ["ReadUncommitted", "ReadCommitted", "RepeatableRead", "Serializable"]) {
    test(`isolation level ${isolationLevel}`, async () => {
      const [rows] = await sql.transaction([sql`SHOW transaction_isolation`], { isolationLevel });
      const expected = isolationLevel === "Serializable" ? "serializable" : "repeatable read";
      assert.equal(rows[0].transaction_isolation, expected);
    });
  }

  test("a read-only one refuses writes", async () => {
    const error = await failure(sql.transaction([sql`INSERT INTO account VALUES (12, 'ed', 5)`], { readOnly: true }));
    assert.equal(error.code, "25006");
    const [rows] = await sql.transaction([sql`SELECT 1 AS one`], { readOnly: true, isolationLevel: "Serializable", deferrable: true });
    assert.deepEqual(rows, [{ one: 1 }]);
  });

  test("now() stands still inside", async () => {
    const [first, second] = await sql.transaction([sql`SELECT now() AS at`, sql`SELECT now() AS at`]);
    assert.equal(first[0].at.getTime(), second[0].at.getTime());
  });

  test("array mode and full results hold for all of it", async () => {
    const results = await sql.transaction([sql`SELECT 1, 2`, sql`SELECT 'x'`], { arrayMode: true, fullResults: true });
    assert.deepEqual(results.map((result) => result.rows), [[[1, 2]], [["x"]]]);
  });
});

describe("errors carry PostgreSQL's fields", () => {
  test("a syntax error and its position", async () => {
    const error = await failure(sql.query("SELECT 1 FORM t WHERE"));
    assert.equal(error.code, "42601");
    assert.equal(error.severity, "ERROR");
    assert.equal(error.message, 'syntax error at or near "t"');
    assert.equal(error.position, "15");
  });

  test("an unknown table", async () => {
    const error = await failure(sql`SELECT * FROM nowhere`);
    assert.equal(error.code, "42P01");
    assert.equal(error.message, 'relation "nowhere" does not exist');
    assert.equal(error.position, "15");
  });

  test("a duplicate key names table, constraint and the key", async () => {
    await sql`INSERT INTO account VALUES (20, 'fay', 0)`;
    const error = await failure(sql`INSERT INTO account VALUES (20, 'gil', 0)`);
    assert.equal(error.code, "23505");
    assert.equal(error.detail, "Key (id)=(20) already exists.");
    assert.equal(error.table, "account");
    assert.equal(error.schema, "public");
    assert.equal(error.constraint, "account_pkey");
  });

  test("NULL where none may be names the column", async () => {
    const error = await failure(sql`INSERT INTO account (id) VALUES (21)`);
    assert.equal(error.code, "23502");
    assert.equal(error.column, "owner");
    assert.equal(error.detail, "Failing row contains (21, null, 0.00).");
  });

  test("a function that is not there gives a hint", async () => {
    const error = await failure(sql`SELECT nofunction(1)`);
    assert.equal(error.code, "42883");
    assert.match(error.hint, /No function matches the given name and argument types/);
  });

  test("a parameter that does not fit", async () => {
    const error = await failure(sql`SELECT ${"abc"}::int`);
    assert.equal(error.code, "22P02");
    assert.equal(error.message, 'invalid input syntax for type integer: "abc"');
  });
});

describe("conflicts", () => {
  test("the loser of two transactions hears 40001", async () => {
    await sql`INSERT INTO account VALUES (30, 'hal', 100)`;
    const begun = await post("/v1/transactions", { isolation: "repeatable-read" });
    assert.equal(begun.status, 200);
    try {
      endpoint = `${base}/v1/transactions/${begun.body.id}/sql`;
      await sql`UPDATE account SET balance = balance - 1 WHERE id = 30`;
      endpoint = `${base}/sql`;
      await sql`UPDATE account SET balance = balance + 50 WHERE id = 30`;
      endpoint = `${base}/v1/transactions/${begun.body.id}/sql`;
      const error = await failure(sql.query("COMMIT"));
      assert.equal(error.code, "40001");
      assert.match(error.message, /OC000/);
    } finally {
      endpoint = `${base}/sql`;
    }
    assert.deepEqual(await sql`SELECT balance FROM account WHERE id = 30`, [{ balance: "150.00" }]);
  });

  test("batches that collide are retried by the node", async () => {
    await sql`INSERT INTO account VALUES (31, 'ida', 0)`;
    const add = () => sql.transaction([
      sql`SELECT balance FROM account WHERE id = 31`,
      sql`UPDATE account SET balance = balance + 1 WHERE id = 31`,
    ]);
    const results = await Promise.allSettled(Array.from({ length: 8 }, add));
    const done = results.filter((result) => result.status === "fulfilled").length;
    for (const result of results.filter((result) => result.status === "rejected")) {
      assert.equal(result.reason.code, "40001");
    }
    assert.ok(done > 0);
    assert.deepEqual(await sql`SELECT balance FROM account WHERE id = 31`, [{ balance: `${done}.00` }]);
  });
});
