/** What the servers of other packages share: a store, schemas, who asks, and the OpenAPI document. */

import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const text = { type: "string", minLength: 1, maxLength: 100 };

export const schemas = {
  users: {
    type: "object",
    required: ["name", "email"],
    additionalProperties: false,
    properties: { name: text, email: { type: "string", format: "email", maxLength: 254 } },
  },
  orders: {
    type: "object",
    required: ["item", "quantity"],
    additionalProperties: false,
    properties: { item: text, quantity: { type: "integer", minimum: 1, maximum: 1000 } },
  },
};

/** `Bearer alice` and `Bearer bob` are known. */
export function principalOf(authorization) {
  return /^Bearer (alice|bob)$/.exec(authorization ?? "")?.[1];
}

export class EmailTaken extends Error {}

const SQLITE_CONSTRAINT_UNIQUE = 2067;

/**
 * Rows in SQLite. Each call takes 2 ms before it begins, as a database across a network does:
 * most servers wait for one, and while they wait, other requests come.
 */
export function openShop(file) {
  const db = new DatabaseSync(file);
  db.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE users (id INTEGER PRIMARY KEY, owner TEXT, name TEXT, email TEXT UNIQUE);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, owner TEXT, item TEXT, quantity INTEGER);
  `);
  const insert = {
    users: db.prepare("INSERT INTO users (owner, name, email) VALUES (?, ?, ?)"),
    orders: db.prepare("INSERT INTO orders (owner, item, quantity) VALUES (?, ?, ?)"),
  };
  const columns = { users: "id, name, email", orders: "id, item, quantity" };
  return {
    async create(table, owner, value) {
      await sleep(2);
      const members = Object.keys(schemas[table].properties);
      try {
        const { lastInsertRowid } = insert[table].run(owner, ...members.map((m) => value[m]));
        return { id: Number(lastInsertRowid), ...value };
      } catch (error) {
        if (error.errcode === SQLITE_CONSTRAINT_UNIQUE) throw new EmailTaken();
        throw error;
      }
    },
    async list(table, owner) {
      await sleep(2);
      return db.prepare(`SELECT ${columns[table]} FROM ${table} WHERE owner = ?`).all(owner);
    },
    async read(table, owner, id) {
      await sleep(2);
      const query = `SELECT ${columns[table]} FROM ${table} WHERE owner = ? AND id = ?`;
      return db.prepare(query).get(owner, Number(id));
    },
  };
}

/** @param expiry What is said of how long keys are kept. */
export function openApi(expiry) {
  const described = (description) => ({ description });
  const paths = Object.fromEntries(
    Object.entries(schemas).flatMap(([table, schema]) => [
      [
        `/${table}`,
        {
          get: { responses: { 200: described("All of them") } },
          post: {
            parameters: [
              {
                name: "Idempotency-Key",
                in: "header",
                description: `Makes the request safe to repeat. ${expiry}`,
                schema: { type: "string" },
              },
            ],
            requestBody: { required: true, content: { "application/json": { schema } } },
            responses: { 201: described("Made"), 400: described("Not valid") },
          },
        },
      ],
      [`/${table}/{id}`, { get: { responses: { 200: described("One of them") } } }],
    ]),
  );
  return {
    openapi: "3.1.0",
    info: { title: "Shop", version: "1.0.0" },
    servers: [{ url: "/api" }],
    paths,
  };
}

export function listening(port) {
  const url = `http://127.0.0.1:${port}/api`;
  console.log(JSON.stringify({ event: "server.listening", url }));
}
