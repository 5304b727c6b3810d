/** What has been opened, to be closed in the opposite order, whether or not the rest succeeded. */
export class Closers {
  #steps: { name: string; close: () => unknown }[] = [];

  add(name: string, close: () => unknown): void {
    this.#steps.push({ name, close });
  }

  /** Closes everything once; a step that fails is told to `report` and the others go on. */
  async closeAll(report: (name: string, error: unknown) => void): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        report(step.name, error);
      }
    }
  }
}
