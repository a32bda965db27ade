import { isJsonObject } from "../../kernel/json.ts";
import { type Answer, jsonOf, NoAnswer, refused, succeeded } from "../message.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { failed, noted, notTested, passed } from "../verdict.ts";

const LARGE_BYTES = 8 * 1024 * 1024;
const DEEP = 50_000;

export const bodies: readonly Scenario[] = [
  {
    id: "bodies/invalid",
    rule: "A body that the server's own schema refuses is refused",
    level: "must",
    sections: ["the server's own schema", "RFC 9110 §15.5.21"],
    async try(trial) {
      const { invalid } = trial.operation;
      if (invalid === undefined) return notTested("nothing tells which bodies are invalid");
      const answer = await trial.post(JSON.stringify(invalid.value));
      if (refused(answer)) return passed(String(answer.status));
      return failed(`${answer.status} for wrong ${invalid.wrong.join(", ")}`);
    },
  },
  {
    id: "bodies/malformed",
    rule: "A body that is not JSON is refused with 400",
    level: "should",
    sections: ["RFC 8259 §2", "RFC 9110 §15.5.1"],
    async try(trial) {
      const answer = await trial.post(trial.sample().text.slice(0, -1));
      if (answer.status === 400) return passed();
      if (succeeded(answer)) return failed(`${answer.status} for a body that breaks off`, "must");
      return failed(`${answer.status}, not 400`);
    },
  },
  {
    id: "bodies/empty",
    rule: "An empty body is refused",
    level: "should",
    sections: ["RFC 8259 §2", "RFC 9110 §15.5.1"],
    needs: ["bodies/invalid"],
    async try(trial) {
      const answer = await trial.post("");
      if (refused(answer)) return passed(String(answer.status));
      if (!succeeded(answer)) return failed(`${answer.status}, not 4xx`);
      if (trial.operation.invalid === undefined) return noted(`${answer.status}`);
      return failed(`${answer.status} for no body at all`, "must");
    },
  },
  {
    id: "bodies/duplicate-names",
    rule: "What is done with a name that stands twice in one object",
    level: "should",
    sections: ["RFC 8259 §4"],
    async try(trial) {
      const { value } = trial.sample();
      const [name] = Object.keys(value);
      if (name === undefined) return notTested("the body has no members");
      const doubled = `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value[name])}}`;
      const answer = await trial.post(doubled);
      if (refused(answer)) return passed(`refused with ${answer.status}`);
      if (succeeded(answer)) return noted("accepted: one of the two values is lost");
      return failed(`${answer.status}, not 4xx`);
    },
  },
  {
    id: "bodies/utf-8",
    rule: "A body that is not UTF-8 is not stored as something else",
    level: "should",
    sections: ["RFC 8259 §8.1"],
    async try(trial) {
      const body = withText(trial, "Zo\uE000");
      if (body === undefined) return notTested("no member is known to take any text");
      const [before = "", after = ""] = body.split("\uE000");
      const bytes = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
      const answer = await trial.post(bytes);
      if (refused(answer)) return passed(`refused with ${answer.status}`);
      return failed(`${answer.status}: a byte that is no text became another character`);
    },
  },
  {
    id: "bodies/surrogates",
    rule: "Half of a surrogate pair is refused, or comes back as it was",
    level: "should",
    sections: ["RFC 8259 §8.2"],
    async try(trial) {
      const { text } = trial.operation;
      const body = withText(trial, "x\uE000");
      if (text === undefined || body === undefined)
        return notTested("no member is known to take any text");
      const answer = await trial.post(body.replace("\uE000", "\\ud800"));
      if (refused(answer)) return passed(`refused with ${answer.status}`);
      if (!succeeded(answer)) return failed(`${answer.status}, not 4xx`);
      const made = jsonOf(answer);
      const stored = isJsonObject(made) ? made[text] : undefined;
      if (typeof stored !== "string") return notTested("the answer does not show what was stored");
      return stored.endsWith("x\ud800")
        ? passed("comes back as it was")
        : failed(`\\ud800 became ${JSON.stringify(stored.slice(-1))}`);
    },
  },
  {
    id: "bodies/prototype",
    rule: "A member named __proto__ changes nothing but its own record",
    level: "must",
    sections: ["RFC 8259 §4", "CWE-1321"],
    async try(trial) {
      const { text } = trial.sample();
      const mark = trial.sample().token;
      const answer = await trial.post(`${text.slice(0, -1)},"__proto__":{"${mark}":"${mark}"}}`);
      if (answer.status >= 500) return failed(`${answer.status}, not 4xx`, "should");
      const next = await trial.post(trial.sample());
      if (next.body.includes(mark)) return failed("the next record has its member as well");
      return passed(refused(answer) ? `refused with ${answer.status}` : "it is left out");
    },
  },
  {
    id: "bodies/depth",
    rule: "A body of 50,000 nested arrays is refused, and does not bring the server down",
    level: "should",
    sections: ["RFC 8259 §9", "CWE-674"],
    async try(trial) {
      const [name] = Object.keys(trial.operation.example);
      const bomb = `{${JSON.stringify(name ?? "a")}:${"[".repeat(DEEP)}${"]".repeat(DEEP)}}`;
      const answer = await trial.post(bomb);
      return refused(answer) ? passed(String(answer.status)) : failed(`${answer.status}, not 4xx`);
    },
  },
  {
    id: "bodies/too-large",
    rule: "A body of 8 MiB is refused with 413",
    level: "should",
    sections: ["RFC 9110 §15.5.14"],
    async try(trial) {
      const body = withText(trial, "x".repeat(LARGE_BYTES));
      if (body === undefined) return notTested("no member is known to take any text");
      const answer = await answerOrNone(trial, body);
      if (answer instanceof NoAnswer) {
        // RFC 9110 section 15.5.14: the server may close the connection, and should live on.
        await trial.ask("OPTIONS");
        return noted(answer.message);
      }
      if (answer.status === 413) return passed();
      if (succeeded(answer)) return noted(`${answer.status}: there is no limit below 8 MiB`);
      if (answer.status === 422) return noted("422: read as a whole, then refused");
      return failed(`${answer.status}, not 413`);
    },
  },
];

/** A valid body, but for what is put behind the text of one member. */
function withText(trial: Trial, behind: string): string | undefined {
  const { text } = trial.operation;
  if (text === undefined) return undefined;
  const { value } = trial.sample();
  return JSON.stringify({ ...value, [text]: `${value[text]}${behind}` });
}

async function answerOrNone(trial: Trial, body: string): Promise<Answer | NoAnswer> {
  try {
    return await trial.post(body);
  } catch (error) {
    if (error instanceof NoAnswer && !error.refused) return error;
    throw error;
  }
}
