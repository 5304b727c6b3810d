'use client';
import { useQuery } from '@tanstack/react-query';
import { useTRPC } from '../../trpc-provider';
import { Field } from '../../ui/field';
import { Input } from '../../ui/input';
import { Panel } from '../../ui/panel';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';

/** Binds the study to hosts or to a cluster: what all its runs ask their hosts to have. */
export function HostsSection() {
  const trpc = useTRPC();
  const { draft, update, shown } = useStudyForm();
  const hosts = useQuery(trpc.hosts.list.queryOptions());
  const launchers = useQuery(trpc.launchers.list.queryOptions());
  const known = [
    ...new Set([
      ...(launchers.data?.launchers.map(({ name }) => name) ?? []),
      ...(hosts.data?.flatMap((host) => [...host.labels, ...host.offeredLabels]) ?? []),
    ]),
  ];
  return (
    <Panel title="Where it trains">
      <Field
        label="Labels of hosts"
        optional
        path="requiredLabels"
        error={problemAt(shown, 'requiredLabels', true)}
        hint={
          known.length > 0
            ? `Empty for any host. A host must have all of them; the name of a launcher or cluster is one. There are: ${known.join(', ')}.`
            : 'Empty for any host. No host has labels yet, and there is no launcher.'
        }
      >
        {(control) => (
          <Input
            {...control}
            value={draft.hostLabels}
            placeholder="a100"
            onChange={(event) => update({ hostLabels: event.target.value })}
          />
        )}
      </Field>
    </Panel>
  );
}
