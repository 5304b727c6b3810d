/** Something outside the program keeps the hub from starting. The message is one sentence or two, fit to be printed alone. */
export class StartupFault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartupFault';
  }
}
