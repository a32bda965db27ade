/**
 * What a careful developer writes today where a create must happen once and sends a mail: Fastify
 * with its own schemas, prepared statements, and one durable transaction per request, in which the
 * key is looked up and kept with its answer, and the user and the job are inserted.
 */

import { hash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import fastify from "fastify";

interface NewUser {
  name: string;
  email: string;
  age?: number;
}

interface StoredAnswer {
  status: number;
  location: string;
  body: string;
}

const store = process.argv[2];
if (store === undefined) throw new Error("usage: hand-written-full.ts <store>");

const db = new DatabaseSync(store);
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    age INTEGER,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
  );
  CREATE TABLE idempotency_keys (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    location TEXT NOT NULL,
    body TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (scope, key)
  );
  CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    run_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  );
  CREATE INDEX jobs_due ON jobs (state, run_at);
`);
const begin = db.prepare("BEGIN IMMEDIATE");
const findKey = db.prepare(
  "SELECT fingerprint, status, location, body, expires_at FROM idempotency_keys WHERE scope = ? AND key = ?",
);
const dropKey = db.prepare("DELETE FROM idempotency_keys WHERE scope = ? AND key = ?");
const insertKey = db.prepare(
  "INSERT INTO idempotency_keys (scope, key, fingerprint, status, location, body, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
);
const insertUser = db.prepare(
  "INSERT INTO users (name, email, age, created_at, version) VALUES (?, ?, ?, ?, 1)",
);
const insertJob = db.prepare(
  "INSERT INTO jobs (kind, payload, state, run_at, created_at) VALUES ('welcome', ?, 'scheduled', ?, ?)",
);
const commit = db.prepare("COMMIT");
const rollback = db.prepare("ROLLBACK");

const SCOPE = "POST /api/users";
const KEEP_KEY_MS = 86_400_000;
const WELCOME_AFTER_MS = 3_600_000;

class KeyReused extends Error {}

function createUser(user: NewUser, key: string): StoredAnswer & { replayed: boolean } {
  const fingerprint = hash("sha256", JSON.stringify(user));
  const now = Date.now();
  begin.run();
  try {
    const known = findKey.get(SCOPE, key);
    if (known !== undefined && Number(known.expires_at) > now) {
      if (known.fingerprint !== fingerprint) throw new KeyReused();
      commit.run();
      const { status, location, body } = known as unknown as StoredAnswer;
      return { status, location, body, replayed: true };
    }
    if (known !== undefined) dropKey.run(SCOPE, key);
    const { name, email, age } = user;
    const { lastInsertRowid } = insertUser.run(name, email, age ?? null, now);
    const id = Number(lastInsertRowid);
    const answer = {
      status: 201,
      location: `/api/users/${id}`,
      body: JSON.stringify({ id, name, email, age }),
    };
    const { status, location, body } = answer;
    insertKey.run(SCOPE, key, fingerprint, status, location, body, now + KEEP_KEY_MS);
    insertJob.run(JSON.stringify({ to: email, name }), now + WELCOME_AFTER_MS, now);
    commit.run();
    return { ...answer, replayed: false };
  } catch (error) {
    if (db.isTransaction) rollback.run();
    throw error;
  }
}

const SQLITE_CONSTRAINT_UNIQUE = 2067;

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_CONSTRAINT_UNIQUE;
}

const name = { type: "string", minLength: 1, maxLength: 100 };
const email = { type: "string", format: "email" };
const age = { type: "integer", minimum: 0, maximum: 150 };
const error = { type: "object", properties: { error: { type: "string" } } };

const app = fastify({ logger: false });
app.post<{ Body: NewUser; Headers: { "idempotency-key": string } }>(
  "/api/users",
  {
    schema: {
      headers: {
        type: "object",
        required: ["idempotency-key"],
        properties: { "idempotency-key": { type: "string", minLength: 1, maxLength: 255 } },
      },
      body: {
        type: "object",
        required: ["name", "email"],
        additionalProperties: false,
        properties: { name, email, age },
      },
      response: {
        201: { type: "object", properties: { id: { type: "integer" }, name, email, age } },
        409: error,
        422: error,
      },
    },
  },
  (request, reply) => {
    try {
      const answer = createUser(request.body, request.headers["idempotency-key"]);
      if (answer.replayed) reply.header("idempotent-replayed", "true");
      reply.code(answer.status).header("location", answer.location);
      // Text is sent as it is: a replay has the bytes of the first answer.
      reply.type("application/json; charset=utf-8").send(answer.body);
    } catch (error) {
      if (error instanceof KeyReused) {
        reply.code(422).send({ error: "The key was used for another request." });
      } else if (isUniqueViolation(error)) {
        reply.code(409).send({ error: "A user with this e-mail address exists already." });
      } else {
        throw error;
      }
    }
  },
);

const address = await app.listen({ port: 0, host: "127.0.0.1" });
console.log(JSON.stringify({ event: "server.listening", url: `${address}/api` }));
