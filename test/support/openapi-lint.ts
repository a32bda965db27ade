import { createConfig, lintFromString } from "@redocly/openapi-core";
import { type RulesetDefinition, Spectral } from "@stoplight/spectral-core";
import { oas } from "@stoplight/spectral-rulesets";
import { isJsonObject, type Json, pointer } from "../../src/kernel/json.ts";

/**
 * What Redocly's recommended rules find in an OpenAPI document, warnings included: one line each,
 * `rule: message at #/json/pointer`; none for a clean document.
 */
export async function lintWithRedocly(document: object): Promise<string[]> {
  const plain = asServed(document);
  const external = externalReferences(plain);
  if (external.length > 0) return external;
  const problems = await lintFromString({
    source: JSON.stringify(plain, null, 2),
    absoluteRef: "openapi.json",
    config: await createConfig({ extends: ["recommended"] }),
  });
  return problems.map(({ ruleId, message, location }) => {
    const place = location[0];
    const at = place === undefined ? "#/" : (place.pointer ?? `line ${place.start.line}`);
    return `${ruleId}: ${message} at ${at}`;
  });
}

/** The same for the recommended rules of Spectral's `spectral:oas`. */
export async function lintWithSpectral(document: object): Promise<string[]> {
  const plain = asServed(document);
  const external = externalReferences(plain);
  if (external.length > 0) return external;
  const spectral = new Spectral();
  // The two packages ship types of their own for a format, which differ in name only.
  spectral.setRuleset({ extends: [[oas as RulesetDefinition, "recommended"]], rules: {} });
  const results = await spectral.run(JSON.stringify(plain, null, 2));
  return results.map(({ code, message, path }) => `${code}: ${message} at ${pointer(path)}`);
}

/** The linters must see what a client sees: no `undefined`, no `Date`, no shared objects. */
function asServed(document: object): Json {
  return JSON.parse(JSON.stringify(document)) as Json;
}

/** Both linters would fetch a reference to elsewhere, and a test sends nothing to other machines. */
function externalReferences(value: Json, path: readonly (string | number)[] = []): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => externalReferences(item, [...path, index]));
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "$ref" && typeof member === "string" && !member.startsWith("#")
      ? [`external-reference: "${member}" is outside the document at ${pointer([...path, name])}`]
      : externalReferences(member, [...path, name]),
  );
}
