import { isJsonObject } from "../../kernel/json.ts";
import { jsonOf, refused, succeeded } from "../message.ts";
import type { Scenario } from "../scenario.ts";
import type { PostOptions, Trial } from "../trial.ts";
import { failed, noted, notTested, passed, type Verdict } from "../verdict.ts";

const noRule = notTested("nothing tells which bodies are invalid");

export const contentTypes: readonly Scenario[] = [
  {
    id: "content-types/missing",
    rule: "A body without Content-Type is refused, best with 415",
    level: "should",
    sections: ["RFC 9110 §8.3", "RFC 9110 §15.5.16"],
    try: (trial) => expectUnsupported(trial, { contentType: null }),
  },
  {
    id: "content-types/missing-unvalidated",
    rule: "Leaving out Content-Type does not leave out validation",
    level: "must",
    sections: ["the server's own schema", "RFC 9110 §8.3"],
    needs: ["bodies/invalid"],
    try: (trial) => expectValidated(trial, null),
  },
  {
    id: "content-types/other",
    rule: "A body of a type that is not offered is refused, best with 415",
    level: "should",
    sections: ["RFC 9110 §15.5.16"],
    try: (trial) => expectUnsupported(trial, { contentType: "text/plain" }),
  },
  {
    id: "content-types/other-unvalidated",
    rule: "Another Content-Type does not leave out validation",
    level: "must",
    sections: ["the server's own schema", "RFC 9110 §15.5.16"],
    needs: ["bodies/invalid"],
    try: (trial) => expectValidated(trial, "text/plain"),
  },
  {
    id: "content-types/offered",
    rule: "A 415 for the type says which types there are",
    level: "should",
    sections: ["RFC 9110 §15.5.16", "RFC 9110 §12.5.1"],
    async try(trial) {
      const answer = await trial.post(trial.sample(), { contentType: "application/x-posthaste" });
      if (answer.status !== 415) return notTested(`${answer.status} came, not 415`);
      const said = ["accept", "accept-post"].filter((name) => answer.headers.has(name));
      // The RFC says "can be used", so leaving it out breaks nothing.
      if (said.length === 0) return noted("415 without Accept or Accept-Post");
      const types = said.map((name) => answer.headers.get(name)).join(", ");
      return types.includes(trial.operation.mediaType)
        ? passed(types)
        : failed(`${said.join(", ")}: ${types}, without ${trial.operation.mediaType}`);
    },
  },
  {
    id: "content-types/case",
    rule: "Media types are told apart without regard to case, and may have charset=utf-8",
    level: "must",
    sections: ["RFC 9110 §8.3.1", "RFC 9110 §8.3.2"],
    async try(trial) {
      const contentType = `${trial.operation.mediaType.toUpperCase()}; Charset="UTF-8"`;
      const answer = await trial.post(trial.sample(), { contentType });
      return succeeded(answer) ? passed() : failed(`${answer.status} for ${contentType}`);
    },
  },
  {
    id: "content-types/charset",
    rule: "A charset that is not UTF-8 is refused, or changes nothing",
    level: "must",
    sections: ["RFC 8259 §8.1", "RFC 8259 §11"],
    async try(trial) {
      const { text } = trial.operation;
      if (text === undefined) return notTested("no member is known to take any text");
      const sample = trial.sample();
      const sent = `${sample.value[text]} Zoë`;
      const body = JSON.stringify({ ...sample.value, [text]: sent });
      const contentType = `${trial.operation.mediaType}; charset=iso-8859-1`;
      const answer = await trial.post(body, { contentType });
      if (!succeeded(answer)) return passed(`refused with ${answer.status}`);
      const made = jsonOf(answer);
      const stored = isJsonObject(made) ? made[text] : undefined;
      if (stored === undefined) return notTested("the answer does not show what was stored");
      return stored === sent ? passed("read as UTF-8") : failed(`“${sent}” became “${stored}”`);
    },
  },
  {
    id: "content-types/encoding",
    rule: "A Content-Encoding that is not known is refused, best with 415",
    level: "should",
    sections: ["RFC 9110 §8.4", "RFC 9110 §15.5.16"],
    try: (trial) => expectUnsupported(trial, { headers: [["Content-Encoding", "x-posthaste"]] }),
  },
  {
    id: "content-types/encodings-offered",
    rule: "A 415 for the encoding says which encodings there are",
    level: "should",
    sections: ["RFC 9110 §15.5.16", "RFC 9110 §12.5.3"],
    async try(trial) {
      const answer = await trial.post(trial.sample(), {
        headers: [["Content-Encoding", "x-posthaste"]],
      });
      if (answer.status !== 415) return notTested(`${answer.status} came, not 415`);
      return answer.headers.has("accept-encoding")
        ? passed(`Accept-Encoding: ${answer.headers.get("accept-encoding")}`)
        : failed("415 without Accept-Encoding");
    },
  },
  {
    id: "content-types/accept",
    rule: "Nothing is done for a request that is answered with 406",
    level: "must",
    sections: ["RFC 9110 §15.5.7", "RFC 9110 §12.4.1"],
    async try(trial) {
      const sample = trial.sample();
      const answer = await trial.post(sample, { headers: [["Accept", "image/x-posthaste"]] });
      // Either is allowed: to refuse, or to disregard the field.
      if (succeeded(answer)) return noted(`Accept is disregarded: ${answer.status}`);
      if (answer.status !== 406) return noted(`${answer.status} for what can't be produced`);
      const effects = await trial.effects(sample);
      if (effects === undefined) return notTested("406; effects can't be counted");
      return effects === 0 ? passed("406") : failed("406, and the record was made all the same");
    },
  },
];

async function expectUnsupported(trial: Trial, options: PostOptions): Promise<Verdict> {
  const answer = await trial.post(trial.sample(), options);
  if (answer.status === 415) return passed();
  if (succeeded(answer)) return failed(`${answer.status}: it was processed all the same`);
  // No standard asks for this status: what counts is that nothing is done.
  if (refused(answer)) return noted(`refused with ${answer.status}`);
  return failed(`${answer.status}, not 415`);
}

async function expectValidated(trial: Trial, contentType: string | null): Promise<Verdict> {
  const { invalid } = trial.operation;
  if (invalid === undefined) return noRule;
  const answer = await trial.post(JSON.stringify(invalid.value), { contentType });
  if (!succeeded(answer)) return passed();
  return failed(`${answer.status} for a body that is refused with ${trial.operation.mediaType}`);
}
