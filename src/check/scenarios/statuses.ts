import { isDeepStrictEqual } from "node:util";
import { isJsonObject } from "../../kernel/json.ts";
import { identityOf } from "../effects.ts";
import type { Sample } from "../fresh.ts";
import { type Answer, jsonOf, listOf, succeeded } from "../message.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { failed, notClaimed, noted, notTested, passed } from "../verdict.ts";

/** Makes a record; `at` is where its Location leads, if it has one on the same server. */
async function create(trial: Trial): Promise<{ sample: Sample; answer: Answer; at?: URL }> {
  const sample = trial.sample();
  const answer = await trial.post(sample);
  const location = answer.headers.get("location");
  if (location === undefined || !URL.canParse(location, trial.place.url)) return { sample, answer };
  const at = new URL(location, trial.place.url);
  return at.origin === trial.place.url.origin ? { sample, answer, at } : { sample, answer };
}

const onlyCreates = notClaimed("it is not said to make a record (201)");

export const statuses: readonly Scenario[] = [
  {
    id: "statuses/created",
    rule: "What makes a record answers 201",
    level: "should",
    sections: ["RFC 9110 §9.3.3", "RFC 9110 §15.3.2"],
    async try(trial) {
      if (!trial.operation.creates) return onlyCreates;
      const { answer } = await create(trial);
      return answer.status === 201 ? passed() : failed(`${answer.status}, not 201`);
    },
  },
  {
    id: "statuses/location",
    rule: "A 201 says in Location where the record is",
    level: "should",
    sections: ["RFC 9110 §9.3.3", "RFC 9110 §10.2.2"],
    async try(trial) {
      if (!trial.operation.creates) return onlyCreates;
      const { answer } = await create(trial);
      if (answer.status !== 201) return notTested(`${answer.status} came, not 201`);
      return answer.headers.has("location") ? passed() : failed("the 201 has no Location");
    },
  },
  {
    id: "statuses/location-leads-there",
    rule: "Location leads to the record that was made",
    level: "must",
    sections: ["RFC 9110 §10.2.2", "RFC 9110 §15.3.2"],
    async try(trial) {
      if (!trial.operation.creates) return onlyCreates;
      if (!trial.operation.readable) return notTested("GET of a record is not offered");
      const { sample, answer, at } = await create(trial);
      const location = answer.headers.get("location");
      if (location === undefined) return notTested("the 201 has no Location");
      if (at === undefined) return notTested(`Location is on another server: ${location}`);
      const read = await trial.ask("GET", at);
      if (!succeeded(read)) return failed(`GET ${at.pathname} answers ${read.status}`);
      const carries = read.body.includes(sample.token);
      if (!carries && answer.body.includes(sample.token))
        return failed(`GET ${at.pathname} shows another record`);
      return passed();
    },
  },
  {
    id: "statuses/same-representation",
    rule: "What the 201 shows is what GET shows",
    level: "should",
    sections: ["RFC 9110 §15.3.2"],
    needs: ["statuses/location-leads-there"],
    async try(trial) {
      if (!trial.operation.creates) return onlyCreates;
      if (!trial.operation.readable) return notTested("GET of a record is not offered");
      const { answer, at } = await create(trial);
      const made = jsonOf(answer);
      if (at === undefined || !isJsonObject(made)) return notClaimed("the 201 shows no record");
      const read = jsonOf(await trial.ask("GET", at));
      if (!isJsonObject(read)) return notTested("GET shows no JSON object");
      const other = Object.keys(made).filter(
        (name) => name in read && !isDeepStrictEqual(made[name], read[name]),
      );
      return other.length === 0 ? passed() : failed(`${other.join(", ")} differ`);
    },
  },
  {
    id: "statuses/validator",
    rule: "The ETag of a 201 is that of the record",
    level: "should",
    sections: ["RFC 9110 §15.3.2", "RFC 9110 §8.8.3"],
    needs: ["statuses/location-leads-there"],
    async try(trial) {
      if (!trial.operation.creates) return onlyCreates;
      if (!trial.operation.readable) return notTested("GET of a record is not offered");
      const { answer, at } = await create(trial);
      const tag = answer.headers.get("etag");
      if (tag === undefined || at === undefined) return notClaimed("the 201 has no ETag");
      const read = (await trial.ask("GET", at)).headers.get("etag");
      return read === tag ? passed() : failed(`${tag} in the 201, ${read ?? "none"} in GET`);
    },
  },
  {
    id: "statuses/allow",
    rule: "405 says in Allow which methods there are",
    level: "must",
    sections: ["RFC 9110 §15.5.6", "RFC 9110 §10.2.1"],
    async try(trial) {
      const answer = await askUnofferedMethod(trial);
      if (answer === undefined) return notTested("every harmless method is offered");
      if (answer.status !== 405) return notTested(`${answer.status} came, not 405`);
      const allow = answer.headers.get("allow");
      if (allow === undefined) return failed("405 without Allow");
      const names = listOf(allow);
      return names.includes("POST") ? passed(allow) : failed(`Allow: ${allow}, without POST`);
    },
  },
  {
    id: "statuses/method-not-allowed",
    rule: "A method that the path does not have answers 405",
    level: "should",
    sections: ["RFC 9110 §15.5.6"],
    async try(trial) {
      const answer = await askUnofferedMethod(trial);
      if (answer === undefined) return notTested("every harmless method is offered");
      if (succeeded(answer)) return noted(`${answer.status}: it is offered, and not documented`);
      // RFC 9110 section 15.6.2: for a method that the server does not know at all.
      if (answer.status === 405 || answer.status === 501) return passed();
      return failed(`${answer.status}, not 405`);
    },
  },
  {
    id: "statuses/unknown-path",
    rule: "A path that does not exist answers 404",
    level: "should",
    sections: ["RFC 9110 §15.5.5"],
    async try(trial) {
      const { url } = trial.place;
      const nowhere = new URL(`${url.pathname.replace(/[^/]*$/, "")}${trial.sample().token}`, url);
      const request = { ...trial.request(trial.sample().text), url: nowhere };
      const { status } = await trial.send(request);
      return status === 404 || status === 410 ? passed() : failed(`${status}, not 404`);
    },
  },
  {
    id: "statuses/unknown-record",
    rule: "A record that does not exist answers 404",
    level: "should",
    sections: ["RFC 9110 §15.5.5"],
    async try(trial) {
      if (!trial.operation.readable) return notTested("GET of a record is not offered");
      const { answer } = await create(trial);
      const identity = identityOf(answer, { url: trial.place.url }) ?? "";
      const { url } = trial.place;
      const nobody = new URL(`${url.pathname.replace(/\/$/, "")}/${unknownId(identity)}`, url);
      const { status } = await trial.ask("GET", nobody);
      return status === 404 || status === 410 ? passed() : failed(`${status}, not 404`);
    },
  },
  {
    id: "statuses/options",
    rule: "OPTIONS tells in Allow what the path takes",
    level: "should",
    sections: ["RFC 9110 §9.3.7"],
    async try(trial) {
      const answer = await trial.ask("OPTIONS");
      if (!succeeded(answer)) return noted(`OPTIONS is not offered: ${answer.status}`);
      const allow = answer.headers.get("allow");
      if (allow === undefined) return failed(`${answer.status} without Allow`);
      if (!listOf(allow).includes("POST")) return failed(`Allow: ${allow}, without POST`);
      const types = answer.headers.get("accept-post");
      return passed(types === undefined ? undefined : `Accept-Post: ${types}`);
    },
  },
];

/**
 * A method that the document does not name, and that would do no harm if the server had it after
 * all: there is no body, and never a DELETE.
 */
async function askUnofferedMethod(trial: Trial): Promise<Answer | undefined> {
  const method = ["PUT", "PATCH"].find((name) => !trial.operation.methods.includes(name));
  if (method === undefined) return undefined;
  return trial.ask(method);
}

/** An id of the same form as a record's that nobody has. */
function unknownId(identity: string): string {
  const last = /[^/ ]*$/.exec(identity)![0];
  if (/^\d+$/.test(last)) return "2000000011";
  if (/^[0-9a-f-]{36}$/i.test(last)) return crypto.randomUUID();
  if (/^[0-9a-f]{24}$/i.test(last)) return "f".repeat(24);
  return `${last.slice(0, -4)}none`;
}
