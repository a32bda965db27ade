/** The check can't run: what is missing, in a sentence for the person who started it. */
export class CannotCheck extends Error {}
