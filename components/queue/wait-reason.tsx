'use client';
import type { WaitReason } from '@mealtable/protocol/views';
import Link from 'next/link';
import { Fragment, type ReactNode } from 'react';
import { formatBytes, plural } from '../format';
import { RelativeTime } from '../ui/time';
import { STATUS_WORDS } from '../words';
import { ClusterWaitText } from './cluster-wait-text';

const link = 'font-medium text-accent hover:underline';

/** One reason, as a sentence. @param position of the run in the queue */
export function WaitReasonText({ reason, position }: { reason: WaitReason; position: number | null }) {
  switch (reason.kind) {
    case 'paused':
      return (
        <>
          Paused{reason.by && ` by ${reason.by}`}, <RelativeTime at={reason.at} />.
        </>
      );
    case 'needs_runs':
      return (
        <>
          Waits for{' '}
          <List
            items={reason.runs.map((run) => (
              <Fragment key={run.runId}>
                <Link href={`/runs/${run.runId}`} prefetch={false} className={link}>
                  {run.label}
                </Link>{' '}
                ({STATUS_WORDS[run.status].toLowerCase()})
              </Fragment>
            ))}
          />
          .
        </>
      );
    case 'no_host':
      return (
        <>
          {reason.known === 0 ? 'No host is attached. ' : `None of ${plural(reason.known, 'host')} is online. `}
          <Away names={reason.away} />
          <HostsLink>Attach one</HostsLink>.
        </>
      );
    case 'no_dataset':
      return (
        <>
          No host online has the dataset “{reason.dataset}”{reason.forTraining && ' with images to train on'}.{' '}
          <Away names={reason.away} />
        </>
      );
    case 'no_labels':
      return (
        <>
          No host that has its dataset has {reason.labels.length === 1 ? 'the label' : 'all the labels'}{' '}
          {reason.labels.join(', ')}. <Away names={reason.away} />
        </>
      );
    case 'no_memory':
      return (
        <>
          It wants {formatBytes(reason.bytes)} of memory; the largest slot has {formatBytes(reason.most)}.{' '}
          <Away names={reason.away} />
        </>
      );
    case 'no_weights':
      return (
        <>
          No host has or can fetch the published weights {reason.weights.join(', ')}. <Away names={reason.away} />
        </>
      );
    case 'refused':
      return <Sentences items={reason.hosts.map((host) => ({ key: host.name, text: host.reason }))} />;
    case 'draining':
      return (
        <>
          {reason.hosts.join(', ')} {reason.hosts.length === 1 ? 'is' : 'are'} drained and no other host can take it.{' '}
          <HostsLink>Hosts</HostsLink>
        </>
      );
    case 'resting':
      return (
        <>
          <List
            items={reason.hosts.map((host) => (
              <Fragment key={host.name}>
                {host.name} rests <Until at={host.until} />
              </Fragment>
            ))}
          />
          . {reason.hosts[0]?.reason} <HostsLink>Wake it</HostsLink>
        </>
      );
    case 'cluster':
      return <ClusterWaitText wait={reason} />;
    case 'study_limit':
      return (
        <>
          Its study runs at most {plural(reason.limit, 'run')} at once, and others go first.{' '}
          <Link href={`/studies/${reason.studyId}`} prefetch={false} className={link}>
            Change it
          </Link>
        </>
      );
    case 'no_slot':
      return position === null || position === 1 ? (
        <>All slots that could take it are in use. It is next.</>
      ) : (
        <>All slots that could take it are in use; {plural(position - 1, 'run is', 'runs are')} before it.</>
      );
  }
}

/** For a run without any reason. */
export const NEXT_TEXT = 'The next host that asks takes it, within seconds.';

function Away({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  return (
    <>
      {names.join(', ')} could take it, but {names.length === 1 ? 'is' : 'are'} not online.{' '}
    </>
  );
}

function Until({ at }: { at: number }) {
  const clock = new Date(at).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false });
  return <span className="whitespace-nowrap">until {clock}</span>;
}

const HostsLink = ({ children }: { children: ReactNode }) => (
  <Link href="/hosts" className={link}>
    {children}
  </Link>
);

function List({ items }: { items: ReactNode[] }) {
  return items.map((item, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the list is drawn whole, and never reordered
    <Fragment key={i}>
      {i > 0 && (i === items.length - 1 ? ' and ' : ', ')}
      {item}
    </Fragment>
  ));
}

function Sentences({ items }: { items: { key: string; text: string }[] }) {
  return items.map(({ key, text }) => <Fragment key={key}>{text} </Fragment>);
}
