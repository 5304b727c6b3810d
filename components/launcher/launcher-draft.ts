/** The form of a launcher: texts while typing, settings of the protocol when sent. Pure. */
import { type LauncherKind, LauncherName, LauncherSettings } from '@mealtable/protocol/launchers';

export interface LauncherDraft {
  kind: LauncherKind;
  name: string;
  destination: string;
  port: string;
  identityFile: string;
  /** One `Name value` a line. */
  sshOptions: string;
  controlMaster: boolean;
  /** Slurm only: its commands are on the hub's machine. */
  isHere: boolean;
  installFolder: string;
  nodePath: string;
  datasetsDir: string;
  weightsDir: string;
  labels: string;
  slots: string;
  partition: string;
  account: string;
  qos: string;
  timeLimit: string;
  gres: string;
  cpus: string;
  memory: string;
  extraLines: string;
  requeue: boolean;
  signalLeadSeconds: string;
  maxJobs: string;
}

export const emptyDraft = (kind: LauncherKind): LauncherDraft => ({
  kind,
  name: '',
  destination: '',
  port: '',
  identityFile: '',
  sshOptions: '',
  controlMaster: true,
  isHere: false,
  installFolder: '~/.mealtable',
  nodePath: '',
  datasetsDir: '',
  weightsDir: '',
  labels: '',
  slots: '',
  partition: '',
  account: '',
  qos: '',
  timeLimit: '',
  gres: kind === 'slurm' ? 'gpu:1' : '',
  cpus: '',
  memory: '',
  extraLines: '',
  requeue: true,
  signalLeadSeconds: '180',
  maxJobs: '100',
});

export function draftOf(name: string, settings: LauncherSettings): LauncherDraft {
  const draft = emptyDraft(settings.kind);
  const ssh = settings.kind === 'local' ? null : settings.ssh;
  const batch = settings.kind === 'slurm' ? settings.batch : null;
  const text = (value: string | number | undefined) => (value === undefined ? '' : String(value));
  return {
    ...draft,
    name,
    destination: text(ssh?.destination),
    port: text(ssh?.port),
    identityFile: text(ssh?.identityFile),
    sshOptions: Object.entries(ssh?.options ?? {})
      .map((pair) => pair.join(' '))
      .join('\n'),
    controlMaster: ssh?.controlMaster ?? true,
    isHere: settings.kind === 'slurm' && ssh === null,
    installFolder: settings.installFolder,
    nodePath: text(settings.nodePath),
    datasetsDir: text(settings.datasetsDir),
    weightsDir: text(settings.weightsDir),
    labels: settings.labels.join(' '),
    slots: settings.kind === 'slurm' ? '' : text(settings.slots),
    partition: text(batch?.partition),
    account: text(batch?.account),
    qos: text(batch?.qos),
    timeLimit: text(batch?.timeLimit),
    gres: text(batch?.gres),
    cpus: text(batch?.cpus),
    memory: text(batch?.memory),
    extraLines: (batch?.extraLines ?? []).join('\n'),
    requeue: batch?.requeue ?? true,
    signalLeadSeconds: text(batch?.signalLeadSeconds ?? 180),
    maxJobs: settings.kind === 'slurm' ? String(settings.maxJobs) : '100',
  };
}

export type DraftProblems = Partial<Record<string, string>>;
export type ReadDraft = { ok: true; name: string; settings: LauncherSettings } | { ok: false; problems: DraftProblems };

/** @returns the settings, or a sentence for each field by its path in the settings */
export function readDraft(draft: LauncherDraft): ReadDraft {
  const name = LauncherName.safeParse(draft.name.trim());
  const settings = LauncherSettings.safeParse(toSettings(draft));
  if (name.success && settings.success) return { ok: true, name: name.data, settings: settings.data };
  const problems: DraftProblems = {};
  if (!name.success) problems.name = name.error.issues[0]?.message;
  for (const { path, message } of settings.error?.issues ?? []) {
    const at = path.slice(0, path[0] === 'labels' ? 1 : 2).join('.');
    problems[at] ??= path[1] === 'options' ? `${String(path[2])}: ${message}` : message;
  }
  return { ok: false, problems };
}

function toSettings(draft: LauncherDraft): object {
  const host = {
    installFolder: draft.installFolder.trim(),
    ...given({ nodePath: draft.nodePath, datasetsDir: draft.datasetsDir, weightsDir: draft.weightsDir }),
    labels: draft.labels.split(/[\s,]+/).filter((label) => label !== ''),
  };
  const ssh = {
    destination: draft.destination.trim(),
    ...givenNumbers({ port: draft.port }),
    ...given({ identityFile: draft.identityFile }),
    options: Object.fromEntries(
      lines(draft.sshOptions).map((line) => line.split(/[\s=]+(.*)/s, 2) as [string, string]),
    ),
    controlMaster: draft.controlMaster,
  };
  if (draft.kind === 'local') return { kind: 'local', ...host, ...givenNumbers({ slots: draft.slots }) };
  if (draft.kind === 'ssh') return { kind: 'ssh', ssh, ...host, ...givenNumbers({ slots: draft.slots }) };
  const { partition, account, qos, timeLimit, gres, memory } = draft;
  return {
    kind: 'slurm',
    ssh: draft.isHere ? null : ssh,
    ...host,
    batch: {
      ...given({ partition, account, qos, timeLimit, gres, memory }),
      ...givenNumbers({ cpus: draft.cpus, signalLeadSeconds: draft.signalLeadSeconds }),
      extraLines: lines(draft.extraLines),
      requeue: draft.requeue,
    },
    ...givenNumbers({ maxJobs: draft.maxJobs }),
  };
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
const given = (texts: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => (text.trim() === '' ? [] : [[name, text.trim()]])),
  );
const givenNumbers = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(given(texts)).map(([name, text]) => [name, Number(text)]));
