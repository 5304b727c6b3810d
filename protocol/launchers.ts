/**
 * Settings of the ways to start trainers: what "Add host" edits and the hub's config file holds. Everything here ends up in another
 * program's arguments or in a script, so every text has a shape that can carry no second argument, no line break and no shell word.
 */
import { z } from 'zod';
import { HostLabels } from './host-labels.ts';
import { JobBatch } from './slurm-settings.ts';

export const LAUNCHER_KINDS = ['local', 'ssh', 'slurm'] as const;
export const LauncherKind = z.enum(LAUNCHER_KINDS);
export type LauncherKind = z.infer<typeof LauncherKind>;

/** Unique among a hub's launchers. Its hosts have it as a label: it is how a run asks for them. */
export const LauncherName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,39}$/,
    'A name is 1-40 lower-case letters, digits, dots, dashes or underscores, such as cluster-a: runs ask for it as a label.',
  );

/** Folder on the host: package versions, logs and the agents' state. On a cluster it must be one that all nodes share. */
export const InstallFolder = z
  .string()
  .regex(
    /^(~\/|\/)[A-Za-z0-9.][A-Za-z0-9._/-]{0,199}$/,
    'Give the folder as ~/name or /path, of letters, digits, dots, dashes and underscores.',
  )
  .refine((path) => !path.split('/').includes('..'), 'Give the folder without "..".');

const FilePath = z
  .string()
  .regex(
    /^(~\/|\/)[A-Za-z0-9._/@+-]{1,399}$/,
    'Give the whole path (~/… or /…), of letters, digits, dots, dashes, underscores, @ and +.',
  );

const WHOLE = /^\d{1,5}$/;
const LIST = /^[A-Za-z0-9][A-Za-z0-9@.,+-]{0,499}$/;
const YES_NO = /^(yes|no)$/;
/**
 * Options of OpenSSH that may be set. Whatever runs a command, forwards something of the hub's machine or says which keys of hosts are
 * trusted is not among them: such a thing belongs into the ssh config of the account that the hub runs as.
 */
export const SSH_OPTIONS = {
  AddressFamily: /^(any|inet|inet6)$/,
  CertificateFile: /^(~\/|\/)[A-Za-z0-9._/@+-]{1,399}$/,
  Ciphers: LIST,
  Compression: YES_NO,
  ConnectTimeout: WHOLE,
  ConnectionAttempts: WHOLE,
  HostKeyAlgorithms: LIST,
  IdentitiesOnly: YES_NO,
  KexAlgorithms: LIST,
  MACs: LIST,
  ProxyJump: /^[A-Za-z0-9][A-Za-z0-9_.@:,-]{0,299}$/,
  PubkeyAcceptedAlgorithms: LIST,
  ServerAliveCountMax: WHOLE,
  ServerAliveInterval: WHOLE,
  TCPKeepAlive: YES_NO,
} as const satisfies Record<string, RegExp>;
export type SshOptionName = keyof typeof SSH_OPTIONS;

const optionNames = Object.keys(SSH_OPTIONS) as SshOptionName[];
const SshOptions = z.record(z.string(), z.string()).superRefine((options, ctx) => {
  for (const [name, value] of Object.entries(options)) {
    const problem = !Object.hasOwn(SSH_OPTIONS, name)
      ? `${name} cannot be set here; these can: ${optionNames.join(', ')}. Put anything else into the hub's ssh config.`
      : SSH_OPTIONS[name as SshOptionName].test(value)
        ? null
        : `"${value}" is no value for ${name}.`;
    if (problem) ctx.addIssue({ code: 'custom', path: [name], message: problem });
  }
});

export const HostKeyLine = z
  .string()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]{20,2000}={0,2}$/,
    'A host key is its kind and its base64 text, as in "ssh-ed25519 AAAA…".',
  );

export const SshSettings = z.strictObject({
  destination: z
    .string()
    .regex(
      /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@)?[A-Za-z0-9][A-Za-z0-9_.:-]{0,252}$/,
      'Give user@host, a host, or a name from the ssh config of the account that the hub runs as.',
    ),
  /** Absent: what the ssh config says, else 22. */
  port: z.int('A port is a whole number.').min(1, 'A port is 1-65535.').max(65_535, 'A port is 1-65535.').optional(),
  /** Private key on the hub's machine. Absent: the ssh agent and the ssh config decide. */
  identityFile: FilePath.optional(),
  options: SshOptions.default({}),
  /** One connection for all calls. Off for hosts whose proxy or second factor does not allow it. */
  controlMaster: z.boolean().default(true),
  /** The one key the host may show, accepted by a person. Absent: nothing is sent until somebody has accepted one. */
  hostKey: HostKeyLine.optional(),
});
export type SshSettings = z.infer<typeof SshSettings>;

/** What a launched agent needs of its host. */
const hostFields = {
  installFolder: InstallFolder.default('~/.mealtable'),
  /** Absent: looked for in PATH, ~/.nvm and the usual folders. */
  nodePath: FilePath.optional(),
  datasetsDir: FilePath.optional(),
  weightsDir: FilePath.optional(),
  /** What its hosts offer to runs, besides the launcher's name. */
  labels: HostLabels.default([]),
};

const Slots = z.int('Slots are a whole number.').min(1, 'A host has 1-64 slots.').max(64, 'A host has 1-64 slots.');

export const LocalLauncherSettings = z.strictObject({
  kind: z.literal('local'),
  ...hostFields,
  /** Absent: as many as the machine suggests. */
  slots: Slots.optional(),
});
export type LocalLauncherSettings = z.infer<typeof LocalLauncherSettings>;

export const SshLauncherSettings = z.strictObject({
  kind: z.literal('ssh'),
  ssh: SshSettings,
  ...hostFields,
  slots: Slots.optional(),
});
export type SshLauncherSettings = z.infer<typeof SshLauncherSettings>;

export const SlurmLauncherSettings = z.strictObject({
  kind: z.literal('slurm'),
  /** Login host. Null: Slurm's commands are on the hub's own machine. */
  ssh: SshSettings.nullable().default(null),
  ...hostFields,
  batch: JobBatch,
  /** Jobs of this launcher that may wait or run at once; further runs wait in the hub's queue. */
  maxJobs: z.int('Jobs are a whole number.').min(1, 'At least 1 job.').max(10_000, 'At most 10,000 jobs.').default(100),
});
export type SlurmLauncherSettings = z.infer<typeof SlurmLauncherSettings>;

export const LauncherSettings = z.discriminatedUnion('kind', [
  LocalLauncherSettings,
  SshLauncherSettings,
  SlurmLauncherSettings,
]);
export type LauncherSettings = z.infer<typeof LauncherSettings>;

/** One entry of `launchers` in the hub's config file. */
export const ConfiguredLauncher = z.object({ name: LauncherName, settings: LauncherSettings });
