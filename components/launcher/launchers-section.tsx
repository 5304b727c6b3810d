'use client';
import type { LauncherView } from '@mealtable/protocol/launcher-views';
import { ChevronRight, Cpu, Network, Terminal } from 'lucide-react';
import Link from 'next/link';
import { plural } from '../format';
import { Badge } from '../ui/badge';
import { Notice } from '../ui/notice';
import { Section } from '../ui/panel';
import { useLaunchers } from './use-launchers';
import { KIND_WORDS, launcherLook } from './words';

const ICONS = { local: Cpu, ssh: Terminal, slurm: Network } as const;

/** Ways to start trainers that the hub knows. Nothing where there are none: "Add host" leads to the first one. */
export function LaunchersSection() {
  const { data } = useLaunchers();
  if (!data || (data.launchers.length === 0 && data.configProblems.length === 0)) return null;
  return (
    <Section title="Launchers" className="mb-6">
      {data.configProblems.length > 0 && (
        <Notice tone="warn" title="The config file cannot be used in part" className="mb-3">
          <ul className="list-disc pl-5">
            {data.configProblems.map((problem) => (
              <li key={problem} className="break-words">
                {problem}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <ul className="grid gap-3 md:grid-cols-2 xl:grid-cols-3">
        {data.launchers.map((launcher) => (
          <LauncherCard key={launcher.id} launcher={launcher} />
        ))}
      </ul>
    </Section>
  );
}

function LauncherCard({ launcher }: { launcher: LauncherView }) {
  const look = launcherLook(launcher);
  const Icon = ICONS[launcher.kind];
  return (
    <li className="min-w-0">
      <Link
        href={`/hosts/launchers/${launcher.id}`}
        className="flex items-center gap-3 rounded-panel border bg-surface px-4 py-3 transition-colors hover:bg-hover"
      >
        <Icon aria-hidden className="size-5 shrink-0 text-ink-3" />
        <span className="min-w-0 grow">
          <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <span className="min-w-0 truncate font-semibold">{launcher.name}</span>
            <Badge tone={look.tone}>{look.word}</Badge>
          </span>
          <span className="block truncate text-ink-3 text-xs">{describe(launcher)}</span>
        </span>
        <ChevronRight aria-hidden className="size-4 shrink-0 text-ink-3" />
      </Link>
    </li>
  );
}

function describe({ kind, jobs, settings, fromConfig }: LauncherView): string {
  const where = settings.kind !== 'local' && settings.ssh ? settings.ssh.destination : 'the hub’s machine';
  const work = kind === 'slurm' ? `${plural(jobs.running, 'job runs', 'jobs run')}, ${jobs.waiting} waiting` : where;
  return [KIND_WORDS[kind], work, ...(fromConfig ? ['config file'] : [])].join(' · ');
}
