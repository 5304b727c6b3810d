'use client';
import { useState } from 'react';
import { useMe } from '../account/use-me';
import { NewLauncherForm } from '../launcher/new-launcher-form';
import { Dialog } from '../ui/dialog';
import { Segmented } from '../ui/segmented';
import { AttachCommand } from './attach-command';

const WAYS = [
  {
    value: 'command',
    label: 'A command',
    lead: 'You start the agent on the machine; it connects to the hub with a token of its own.',
  },
  { value: 'ssh', label: 'Over SSH', lead: 'The hub installs the agent on the machine and starts it there.' },
  {
    value: 'slurm',
    label: 'Slurm cluster',
    lead: 'Each run that asks for the cluster by its name becomes one batch job.',
  },
  {
    value: 'local',
    label: 'This machine',
    lead: 'Another agent on the hub’s own machine, beside the one that comes with it.',
  },
] as const;
type Way = (typeof WAYS)[number]['value'];

/** Every way to get a host. Launchers are an owner’s matter: they run programs with the rights of the hub’s account. */
export function AddHostDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { isOwner } = useMe();
  const [way, setWay] = useState<Way>('command');
  const close = () => {
    onOpenChange(false);
    setWay('command');
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => (next ? onOpenChange(true) : close())}
      wide
      title="Add a host"
      description={WAYS.find(({ value }) => value === way)!.lead}
    >
      {isOwner && (
        <div className="-mx-1 mb-4 overflow-x-auto px-1">
          <Segmented
            label="How"
            className="[&_button]:whitespace-nowrap"
            value={way}
            onChange={setWay}
            options={WAYS}
          />
        </div>
      )}
      {way === 'command' ? <AttachCommand onDone={close} /> : <NewLauncherForm key={way} kind={way} onDone={close} />}
    </Dialog>
  );
}
