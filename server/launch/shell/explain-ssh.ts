/** What ssh said, as a fault with a sentence that tells what to do. */
import type { LaunchFault } from '../launcher.ts';

/** @param said ssh's standard error @param hasKey a key of the host has been accepted */
export function explainSsh(destination: string, said: string, hasKey: boolean): LaunchFault {
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said))
    return hasKey
      ? {
          code: 'host_key_changed',
          message: `${destination} shows another key than the one that was accepted, so nothing was sent. If the machine was set up anew, compare the new fingerprint with its administrator's and accept it; if not, somebody may be in between.`,
        }
      : hostKeyUnknown(destination);
  if (/Permission denied|Too many authentication failures/.test(said))
    return {
      code: 'not_allowed',
      message: `${destination} does not let the hub in: put the public half of the hub's key into ~/.ssh/authorized_keys there, or name another key or user.`,
    };
  const last = said.trim().split('\n').at(-1) ?? '';
  return {
    code: 'unreachable',
    message: `No connection to ${destination}${last === '' ? '' : ` (${last.replace(/\.$/, '').slice(0, 300)})`}: check that "ssh ${destination}" works for the account that the hub runs as.`,
  };
}

export const hostKeyUnknown = (destination: string): LaunchFault => ({
  code: 'host_key_unknown',
  message: `Nobody has accepted the key of ${destination} yet: compare its fingerprint with the one that the host's administrator knows, then accept it.`,
});
