import type { NodemailerError } from "nodemailer";
import { MailError } from "./mail-error.ts";
import type { SmtpAddress } from "./smtp-address.ts";

const MAX_REPLY_LENGTH = 300;

/** The mail itself was refused, in the envelope or after its content; all else is the session's. */
const OF_THE_MAIL = ["EENVELOPE", "EMESSAGE"];

/** What failed, in a sentence of our own: the library's may hold what the server was told. */
export function smtpFailure(error: NodemailerError, server: SmtpAddress): MailError {
  const where = `The mail server at ${server.host}:${server.port}`;
  const { code = "", originalCode, responseCode: replyCode } = error;
  if (OF_THE_MAIL.includes(code)) {
    const { permanent, detail } = smtpReply(error, server);
    return new MailError(`${where} refused the mail: ${detail}`, { permanent, replyCode });
  }
  const why = originalCode ?? code;
  const reason = replyCode === undefined ? (why ? ` (${why})` : "") : ` (${replyCode})`;
  return new MailError(`${where} ${sessionFailure(error)}${reason}.`, {
    permanent: false,
    replyCode,
  });
}

/** What the server said about a mail or a recipient, fit to be shown. */
export function smtpReply(
  { response, responseCode, message }: NodemailerError,
  server: SmtpAddress,
): { readonly permanent: boolean; readonly detail: string } {
  return {
    // 503 is about the order of commands, not about the mail (RFC 5321 section 4.2.2). Without a
    // reply it was refused on this side: larger than the server takes, or an address it can't take.
    permanent:
      responseCode === undefined ||
      (responseCode >= 500 && responseCode < 600 && responseCode !== 503),
    detail: withoutPassword(response ?? message, server)
      .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")
      .slice(0, MAX_REPLY_LENGTH),
  };
}

function sessionFailure({ code, originalCode = "" }: NodemailerError): string {
  if (code === "EAUTH" || code === "ENOAUTH") return "does not accept the user and the password";
  if (code === "ETIMEDOUT") return "did not answer in time";
  if (/CERT|SELF_SIGNED|ISSUER/.test(originalCode))
    return "has a certificate that can't be trusted";
  if (code === "ETLS") return "can't be talked to with TLS";
  if (code === "EDNS") return "has a name that can't be resolved";
  if (code === "ECONNECTION" || code === "ESOCKET") return "can't be reached, or hung up";
  return "failed";
}

/** A server could say back what it was told, as it is or in the Base64 of AUTH (RFC 4954). */
function withoutPassword(text: string, { login }: SmtpAddress): string {
  if (login === undefined) return text;
  const { user, password } = login;
  const told = [base64(`\0${user}\0${password}`), base64(password), password];
  return told.reduce((clean, secret) => clean.replaceAll(secret, "[redacted]"), text);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
