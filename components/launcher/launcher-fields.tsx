'use client';
import { useState } from 'react';
import { LabelledCheckbox } from '../ui/checkbox';
import { Disclosure } from '../ui/disclosure';
import { Field } from '../ui/field';
import { Input, NumberInput, Textarea } from '../ui/input';
import type { DraftProblems, LauncherDraft } from './launcher-draft';

type TextField = { [K in keyof LauncherDraft]: LauncherDraft[K] extends string ? K : never }[keyof LauncherDraft];
interface FieldsProps {
  draft: LauncherDraft;
  update: (change: Partial<LauncherDraft>) => void;
  problems: DraftProblems;
}

/** Fields of a launcher of the draft's kind; what most do not need is behind a button. */
export function LauncherFields(props: FieldsProps) {
  const { draft, update } = props;
  const [isOpen, setOpen] = useState(false);
  const text = textField(props);
  const hasSsh = draft.kind === 'ssh' || (draft.kind === 'slurm' && !draft.isHere);
  return (
    <div className="space-y-4">
      {text('name', 'name', 'Name', {
        hint: 'Its hosts get it as a label, by which runs can ask for them.',
        placeholder: draft.kind === 'slurm' ? 'cluster-a' : 'lab-1',
      })}
      {draft.kind === 'slurm' && (
        <LabelledCheckbox
          checked={draft.isHere}
          onChange={(isHere) => update({ isHere })}
          label="Slurm’s commands work on the hub’s own machine"
        />
      )}
      {hasSsh && (
        <div className="grid gap-4 sm:grid-cols-[1fr_7rem]">
          {text('destination', 'ssh.destination', draft.kind === 'slurm' ? 'Login host' : 'Host', {
            hint: 'user@host, or a name from the ssh config of the account that the hub runs as.',
            placeholder: 'anna@gpu1.example.org',
          })}
          {text('port', 'ssh.port', 'Port', { optional: true, isNumber: true, placeholder: '22' })}
        </div>
      )}
      {draft.kind === 'slurm' && <BatchFields {...props} />}
      {draft.kind !== 'slurm' && (
        <div className="grid gap-4 sm:grid-cols-2">
          {text('slots', 'slots', 'Runs at a time', {
            optional: true,
            isNumber: true,
            hint: 'One for each GPU unless set.',
          })}
          {text('labels', 'labels', 'Labels', { optional: true, placeholder: 'a100 room:2' })}
        </div>
      )}
      <Disclosure
        label="Folders, Node and ssh"
        summary={draft.installFolder}
        isOpen={isOpen || hasMoreProblems(props.problems)}
        onToggle={() => setOpen(!isOpen)}
      />
      {(isOpen || hasMoreProblems(props.problems)) && <MoreFields {...props} hasSsh={hasSsh} />}
    </div>
  );
}

const MORE = ['installFolder', 'nodePath', 'datasetsDir', 'weightsDir', 'ssh.identityFile', 'ssh.options'];
const hasMoreProblems = (problems: DraftProblems) => MORE.some((path) => problems[path] !== undefined);

function BatchFields(props: FieldsProps) {
  const { draft, update } = props;
  const text = textField(props);
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-3">
        {text('partition', 'batch.partition', 'Partition', { optional: true })}
        {text('account', 'batch.account', 'Account', { optional: true })}
        {text('qos', 'batch.qos', 'Quality of service', { optional: true })}
        {text('timeLimit', 'batch.timeLimit', 'Time limit', { optional: true, placeholder: '12:00:00' })}
        {text('gres', 'batch.gres', 'Resources', { optional: true, placeholder: 'gpu:1' })}
        {text('cpus', 'batch.cpus', 'CPUs', { optional: true, isNumber: true })}
        {text('memory', 'batch.memory', 'Memory', { optional: true, placeholder: '32G' })}
        {text('maxJobs', 'maxJobs', 'Jobs at once', { isNumber: true })}
        {text('labels', 'labels', 'Labels', { optional: true, placeholder: 'a100' })}
      </div>
      <Field
        label="Further lines for sbatch"
        optional
        error={props.problems['batch.extraLines']}
        hint="One option a line, such as --constraint=a100."
      >
        {(control) => (
          <Textarea
            {...control}
            rows={2}
            className="num"
            value={draft.extraLines}
            onChange={(event) => update({ extraLines: event.target.value })}
          />
        )}
      </Field>
      <div className="grid items-end gap-4 sm:grid-cols-2">
        {text('signalLeadSeconds', 'batch.signalLeadSeconds', 'Checkpoint before the time limit (s)', {
          isNumber: true,
        })}
        <LabelledCheckbox
          checked={draft.requeue}
          onChange={(requeue) => update({ requeue })}
          label="Slurm may start a job again"
        />
      </div>
    </>
  );
}

function MoreFields({ hasSsh, ...props }: FieldsProps & { hasSsh: boolean }) {
  const { draft, update, problems } = props;
  const text = textField(props);
  return (
    <div className="space-y-4 border-l-2 pl-4">
      {text('installFolder', 'installFolder', 'Install folder', {
        hint: draft.kind === 'slurm' ? 'One that the login host and all nodes share.' : undefined,
      })}
      <div className="grid gap-4 sm:grid-cols-2">
        {text('datasetsDir', 'datasetsDir', 'Folder of datasets', { optional: true, placeholder: '/data' })}
        {text('weightsDir', 'weightsDir', 'Folder of published weights', { optional: true })}
        {text('nodePath', 'nodePath', 'Node', { optional: true, placeholder: 'looked for' })}
        {hasSsh && text('identityFile', 'ssh.identityFile', 'Private key on the hub’s machine', { optional: true })}
      </div>
      {hasSsh && (
        <>
          <Field
            label="Options of ssh"
            optional
            error={problems['ssh.options']}
            hint="One a line, such as ProxyJump gate.example.org."
          >
            {(control) => (
              <Textarea
                {...control}
                rows={2}
                className="num"
                value={draft.sshOptions}
                onChange={(event) => update({ sshOptions: event.target.value })}
              />
            )}
          </Field>
          <LabelledCheckbox
            checked={draft.controlMaster}
            onChange={(controlMaster) => update({ controlMaster })}
            label="One connection for everything"
          />
        </>
      )}
    </div>
  );
}

interface TextOptions {
  hint?: string;
  placeholder?: string;
  optional?: boolean;
  isNumber?: boolean;
}
const textField =
  ({ draft, update, problems }: FieldsProps) =>
  (field: TextField, path: string, label: string, { hint, placeholder, optional, isNumber }: TextOptions = {}) => {
    const Control = isNumber ? NumberInput : Input;
    return (
      <Field label={label} hint={hint} optional={optional} error={problems[path]}>
        {(control) => (
          <Control
            {...control}
            value={draft[field]}
            placeholder={placeholder}
            onChange={(event) => update({ [field]: event.target.value })}
          />
        )}
      </Field>
    );
  };
