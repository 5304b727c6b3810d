import { toastError } from '../ui/toast';

/** Ends the session and leaves for the sign-in page; a full load, so that nothing of the old session stays in memory. */
export async function signOut(): Promise<void> {
  try {
    const reply = await fetch('/api/auth/sign-out', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    if (!reply.ok) throw new Error(`The hub answered ${reply.status}.`);
    window.location.assign('/sign-in');
  } catch (error) {
    toastError('Signing out did not work', error);
  }
}
