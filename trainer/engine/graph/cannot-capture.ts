/** A step that no graph can stand for. Expected by callers: they go on eagerly and say so. */
export class CannotCapture extends Error {
  /** The op, or the JavaScript call, that stands in the way. */
  readonly op: string;
  constructor(op: string, reason: string, options?: ErrorOptions) {
    super(`The step cannot be captured at ${op}: ${reason}.`, options);
    this.op = op;
  }
}
