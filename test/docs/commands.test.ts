import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { servePosthaste } from "../support/command.ts";
import { temporaryProject } from "../support/project.ts";
import { page, root } from "./pages.ts";

const run = promisify(execFile);

/** Where the documentation says that an API is served. */
const SHOWN_ORIGIN = "http://127.0.0.1:3000";

interface Step {
  readonly command: string;
  readonly answer: Answer;
}

interface Answer {
  readonly status: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The commands of a page in their order, each with the answer that the page shows for it. */
function stepsOf(path: string): Step[] {
  return page(path)
    .blocks.filter(({ language }) => language === "console")
    .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
    .map((step) => {
      const end = step.indexOf("\n");
      return { command: step.slice(0, end), answer: parse(step.slice(end + 1)) };
    });
}

function parse(text: string): Answer {
  const [head = "", ...body] = text.replaceAll("\r\n", "\n").split("\n\n");
  const [status = "", ...lines] = head.trim().split("\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status, headers: new Map(headers), body: body.join("\n\n").trim() };
}

/** What is another one each time: ids of requests, times, tags and cursors. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "TIME")
    .replaceAll(/ETag \\?"[0-9a-z]+\\?"/g, "ETag TAG")
    .replaceAll(/cursor=[\w-]+/g, "cursor=CURSOR");
}

const comparable = (body: string): unknown =>
  body === "" ? "" : JSON.parse(withoutChance(JSON.stringify(JSON.parse(body))));

/** Pastes the commands into a shell; what the page shows of each answer must be so. */
async function assertSteps(path: string, origin: string): Promise<void> {
  const steps = stepsOf(path);
  assert.ok(steps.length > 0, `${path} shows no command`);
  /** The tags of this run for those that the page shows. */
  const tags = new Map<string, string>();
  const ofThisRun = (text: string) =>
    [...tags].reduce((replaced, [shown, real]) => replaced.replaceAll(shown, real), text);
  for (const { command, answer: shown } of steps) {
    const pasted = ofThisRun(command.replaceAll(SHOWN_ORIGIN, origin));
    const { stdout } = await run("bash", ["-c", pasted.replace(/^curl /, "curl -s ")]);
    const real = parse(stdout);
    const about = `${path}: ${command}\n${stdout}`;
    assert.equal(real.status, shown.status, about);
    for (const [name, value] of shown.headers) {
      const found = real.headers.get(name);
      assert.ok(found !== undefined, `${name} is missing\n${about}`);
      if (name === "etag" && !tags.has(value)) tags.set(value, found);
      assert.equal(withoutChance(found), withoutChance(ofThisRun(value)), about);
    }
    if (shown.body !== "") assert.deepEqual(comparable(real.body), comparable(shown.body), about);
  }
}

suite("Commands in the documentation do what it shows", { concurrency: true }, () => {
  test("the README's first five minutes, on the tour", async (t) => {
    const folder = temporaryProject(t, {});
    const server = await servePosthaste(t, [`${root}/examples/tour/api.ts`], { cwd: folder });
    await assertSteps("README.md", server.origin);
  });

  test("the page about dialects, on its own example", async (t) => {
    const example = page("docs/dialects.md").blocks.find(
      ({ marker }) => marker === "file: crm.ts",
    )!.text;
    const folder = temporaryProject(t, { "crm.ts": example });
    const server = await servePosthaste(t, ["crm.ts"], { cwd: folder });
    await assertSteps("docs/dialects.md", server.origin);
  });

  test("the page about idempotency, on its own example", async (t) => {
    const example = page("docs/idempotency.md").blocks.find(
      ({ marker }) => marker === "file: bank.ts",
    )!.text;
    const folder = temporaryProject(t, { "bank.ts": example });
    const server = await servePosthaste(t, ["bank.ts"], { cwd: folder });
    await assertSteps("docs/idempotency.md", server.origin);
  });

  test("the README's users are those of the tour", () => {
    const [declaration] = page("README.md").blocks.filter(({ language }) => language === "ts");
    const [users] = /^const users = [\s\S]*?^\}\);$/m.exec(declaration!.text)!;
    assert.ok(readFileSync(`${root}/examples/tour/api.ts`, "utf8").includes(users));
  });
});
