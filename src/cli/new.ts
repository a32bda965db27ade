import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CommandError, painter } from "./terminal.ts";

/** Names that npm takes for no package. */
const RESERVED = ["node_modules", "favicon.ico"];

/** `posthaste new NAME`: a folder with an API that runs at once, and a test of it. */
export async function scaffold(name: string): Promise<void> {
  const folder = resolve(name);
  // Nothing would name the folder that one is in.
  const project = name === "" ? "" : basename(folder);
  if (!/^[a-z0-9][a-z0-9._-]{0,100}$/.test(project) || RESERVED.includes(project)) {
    throw new CommandError(
      `"${project}" can't be the name of a package: write it in lower case, words joined by "-".`,
    );
  }
  if (existsSync(folder)) throw new CommandError(`${name} exists already. Choose another name.`);
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as {
    version: string;
  };
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files(project, version)))
    writeFileSync(join(folder, file), text);
  const paint = painter(process.stdout);
  process.stdout.write(
    `Made ${paint("bold", name)}. Go on with:\n\n  ${paint("cyan", `cd ${name} && npm install && npm start`)}\n\n`,
  );
}

function files(project: string, version: string): Record<string, string> {
  return {
    "package.json": `${JSON.stringify(
      {
        name: project,
        version: "0.1.0",
        private: true,
        type: "module",
        engines: { node: ">=24.10" },
        scripts: {
          start: "posthaste serve api.ts",
          dev: "posthaste dev api.ts",
          test: "node --test",
        },
        dependencies: { posthaste: `^${version}`, zod: "^4.2.0" },
      },
      null,
      2,
    )}\n`,
    "api.ts": `import { anyone, api, resource } from "posthaste";
import { z } from "zod";

const tasks = resource("tasks", {
  schema: z.object({
    title: z.string().min(1).max(200),
    done: z.boolean().default(false),
  }),
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  list: { filter: ["done"] },
  example: { title: "Read the documentation" },
});

export default api({ tasks }, { title: "${project}" });
`,
    "api.test.ts": `import assert from "node:assert/strict";
import { test } from "node:test";
import { testServer } from "posthaste/testing";
import api from "./api.ts";

test("a task is made, and is where its Location says", async (t) => {
  const server = await testServer(t, api);
  const created = await server.post("/tasks", { title: "Write a test" });
  assert.equal(created.status, 201);
  const read = await server.get(created.headers.get("location"));
  assert.deepEqual(await read.json(), { id: 1, title: "Write a test", done: false });
});
`,
    ".gitignore": "node_modules/\n*.db\n*.db-*\n",
    "README.md": `# ${project}

- \`npm start\` serves the API at http://127.0.0.1:3000/api, with its documentation at /docs.
- \`npm run dev\` does so too, and starts again when a file changes.
- \`npm test\` runs the tests.
`,
  };
}
