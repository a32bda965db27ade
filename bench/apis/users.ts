/** The tour's users without their hook: a rule, a unique e-mail address, and nothing but the row. */
import { anyone, api, resource } from "posthaste";
import { z } from "zod";

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
});

export default api({ users }, { title: "Users" });
