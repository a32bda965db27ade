import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../support/folder.ts";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate that signs itself, good for a day; `undefined` where there is no `openssl`. */
export function selfSigned(t: TestContext, ...names: readonly string[]): Certificate | undefined {
  const folder = temporaryFolder(t);
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const { status } = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-days", "1", "-subj", "/CN=test", "-addext", `subjectAltName=${names.join(",")}`],
    ...["-keyout", key, "-out", cert],
  ]);
  if (status !== 0) {
    t.skip("There is no openssl to make a certificate with.");
    return undefined;
  }
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}
