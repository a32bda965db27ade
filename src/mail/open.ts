import { parseMailbox } from "./address.ts";
import { MailCapture } from "./capture.ts";
import { type SmtpOptions, smtpTransport } from "./smtp.ts";
import { parseSmtpAddress } from "./smtp-address.ts";
import type { MailTransport } from "./transport.ts";

export interface MailOptions extends Omit<SmtpOptions, "from"> {
  /** The sender of mails that name none: `Shop <shop@example.com>`. */
  readonly from?: string | undefined;
}

/**
 * The door of mail: where an address says that it goes, and in development, without one, the
 * capture.
 * @param address `smtp://user:password@host:587` or `smtps://user:password@host:465`
 * @throws MailError with a sentence for the operator, if the address or the sender can't be used
 */
export function openMail(address: string, options?: MailOptions): MailTransport;
export function openMail(address: undefined, options?: MailOptions): MailCapture;
export function openMail(
  address: string | undefined,
  options?: MailOptions,
): MailTransport | MailCapture;
export function openMail(
  address: string | undefined,
  options: MailOptions = {},
): MailTransport | MailCapture {
  const from = options.from === undefined ? undefined : parseMailbox(options.from, "from");
  if (address !== undefined) return smtpTransport(parseSmtpAddress(address), { ...options, from });
  return new MailCapture({ from, ...(options.clock && { clock: options.clock }) });
}
