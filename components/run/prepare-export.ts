/** Asking the hub to make a model in another format; a promise until it is there. */
import type { ModelExportView } from '@mealtable/protocol/exports';
import { goToSignIn } from '../go-to-sign-in';

/** @throws {Error} whose message is a sentence for the user */
export async function prepareExport(url: string): Promise<ModelExportView> {
  const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }).catch(
    () => {
      throw new Error('The hub does not answer. Check that it runs and that this computer can reach it.');
    },
  );
  if (reply.ok) return (await reply.json()) as ModelExportView;
  if (reply.status === 401) goToSignIn();
  const body = (await reply.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new Error(body?.error?.message ?? `The hub answered with ${reply.status}. Its log says more.`);
}

/** As if a link with `download` had been pressed. */
export function startDownload(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}
