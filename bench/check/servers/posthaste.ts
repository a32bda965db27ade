/** The same shop, in Posthaste. The name of the package would be looked up in bench/check. */

import { z } from "zod";
import { type AuthenticationScheme, api, resource, signedIn } from "../../../src/index.ts";

const bearer: AuthenticationScheme = {
  name: "token",
  challenge: "Bearer",
  openapi: { type: "http", scheme: "bearer" },
  authenticate: ({ headers: { authorization } }) => {
    if (authorization === undefined) return null;
    const [, who] = /^Bearer (alice|bob)$/.exec(String(authorization)) ?? [];
    return who === undefined ? "invalid" : { id: who, roles: [] };
  },
};

const access = { create: signedIn, read: signedIn, update: signedIn, delete: signedIn };

const users = resource("users", {
  schema: z.object({ name: z.string().min(1).max(100), email: z.email().max(254) }),
  unique: ["email"],
  access,
});

const orders = resource("orders", {
  schema: z.object({
    item: z.string().min(1).max(100),
    quantity: z.int().min(1).max(1000),
  }),
  access,
});

export default api({ users, orders }, { title: "Shop", authenticate: [bearer] });
