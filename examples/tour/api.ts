/**
 * The tour: everything that Posthaste does, in one API that one can read through.
 * `npm start` serves it at http://127.0.0.1:3000/api, with its documentation at /docs.
 */
import { anyone, api, resource } from "posthaste";
import { z } from "zod";

const users = resource("users", {
  description: "People with an account.",
  schema: z.object({
    name: z.string().min(1).max(100),
    email: z.email().max(254),
    age: z.int().min(0).max(150).optional(),
  }),
  unique: ["email"],
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  rules: [
    ({ input, fail }) =>
      input.email.endsWith("@example.invalid") &&
      fail("/email", "disposable-address", "belongs to nobody"),
  ],
  example: { name: "Alice Johnson", email: "alice@example.com", age: 30 },
});

const posts = resource("posts", {
  description: "Articles of the blog.",
  schema: z.object({
    title: z.string().min(1).max(200),
    body: z.string().max(100_000).default(""),
    tags: z.array(z.string().min(1).max(30)).max(10).default([]),
    state: z.enum(["draft", "published"]).default("draft"),
  }),
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  timestamps: true,
  list: { filter: ["state", "createdAt"], sort: ["title", "createdAt"] },
  example: {
    title: "Exactly once",
    body: "A POST that is sent twice …",
    tags: ["http"],
    state: "draft",
  },
});

const comments = resource("comments", {
  description: "What readers say about a post.",
  parent: { post: posts },
  schema: z.object({
    author: z.string().min(1).max(100),
    text: z.string().min(1).max(2_000),
  }),
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  timestamps: true,
  onParentDelete: "cascade",
  example: { author: "Bob", text: "Well said." },
});

export default api(
  { users, posts, comments },
  {
    title: "Tour",
    version: "0.1.0",
    description: "A tour of Posthaste: users, and a blog with comments.",
    contact: { name: "The Posthaste founders", url: "https://posthaste.invalid/" },
    license: { name: "MIT", identifier: "MIT" },
  },
);
