/**
 * All that a create can be: a rule, a unique e-mail address, an idempotency key that is accepted,
 * and a hook that enqueues a job. The job is due in an hour: only that it is enqueued is measured,
 * because the hand-written server has nothing that would run it.
 */
import { anyone, api, job, resource } from "posthaste";
import { z } from "zod";

const welcome = job("welcome", {
  input: z.object({ to: z.email(), name: z.string() }),
  run: () => {},
});

const users = resource("users", {
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
  created: ({ row, enqueue }) =>
    enqueue(welcome, { to: row.email, name: row.name }, { delay: "1 hour" }),
});

export default api({ users, welcome }, { title: "Users with keys and jobs" });
