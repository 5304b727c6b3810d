/** Work on a backend of one's choice. */
import { tf } from '../../trainer/engine/tf.ts';

/** What `work` gives when the named backend computes; afterwards the former one does again. */
export async function on<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const previous = tf.getBackend();
  await tf.setBackend(name);
  try {
    return await work();
  } finally {
    await tf.setBackend(previous);
  }
}
