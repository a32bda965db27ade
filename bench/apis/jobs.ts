/** Jobs that do nothing, and an action that enqueues many of them in its transaction. */
import { action, anyone, api, job } from "posthaste";
import { z } from "zod";

const nothing = job("nothing", {
  input: z.object({ number: z.int() }),
  concurrency: 200,
  run: () => {},
});

const fill = action("fill", {
  input: z.object({ count: z.int().min(1).max(10_000) }),
  access: anyone,
  run: async ({ input, enqueue }) => {
    for (let number = 1; number <= input.count; number++) await enqueue(nothing, { number });
  },
});

export default api({ nothing, fill }, { title: "Jobs" });
