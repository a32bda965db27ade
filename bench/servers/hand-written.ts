/**
 * What a careful developer writes today: Fastify with its own schemas (Ajv in, a compiled
 * serialiser out), prepared statements, and one durable transaction per request.
 */

import { DatabaseSync } from "node:sqlite";
import fastify from "fastify";

interface NewUser {
  name: string;
  email: string;
  age?: number;
}

const store = process.argv[2];
if (store === undefined) throw new Error("usage: hand-written.ts <store>");

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
`);
const begin = db.prepare("BEGIN IMMEDIATE");
const insert = db.prepare(
  "INSERT INTO users (name, email, age, created_at, version) VALUES (?, ?, ?, ?, 1)",
);
const commit = db.prepare("COMMIT");
const rollback = db.prepare("ROLLBACK");

function createUser(user: NewUser): number {
  begin.run();
  try {
    const { lastInsertRowid } = insert.run(user.name, user.email, user.age ?? null, Date.now());
    commit.run();
    return Number(lastInsertRowid);
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

const app = fastify({ logger: false });
app.post<{ Body: NewUser }>(
  "/api/users",
  {
    schema: {
      body: {
        type: "object",
        required: ["name", "email"],
        additionalProperties: false,
        properties: { name, email, age },
      },
      response: {
        201: { type: "object", properties: { id: { type: "integer" }, name, email, age } },
        409: { type: "object", properties: { error: { type: "string" } } },
      },
    },
  },
  (request, reply) => {
    const user = request.body;
    try {
      const id = createUser(user);
      reply.code(201).header("location", `/api/users/${id}`);
      reply.send({ id, name: user.name, email: user.email, age: user.age });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      reply.code(409).send({ error: "A user with this e-mail address exists already." });
    }
  },
);

const address = await app.listen({ port: 0, host: "127.0.0.1" });
console.log(JSON.stringify({ event: "server.listening", url: `${address}/api` }));
