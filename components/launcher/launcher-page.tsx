'use client';
import type { LauncherView } from '@mealtable/protocol/launcher-views';
import { SearchX } from 'lucide-react';
import Link from 'next/link';
import { useMe } from '../account/use-me';
import { plural } from '../format';
import { BackLink } from '../ui/back-link';
import { Badge } from '../ui/badge';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Notice } from '../ui/notice';
import { PageHeader } from '../ui/page-header';
import { Panel } from '../ui/panel';
import { Skeleton } from '../ui/skeleton';
import { Fact, Facts } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { FaultPanel } from './fault-panel';
import { JobsTable } from './jobs-table';
import { LauncherActions } from './launcher-actions';
import { StepsPanel } from './steps-panel';
import { useLaunchers } from './use-launchers';
import { KIND_WORDS, launcherLook } from './words';

export function LauncherPage({ id }: { id: string }) {
  const { isOwner, canEdit } = useMe();
  const query = useLaunchers();
  const launcher = query.data?.launchers.find((known) => known.id === id);
  if (query.isPending) return <Skeleton className="h-96" />;
  if (query.isError && !query.data)
    return <ErrorState what="The launcher" error={query.error} onRetry={() => void query.refetch()} />;
  if (!launcher)
    return (
      <EmptyState
        icon={SearchX}
        title="There is no such launcher"
        actions={
          <Link href="/hosts" className="font-medium text-accent hover:underline">
            All hosts
          </Link>
        }
      >
        It was removed, or the address is mistyped. Hosts that it started stay in the list of hosts.
      </EmptyState>
    );
  const look = launcherLook(launcher);
  const isOfJobs = launcher.kind === 'slurm';
  return (
    <>
      <BackLink href="/hosts">Hosts</BackLink>
      <PageHeader
        title={launcher.name}
        documentTitle={launcher.name}
        badges={
          <>
            <Badge tone={look.tone}>{look.word}</Badge>
            <Badge>{KIND_WORDS[launcher.kind]}</Badge>
            {launcher.fromConfig && <Badge>From the config file</Badge>}
          </>
        }
        lead={describeWork(launcher)}
        actions={<LauncherActions launcher={launcher} isOwner={isOwner} canEdit={canEdit} />}
      />
      <div className="space-y-4">
        <FaultPanel launcher={launcher} isOwner={isOwner} />
        {launcher.isLoopback && (
          <Notice tone="warn" title={`Other machines cannot open ${launcher.hubUrl}`}>
            That address leads to the hub on the hub’s own machine alone. Start the hub with <code>HOST</code> set to an
            address of its network, or behind a proxy with <code>MEALTABLE_ORIGIN</code>.
          </Notice>
        )}
        <div className="grid items-start gap-4 xl:grid-cols-[1fr_22rem]">
          <div className="min-w-0 space-y-4">
            {isOfJobs && <JobsTable launcher={launcher} canEdit={canEdit} />}
            <StepsPanel id={id} isAtWork={launcher.task !== null} isOfJobs={isOfJobs} />
          </div>
          <SettingsPanel launcher={launcher} />
        </div>
      </div>
    </>
  );
}

function describeWork({ kind, jobs, boundRuns, hosts, agent, name }: LauncherView): string {
  const bound = `${plural(boundRuns, 'queued run asks', 'queued runs ask')} for ${name}`;
  if (kind === 'slurm')
    return `${plural(jobs.running, 'job runs', 'jobs run')}, ${jobs.waiting} ${jobs.waiting === 1 ? 'waits' : 'wait'}; ${bound}`;
  const online = hosts.filter(({ isOnline }) => isOnline).length;
  const where = agent?.node ? ` on ${agent.node}` : '';
  return `${online > 0 ? `Attached${where}` : agent?.state === 'running' ? `The agent runs${where} and is not attached` : 'No agent of it is attached'}; ${bound}`;
}

function SettingsPanel({ launcher }: { launcher: LauncherView }) {
  const { settings, hostKeyFingerprint, hubUrl } = launcher;
  const ssh = settings.kind === 'local' ? null : settings.ssh;
  const batch = settings.kind === 'slurm' ? settings.batch : null;
  const asked = batch && [
    ...[batch.partition, batch.account, batch.qos, batch.timeLimit, batch.gres],
    ...[batch.cpus === undefined ? undefined : `${batch.cpus} CPUs`, batch.memory, ...batch.extraLines],
  ];
  return (
    <Panel title="Settings">
      <Facts>
        <Fact name={settings.kind === 'slurm' ? 'Login host' : 'Host'}>
          {ssh ? `${ssh.destination}${ssh.port === undefined ? '' : `, port ${ssh.port}`}` : 'the hub’s machine'}
        </Fact>
        {ssh && (
          <Fact name="Host key">
            {hostKeyFingerprint === null ? (
              <span className="text-warn">not accepted yet</span>
            ) : (
              <span className="num break-all text-xs">{hostKeyFingerprint}</span>
            )}
          </Fact>
        )}
        {asked && (
          <Fact name="Each job">{asked.filter((part) => part !== undefined).join(' · ') || 'as the site gives'}</Fact>
        )}
        {settings.kind === 'slurm' ? (
          <Fact name="At once">{plural(settings.maxJobs, 'job')} at most</Fact>
        ) : (
          <Fact name="Runs at a time">{settings.slots ?? 'one for each GPU'}</Fact>
        )}
        <Fact name="Labels">{[launcher.name, ...settings.labels].join(', ')}</Fact>
        <Fact name="Folder">
          <span className="num break-all text-xs">{settings.installFolder}</span>
        </Fact>
        <Fact name="Datasets">{settings.datasetsDir ?? 'those that come with it'}</Fact>
        <Fact name="Hub">
          <span className="break-all">{hubUrl}</span>
        </Fact>
        {launcher.agent && (
          <Fact name="Looked at">
            <RelativeTime at={launcher.agent.seenAt} none="never" />
          </Fact>
        )}
      </Facts>
    </Panel>
  );
}
