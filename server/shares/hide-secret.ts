import { SHARE_PREFIX } from '@mealtable/protocol/shares';

/** For logs: a path or sentence without the secrets of share links. */
export const hideSecret = (text: string): string =>
  text.replaceAll(new RegExp(`${SHARE_PREFIX}[\\w-]*|(?<=/share/)[^/?#\\s]+`, 'g'), '…');
