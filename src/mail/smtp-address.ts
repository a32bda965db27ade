import { BlockList, isIP, isIPv4 } from "node:net";
import { didYouMean } from "../kernel/nearest.ts";
import { MailError } from "./mail-error.ts";

/** Where an SMTP server is, and how to talk to it. */
export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (RFC 8314), instead of STARTTLS. */
  readonly implicitTls: boolean;
  /**
   * Whether nothing is sent before STARTTLS (RFC 3207). If not, it is still used where the server
   * offers it. Either way the certificate has to be good.
   */
  readonly requireTls: boolean;
  readonly login: { readonly user: string; readonly password: string } | undefined;
}

const PORTS: Readonly<Record<string, number>> = { "smtp:": 587, "smtps:": 465 };
const PARAMETERS = ["tls"];

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465`. A password is
 * sent to another machine only with TLS; `?tls=optional` lifts that, `?tls=required` asks for it
 * without a password as well.
 * @throws MailError with a sentence for the operator, which never repeats the address
 */
export function parseSmtpAddress(address: string): SmtpAddress {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const port = url && PORTS[url.protocol];
  if (url === undefined || port === undefined || url.hostname === "") {
    refuse("Write it as smtp://user:password@host:587 or smtps://user:password@host:465.");
  }
  if (!/^\/?$/.test(url.pathname) || url.hash !== "") {
    refuse(
      "It has something behind the port. Signs such as / and # in a password are written %2F and %23.",
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) === 0 && !/^[a-z0-9._-]+$/i.test(host)) refuse("Its host is not a host's name.");
  const login = loginOf(url);
  const implicitTls = url.protocol === "smtps:";
  const tls = tlsOf(url);
  return {
    host,
    port: url.port === "" ? port : Number(url.port),
    implicitTls,
    requireTls:
      !implicitTls && (tls === undefined ? login !== undefined && !isLoopback(host) : tls),
    login,
  };
}

function loginOf({ username, password }: URL): SmtpAddress["login"] {
  if (username === "" && password === "") return undefined;
  if (username === "" || password === "")
    refuse("It needs both a user and a password, or neither.");
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    refuse("Its user or its password has a % that is not followed by two hexadecimal digits.");
  }
}

function tlsOf({ searchParams }: URL): boolean | undefined {
  for (const name of searchParams.keys()) {
    if (!PARAMETERS.includes(name)) {
      refuse(`It has a parameter that is not known.${didYouMean(name, PARAMETERS)}`);
    }
  }
  const [tls, ...more] = searchParams.getAll("tls");
  if (tls === undefined) return undefined;
  if (more.length > 0 || (tls !== "required" && tls !== "optional")) {
    refuse("Its parameter tls is required or optional.");
  }
  return tls === "required";
}

function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return /^localhost\.?$/i.test(host);
  return loopback.check(host, isIPv4(host) ? "ipv4" : "ipv6");
}

function refuse(sentence: string): never {
  throw new MailError(`The address of the mail server can't be used. ${sentence}`, {
    permanent: true,
  });
}
