import type { MailReceipt } from "../declare/mail.ts";
import type { Mail } from "./message.ts";

/** What takes mails: an SMTP server, or in development the capture. */
export interface MailTransport {
  /**
   * Settles when the mail was taken over. A failure on the way back, such as a time-out after the
   * last line, leaves it open whether it was; the same `Message-ID` shows when it comes twice.
   * @throws MailError whatever the failure is, with `permanent` if the same mail would fail again
   */
  send(mail: Mail, options?: SendOptions): Promise<MailReceipt>;
  /** Lets what is being sent finish, fails what still waits, and takes nothing more. */
  close(): Promise<void>;
}

export interface SendOptions {
  /** Stops the sending; it then fails, not permanently. */
  readonly signal?: AbortSignal;
}
