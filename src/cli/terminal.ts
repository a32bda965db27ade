import { type InspectColor, styleText } from "node:util";

/** Colour where a person looks, plain text where a program reads (and where NO_COLOR asks for it). */
export function painter(
  stream: NodeJS.WriteStream,
): (style: InspectColor | InspectColor[], text: string) => string {
  return (style, text) => styleText(style, text, { stream });
}

/** Ends the command with a sentence for the operator; a stack would tell nothing more. */
export class CommandError extends Error {}
