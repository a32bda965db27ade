import type { Attachment } from "../declare/mail.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { LINE_BREAKING } from "./address.ts";
import { refuseMail } from "./mail-error.ts";

const FIELDS = ["filename", "content", "contentType"];
const MAX_ATTACHMENTS = 20;
const MAX_FILENAME_LENGTH = 200;
/** Base64 makes 13.5 MiB of it; many servers stop at 20 or 25. */
const MAX_BYTES = 10 * 1_048_576;
const MEDIA_TYPE = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/i;

/** @throws MailError permanent */
export function checkAttachments(attachments: unknown): Attachment[] {
  if (attachments === undefined) return [];
  if (!Array.isArray(attachments)) refuseMail('"attachments" of a mail has to be an array.');
  if (attachments.length > MAX_ATTACHMENTS) {
    refuseMail(`A mail has more than ${MAX_ATTACHMENTS} attachments.`);
  }
  const checked = attachments.map(checkAttachment);
  const bytes = checked.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes > MAX_BYTES) {
    refuseMail("The attachments of a mail are larger than 10 MiB together. Send a link instead.");
  }
  return checked;
}

/** Takes the known fields only: the library would read files and fetch addresses for others. */
function checkAttachment(attachment: unknown): Attachment {
  if (typeof attachment !== "object" || attachment === null) {
    refuseMail("An attachment of a mail has to be an object.");
  }
  for (const name of Object.keys(attachment)) {
    if (!FIELDS.includes(name)) {
      refuseMail(`"${name}" is not a field of an attachment.${didYouMean(name, FIELDS)}`);
    }
  }
  const { filename, content, contentType } = attachment as Partial<Attachment>;
  if (
    typeof filename !== "string" ||
    filename.length === 0 ||
    filename.length > MAX_FILENAME_LENGTH ||
    /[/\\]/.test(filename) ||
    LINE_BREAKING.test(filename) ||
    !filename.isWellFormed()
  ) {
    refuseMail(
      `"filename" of an attachment has to be a name without folder or control characters, of 1 to ${MAX_FILENAME_LENGTH} characters.`,
    );
  }
  if (typeof content !== "string" && !(content instanceof Uint8Array)) {
    refuseMail('"content" of an attachment has to be a string or a Uint8Array.');
  }
  if (contentType === undefined) return { filename, content };
  if (typeof contentType !== "string" || !MEDIA_TYPE.test(contentType)) {
    refuseMail('"contentType" of an attachment has to be a media type such as application/pdf.');
  }
  return { filename, content, contentType };
}
