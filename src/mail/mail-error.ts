/** Why a mail was not sent. Neither its message nor anything else of it holds a password. */
export class MailError extends Error {
  /**
   * Sending this very mail again would end the same: we or the server refused the mail itself.
   * All else is temporary, wrong passwords and certificates included: they are put right without
   * touching the mail, so it is worth keeping (Postfix defers mail then for the same reason).
   */
  readonly permanent: boolean;
  /** Code of the server's reply (RFC 5321 section 4.2.1), where one decided. */
  readonly replyCode: number | undefined;

  constructor(message: string, { permanent, replyCode }: MailFailure) {
    super(message);
    this.name = "MailError";
    this.permanent = permanent;
    this.replyCode = replyCode;
  }
}

export interface MailFailure {
  readonly permanent: boolean;
  readonly replyCode?: number | undefined;
}

/** @throws MailError always: the mail itself is wrong */
export function refuseMail(sentence: string): never {
  throw new MailError(sentence, { permanent: true });
}
