/** An event as it is sent. */
import { describeEvent, type EventView, pathOfEvent } from '@mealtable/protocol/events';
import type { WebhookPayload } from '@mealtable/protocol/webhooks';

/** @param baseUrl of the hub, for links */
export function makePayload(event: EventView, baseUrl: string): WebhookPayload {
  const { id, at, kind, studyId, studyName, runId, hostId, ...detail } = event;
  const link = (path: string) => new URL(path, baseUrl).href;
  const path = pathOfEvent(event);
  const sentence = `${studyName === null ? '' : `${studyName}: `}${describeEvent(event)}`;
  return {
    type: kind,
    timestamp: new Date(at).toISOString(),
    text: path === null ? sentence : `${sentence}\n${link(path)}`,
    data: {
      eventId: id,
      study: studyId === null ? null : { id: studyId, name: studyName ?? '', url: link(`/studies/${studyId}`) },
      run: runId === null ? null : { id: runId, url: link(`/runs/${runId}`) },
      host: hostId === null ? null : { id: hostId },
      detail,
    },
  };
}
